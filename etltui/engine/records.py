"""What an operator writes into the records: holds, notes of what was done, runs given up."""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from etltui.config.schema import Config
from etltui.config.select import suggestion
from etltui.domain.errors import NoSuchRunError, misused
from etltui.domain.job import Connection
from etltui.domain.logbook import Action, Hold
from etltui.domain.run import RESUMABLE
from etltui.domain.stored import RunRow
from etltui.domain.words import words
from etltui.engine.acts import acted, asker, cut
from etltui.engine.auditor import Auditor
from etltui.engine.checkpoints import discard, named
from etltui.engine.identity_records import IdentityRecords
from etltui.engine.journal import Journal
from etltui.engine.queue import Queue
from etltui.engine.tools import Tools, unbroken

_log = logging.getLogger(__name__)


class Records:
    """What may be asked of the records through an engine.

    Args:
        tools: Of the engine.
        config: What may be run, as it is when it is asked.
        queue: Which runs wait or are at work.
        taking_in: Held by whoever takes a run up: what is given up nobody else may want.
    """

    def __init__(
        self,
        tools: Tools,
        *,
        config: Callable[[], Config],
        queue: Queue,
        taking_in: asyncio.Lock,
    ) -> None:
        self.acts = tools.acts
        self.journal = Journal(tools)
        self._auditor = Auditor(tools.store, tools.clock, tools.caller)
        tools.acts.audit = self._auditor
        self._identities = IdentityRecords(tools, config)
        self._tools = tools
        self._config = config
        self._queue = queue
        self._taking_in = taking_in

    @property
    def rebuilt(self) -> str:
        """What was lost and kept of records that this engine has found damaged; else empty."""
        return self._tools.store.rebuilt

    async def start(self) -> None:
        """Let what is held be held from now on, and databases be known."""
        if self.rebuilt:
            _log.warning("%s", self.rebuilt)
        self._tools.holds.put(await self._tools.store.holds())
        await self._identities.start()

    async def act(
        self,
        what: str,
        target: str = "",
        detail: str = "",
        outcome: str = "done",
        who: str = "",
    ) -> None:
        """Write down what somebody did that is no call of the engine's own.

        Args:
            what: In a word or two.
            target: The run, job or connection that it was done to.
            detail: What else there is to say; without secrets.
            outcome: What came of it.
            who: Who did it, as `user@host`; empty for whoever asks.

        Raises:
            StateError: It could not be recorded.
        """
        said = {"target": target, "detail": detail, "outcome": outcome, "who": who}
        async with self.acts.recording(what, said):
            await self.acts.recorded()
        self.journal.put(
            Action(
                at=self._tools.clock.now().timestamp(),
                who=asker({"who": who}, self._tools.operator),
                what=cut(what),
                target=cut(target),
                detail=cut(detail),
                outcome=cut(outcome),
            ),
        )
        await self.journal.flush()

    @acted("records.hold")
    @unbroken
    async def hold(
        self,
        connections: Sequence[str],
        reason: str,
        until: float = 0.0,
        who: str = "",
    ) -> None:
        """Let no run read these connections; what is being read at this moment is finished.

        Args:
            connections: Their names.
            reason: Why, for everybody who misses their rows.
            until: Unix time in seconds at which it ends by itself; 0: when they are released.
            who: Who asks, as `user@host`; empty for whoever runs the engine.

        Raises:
            ConfigError: There is no such connection, no reason is given, or the time has passed.
            StateError: It could not be recorded; nothing is held.
        """
        holds = holds_of(
            self._config().connections,
            connections,
            Hold(
                connection="",
                reason=reason,
                who=asker({"who": who}, self._tools.operator),
                since=self._tools.clock.now().timestamp(),
                until=until,
            ),
        )
        await self._tools.store.put_holds(holds)
        self._tools.holds.put(holds)

    @acted("records.release")
    @unbroken
    async def release(self, connections: Sequence[str], who: str = "") -> tuple[str, ...]:
        """Hold these connections no more; those that were held.

        Args:
            connections: Their names.
            who: Who asks, as `user@host`; empty for whoever runs the engine.

        Raises:
            StateError: It could not be recorded; they are held still.
        """
        del who
        held = {hold.connection for hold in await self._tools.store.holds()}
        released = tuple(name for name in dict.fromkeys(connections) if name in held)
        await self._tools.store.drop_holds(released)
        self._tools.holds.drop(released)
        return released

    @acted("records.discard")
    @unbroken
    async def discard(self, run: str, who: str = "") -> str:
        """Give an unfinished run up: its parts are deleted, nobody can resume it; its id.

        Args:
            run: Its id, an end of it that no other run has, or a job: of that the newest.
            who: Who asks, as `user@host`; empty for whoever runs the engine.

        Raises:
            NoSuchRunError: There is no such run, it waits or is at work, or holds nothing.
            StateError: It could not be recorded, or its mirror not be deleted.
        """
        async with self._taking_in:
            row = await named(self._tools.store, run)
            queued = (*self._queue.working, *self._queue.pending(0.0))
            found = unfinished(run, row, {entry.run for entry in queued})
            by = asker({"who": who}, self._tools.operator)
            await discard(
                self._tools.store,
                self._tools.mirror,
                self._tools.parts_folder,
                found,
                f"its checkpoint was deleted by {by}",
            )
            return found.run

    @acted("records.approve")
    @unbroken
    async def approve(self, connections: Sequence[str], who: str = "") -> tuple[str, ...]:
        """Take whoever answers at these connections for the right one; those that had changed.

        Args:
            connections: Their names.
            who: Who asks, as `user@host`; empty for whoever runs the engine.

        Raises:
            ConfigError: There is no such connection.
            StateError: It could not be recorded; nothing is approved.
        """
        return await self._identities.approve(
            connections, asker({"who": who}, self._tools.operator)
        )

    async def aclose(self) -> None:
        """Write down what was done, and who answered."""
        await self._identities.aclose()
        await self._auditor.flush()
        await self.journal.flush()


