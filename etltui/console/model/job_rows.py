"""The columns of the list of jobs, and what a job's row says in them."""

from dataclasses import dataclass

from etltui.console.cells import Cell, Styled
from etltui.console.glyphs import Glyphs
from etltui.console.model.difference import difference
from etltui.console.model.jobs import JobLine, clock, place
from etltui.console.model.listing import Field
from etltui.console.steps import progress, run_share, run_status
from etltui.domain.usual import deviation
from etltui.domain.words import duration, number


@dataclass(frozen=True, kw_only=True, slots=True)
class JobRow:
    """A job, and what its row says."""

    line: JobLine
    status: Cell
    when: Cell
    rows: Cell
    usual: Cell
    connections: Cell
    time: Cell
    next: Cell
    owner: Cell


def _when(row: JobRow) -> float | None:
    return row.line.result.at if row.line.result else None


NEXT = 13
"""Cells of the last column."""

FIELDS: tuple[Field[JobRow], ...] = (
    Field(
        id="job",
        title="JOB",
        width=16,
        cell=lambda row: row.line.job.title,
        flexible=True,
        cut="middle",
        keep=True,
    ),
    Field(
        id="name",
        title="NAME",
        width=16,
        cell=lambda row: row.line.job.name,
        cut="middle",
        shown=False,
    ),
    Field(id="status", title="LAST RUN", width=13, cell=lambda row: row.status),
    Field(
        id="when",
        title="WHEN",
        width=6,
        cell=lambda row: row.when,
        value=_when,
        align="right",
        below=70,
    ),
    Field(
        id="rows",
        title="ROWS",
        width=10,
        cell=lambda row: row.rows,
        value=lambda row: row.line.result.rows if row.line.result else None,
        align="right",
    ),
    Field(
        id="usual",
        title="USUAL",
        width=6,
        cell=lambda row: row.usual,
        value=lambda row: row.line.usual,
        align="right",
        below=90,
    ),
    Field(
        id="done",
        title="DONE",
        width=7,
        cell=lambda row: row.connections,
        value=lambda row: row.line.connections,
        align="right",
        below=64,
    ),
    Field(
        id="time",
        title="TIME",
        width=5,
        cell=lambda row: row.time,
        value=lambda row: row.line.result.seconds if row.line.result else None,
        align="right",
        below=76,
    ),
    Field(id="next", title="PROGRESS/NEXT", width=NEXT, cell=lambda row: row.next),
    Field(
        id="owner",
        title="OWNER",
        width=14,
        cell=lambda row: row.owner,
        cut="middle",
        below=110,
    ),
)


def next_cell(line: JobLine, at: float, glyphs: Glyphs, zone: str, width: int) -> Cell:
    """How far a job is, or else when it runs next."""
    if line.live is not None:
        return progress(glyphs, run_share(line.live), width)
    if not line.job.enabled:
        return Styled(f"{glyphs.skipped} off", "muted")
    if line.paused:
        waits = f", {place(line.turn.place)}" if line.turn.place else ""
        return Styled(f"{glyphs.paused} paused{waits}", "warn")
    if line.turn.due:
        return f"at {clock(line.turn.due, at, zone)}"
    if line.turn.place:
        return f"{glyphs.waiting} {place(line.turn.place)} in turn"
    return Styled(glyphs.none, "muted")


def row_of_job(line: JobLine, at: float, glyphs: Glyphs, zone: str, width: int) -> JobRow:
    """What the row of a job says.

    Args:
        line: The job.
        at: The moment, Unix time in seconds.
        glyphs: Signs.
        zone: In which times are told.
        width: Cells of the last column.
    """
    none = Styled(glyphs.none, "muted")
    result = line.result
    owner = (result.owner if result and result.at_work else "") or line.turn.owner
    shown = owner or (result.owner if result else "") or none
    next_ = next_cell(line, at, glyphs, zone, width)
    if result is None:
        never = f"{glyphs.waiting} never run" if line.read else f"reading {glyphs.ellipsis}"
        return JobRow(
            line=line,
            status=Styled(never, "muted"),
            when=none,
            rows=none,
            usual=none,
            connections=_done(line, glyphs),
            time=none,
            next=next_,
            owner=shown,
        )
    far = bool(deviation(result.rows or 0, line.usual)) and not result.at_work
    rows = none if result.rows is None else number(result.rows)
    off = difference(result.rows or 0, line.usual, glyphs.minus)
    took = at - result.at if result.at_work else result.seconds
    return JobRow(
        line=line,
        status=run_status(glyphs, result.status),
        when=clock(result.at, at, zone),
        rows=Styled(str(rows), "warn") if far and isinstance(rows, str) else rows,
        usual=none if not off or result.at_work else Styled(off, "warn" if far else ""),
        connections=_done(line, glyphs),
        time=duration(max(took, 0.0)) if took else none,
        next=next_,
        owner=shown,
    )


def _done(line: JobLine, glyphs: Glyphs) -> Cell:
    result = line.result
    if result is None or result.completed is None:
        total = result.total if result else line.connections
        return Styled(f"{glyphs.none}/{total}", "muted")
    text = f"{result.completed}/{result.total}"
    return Styled(text, "bad") if result.failed else text
