"""The columns of a run's connections."""

from dataclasses import dataclass

from etltui.console.cells import Cell, Styled
from etltui.console.glyphs import UNICODE, Glyphs
from etltui.console.model.listing import Field
from etltui.console.model.run import against_usual, took
from etltui.console.steps import connection_status, note
from etltui.domain.progress import ConnectionView
from etltui.domain.run import ConnectionStatus
from etltui.domain.words import duration, number, words

_BUSY = (ConnectionStatus.RUNNING, ConnectionStatus.RETRYING)


@dataclass(slots=True)
class Pen:
    """What rows are drawn with.

    Attributes:
        at: The moment that is shown.
        retries: How often the job tries again.
        width: Of the last column.
    """

    glyphs: Glyphs = UNICODE
    at: float = 0.0
    retries: int = 0
    width: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class RunConnection:
    """A connection of the run in sight.

    Attributes:
        number: In the job, from 1; 0 as long as it is not known.
    """

    number: int
    view: ConnectionView
    pen: Pen

    @property
    def busy(self) -> bool:
        """Whether its line changes with the time."""
        return self.view.status in _BUSY

    @property
    def took(self) -> float | None:
        """Seconds of its last try."""
        return took(self.view, self.pen.at)

    def part(self, name: str) -> float | None:
        """Seconds of a part of its last try."""
        return self.view.seconds.get(name)


def _count(each: RunConnection) -> Cell:
    return number(each.number) if each.number else ""


def _status(each: RunConnection) -> Styled:
    return connection_status(each.pen.glyphs, each.view)


def _rows(each: RunConnection) -> Cell:
    view = each.view
    if view.rows or view.status is ConnectionStatus.COMPLETED:
        return number(view.rows)
    return Styled(each.pen.glyphs.none, "muted")


def _time(each: RunConnection, seconds: float | None) -> Cell:
    return Styled(each.pen.glyphs.none, "muted") if seconds is None else duration(seconds)


def _note(each: RunConnection) -> Cell:
    pen = each.pen
    return note(pen.glyphs, each.view, pen.at, pen.retries, pen.width)


def _part(id_: str, title: str) -> Field[RunConnection]:
    """A column of a part of the time."""
    return Field(
        id=title.lower(),
        title=title,
        width=6,
        align="right",
        below=110,
        cell=lambda each: _time(each, each.part(id_)),
        value=lambda each: each.part(id_),
    )


FIELDS: tuple[Field[RunConnection], ...] = (
    Field(
        id="number",
        title="#",
        width=3,
        align="right",
        cell=_count,
        value=lambda each: each.number or None,
    ),
    Field(
        id="connection",
        title="CONNECTION",
        width=14,
        flexible=True,
        cut="middle",
        keep=True,
        cell=lambda each: each.view.connection,
    ),
    Field(
        id="status",
        title="STATUS",
        width=14,
        cell=_status,
        # `status=failed` and `status=login` both find a login that was refused.
        value=lambda each: f"{words(each.view.status)} {_status(each).text}",
    ),
    Field(
        id="rows",
        title="ROWS",
        width=10,
        align="right",
        below=66,
        cell=_rows,
        value=lambda each: each.view.rows,
    ),
    Field(
        id="usual",
        title="USUAL",
        width=8,
        align="right",
        below=90,
        cell=lambda each: against_usual(each.view, each.pen.glyphs),
        value=lambda each: each.view.usual_rows,
    ),
    _part("wait", "WAIT"),
    _part("connect", "CONN"),
    _part("query", "QUERY"),
    _part("fetch", "FETCH"),
    _part("write", "WRITE"),
    Field(
        id="total",
        title="TOTAL",
        width=6,
        align="right",
        cell=lambda each: _time(each, each.took),
        value=lambda each: each.took,
    ),
    Field(id="note", title="NOTE", width=12, flexible=True, cell=_note),
)