def holds_of(
    known: Sequence[Connection],
    names: Sequence[str],
    like: Hold,
) -> tuple[Hold, ...]:
    """A hold of each connection.

    Args:
        known: Connections that there are.
        names: Of those to hold.
        like: Everything but the name.

    Raises:
        ConfigError: There is no such connection, no reason is given, or the time has passed.
    """
    there = {connection.name for connection in known}
    for name in names:
        if name not in there:
            problem = f"the configuration has no connection {name!r}"
            raise misused("CONNECTION", problem, suggestion(known, name))
    if not like.reason.strip():
        raise misused("--reason", "no reason is given", "Say why, for whoever misses its rows")
    if not like.in_force(like.since):
        raise misused("--until", "the time has passed", "Give a later one")
    return tuple(replace(like, connection=name) for name in dict.fromkeys(names))


def unfinished(text: str, row: RunRow | None, queued: Collection[str]) -> RunRow:
    """The run, if it may be given up.

    Args:
        text: What was asked for.
        row: The run that it means; None for none.
        queued: Ids of the runs that wait or are at work.

    Raises:
        NoSuchRunError: It may not.
    """
    if row is None:
        why, way_out = "there is no such run or job", "See `etltui checkpoints`"
        raise NoSuchRunError(run=text, why=why, way_out=way_out)
    if row.run in queued:
        why, way_out = "it waits or is at work", "Cancel it first with `etltui cancel`"
        raise NoSuchRunError(run=row.run, why=why, way_out=way_out)
    if row.status not in RESUMABLE:
        why = f"it is {words(row.status)}: there is no checkpoint to delete"
        raise NoSuchRunError(run=row.run, why=why, way_out="See `etltui checkpoints`")
    return row
