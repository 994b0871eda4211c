"""The columns of the fleet, and what a connection's row says in them."""

from dataclasses import dataclass

from etltui.console.cells import Cell, Styled
from etltui.console.glyphs import Glyphs
from etltui.console.model.connections import Answer, FleetLine, Past
from etltui.console.model.difference import difference
from etltui.console.model.listing import Field
from etltui.console.model.outcomes import outcome_status
from etltui.console.steps import connection_status
from etltui.domain.words import age, number, words

_GOOD, _FAIR = 0.99, 0.9
_MINUTE = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class FleetRow:
    """A connection, and what its row says."""

    line: FleetLine
    status: Cell
    test: Cell
    ok: Cell
    rows: Cell
    usual: Cell
    reliability: Cell
    tags: Cell
    server: Cell
    held: Cell


def _rows(row: FleetRow) -> int | None:
    good = row.line.past.good
    return good.rows if good else None


def _answer(row: FleetRow) -> float | None:
    found = row.line.answer.found if row.line.answer else None
    return found.milliseconds if found and not found.trouble else None


def _percent(row: FleetRow) -> float | None:
    part = row.line.past.reliability
    return None if part is None else part * 100


FIELDS: tuple[Field[FleetRow], ...] = (
    Field(
        id="name",
        title="CONNECTION",
        width=14,
        cell=lambda row: row.line.connection.name,
        flexible=True,
        cut="middle",
        keep=True,
    ),
    Field(id="status", title="LAST READ", width=14, cell=lambda row: row.status),
    Field(
        id="answer",
        title="ANSWER",
        width=9,
        cell=lambda row: row.test,
        value=_answer,
        align="right",
    ),
    Field(
        id="ok",
        title="LAST OK",
        width=7,
        cell=lambda row: row.ok,
        value=lambda row: row.line.past.good.at if row.line.past.good else None,
        align="right",
        below=66,
    ),
    Field(id="rows", title="ROWS", width=9, cell=lambda row: row.rows, value=_rows, align="right"),
    Field(
        id="usual",
        title="USUAL",
        width=6,
        cell=lambda row: row.usual,
        align="right",
        below=76,
    ),
    Field(
        id="reliability",
        title="OK 28D",
        width=6,
        cell=lambda row: row.reliability,
        value=_percent,
        align="right",
    ),
    Field(id="tag", title="TAGS", width=10, cell=lambda row: row.tags, below=70),
    Field(
        id="server",
        title="SERVER",
        width=18,
        cell=lambda row: row.server,
        flexible=True,
        cut="left",
        below=100,
    ),
    Field(
        id="contact",
        title="CONTACT",
        width=18,
        cell=lambda row: row.line.connection.contact,
        flexible=True,
        below=110,
    ),
    Field(id="held", title="HELD", width=16, cell=lambda row: row.held, below=140),
)


def status_cell(line: FleetLine, glyphs: Glyphs) -> Cell:
    """How a connection stands: held, at work, or as it ended last."""
    if line.live is not None:
        return connection_status(glyphs, line.live)
    if line.hold is not None:
        return Styled(f"{glyphs.paused} held", "warn")
    if line.absent:
        return Styled(f"{glyphs.skipped} {line.absent}", "muted")
    if line.past.last is None:
        never = f"{glyphs.waiting} never read" if line.read else f"reading {glyphs.ellipsis}"
        return Styled(never, "muted")
    return outcome_status(glyphs, line.past.last)


def answer_cell(answer: Answer | None, glyphs: Glyphs) -> Cell:
    """What came of asking a database for an answer."""
    if answer is None:
        return Styled(glyphs.none, "muted")
    if answer.found is None:
        return Styled(f"asking {glyphs.ellipsis}", "busy")
    if answer.found.trouble is not None:
        return Styled(words(answer.found.trouble.error_class), "bad")
    took, server = f"{answer.found.milliseconds:,.1f} ms", answer.found.server
    return Styled(took, "warn") if answer.found.odd or (server and server.bare) else took


def reliability_cell(past: Past, glyphs: Glyphs) -> Cell:
    """How often a connection answered, of the times it was asked."""
    part = past.reliability
    if part is None:
        return Styled(glyphs.none, "muted")
    role = "" if part >= _GOOD else "warn" if part >= _FAIR else "bad"
    # Not 100 % as long as one failed.
    return Styled(f"{int(part * 100)}%", role)


def row_of_connection(line: FleetLine, at: float, glyphs: Glyphs) -> FleetRow:
    """What the row of a connection says.

    Args:
        line: The connection.
        at: The moment, Unix time in seconds.
        glyphs: Signs.
    """
    none = Styled(glyphs.none, "muted")
    there, past = line.connection, line.past
    good = past.good
    far = bool(good and good.far)  # as it was judged when it was read: by its day and its calendar
    role = "warn" if far else ""
    server = f"{there.host}:{there.port}" if there.host and there.port else there.host
    return FleetRow(
        line=line,
        status=status_cell(line, glyphs),
        test=answer_cell(line.answer, glyphs),
        ok=since(at - good.at) if good else none,
        rows=Styled(number(good.rows), role) if good else none,
        usual=Styled(difference(good.rows, past.usual, glyphs.minus), role) if good else none,
        reliability=reliability_cell(past, glyphs),
        tags=" ".join(there.tags),
        server=f"{there.kind} {server or there.database}",
        held=Styled(line.hold.reason, "warn") if line.hold else "",
    )


def since(seconds: float) -> str:
    """How long ago something was, in steps of a minute and more: it stands still between."""
    return age(seconds) if seconds >= _MINUTE else "now"
