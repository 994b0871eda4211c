"""Whether a line that many connections share is down, and who is to try it next."""

from etltui.domain.errors import ErrorClass
from etltui.domain.pools import BreakerStats
from etltui.pool.backoff import Backoff

LEAST = 3
"""Connections that must have failed: one or two are branches that are down by themselves."""
WINDOW_S = 60.0
"""How long what a try met is remembered."""
PROBE_S = 60.0
"""How long a try may take until another one is let through: whoever tries may have to wait."""


class Breaker:
    """One line; times are those of the clock's `monotonic`.

    Attributes:
        name: What it is, for an operator to read.
        error_class: Of what the last try met.
        last_error: That in words.
        queue: Who waits, by whatever tells them apart, in the order in which they are to try.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.error_class = ErrorClass.UNREACHABLE
        self.last_error = ""
        self.queue: dict[object, str] = {}
        self._tried: dict[str, tuple[float, bool]] = {}
        self._opened_at: float | None = None
        self._backoff = Backoff()
        self._probing = ""
        self._probe_until = 0.0

    @property
    def open(self) -> bool:
        """Whether the line is down."""
        return self._opened_at is not None

    def failed_of_late(self) -> tuple[str, ...]:
        """Names of the connections that failed."""
        return tuple(name for name, (_, answered) in self._tried.items() if not answered)

    def seconds(self, now: float) -> float:
        """For how long it has been down."""
        return 0.0 if self._opened_at is None else now - self._opened_at

    def failed(
        self, name: str, error: tuple[ErrorClass, str], *, begun: float, now: float, chance: float
    ) -> bool:
        """A connection could not be reached; whether the line counts as down from now on."""
        self.error_class, self.last_error = error
        self._note(name, now, answered=False)
        if name == self._probing:
            self._probing = ""
        failed = self.failed_of_late()
        opens = not self.open and len(failed) >= LEAST and 2 * len(failed) >= len(self._tried)
        if opens:
            self._opened_at = now
        if self.open:
            self._backoff.failed(ErrorClass.UNREACHABLE, begun=begun, now=now, chance=chance)
        return opens

    def answered(self, name: str, now: float) -> bool:
        """A connection was reached; whether the line counts as up again by that."""
        self._note(name, now, answered=True)
        closes = self.open
        if closes:
            self._opened_at = None
            self._probing = ""
            self._backoff = Backoff()
            self._tried = {name: (now, True)}
        return closes

    def untold(self, name: str) -> None:
        """A try ended before it could tell anything of the line: another one is due."""
        if name == self._probing:
            self._probing = ""

    def shut(self, name: str) -> bool:
        """Whether a connection is to wait."""
        return self.open and name != self._probing

    def claim(self, turn: object, now: float) -> bool:
        """Whether it is the turn of one who waits to try; it waits no more then."""
        busy = self._probing and now < self._probe_until
        first = next(iter(self.queue), None)
        if busy or first is not turn or now < self._backoff.retry_at:
            return False
        self._probing = self.queue.pop(turn)
        self._probe_until = now + PROBE_S
        return True

    def next_look(self, now: float) -> float:
        """In how many seconds somebody may try."""
        return max(self._probe_until if self._probing else self._backoff.retry_at, now) - now

    def stats(self, now: float) -> BreakerStats:
        """How it stands."""
        return BreakerStats(
            name=self.name,
            open_s=self.seconds(now),
            waiting=tuple(dict.fromkeys(self.queue.values())),
            probing=self._probing,
            probe_in_s=0.0 if self._probing else self.next_look(now),
            last_error=self.last_error,
        )

    def _note(self, name: str, now: float, *, answered: bool) -> None:
        self._tried[name] = (now, answered)
        oldest = now - WINDOW_S
        self._tried = {name: seen for name, seen in self._tried.items() if seen[0] >= oldest}
