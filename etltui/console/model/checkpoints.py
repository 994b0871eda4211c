"""What unfinished runs hold, and whether they can go on."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from etltui.config.schema import Config
from etltui.console.cells import Cell, Styled
from etltui.console.glyphs import Glyphs
from etltui.console.model.jobs import clock
from etltui.console.model.listing import Field
from etltui.console.steps import run_status
from etltui.domain.plan import Plan, differences, plan_hash
from etltui.domain.run import AT_WORK, NOT_ENDED, RESUMABLE, ConnectionStatus, RunStatus
from etltui.domain.stored import ConnectionRow, RunRow
from etltui.domain.words import number, short, size
from etltui.engine.checkpoints import Checkpoint


@dataclass(frozen=True, kw_only=True, slots=True)
class Saved:
    """An unfinished run.

    Attributes:
        row: As it is recorded.
        connections: Its connections; None until they are read.
        bytes: Of its parts on disk; None until they are measured.
        queued: Whether it waits for a turn or has one.
        hindrance: Why it cannot go on, as a sentence; empty where it can.
    """

    row: RunRow
    connections: tuple[ConnectionRow, ...] | None = None
    bytes: int | None = None
    queued: bool = False
    hindrance: str = ""

    @property
    def resumable(self) -> bool:
        """Whether it can go on where it stopped."""
        return not self.queued and not self.hindrance

    @property
    def done(self) -> int | None:
        """Connections whose rows are durable."""
        known = self.connections
        return None if known is None else sum(each.done for each in known)

    @property
    def failed(self) -> int:
        """Connections that failed."""
        results = (each.result for each in self.connections or ())
        return sum(
            result is not None and result.status is ConnectionStatus.FAILED for result in results
        )

    @property
    def rows(self) -> int | None:
        """Rows that are durable."""
        known = self.connections
        if known is None:
            return None
        return sum(each.result.rows for each in known if each.done and each.result)

    def checkpoint(self) -> Checkpoint:
        """As other programs are told of it."""
        return Checkpoint(row=self.row, connections=self.connections or (), bytes=self.bytes or 0)


def unfinished(last: Mapping[str, RunRow]) -> list[RunRow]:
    """Of the newest runs of all jobs those that hold something, the newest first.

    Args:
        last: From each job to its newest run that has begun.
    """
    rows = [row for row in last.values() if row.status in RESUMABLE | AT_WORK]
    return sorted(rows, key=lambda row: row.started, reverse=True)


def queued_runs(live: Collection[tuple[str, RunStatus]]) -> frozenset[str]:
    """Runs that wait for a turn or have one.

    Args:
        live: Runs and their statuses, as the engine has them.
    """
    return frozenset(run for run, status in live if status in NOT_ENDED)


def hindrance(row: RunRow, config: Config, plan: Plan | None) -> str:
    """Why a run cannot go on, as a sentence; empty where it can.

    Args:
        row: The run.
        config: As it is now.
        plan: The run's own, None where it is not read: only a job that has changed asks for it.
    """
    job = config.jobs.get(row.job)
    if job is None:
        return "Its job is not in the configuration any more."
    if row.plan_hash != plan_hash(job):
        changed = differences(plan.job, job) if plan is not None else ()
        what = f": {', '.join(changed)}" if changed else ""
        return f"The plan has changed{what}. Change it back, or delete this and run anew."
    return "" if job.enabled else "Its job is off: nobody can start it (2, e)."


def changed_plan(row: RunRow, config: Config) -> bool:
    """Whether a run's job is not any more what the run was made by."""
    job = config.jobs.get(row.job)
    return job is not None and row.plan_hash != plan_hash(job)


@dataclass(frozen=True, kw_only=True, slots=True)
class SavedRow:
    """An unfinished run, and what its row says."""

    saved: Saved
    status: Cell
    when: Cell
    done: Cell
    rows: Cell
    bytes: Cell
    why: Cell


FIELDS: tuple[Field[SavedRow], ...] = (
    Field(
        id="job",
        title="JOB",
        width=16,
        cell=lambda row: row.saved.row.title or row.saved.row.job,
        flexible=True,
        cut="middle",
        keep=True,
    ),
    Field(id="run", title="RUN", width=5, cell=lambda row: short(row.saved.row.run), below=90),
    Field(id="status", title="STATUS", width=11, cell=lambda row: row.status),
    Field(
        id="when",
        title="WHEN",
        width=6,
        cell=lambda row: row.when,
        value=lambda row: row.saved.row.started,
        align="right",
    ),
    Field(
        id="done",
        title="DONE",
        width=7,
        cell=lambda row: row.done,
        value=lambda row: row.saved.done,
        align="right",
    ),
    Field(
        id="rows",
        title="ROWS",
        width=10,
        cell=lambda row: row.rows,
        value=lambda row: row.saved.rows,
        align="right",
        below=64,
    ),
    Field(
        id="bytes",
        title="PARTS",
        width=8,
        cell=lambda row: row.bytes,
        value=lambda row: row.saved.bytes,
        align="right",
        below=72,
    ),
    Field(id="why", title="GOES ON", width=10, cell=lambda row: row.why, flexible=True),
)


def row_of_saved(saved: Saved, at: float, glyphs: Glyphs, zone: str) -> SavedRow:
    """What the row of an unfinished run says.

    Args:
        saved: The run.
        at: The moment, Unix time in seconds.
        glyphs: Signs.
        zone: In which times are told.
    """
    row = saved.row
    reading = Styled(glyphs.ellipsis, "muted")
    done = f"{saved.done}/{row.total}"
    return SavedRow(
        saved=saved,
        status=run_status(glyphs, row.status),
        when=clock(row.started, at, zone),
        done=reading if saved.done is None else Styled(done, "bad") if saved.failed else done,
        rows=reading if saved.rows is None else number(saved.rows),
        bytes=reading if saved.bytes is None else size(saved.bytes),
        why=_goes_on(saved),
    )


def _goes_on(saved: Saved) -> Cell:
    if saved.queued:
        return Styled("at work" if saved.row.status in AT_WORK else "by itself", "muted")
    if saved.hindrance:
        return Styled(f"no: {saved.hindrance[0].lower()}{saved.hindrance[1:]}", "warn")
    return Styled("yes", "ok")


def kept_bytes(rows: Sequence[Saved]) -> int:
    """Bytes of all parts, as far as they are measured."""
    return sum(saved.bytes or 0 for saved in rows)
