"""Freezes a new run, or takes up an unfinished one with what is durable of it."""

import asyncio
import logging
import shutil
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, tzinfo
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

from etltui.config.disk import lacking, sync_folder
from etltui.config.folders import put_back, remove
from etltui.config.templates import render
from etltui.domain.cut_off import CutOff
from etltui.domain.days import Days
from etltui.domain.errors import PlanChangedError, StateError
from etltui.domain.job import Connection, Job, RetryPolicy
from etltui.domain.part import ACKS, Receipt
from etltui.domain.plan import Plan, PlanConnection, differences, plan_connection, plan_hash
from etltui.domain.ports import Clock, Parts, Store
from etltui.domain.run import ConnectionResult, RunStatus
from etltui.domain.stored import PublicationRow, PublicationState, RunRow
from etltui.domain.variants import part_variants
from etltui.engine.log import about
from etltui.engine.provisional import Before

NOTHING: Mapping[str, ConnectionResult] = MappingProxyType({})

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """A run that can start.

    Attributes:
        attempt: 1 for a new run.
        kept: Results of connections that are durable from earlier attempts.
        receipts: Their parts.
        settled: Results of connections that failed and stay so.
        before: What is durable of connections that are read again all the same.
        asked: Names of the connections to read in this attempt; others stay as they are.
        owed: Names of connections whose rows the targets hold though their parts are lost: without
            them no target is replaced.
        retry: How a connection is tried.
        priority: Of its leases; lower is served first.
        canary: Whether it begins with few connections, and stops where one of them fails.
        due: Unix time in seconds of its deadline; 0 without one.
        closes: When nothing may begin in it any more.
        standing: Whether its targets hold all that is durable: where nothing more comes, they stay
            as they are.
        owner: Who asked for this attempt, as `user@host`; empty for whoever runs the engine.
    """

    plan: Plan
    attempt: int
    kept: Mapping[str, ConnectionResult] = field(default_factory=dict)
    receipts: Mapping[str, tuple[Receipt, ...]] = field(default_factory=dict)
    settled: Mapping[str, ConnectionResult] = field(default_factory=dict)
    before: Mapping[str, Before] = field(default_factory=dict)
    asked: frozenset[str] = frozenset()
    owed: frozenset[str] = frozenset()
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    priority: int = 0
    canary: bool = False
    due: float = 0.0
    closes: CutOff = field(default_factory=CutOff)
    standing: bool = False
    owner: str = ""


