"""Lets those wait whose line is down, and one of them at a time try it."""

import asyncio
import logging
from collections.abc import Callable

from etltui.domain.errors import Failure
from etltui.domain.events import Event, LineDown, LineUp
from etltui.domain.job import Connection
from etltui.domain.pools import BreakerStats, PoolKey
from etltui.domain.ports import Clock
from etltui.domain.words import counted, duration, some, words
from etltui.pool.backoff import ANSWERS, SILENT
from etltui.pool.breaker import WINDOW_S, Breaker

_log = logging.getLogger(__name__)


def line_of(connection: Connection) -> str:
    """What a connection shares with those that fail with it; empty for a file."""
    if connection.gateway:
        return f"gateway {connection.gateway}"
    server = PoolKey.of(connection).server
    return f"server {server}" if server else ""


class Breakers:
    """All lines; implements `domain.lending.Breakers`.

    Args:
        clock: Tells when.
        publish: Told once when a line is down, and once when it is up again.
        chance: Numbers from 0 to 1.
    """

    def __init__(
        self, clock: Clock, *, publish: Callable[[Event], None], chance: Callable[[], float]
    ) -> None:
        self._clock = clock
        self._publish = publish
        self._chance = chance
        self._lines: dict[str, Breaker] = {}
        self._moved: dict[str, asyncio.Event] = {}

    def shut(self, connection: Connection) -> bool:
        """See `domain.lending.Breakers`."""
        breaker = self._lines.get(line_of(connection))
        return breaker is not None and breaker.shut(connection.name)

    async def passable(self, connection: Connection, until: float) -> None:
        """See `domain.lending.Breakers`."""
        breaker = self._lines.get(line_of(connection))
        if breaker is None or not breaker.shut(connection.name):
            return
        turn = object()
        breaker.queue[turn] = connection.name
        try:
            while breaker.shut(connection.name):
                now = self._clock.monotonic()
                if breaker.claim(turn, now):
                    return
                if now >= until:
                    raise self._given_up(breaker, now)
                await self._moves(breaker, min(breaker.next_look(now) or until - now, until - now))
        finally:
            breaker.queue.pop(turn, None)
            # Whoever is the first now has to look when its turn comes.
            self._wake(breaker)

    def answered(self, connection: Connection) -> None:
        """A session was opened."""
        breaker = self._line(connection)
        if breaker is None:
            return
        now = self._clock.monotonic()
        seconds, waited = breaker.seconds(now), breaker.stats(now).waiting
        if breaker.answered(connection.name, now):
            _log.warning(
                "The %s is up again after %s; %s waited for it",
                breaker.name,
                duration(seconds),
                counted(len(waited), "connection"),
            )
            self._wake(breaker)
            self._publish(
                LineUp(at=self._at(), line=breaker.name, connections=waited, down_s=seconds)
            )

    def failed(self, connection: Connection, failure: Failure, *, begun: float) -> None:
        """A session could not be opened, or the connection broke; `begun` as for a back-off."""
        if failure.error_class in ANSWERS:
            self.answered(connection)
        breaker = self._line(connection)
        if breaker is None or failure.error_class in ANSWERS:
            return
        if failure.error_class not in SILENT:
            breaker.untold(connection.name)
            self._wake(breaker)
            return
        now = self._clock.monotonic()
        said = f"{connection.name}: {words(failure.error_class)}: {failure}"
        error = (failure.error_class, said)
        if breaker.failed(connection.name, error, begun=begun, now=now, chance=self._chance()):
            self._down(breaker)
        self._wake(breaker)

    def stats(self) -> tuple[BreakerStats, ...]:
        """The lines that are down."""
        now = self._clock.monotonic()
        return tuple(breaker.stats(now) for breaker in self._lines.values() if breaker.open)

    def _line(self, connection: Connection) -> Breaker | None:
        name = line_of(connection)
        return self._lines.setdefault(name, Breaker(name)) if name else None

    def _down(self, breaker: Breaker) -> None:
        failed = breaker.failed_of_late()
        _log.warning(
            "The %s is down: %s failed within %.0f s (%s), the last one so: %s. All behind it "
            "wait, while one at a time is tried",
            breaker.name,
            counted(len(failed), "connection"),
            WINDOW_S,
            some(failed),
            breaker.last_error,
        )
        self._publish(
            LineDown(
                at=self._at(),
                line=breaker.name,
                connections=failed,
                error=breaker.last_error,
            )
        )

    def _given_up(self, breaker: Breaker, now: float) -> Failure:
        return Failure(
            breaker.error_class,
            f"not tried any more: the {breaker.name} has been down for "
            f"{duration(breaker.seconds(now))}, longer than all retries would take; the last try "
            f"there met {breaker.last_error}",
            {"line": breaker.name, "met": breaker.last_error},
        )

    async def _moves(self, breaker: Breaker, seconds: float) -> None:
        """Wait until something changes at a line, so long at most."""
        moved = self._moved.setdefault(breaker.name, asyncio.Event())
        change = asyncio.create_task(moved.wait(), name="line moves")
        alarm = asyncio.create_task(self._clock.sleep(seconds), name="next probe")
        try:
            await asyncio.wait({change, alarm}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            change.cancel()
            alarm.cancel()

    def _wake(self, breaker: Breaker) -> None:
        if (moved := self._moved.pop(breaker.name, None)) is not None:
            moved.set()

    def _at(self) -> float:
        return self._clock.now().timestamp()
