"""A run connection's way to its server: whether its line is up, and whether the server is there."""

import math

from etltui.domain.errors import Failure
from etltui.domain.job import Connection
from etltui.engine.tools import Tools

_FRESH_S = 5.0
"""For so long a server that could not be reached is taken for out of reach."""


class Passage:
    """The way of one connection, for all of its tries.

    Args:
        tools: Know the lines.
        connection: Whose way.

    Attributes:
        given_up: What its line met last, once it has been down for too long; None before.
        met: What its line met last, once somebody had to stop waiting for it; None before.
        forgiven: Tries that its line was to blame for.
    """

    def __init__(self, tools: Tools, connection: Connection) -> None:
        self._tools = tools
        self._connection = connection
        self.given_up: Failure | None = None
        self.met: Failure | None = None
        self.forgiven = 0
        self._shut_since: float | None = None
        self._scouted: tuple[Failure, float] | None = None

    @property
    def shut(self) -> bool:
        """Whether its line is down and somebody else tries it."""
        return self.given_up is None and self._tools.leases.breakers.shut(self._connection)

    async def wait(self, patience_s: float, left_s: float = math.inf) -> None:
        """Wait until its line is up, or it is to try it.

        Args:
            patience_s: So long at most since the line went.
            left_s: And so long at most from now.
        """
        now = self._tools.clock.monotonic()
        self._shut_since = now if self._shut_since is None else self._shut_since
        until = min(self._shut_since + patience_s, now + left_s)
        try:
            await self._tools.leases.breakers.passable(self._connection, until)
        except Failure as failure:
            line, met = failure.facts["line"], failure.facts["met"]
            text = f"the {line} is down, and the last try there met {met}"
            self.met = Failure(failure.error_class, text, {"line": line})
            if self._tools.clock.monotonic() >= self._shut_since + patience_s:
                # The next attempt ends with it.
                self.given_up = failure

    def passed(self) -> None:
        """Its line has let it through: its patience begins anew."""
        self._shut_since = None

    async def scout(self) -> None:
        """Find out whether its server takes connections; the next try meets what is found."""
        try:
            await self._tools.leases.reach(self._connection)
        except Failure as failure:
            self._scouted = failure, self._tools.clock.monotonic()

    def forget(self) -> None:
        """Let no try meet what an earlier look has found."""
        self._scouted = None

    def check(self) -> None:
        """Meet what was found a moment ago, once.

        Raises:
            Failure: Its server could not be reached.
        """
        scouted, self._scouted = self._scouted, None
        # Of long ago it says nothing: the run's lanes were busy meanwhile.
        if scouted is not None and self._tools.clock.monotonic() - scouted[1] < _FRESH_S:
            raise scouted[0]
