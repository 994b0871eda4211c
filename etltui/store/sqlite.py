"""The store on SQLite: holds the folder, writes on one connection and reads on another."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Self

from etltui.domain import ports
from etltui.domain.part import Published, Receipt
from etltui.domain.plan import Plan
from etltui.domain.progress import Snapshot
from etltui.domain.queue import QueueEntry
from etltui.domain.run import ConnectionResult, RunResult, RunStatus
from etltui.domain.stored import PublicationRow, PublicationState
from etltui.store import parts, queued, runs
from etltui.store.audit import AuditedDatabase
from etltui.store.database import Row, Statements
from etltui.store.files import files
from etltui.store.folder import DATABASE, make_private
from etltui.store.group import GroupCommit
from etltui.store.history import SqliteHistory
from etltui.store.lock import hold
from etltui.store.logbook import SqliteLogbookWriter
from etltui.store.marks import Marks
from etltui.store.parts import Checkpoint
from etltui.store.patience import Patience
from etltui.store.readers import MOST, Readers
from etltui.store.rebuild import mended, sealed
from etltui.store.rows import to_json

_log = logging.getLogger(__name__)


class SqliteStore(SqliteHistory, SqliteLogbookWriter, ports.Store):
    """The state on disk, made by `open`. Whatever returned is durable.

    Reads see what is committed and nothing else, because they have a connection of their own.
    """

    def __init__(
        self,
        *,
        reader: Readers,
        writer: AuditedDatabase,
        clock: ports.Clock,
        stack: AsyncExitStack,
    ) -> None:
        super().__init__(reader)
        self._writer = writer
        self._clock = clock
        self._stack = stack
        self._folder = Path()
        self._warned = ""
        self.rebuilt = ""
        """What was lost and what was kept of a damaged database, as it was opened; else empty."""
        self._checkpoints = GroupCommit(self._commit_checkpoints)
        stack.push_async_callback(self._checkpoints.aclose)

    @classmethod
    async def open(
        cls,
        folder: Path,
        *,
        clock: ports.Clock,
        holder_text: str = "etltui",
        readers: int = MOST,
    ) -> Self:
        """Hold the folder, open its database, and stop the runs that a crash left under way.

        Needs `aclose`, or `async with`.

        Args:
            folder: On a local disk; made with mode 0700 if it is not there.
            clock: Says when runs ended.
            holder_text: What others read who find the folder held; without secrets.
            readers: Connections that read at once, at most.

        Raises:
            StateHeldError: Another store holds the folder.
            StateError: The folder or its database cannot be used.
        """
        path = folder / DATABASE
        async with AsyncExitStack() as stack:
            lock = hold(folder, holder_text=holder_text, now=clock.now())
            await asyncio.to_thread(stack.enter_context, lock)
            rebuilt = await asyncio.to_thread(mended, folder, clock.now())
            await asyncio.to_thread(make_private, path)
            # Last of all: what is sealed changes no more.
            stack.push_async_callback(asyncio.to_thread, sealed, path)
            writer = await AuditedDatabase.writer(path)
            stack.push_async_callback(writer.aclose)
            marks = Marks(folder)
            writer.committed = marks.take
            writer.patience = await asyncio.to_thread(Patience, path, clock)
            await writer.begin_audit(clock.now().timestamp())
            reader = await Readers.open(path, most=readers)
            # Closed before the writer, which then merges the WAL as the last one out.
            stack.push_async_callback(reader.aclose)
            now = clock.now().timestamp()
            await writer.transact(partial(runs.recover, now=now))
            await writer.transact(partial(queued.recover, now=now))
            open_runs = await reader.transact(lambda statements: statements.rows("runs_marked"))
            await asyncio.to_thread(marks.prune, {str(row["run"]) for row in open_runs})
            made = cls(reader=reader, writer=writer, clock=clock, stack=stack.pop_all())
            made.rebuilt, made._folder = rebuilt, folder
            return made
        raise AssertionError  # pragma: no cover - the stack swallows nothing

    @property
    def commits(self) -> int:
        """Transactions committed since the store was opened."""
        return self._writer.commits

    async def create_run(self, plan: Plan, status: RunStatus) -> None:
        """Record a new run with all its connections waiting."""
        await self._writer.transact(partial(runs.create, plan=plan, status=status))

    async def replan(self, plan: Plan) -> None:
        """Record the plan of a further attempt: connections added and removed, columns fixed."""
        await self._writer.transact(partial(runs.replan, plan=plan))

    async def move_run(self, run: str, status: RunStatus, reason: str = "") -> None:
        """Move a run to a status.

        Raises:
            StatusError: The move is not allowed.
        """
        now = self._clock.now().timestamp()

        async def move(statements: Statements) -> None:
            await runs.move(statements, run, status, reason=reason, now=now)
            if status is RunStatus.RUNNING:
                await queued.take(statements, run)

        await self._writer.transact(move)

    async def enqueue(self, entries: Sequence[QueueEntry], title: str) -> None:
        """Record entries of the queue, and a run for each that does not take one up."""
        await self._writer.transact(partial(queued.enqueue, entries=entries, title=title))

    async def requeue(self, entry: QueueEntry) -> None:
        """Rewrite an entry that waits; one that is gone stays gone."""
        await self._writer.transact(partial(queued.change, entry=entry))

    async def dequeue(self, names: Sequence[str], status: RunStatus, reason: str = "") -> None:
        """Drop entries; a run that never began ends with this status."""
        now = self._clock.now().timestamp()
        await self._writer.transact(
            partial(queued.dequeue, names=names, status=status, reason=reason, now=now),
        )

    async def pause(self, job: str, *, paused: bool) -> None:
        """Record a pause of a job, or with an empty name of the whole queue, or its end."""
        await self._writer.transact(partial(queued.pause, job=job, paused=paused))

    async def put_live(self, snapshot: Snapshot) -> None:
        """Replace the snapshot that others look at without asking the engine."""
        row: Row = {"at": snapshot.at, "snapshot": to_json(snapshot)}
        await self._writer.transact(lambda statements: statements.change("put_live", [row]))

    async def delete_runs(self, names: Sequence[str]) -> None:
        """Forget runs with all that belongs to them."""
        rows: list[Row] = [{"run": name} for name in names]
        await self._writer.transact(lambda statements: statements.change("drop_run", rows))

    async def next_attempt(self, run: str) -> int:
        """Count and return the number of a further attempt, from 2."""
        return await self._writer.transact(partial(runs.next_attempt, run=run))

    async def finish_run(self, result: RunResult, again: QueueEntry | None = None) -> None:
        """Record how a run ended, and in the same transaction whether it gets another turn.

        Raises:
            StatusError: It cannot end so from where it stands.
        """
        now = self._clock.now().timestamp()

        async def finish(statements: Statements) -> None:
            await runs.finish(statements, result, now=now)
            await statements.change("put_far", _far(result))
            if again is None:
                await statements.change("drop_queued", [{"run": result.run}])
            else:
                await queued.change(statements, again)

        await self._writer.transact(finish)

    async def checkpoint(
        self,
        run: str,
        result: ConnectionResult,
        receipts: Sequence[Receipt] = (),
    ) -> None:
        """Record how a connection ended, and its parts, in one transaction.

        Receipts replace those that an earlier try left. Calls that come while a commit is under
        way share the next one.

        Raises:
            StateError: Nothing of it is recorded.
        """
        await self._checkpoints.add(
            parts.checkpoint(run, result, receipts, at=self._clock.now().timestamp()),
        )

    async def _commit_checkpoints(
        self,
        checkpoints: Sequence[Checkpoint],
    ) -> Sequence[Exception | None]:
        return await self._writer.transact(partial(parts.record, checkpoints=checkpoints))

    async def forget_parts(self, run: str, connections: Sequence[str] | None = None) -> None:
        """Unrecord the parts of some connections, which are then not done any more.

        None: of all. Results stay only where the run cannot be resumed: its targets hold the rows.
        """
        await self._writer.transact(partial(parts.forget, run=run, connections=connections))

    async def move_publication(
        self,
        row: PublicationRow,
        state: PublicationState,
        published: Published | None = None,
    ) -> PublicationRow:
        """Record a publication's next state; with `assembled` what was assembled.

        Raises:
            StatusError: Publishing does not go that way.
        """
        return await self._writer.transact(
            partial(parts.move_publication, row=row, state=state, published=published),
        )

    async def settle(self) -> None:
        """Merge the write-ahead log into the database, and warn of files that grow too large."""
        await self._writer.merge()
        found = await asyncio.to_thread(files, self._folder)
        if found.too_large and found.too_large != self._warned:
            _log.warning("%s", found.too_large)
        self._warned = found.too_large

    async def aclose(self) -> None:
        """Finish what is being committed and let go of the folder."""
        await self._stack.aclose()


def _far(result: RunResult) -> list[Row]:
    """How far the rows of its connections were from usual, as it is known at a run's end."""
    return [
        {"run": result.run, "connection": connection, "far": far}
        for connection, far in result.unusual.items()
    ]
