"""Finds out who answers at a connection, before anything is read there."""

import logging
from collections.abc import Callable

from etltui.domain.identity import Code
from etltui.domain.job import Connection
from etltui.domain.lending import Session
from etltui.domain.server import ServerFacts
from etltui.domain.task import QueryTask
from etltui.engine.answers import answer
from etltui.engine.tools import Tools

ASKED = "identity_query"

_log = logging.getLogger(__name__)


async def code_of(
    session: Session, asked: str, connection: Connection, limit_s: float, limit: str
) -> Code:
    """What its own data says of which database a session is at.

    Args:
        session: To it.
        asked: The identity query.
        connection: Whose session; says what is expected.
        limit_s: How long the answer may take.
        limit: The setting that says so.

    Raises:
        Failure: It does not say, or not in time.
    """
    query = QueryTask(name=ASKED, sql=asked, limit_s=limit_s)
    value = await answer(session.ask(query), limit_s, f"answer to {ASKED}", limit)
    return Code(asked=asked, value=value, expected=connection.identity)


class Meeting:
    """Who answers in one try at a connection.

    Args:
        tools: Know who is expected.
        connection: Who is tried.
        alike: Whether another connection is asked for the same rows.

    Attributes:
        server: What the database said of itself; None: no session was opened.
        odd: What is odd about it, a sentence each.
    """

    def __init__(self, tools: Tools, connection: Connection, alike: Callable[[str], bool]) -> None:
        self._tools = tools
        self._connection = connection
        self._alike = alike
        self.server: ServerFacts | None = None
        self.odd: tuple[str, ...] = ()

    async def meet(self, session: Session, asked: str, limit_s: float) -> None:
        """See whether the database is the one that is known, and no other connection's.

        Args:
            session: That was lent.
            asked: The identity query; empty: its server alone tells who it is.
            limit_s: How long a query may take.

        Raises:
            Failure: It is another, and that is refused; or it does not say who it is.
        """
        name, facts = self._connection.name, session.facts
        identities, now = self._tools.identities, self._tools.clock.now().timestamp()
        self.server = facts
        identities.met(name, facts, now)
        code = None
        if asked:
            code = await code_of(session, asked, self._connection, limit_s, "query_timeout_s")
            identities.told(name, code, now)
        self.odd = identities.odd(name, facts, self._alike, code)
        for said in self.odd:
            _log.warning("Connection %s: %s", name, said)
