"""What is known of a server that does not answer, and when to knock again unasked."""

from etltui.domain.errors import ErrorClass

FIRST_S, MOST_S = 1.0, 30.0
"""The wait doubles from the first to the most, and is up to a tenth longer, never shorter."""
_DOUBLINGS = 5

SILENT = frozenset(
    {ErrorClass.UNREACHABLE, ErrorClass.REFUSED, ErrorClass.TIMEOUT, ErrorClass.LOST},
)
"""Failures to connect that say that the server is down."""
ANSWERS = frozenset(
    {
        ErrorClass.TLS,
        ErrorClass.LOGIN,
        ErrorClass.NO_DATABASE,
        ErrorClass.PERMISSION,
        ErrorClass.BUSY,
    },
)
"""… that it is not."""


class Backoff:
    """Counts failures to connect to one server, or one file.

    While it is down, what nobody waits for (warm-up and refilling) knocks at most once in the
    current wait, over all pools of the server. Whoever asks for a lease gets a real try, but at
    most one is under way in a pool, and it answers for all who wait there.

    Attributes:
        last_error: Why the last session could not be opened, empty once one was. Kept here, since
            a pool without a session is gone when the next one asks.
    """

    def __init__(self) -> None:
        self.last_error = ""
        self._failures = 0
        self._failed_at = float("-inf")
        self._wait_s = 0.0
        self._retry_at = 0.0

    @property
    def down(self) -> bool:
        """Whether the last try to connect found nobody."""
        return self._failures > 0

    @property
    def retry_at(self) -> float:
        """When to knock next, by the clock's `monotonic`; of no meaning unless it is down."""
        return self._retry_at

    def opened(self) -> None:
        """A session was opened."""
        self._failures = 0
        self.last_error = ""

    def failed(self, error_class: ErrorClass, *, begun: float, now: float, chance: float) -> None:
        """A session could not be opened.

        Of tries that were under way together only the first counts: the others tell no news.
        """
        if error_class in ANSWERS:
            self._failures = 0
        elif error_class in SILENT and begun >= self._failed_at:
            self._failures += 1
            self._failed_at = now
            doublings = min(self._failures - 1, _DOUBLINGS)
            self._wait_s = min(MOST_S, FIRST_S * 2**doublings) * (1 + chance / 10)
            self._retry_at = now + self._wait_s

    def claim(self, now: float) -> bool:
        """Whether to knock now unasked; whoever is told so has taken the turn of all."""
        if not self.down:
            return True
        if now < self._retry_at:
            return False
        self._retry_at = now + self._wait_s
        return True
