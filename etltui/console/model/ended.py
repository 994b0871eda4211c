"""A run that the store alone remembers, as a row among those of the engine."""

from etltui.console.cells import Cell, Row, Styled
from etltui.console.glyphs import Glyphs
from etltui.console.model.run import Subject, subject_of_row
from etltui.console.steps import run_status
from etltui.domain.run import RunStatus
from etltui.domain.stored import RunRow
from etltui.domain.words import duration, local, number


def ended_row(row: RunRow, title: str, glyphs: Glyphs, *, at: float, timezone: str) -> Row:
    """Name, status, rows, pace, time, and how far it came when.

    Args:
        row: The run.
        title: What its job is called.
        glyphs: What rows are drawn with.
        at: Unix time in seconds of the moment that is shown.
        timezone: Whose time of day it is.
    """
    subject, none = subject_of_row(row, ()), Styled(glyphs.none, "muted")
    return Row(
        key=row.run,
        cells=(
            f"{glyphs.shut} {title} ({row.total})",
            run_status(glyphs, row.status),
            number(subject.rows) if subject.rows else none,
            none,
            none if subject.seconds is None else duration(subject.seconds),
            _end(row, subject, ended_at(row.ended, at, timezone)),
        ),
    )


def _end(row: RunRow, subject: Subject, when: str) -> Cell:
    # How far a run came that a crash ended, nobody has counted.
    done = f"{subject.completed}/{row.total}" if row.result is not None else ""
    said = " ".join(filter(None, (done, when)))
    if row.reason:
        role = "bad" if row.status is RunStatus.FAILED else "warn"
        return Styled(f"{said}: {row.reason}" if said else row.reason, role)
    return said


def ended_at(ended: float | None, at: float, timezone: str) -> str:
    """The time of day of an end, with its day where that is not today; empty where none is known.

    Not how long ago: a screen on which nothing happens stands still.
    """
    if ended is None:
        return ""
    then = local(ended, timezone)
    today = then.date() == local(at, timezone).date()
    return f"at {then:%H:%M}" if today else f"on {then:%d %b %H:%M}"
