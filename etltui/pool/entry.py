"""One place in a pool: the session in it, how old it is, and who has it."""

import asyncio
import math
from dataclasses import dataclass, field
from enum import Enum, auto

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.lending import Session
from etltui.domain.pools import PoolKey


class State(Enum):
    """What happens to a place; it comes to be `CONNECTING` and goes from there or `CLOSING`."""

    CONNECTING = auto()
    IDLE = auto()
    CHECKING = auto()
    LENT = auto()
    CLOSING = auto()


@dataclass(slots=True, kw_only=True)
class Loan:
    """Who has a session, since when, and when it is expected back; by default nobody."""

    holder: str = ""
    since: float = 0.0
    expected_at: float = math.inf
    """Infinite: nobody knows, so that it never counts as leaked."""
    reported: bool = False
    """Whether it has been reported as leaked."""


@dataclass(slots=True, kw_only=True, eq=False)
class Entry:
    """A place of a pool; times are those of the clock's `monotonic`.

    Attributes:
        generation: Sessions of an older one than the desk's are not lent again.
        jitter: From 0 to 1; spreads the ends of sessions that began together.
        proved: When it was last known to answer.
        ping: The proof under way, or the last one.
    """

    key: PoolKey
    generation: int
    jitter: float
    state: State = State.CONNECTING
    session: Session | None = None
    born: float = 0.0
    idle_since: float = 0.0
    proved: float = 0.0
    loan: Loan = field(default_factory=Loan)
    ping: asyncio.Task[None] | None = None

    def opened(self, session: Session, now: float) -> None:
        """Its session has just been opened."""
        self.session = session
        self.born = self.proved = self.idle_since = now

    @property
    def open_session(self) -> Session:
        """Its session.

        Raises:
            Failure: It has none (a mistake of ours).
        """
        if self.session is None:
            raise Failure(ErrorClass.INTERNAL, f"a place of {self.key} holds no session")
        return self.session

    @property
    def alive(self) -> bool:
        """Whether it has a session whose extractor lives."""
        return self.session is not None and self.session.alive
