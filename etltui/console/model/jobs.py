"""The list of jobs: of each its newest run, what is usual, and when it runs next."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from etltui.config.schema import Config
from etltui.config.select import select
from etltui.console.model.difference import usual_of
from etltui.domain.job import Job
from etltui.domain.progress import RunView, Snapshot
from etltui.domain.queue import QueueEntry
from etltui.domain.run import AT_WORK, RESUMABLE, RunStatus
from etltui.domain.stored import RunRow
from etltui.domain.words import local


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """A job's newest run, as the engine or the store tells.

    Attributes:
        at: Unix time in seconds of its end; while it is at work of its start.
        seconds: How long it took; 0 where nothing tells.
        rows: None: not known.
        completed: None: not known.
        whole: Whether it was to read all connections of the job.
        owner: Who asked for it; empty where nothing tells.
    """

    run: str
    status: RunStatus
    at: float
    seconds: float = 0.0
    rows: int | None = None
    total: int = 0
    completed: int | None = None
    failed: int = 0
    whole: bool = True
    reason: str = ""
    owner: str = ""

    @property
    def at_work(self) -> bool:
        """Whether it has its turn now."""
        return self.status in AT_WORK


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """When a job runs next.

    Attributes:
        place: In the queue, from 1; 0: it does not wait.
        due: Unix time in seconds before which it does not begin; 0: as soon as it is its turn.
        owner: Who asked for it.
    """

    place: int = 0
    due: float = 0.0
    owner: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobLine:
    """A job as it stands.

    Attributes:
        result: Of its newest run; None: it never ran.
        usual: Rows of its past runs; None: not known, or not to be compared.
        paused: Whether runs of it get no turn.
        connections: How many it reads.
        live: Its run while it is at work.
        read: Whether the store has told of its runs yet.
    """

    job: Job
    result: Result | None = None
    usual: int | None = None
    turn: Turn = Turn()
    paused: bool = False
    connections: int = 0
    live: RunView | None = None
    read: bool = True

    @property
    def resumable(self) -> bool:
        """Whether its newest run can be taken up where it stopped."""
        return self.result is not None and self.result.status in RESUMABLE

    @property
    def patchable(self) -> bool:
        """Whether connections of its newest run can be read again."""
        return self.result is not None and self.result.status is RunStatus.COMPLETED_WITH_ERRORS


def of_view(view: RunView, connections: int) -> Result:
    """A run in the engine's memory.

    Args:
        view: The run.
        connections: How many the job reads.
    """
    at_work = view.status in AT_WORK
    return Result(
        run=view.run,
        status=view.status,
        at=view.started if at_work else view.changed,
        seconds=0.0 if at_work else max(view.changed - view.started, 0.0),
        rows=view.rows,
        total=view.total,
        completed=view.completed,
        failed=view.failed,
        whole=view.total >= connections,
        reason=view.reason,
        owner=view.owner,
    )


def of_row(row: RunRow, owner: str = "") -> Result:
    """A run in the store.

    Args:
        row: The run.
        owner: Who asked for it.
    """
    result = row.result
    ended = row.ended or row.started
    if result is None:
        return Result(
            run=row.run,
            status=row.status,
            at=ended,
            total=row.total,
            reason=row.reason,
            owner=owner,
        )
    return Result(
        run=row.run,
        status=row.status,
        at=ended,
        seconds=result.seconds,
        rows=result.rows,
        total=result.total,
        completed=result.completed,
        failed=result.failed,
        whole=not result.left_out,
        reason=row.reason or result.reason,
        owner=owner,
    )


def newest(views: Iterable[RunView]) -> dict[str, RunView]:
    """Of each job the run in the engine's memory that is at work, else the newest that began."""
    found: dict[str, RunView] = {}
    for view in views:
        if view.status is RunStatus.QUEUED:
            continue
        before = found.get(view.job)
        if before is None or before.status not in AT_WORK:
            found[view.job] = view
    return found