class Preparer:
    """Makes runs ready.

    Args:
        parts_folder: Holds a folder of parts for each run.
        timezone: Of `{date}`, and of connections that say none; empty for the machine's own.
    """

    def __init__(
        self,
        *,
        store: Store,
        parts: Parts,
        clock: Clock,
        parts_folder: Path,
        timezone: str,
    ) -> None:
        self._store = store
        self._parts = parts
        self._clock = clock
        self._folder = parts_folder
        self._timezone = timezone
        self._zone: tzinfo | None = ZoneInfo(timezone) if timezone else None

    def days(self, job: Job, day: date | None = None, started: datetime | None = None) -> Days:
        """The business day of a run.

        Args:
            job: Says which one it means.
            day: One that somebody has asked for instead.
            started: The run's start; None: now.
        """
        found = Days.of(job, started or self.now(), self._timezone)
        return found if day is None else replace(found, day=day)

    def targets(
        self,
        job: Job,
        run: str,
        started: datetime,
        day: date | None = None,
    ) -> tuple[str, ...]:
        """The job's targets as a run that starts then writes them: absolute paths."""
        return tuple(
            str(
                render(
                    destination.path,
                    job,
                    run=run,
                    started=started.astimezone(self._zone),
                    day=day or self.days(job, started=started.astimezone(self._zone)).day,
                ),
            )
            for destination in job.destinations
        )

    async def fits(self, row: RunRow, job: Job) -> None:
        """Prove that parts of the run fit the job as it is now.

        Raises:
            PlanChangedError: The run was made by another plan.
        """
        if row.plan_hash != plan_hash(job):
            old = await self._store.plan(row.run)
            raise PlanChangedError(
                run=row.run,
                job=job.name,
                differences=differences(old.job, job),
            )

    async def set_back(self, run: str) -> None:
        """Have the run's targets assembled again: other connections or parts go into them."""
        for row in await self._store.publications(run):
            await self._store.move_publication(row, PublicationState.ASSEMBLING)

    def now(self) -> datetime:
        """The time in the zone of `{date}`."""
        return self._clock.now().astimezone(self._zone)

    async def new(
        self,
        run: str,
        job: Job,
        connections: Sequence[Connection],
        *,
        asked: Collection[str],
        day: date | None = None,
    ) -> Prepared:
        """A run that begins now.

        Args:
            run: Its id.
            job: What to do.
            connections: All of the job, in its order.
            asked: Names of those to read; the others are left out.
            day: The business day to read; None as the job says.

        Raises:
            StateError: The folder of the parts cannot be made.
        """
        started = self.now()
        days = self.days(job, day, started)
        read = [connection for connection in connections if connection.name in asked]
        plan = Plan(
            run=run,
            job=job,
            started=started,
            # In a thread: it looks up the zones of all connections.
            connections=await asyncio.to_thread(renumbered, (), read, job, days),
            targets=self.targets(job, run, started, days.day),
            day=days.day,
            hash=plan_hash(job),
            left_out=tuple(c.name for c in connections if c.name not in asked),
        )
        await self._clear_older(job.name)
        await self._store.create_run(plan, RunStatus.QUEUED)
        await asyncio.to_thread(make_folders, self._folder / run, job)
        return Prepared(plan=plan, attempt=1, asked=frozenset(asked), retry=job.retry)

    async def again(
        self,
        row: RunRow,
        job: Job,
        connections: Sequence[Connection],
        *,
        asked: Collection[str],
        settled: Mapping[str, ConnectionResult] = NOTHING,
    ) -> Prepared:
        """A further attempt of a run; what is durable of it is kept.

        Args:
            row: The run.
            job: What to do; parts of the run's plan fit it.
            connections: All of the job, in its order.
            asked: Names of those to read; the others stay in the run as they are.
            settled: Results of connections that failed and stay so.

        Raises:
            StateError: The folder of the parts cannot be made.
        """
        old = await self._store.plan(row.run)
        # What this attempt does not ask for stays in the run as it is.
        mine = {*asked, *(known.name for known in old.connections)} - set(old.elsewhere)
        plan = replace(
            old,
            job=job,
            published=await self._published(row, old),
            connections=await asyncio.to_thread(
                renumbered,
                old.connections,
                [connection for connection in connections if connection.name in mine],
                job,
                self.days(job, old.day, old.started),
            ),
            left_out=tuple(c.name for c in connections if c.name not in mine),
        )
        # Set back first, here and below: a crash in between must not leave an old target that
        # looks as if it held what was read since.
        if _read_of(plan) != _read_of(old):
            await self.set_back(plan.run)
        await self._store.replan(plan)
        attempt = await self._store.next_attempt(row.run)
        folder = self._folder / plan.run
        await asyncio.to_thread(make_folders, folder, job)
        if plan.published:
            await self._restore(plan)
        kept, receipts = await self._durable(plan)
        recorded = {receipt.path for parts in receipts.values() for receipt in parts}
        await asyncio.to_thread(remove_orphans, folder, recorded)
        return Prepared(
            plan=plan,
            attempt=attempt,
            kept=kept,
            receipts=receipts,
            settled={name: result for name, result in settled.items() if name not in kept},
            owed=frozenset({c.name for c in plan.connections} & {*plan.published} - {*kept}),
            asked=frozenset(asked),
            retry=job.retry,
        )

    async def _published(self, row: RunRow, plan: Plan) -> tuple[str, ...]:
        """Names of the connections whose rows the run's targets hold."""
        names = set(plan.published)
        if row.status in {RunStatus.COMPLETED, RunStatus.COMPLETED_WITH_ERRORS}:
            for number in range(len(plan.targets)):
                names.update(m.connection for m in await self._store.members(plan.run, number))
        return tuple(sorted(names))

    async def _restore(self, plan: Plan) -> None:
        """Take parts that were cleared away back out of the targets that hold them."""
        receipts = await self._store.receipts(plan.run)
        for number, target in enumerate(plan.targets):
            mine = [receipt for receipt in receipts if receipt.destination == number]
            members = await self._store.members(plan.run, number)
            folder = str(self._folder / plan.run)
            restored = await self._parts.restore(folder, target, members, mine)
            if not all(restored):
                _log.warning("%s does not hold all parts any more; they are read again", target)

    async def _durable(
        self,
        plan: Plan,
    ) -> tuple[dict[str, ConnectionResult], dict[str, tuple[Receipt, ...]]]:
        """What is recorded and also proves itself on disk; the rest is forgotten."""
        results = {
            row.connection: row.result
            for row in await self._store.connections(plan.run)
            if row.done and row.result is not None
        }
        receipts = await self._store.receipts(plan.run)
        verified = await self._parts.verify(str(self._folder / plan.run), receipts)
        sound: dict[str, list[Receipt]] = defaultdict(list)
        for receipt, good in zip(receipts, verified, strict=True):
            if good:
                sound[receipt.connection].append(receipt)
        kept = {
            name: result for name, result in results.items() if whole(plan, sound[name], result)
        }
        if len(kept) < len(plan.connections):
            await self.set_back(plan.run)
        lost = sorted({*results, *sound} - set(kept))
        if lost:
            with about(run=plan.run):
                _log.warning("Read again, parts missing or damaged: %s", ", ".join(lost))
            await self._store.forget_parts(plan.run, lost)
        return kept, {name: tuple(sound[name]) for name in kept}

    async def _queued(self) -> set[str]:
        return {entry.run for entry in await self._store.queued()}

    async def _clear_older(self, job: str) -> None:
        """Parts and temporary files of the job's earlier runs, but of those that go on later."""
        queued = await self._queued()
        for row in await self._store.runs(job=job, limit=-1):
            if row.run in queued:
                continue
            for publication in await self._store.publications(row.run):
                await asyncio.to_thread(_clear_away, publication)
            await asyncio.to_thread(shutil.rmtree, self._folder / row.run, ignore_errors=True)


