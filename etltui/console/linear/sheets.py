"""What the linear console says of runs, connections and pools: the columns of the screen, in words.

Bars are left out: a share is said as a number.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from etltui.console.cells import Cell
from etltui.console.glyphs import Glyphs
from etltui.console.linear.tables import plain
from etltui.console.model.connection_rows import FIELDS as FLEET_FIELDS
from etltui.console.model.connection_rows import FleetRow
from etltui.console.model.job_rows import FIELDS as JOB_FIELDS
from etltui.console.model.job_rows import JobRow
from etltui.console.model.listing import Field
from etltui.console.model.pool_rows import FIELDS as POOL_FIELDS
from etltui.console.model.pool_rows import PoolRow
from etltui.console.model.run import Subject, classes_of, head
from etltui.console.model.run_columns import FIELDS as RUN_FIELDS
from etltui.console.model.run_columns import RunConnection
from etltui.domain.errors import ADVICE
from etltui.domain.inquiry import Tested
from etltui.domain.progress import ConnectionView
from etltui.domain.run import ConnectionStatus
from etltui.domain.words import age, short, size, words
from etltui.engine.checkpoints import Checkpoint

_WRONG = (ConnectionStatus.FAILED, ConnectionStatus.RETRYING, ConnectionStatus.SKIPPED)


def _note(each: RunConnection) -> Cell:
    """As on a screen; what went wrong has a line of its own."""
    failed = each.view.status is ConnectionStatus.FAILED
    return "" if failed else RUN_FIELDS[-1].cell(each)


# Commands take names: a job's title is for screens, where nobody types it.
JOBS: tuple[Field[JobRow], ...] = tuple(
    each for each in JOB_FIELDS if each.id != "job" and (each.shown or each.id == "name")
)
FLEET: tuple[Field[FleetRow], ...] = tuple(
    each for each in FLEET_FIELDS if each.shown and each.id != "answer"
)
RUN: tuple[Field[RunConnection], ...] = (
    *(each for each in RUN_FIELDS[:-1] if each.shown),
    replace(RUN_FIELDS[-1], cell=_note),
)
POOLS: tuple[Field[PoolRow], ...] = tuple(
    each for each in POOL_FIELDS if each.shown and each.id != "use"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckpointLine:
    """What a line says of an unfinished run."""

    run: str
    job: str
    status: str
    done: str
    age: str
    parts: str


def checkpoint_line(found: Checkpoint, now: float) -> CheckpointLine:
    """What a line says of an unfinished run."""
    row = found.row
    return CheckpointLine(
        run=short(row.run),
        job=row.job,
        status=words(row.status),
        done=f"{len(found.completed)}/{row.total}",
        age=age(now - row.started),
        parts=size(found.bytes),
    )


CHECKPOINTS: tuple[Field[CheckpointLine], ...] = (
    Field(id="run", title="RUN", width=4, cell=lambda each: each.run),
    Field(id="job", title="JOB", width=18, cell=lambda each: each.job, flexible=True),
    Field(id="status", title="STATUS", width=10, cell=lambda each: each.status),
    Field(id="safe", title="SAFE", width=9, cell=lambda each: each.done, align="right"),
    Field(id="age", title="AGE", width=6, cell=lambda each: each.age, align="right"),
    Field(id="parts", title="PARTS", width=9, cell=lambda each: each.parts, align="right"),
)


def run_line(subject: Subject, glyphs: Glyphs) -> str:
    """A run in one line: which one, how it stands, how far it is, for how long."""
    left, right = head(subject, glyphs, wide=False)
    took = f", {plain(right)}" if right else ""
    return f"run {short(subject.run)} {subject.job} {plain(left)}{took}"


def failures(views: Sequence[ConnectionView], contacts: Mapping[str, str]) -> Iterator[str]:
    """What went wrong with each connection, and once for each class what to try."""
    for view in views:
        if view.trouble is not None and view.status in _WRONG:
            call = f"; call {contacts[view.connection]}" if contacts.get(view.connection) else ""
            what = f"{words(view.trouble.error_class)}: {view.trouble.message}"
            yield f"{view.connection} {what}{call}"
    for error_class in classes_of(views):
        advice = ADVICE[error_class]
        yield f"{words(error_class)}: {advice.means} {advice.try_}"


def tested_line(found: Tested) -> str:
    """What came of asking a database for an answer."""
    if found.trouble is None:
        return f"{found.connection} answered in {found.milliseconds:,.1f} ms"
    call = f"; call {found.contact}" if found.contact else ""
    what = f"{words(found.trouble.error_class)}: {found.trouble.message}"
    return f"{found.connection} {what}{call}"
