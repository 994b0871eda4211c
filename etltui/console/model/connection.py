"""A connection of a run in full: its past, what went wrong, what to try, where its time went."""

from collections.abc import Sequence
from dataclasses import dataclass

from etltui.console.cells import Cell, Styled, folded, role_of, text_of
from etltui.console.glyphs import Glyphs, bar
from etltui.console.model.outcomes import outcome_glyph, outcome_word
from etltui.console.steps import connection_status
from etltui.domain.control import differing, told
from etltui.domain.errors import ADVICE, Trouble
from etltui.domain.logbook import Outcome
from etltui.domain.plan import PlanConnection
from etltui.domain.pools import PoolKey, PoolStats
from etltui.domain.progress import ConnectionView
from etltui.domain.run import ConnectionStatus
from etltui.domain.words import counted, duration, moment, noted, number, words

_LABEL = 9
_BAR, _SHORT_BAR = 12, 4
_WIDE = 110
_PARTS = ("wait", "connect", "query", "fetch", "write")

TextLine = Sequence[Cell]


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What is known of a connection of a run.

    Attributes:
        at: The moment that it is shown at.
        retries: How often its job tries again.
        past: How it ended in its last runs, the newest first; None until that has been read.
        planned: Its place in the plan; None until that has been read.
        pool: The pool that serves it; None where it has none now.
    """

    view: ConnectionView
    at: float
    retries: int = 0
    contact: str = ""
    past: Sequence[Outcome] | None = None
    planned: PlanConnection | None = None
    pool: PoolStats | None = None


def past_line(glyphs: Glyphs, past: Sequence[Outcome] | None) -> list[Cell]:
    """The last runs of a connection as signs, the newest at the right, and how many went well."""
    if past is None:
        return [Styled(f"reading {glyphs.ellipsis}", "muted")]
    if not past:
        return [Styled("this is its first run", "muted")]
    signs: list[Cell] = [outcome_glyph(glyphs, each) for each in reversed(past)]
    good = sum(each.status is ConnectionStatus.COMPLETED for each in past)
    return [*signs, f"  {good} of {len(past)} went well"]


def details(known: Known, *, glyphs: Glyphs, timezone: str, width: int) -> list[TextLine]:
    """All of it in lines: what is wrong first."""
    view = known.view
    lines: list[TextLine] = [[*_label("Status"), *_status(known, glyphs)]]
    lines += trouble_lines(view.trouble, width, contact=known.contact)
    lines.append([*_label("Past"), *past_line(glyphs, known.past)])
    if view.trouble is None and (failed := _last_failure(known.past)):
        lines.append(
            [*_label("Failed"), f"last on {moment(failed.at, timezone)}: {outcome_word(failed)}"]
        )
    lines.append([*_label("Rows"), *_rows(view)])
    if view.seconds:
        lines.append([*_label("Time"), *time_split(view, glyphs, width)])
    if view.limit:
        lines += _told("Limit", view.limit, width)
    for note, count in view.notes.items():
        lines += _told("Note", noted(note, count), width, "warn")
    for said in view.odd:
        lines += _told("Odd", said, width, "warn")
    lines += _proved(view, width)
    if view.server is not None and str(view.server):
        lines += _told("Database", str(view.server), width, "warn" if view.server.bare else "")
    lines += _server(known, width)
    if not view.trouble and known.contact:
        lines += _told("Contact", known.contact, width)
    return lines + _sql(known, width, glyphs)


def _proved(view: ConnectionView, width: int) -> list[TextLine]:
    """Whether the rows are those that were counted, and whether they may still change."""
    lines: list[TextLine] = []
    if view.provisional:
        lines += _told("Day", f"provisional: {view.provisional}", width, "warn")
    if controlled := told(view.controls):
        role = "warn" if differing(view.controls) else ""
        lines += _told("Control", controlled, width, role)
    return lines


def as_text(lines: Sequence[TextLine]) -> list[Cell]:
    """The same lines as they stand on a page: one colour each."""
    return [
        Styled(
            "".join(map(text_of, line)),
            "bad" if any(role_of(each) == "bad" for each in line) else "",
        )
        for line in lines
    ]


def trouble_lines(trouble: Trouble | None, width: int, *, contact: str = "") -> list[TextLine]:
    """A failure in full: what happened, what it means, what to try, whom to call."""
    if trouble is None:
        return []
    advice = ADVICE[trouble.error_class]
    happened = f"{words(trouble.error_class)}: {trouble.message}"
    lines = _told("Error", happened, width, "bad")
    lines += _told("Means", advice.means, width)
    lines += _told("Try", advice.try_, width)
    return lines + (_told("Call", contact, width) if contact else [])


def time_split(view: ConnectionView, glyphs: Glyphs, width: int) -> list[Cell]:
    """Where the time of the last try went, each part with a bar of its share."""
    total = sum(view.seconds.values())
    longest = _BAR if width >= _WIDE else _SHORT_BAR
    cells: list[Cell] = []
    for name in (*_PARTS, *sorted(set(view.seconds) - set(_PARTS))):
        seconds = view.seconds.get(name)
        if seconds is None:
            continue
        share = seconds / total if total else 0.0
        drawn = bar(glyphs, share, longest).rstrip(glyphs.empty + " ")
        cells += [f"{name} {duration(seconds)} ", Styled(drawn, "busy"), "  " if drawn else " "]
    return [*cells, Styled(f"in all {duration(total)}", "muted")]


def _label(text: str) -> list[Cell]:
    return [Styled(f" {text:<{_LABEL}}", "muted")]


def _told(label: str, text: str, width: int, role: str = "") -> list[TextLine]:
    """A text behind its label, folded, so that all of it can be read."""
    parts = folded(text, max(width - _LABEL - 2, 20))
    return [
        [*_label(label if place == 0 else ""), Styled(part, role)]
        for place, part in enumerate(parts)
    ]


def _status(known: Known, glyphs: Glyphs) -> list[Cell]:
    view = known.view
    cells: list[Cell] = [connection_status(glyphs, view)]
    if view.tries:
        cells.append(f"  try {view.tries} of {max(known.retries + 1, view.tries)}")
    if view.status is ConnectionStatus.RETRYING and view.again_at > known.at:
        cells.append(f", again in {duration(view.again_at - known.at)}")
    if view.status is ConnectionStatus.RUNNING and view.since:
        cells.append(f", for {duration(max(known.at - view.since, 0.0))}")
    return cells


def _rows(view: ConnectionView) -> list[Cell]:
    cells: list[Cell] = [number(view.rows)]
    if view.remark:
        return [*cells, Styled(f"  {view.remark}", "warn" if view.far else "muted")]
    if view.usual_rows is not None:
        cells.append(Styled(f"  usually {number(view.usual_rows)}", "muted"))
    if view.usual_s is not None:
        cells.append(Styled(f" in {duration(view.usual_s)}", "muted"))
    return cells


def _last_failure(past: Sequence[Outcome] | None) -> Outcome | None:
    return next((each for each in past or () if each.error_class is not None), None)


def _server(known: Known, width: int) -> list[TextLine]:
    if known.planned is None:
        return []
    lines = _told("Server", str(PoolKey.of(known.planned.connection)), width)
    pool = known.pool
    if pool is not None:
        said = f"{pool.lent} lent, {pool.idle} idle, {pool.waiting} waiting of {pool.size}"
        if pool.opened:
            said += f"; login takes {pool.connect_p50_ms:,.0f} ms"
        if pool.leaks:
            said += f"; {counted(len(pool.leaks), 'session')} held too long"
        lines += _told("Pool", said, width)
    return lines


def _sql(known: Known, width: int, glyphs: Glyphs) -> list[TextLine]:
    if known.planned is None:
        return [[*_label("Query"), Styled(f"reading {glyphs.ellipsis}", "muted")]]
    lines: list[TextLine] = []
    for query in known.planned.queries:
        label = "Query" if len(known.planned.queries) == 1 else query.name[:_LABEL]
        lines += _told(label, query.sql.strip(), width)
        if query.params:
            said = ", ".join(f"{name} = {value!r}" for name, value in query.params.items())
            lines += _told("With", said, width)
    return lines
