"""Has sessions prove that they answer, within a time limit, and clears away those that do not."""

import asyncio
import logging

from etltui.domain.lending import Session
from etltui.domain.ports import Clock
from etltui.pool.desk import Desk
from etltui.pool.entry import Entry
from etltui.pool.waiting import finished

_log = logging.getLogger(__name__)


async def _ping(session: Session) -> None:
    await session.ping()


class Prover:
    """Proves sessions.

    Args:
        desk: Takes those that do not answer.
        clock: Tells how long it takes.
    """

    def __init__(self, desk: Desk, clock: Clock) -> None:
        self._desk = desk
        self._clock = clock

    async def prove(self, entry: Entry) -> bool:
        """Whether the session answers in time; where it does not it is being closed.

        With it go the idle ones of its pool that have not proved anything for as long: they hang
        on the same line, and each would cost a borrower the whole time limit.
        """
        entry.ping = ping = asyncio.create_task(_ping(entry.open_session), name="ping")
        try:
            in_time = await finished(ping, self._clock, self._desk.settings.ping_timeout_s)
        except BaseException:
            self._desk.discard(entry)
            raise
        now = self._clock.monotonic()
        why = _trouble(ping) if in_time else "no answer in time"
        if not why:
            entry.proved = now
            self._desk.limits.record(entry.key).answered(now)
            return True
        self._desk.limits.record(entry.key).missed()
        _log.info("A session of %s does not answer and is replaced: %s", entry.key, why)
        self._desk.discard(entry, lost=True)
        stale = now - self._desk.settings.validate_after_s
        self._desk.discard_idle(
            lambda other: other.key == entry.key and other.proved <= stale,
            lost=True,
        )
        return False


def _trouble(ping: asyncio.Task[None]) -> str:
    """Why a ping that has ended proves nothing, empty when it does."""
    if ping.cancelled():
        return "cancelled"
    error = ping.exception()
    return "" if error is None else f"{type(error).__name__}: {error}"