def renumbered(
    old: Sequence[PlanConnection],
    connections: Sequence[Connection],
    job: Job,
    days: Days,
) -> tuple[PlanConnection, ...]:
    """The connections in their order now; known ones keep their number, new ones get the next."""
    numbers = {known.name: known.number for known in old}
    free = max(numbers.values(), default=0)
    planned = []
    for connection in connections:
        if connection.name not in numbers:
            free += 1
            numbers[connection.name] = free
        planned.append(plan_connection(numbers[connection.name], connection, job, days))
    return tuple(planned)


def _read_of(plan: Plan) -> list[tuple[str, str]]:
    return [(planned.name, planned.hash) for planned in plan.connections]


def whole(plan: Plan, receipts: Sequence[Receipt], result: ConnectionResult) -> bool:
    """Whether these parts are all that a completed connection must have left.

    Each destination and variant must hold the same rows of each query that it takes, in segments
    without a gap; together they are the rows that the connection completed with.
    """
    total = 0
    for number, query in enumerate(plan.job.queries):
        rows = set()
        for place, destination in enumerate(plan.job.destinations):
            if destination.query not in {"", query.name}:
                continue
            for variant in part_variants(destination):
                key = (place, variant, number)
                mine = [r for r in receipts if (r.destination, r.variant, r.query) == key]
                if not mine or sorted(r.segment for r in mine) != list(range(len(mine))):
                    return False
                rows.add(sum(r.rows for r in mine))
        if len(rows) > 1:
            return False
        total += sum(rows)
    return total == result.rows


def make_folders(folder: Path, job: Job) -> None:
    """The run's parts folder with one folder in it for each destination; nobody else may look.

    Raises:
        StateError: One cannot be made.
    """
    wanted = [folder.parent, folder]
    for number, destination in enumerate(job.destinations):
        wanted += [part_folder(folder, number, variant) for variant in part_variants(destination)]
    try:
        for private in wanted:
            private.mkdir(mode=0o700, exist_ok=True)
        for holder in (folder, folder.parent, folder.parent.parent):
            # Or a power cut takes durable parts away with the folder that they lie in.
            sync_folder(holder)
    except OSError as error:
        raise StateError(
            f"the folder {folder} cannot be made: {error.strerror}{lacking(folder, error)}",
        ) from error


def part_folder(folder: Path, destination: int, variant: str) -> Path:
    """Where a destination's parts lie in the run's folder."""
    return folder / (f"{destination}-{variant}" if variant else str(destination))


def _clear_away(publication: PublicationRow) -> None:
    # A share that is away keeps what is there; the next assembly replaces it.
    with suppress(OSError):
        remove(Path(publication.temporary))
        put_back(Path(publication.target))


def remove_orphans(folder: Path, recorded: set[str]) -> None:
    """Delete every part below the run's folder that no receipt names."""
    for path in folder.glob("*/*"):
        if path.suffix != ACKS and str(path.relative_to(folder)) not in recorded:
            path.unlink(missing_ok=True)
