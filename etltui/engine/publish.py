"""Makes a run's targets from its parts: partial ones on the way, the final ones at the end.

assembling → assembled(size, crc) → delivered → cleaned, each recorded after it is true on disk, so
that whoever comes after a crash can tell what is left to do.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from etltui import __version__
from etltui.config.disk import lacking, make_durable
from etltui.config.folders import remove
from etltui.domain.days import of_days
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.events import TargetPublished
from etltui.domain.part import Published, Receipt
from etltui.domain.plan import Plan
from etltui.domain.run import ConnectionStatus, Output, unread
from etltui.domain.stored import PublicationRow, PublicationState
from etltui.domain.targets import aside_path, partial_path, temporary_path
from etltui.domain.task import PublishEntry, PublishTask
from etltui.domain.verdict import far_of
from etltui.domain.words import words
from etltui.engine.claims import Claims
from etltui.engine.delivery import BESIDE, put
from etltui.engine.prepare import Prepared
from etltui.engine.progressive import Progressive
from etltui.engine.read_back import proof_of, prove
from etltui.engine.revising import revise, told
from etltui.engine.tally import Tally
from etltui.engine.tools import Tools, to_the_end

SHARE_OF_TIME = 0.05
"""A partial target is made when its cost is under this share of the time since the last one."""
_TRIES = 3
_DEAD = ErrorClass.DRIVER_CRASH

_log = logging.getLogger(__name__)


class Publisher:
    """Publishes one run's targets."""

    def __init__(self, tools: Tools, prepared: Prepared, tally: Tally) -> None:
        self._tools = tools
        self._plan = prepared.plan
        self._attempt = prepared.attempt
        self._owner = prepared.owner
        self._tally = tally
        self._contacts = {c.name: c.connection.contact for c in self._plan.connections}
        self._numbers = {c.name: c.number for c in self._plan.connections}
        self.usual: Mapping[str, int] = {}
        """From a connection to the rows that it usually has."""
        self.claims = Claims(tools, prepared.plan)
        self._changed = asyncio.Event()
        self._assembling = asyncio.Lock()
        self._progressive = Progressive(
            [n for n, each in enumerate(self._plan.job.destinations) if each.is_progressive],
            send=self._send,
            goes_on=lambda: next(tally.waiting(), None) is not None,
        )

    def fixed(self, plan: Plan) -> None:
        """The run's columns are known now."""
        self._plan = plan

    def changed(self) -> None:
        """Another connection is durable: it can be sent, a partial target may be worth its cost."""
        self._changed.set()
        self._progressive.changed()

    async def partials(self) -> None:
        """Send what is durable at once, and publish partial targets from time to time.

        Ends when nothing is waiting any more.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._progressive.run(), name="sending")
            tasks.create_task(self._files(), name="partial files")

    async def _send(self, number: int) -> None:
        """Send what was not acknowledged yet; what fails is tried again with the next."""
        target = Path(self._plan.targets[number])
        temporary = str(temporary_path(partial_path(target)))
        try:
            await self._check_room(number)
            sent = await self._tools.parts.assemble(self._task(number, temporary))
        except Failure as failure:
            # The parts are safe, and what was acknowledged is recorded: the rest is sent later.
            _log.warning("Rows were not sent yet: %s", failure)
        else:
            _log.info("Rows sent so far: %d", sent.rows)
        await asyncio.to_thread(_remove_partial, target)

    async def _files(self) -> None:
        """Publish partial targets as long as their cost is small."""
        cost = 0.0
        ended = self._tools.clock.monotonic()
        while True:
            await self._changed.wait()
            wait = cost / SHARE_OF_TIME - (self._tools.clock.monotonic() - ended)
            if wait > 0:
                await self._tools.clock.sleep(wait)
            self._changed.clear()
            if next(self._tally.waiting(), None) is None:
                # The final target follows at once.
                return
            begun = self._tools.clock.monotonic()
            async with self._assembling:
                await self._partial()
            ended = self._tools.clock.monotonic()
            cost = ended - begun

    async def end_partials(self, task: asyncio.Task[None]) -> None:
        """Let a partial target that is being made be finished, and make no more."""
        async with self._assembling, self._progressive.sending:
            task.cancel()

    async def _partial(self) -> None:
        for number, target in enumerate(self._plan.targets):
            if self._plan.job.destinations[number].is_sent:
                continue
            path = partial_path(Path(target))
            temporary = str(temporary_path(path))
            try:
                published = await self._assemble(number, temporary)
                await self._tools.parts.deliver(temporary, str(path), None)
            except Failure as failure:
                # The parts are safe: a partial target is a view of them, not the work itself.
                _log.warning("Partial target %s was not made: %s", path, failure)
            else:
                self._news(number, str(path), published, final=False)

    async def final(self) -> AsyncIterator[Output]:
        """Publish every target under its final name, one after the other.

        What an earlier attempt assembled is only delivered: `prepare` set back whatever does not
        hold the same connections and parts any more. A target that cannot have its place, and
        lies in sight beside it, is an output that is not final; the others are published first.

        Raises:
            Failure: Of class `disk`, `target` or `corrupt`; what is done stays done.
        """
        refused: Failure | None = None
        for number in range(len(self._plan.targets)):
            try:
                yield await self._final(number)
            except Failure as failure:
                if failure.error_class is not ErrorClass.TARGET:
                    raise
                refused = refused or failure
                if refused is not failure:
                    _log.error("A further target was not published: %s", failure)
                if place := failure.facts.get(BESIDE):
                    yield await self._told(number, place, _lies(failure), final=False)
        if refused is not None:
            raise refused

    async def _final(self, number: int) -> Output:
        target = self._plan.targets[number]
        row = await self._tools.store.publication(self._plan.run, number)
        done = None if row is None else await self._delivered_before(row)
        if done is None:
            start = PublicationRow(
                run=self._plan.run,
                destination=number,
                target=target,
                temporary=str(temporary_path(Path(target))),
                state=PublicationState.ASSEMBLING,
            )
            done = await self._publish(start)
        return await self._told(number, target, done, final=True)

    async def _told(self, number: int, path: str, done: Published, *, final: bool) -> Output:
        """Tell where a finished target is; its partial form has served."""
        await asyncio.to_thread(_remove_partial, Path(self._plan.targets[number]))
        self._news(number, path, done, final=final)
        return Output(
            type=self._plan.job.destinations[number].type,
            path=path,
            rows=done.rows,
            bytes=done.bytes,
            final=final,
        )

    async def _publish(self, row: PublicationRow) -> Published:
        store = self._tools.store
        row = await store.move_publication(row, PublicationState.ASSEMBLING)
        await self._make_room(row.destination)
        receipts = [part for entry in self._entries(row.destination) for part in entry.receipts]
        self._plan = await revise(self._plan, row.destination, receipts, self._tools, self._owner)
        published = await self._assemble(row.destination, row.temporary)
        await prove(self._tools.parts, self._plan, row, published, receipts)
        row = await to_the_end(
            store.move_publication(row, PublicationState.ASSEMBLED, published),
        )
        # From here on a cancel waits: the target and what is recorded of it change together.
        await to_the_end(self._deliver(row, published))
        return published

    async def _make_room(self, number: int) -> None:
        """Give up the partial target where the disk has no room for it beside the final one."""
        target = Path(self._plan.targets[number])
        try:
            await self._check_room(number)
        except Failure as failure:
            if failure.error_class is not ErrorClass.DISK:
                raise
            await asyncio.to_thread(_remove_partial, target)

    async def _check_room(self, number: int) -> None:
        folder = Path(self._plan.targets[number]).parent
        await asyncio.to_thread(_make_folder, folder)
        await self.claims.hold(self._plan.targets[number])
        needs = {folder: self._tally.bytes_of(number)}
        await asyncio.to_thread(self._tools.space.check, needs)

    async def _deliver(self, row: PublicationRow, published: Published) -> None:
        if not await put(self._tools, self.claims, row, published):
            raise Failure(
                ErrorClass.TARGET,
                f"{row.temporary} changed before it could be renamed to {row.target}",
            )

    async def _delivered_before(self, row: PublicationRow) -> Published | None:
        """What an earlier attempt published, if it is in its place or can be put there."""
        published = Published(bytes=row.bytes, crc=row.crc, rows=row.rows)
        if row.state is PublicationState.ASSEMBLING:
            return None
        return published if await put(self._tools, self.claims, row, published) else None

    async def _assemble(self, number: int, temporary: str) -> Published:
        """Have a target assembled; an extractor that dies over it is no reason to give up."""
        await self._check_room(number)
        task = self._task(number, temporary)
        for _ in range(_TRIES - 1):
            try:
                return await self._tools.parts.assemble(task)
            except Failure as failure:
                # Who sends has tried again by itself.
                sent = self._plan.job.destinations[number].is_sent
                if not failure.transient or (sent and failure.error_class is not _DEAD):
                    raise
        return await self._tools.parts.assemble(task)

    def unusual(self) -> dict[str, str]:
        """From each connection whose rows are far from usual to how far."""
        completed = {
            result.connection: far_of(result.judged, result.rows, self.usual.get(result.connection))
            for result in self._tally.ordered()
            if result.status is ConnectionStatus.COMPLETED
        }
        return {name: said for name, said in completed.items() if said}

    def _task(self, number: int, temporary: str) -> PublishTask:
        job = self._plan.job
        destination = job.destinations[number]
        queries = tuple(query.name for query in job.queries)
        return PublishTask(
            destination=number,
            type=destination.type,
            parts=str(self._tools.parts_folder / self._plan.run),
            temporary=temporary,
            target=self._plan.targets[number],
            options=asdict(destination.options),
            queries=queries,
            query=queries.index(destination.query) if destination.query else None,
            columns=self._plan.columns,
            entries=self._entries(number),
            title=job.title,
            facts=(
                *_facts(self._plan, self._tally, self._tools, self._attempt),
                *proof_of(self._plan, temporary),
            ),
            run=self._plan.run,
            job=job.name,
            folder=str(job.folder),
            revisions=told(self._plan, number),
        )

    def _entries(self, number: int) -> tuple[PublishEntry, ...]:
        own = self._plan.job.destinations[number].query
        return tuple(
            PublishEntry(
                connection=result.connection,
                status=result.status,
                rows=_rows(receipts) if own else result.rows,
                usual=None if own else self.usual.get(result.connection),
                remark=result.judged.why if result.judged and not own else "",
                trouble=result.trouble,
                receipts=receipts,
                contact=self._contacts[result.connection],
                notes=result.notes,
                odd=result.odd,
                controls=result.controls,
                provisional=result.provisional,
                number=self._numbers[result.connection],
            )
            for result in self._tally.ordered()
            for receipts in (self._tally.receipts_of(result.connection, number),)
        ) + tuple(
            PublishEntry(
                connection=name,
                status=ConnectionStatus.SKIPPED,
                usual=None if own else self.usual.get(name),
            )
            for name in self._plan.left_out
        )

    def _news(self, number: int, path: str, published: Published, *, final: bool) -> None:
        self._tools.bus.publish(
            TargetPublished(
                at=self._tools.clock.now().timestamp(),
                run=self._plan.run,
                job=self._plan.job.name,
                path=path,
                rows=published.rows,
                bytes=published.bytes,
                final=final,
                type=self._plan.job.destinations[number].type,
                destination=number,
            ),
        )


def _rows(receipts: Sequence[Receipt]) -> int:
    """Rows of the parts of one destination, of which each variant holds all."""
    first = min((receipt.variant for receipt in receipts), default="")
    return sum(receipt.rows for receipt in receipts if receipt.variant == first)


def _facts(plan: Plan, tally: Tally, tools: Tools, attempt: int) -> tuple[tuple[str, str], ...]:
    """What is told of a run beside its rows."""
    when = "%Y-%m-%d %H:%M:%S %z"
    now = tools.clock.now().astimezone(plan.started.tzinfo)
    return (
        ("Job", plan.job.name),
        ("Title", plan.job.title),
        ("Run", plan.run),
        ("Attempt", str(attempt)),
        ("Started", plan.started.strftime(when)),
        *([("Business day", str(plan.day))] if plan.day and of_days(plan.job) else []),
        ("Published", now.strftime(when)),
        ("Connections", str(tally.total)),
        ("Completed", str(tally.completed)),
        ("Failed", str(tally.failed)),
        ("Left out by --only", str(len(plan.left_out))),
        *((words(why).capitalize(), str(count)) for why, count in unread(tally.ordered()).items()),
        ("Rows", str(tally.rows)),
        ("Operator", tools.operator),
        ("Plan", plan.hash),
        ("Program", f"etltui {__version__}"),
    )


def _lies(failure: Failure) -> Published:
    """What lies in sight beside the place of a target that could not have it."""
    facts = failure.facts
    return Published(bytes=int(facts["bytes"]), crc=0, rows=int(facts["rows"]))


def _remove_partial(target: Path) -> None:
    """Remove the partial target and what a cancelled one left; keeping it harms nobody."""
    partial = partial_path(target)
    for path in (partial, temporary_path(partial), aside_path(partial)):
        try:
            remove(path)
        except OSError as error:
            _log.warning("%s was not removed: %s", path, error.strerror)


def _make_folder(folder: Path) -> None:
    try:
        make_durable(folder)
    except OSError as error:
        raise Failure(
            ErrorClass.TARGET,
            f"the folder {folder} cannot be made: {error.strerror}{lacking(folder, error)}",
        ) from error