def latest(view: RunView | None, row: RunRow | None, connections: int, owner: str) -> Result | None:
    """What is newer: what the engine remembers, or what the store does."""
    if view is not None and (view.status in AT_WORK or row is None or view.run >= row.run):
        return of_view(view, connections)
    return of_row(row, owner) if row is not None else None


def usual_rows(rows: Iterable[RunRow], result: Result | None) -> int | None:
    """Rows of the runs before, where this one may be compared with them.

    Args:
        rows: Runs of the job, the newest first.
        result: Of its newest run.
    """
    if result is None or not result.whole:
        return None
    return usual_of(
        row.result.rows
        for row in rows
        if row.run != result.run
        and row.status is RunStatus.COMPLETED
        and row.result is not None
        and not row.result.left_out
    )


def turns(pending: Sequence[QueueEntry], at: float) -> dict[str, Turn]:
    """Of each job that waits when it runs next.

    Args:
        pending: What waits, in the order of service.
        at: Unix time in seconds.
    """
    found: dict[str, Turn] = {}
    place = 0
    for entry in pending:
        late = entry.not_before > at
        place += not late
        turn = Turn(
            place=0 if late else place, due=entry.not_before if late else 0.0, owner=entry.owner
        )
        before = found.get(entry.job)
        if before is None or (before.due and not late):
            found[entry.job] = turn
    return found


def by_job(rows: Iterable[RunRow]) -> dict[str, list[RunRow]]:
    """Runs by their jobs, in the same order."""
    found: dict[str, list[RunRow]] = {}
    for row in rows:
        found.setdefault(row.job, []).append(row)
    return found


def clock(unix: float, now: float, timezone: str) -> str:
    """A moment in as few characters as tell it: `20:31`, `21 Nov`, `2025`."""
    then, today = local(unix, timezone), local(now, timezone)
    if then.date() == today.date():
        return f"{then:%H:%M}"
    if abs((today - then).days) < 300:
        return f"{then:%d %b}"
    return f"{then:%Y}"


def place(count: int) -> str:
    """`1st`, `2nd`, `3rd`, `11th`."""
    last = count % 10 if count // 10 % 10 != 1 else 0
    return f"{count}{({1: 'st', 2: 'nd', 3: 'rd'}).get(last, 'th')}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What the lines of the jobs are made of.

    Attributes:
        last: Of each job the newest run in the store that began.
        past: Runs of each job, the newest first.
        owners: From runs to who asked for them.
        reads: Of each job the connections that it reads.
        read: Whether the store has told of runs yet.
    """

    last: Mapping[str, RunRow] = field(default_factory=dict)
    past: Mapping[str, Sequence[RunRow]] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    reads: Mapping[str, Sequence[str]] = field(default_factory=dict)
    read: bool = True


def reading(config: Config, day: date) -> dict[str, tuple[str, ...]]:
    """Of each job the names of the connections that it reads on a day."""
    return {
        name: tuple(each.name for each in select(config.connections, job.connections, day=day))
        for name, job in config.jobs.items()
    }


def job_lines(jobs: Mapping[str, Job], known: Known, snapshot: Snapshot) -> list[JobLine]:
    """Every job as it stands, in the order of the configuration."""
    views = newest(snapshot.runs)
    waiting = turns(snapshot.pending, snapshot.at)
    queue = snapshot.queue
    lines = []
    for job in jobs.values():
        connections = len(known.reads.get(job.name, ()))
        row = known.last.get(job.name)
        owner = known.owners.get(row.run, "") if row else ""
        result = latest(views.get(job.name), row, connections, owner)
        view = views.get(job.name)
        lines.append(
            JobLine(
                job=job,
                result=result,
                usual=usual_rows(known.past.get(job.name, ()), result),
                turn=waiting.get(job.name, Turn()),
                paused=queue.paused or job.name in queue.paused_jobs,
                connections=connections,
                live=view if view is not None and view.status in AT_WORK else None,
                read=known.read,
            )
        )
    return lines
