"""A connection of the fleet in full: its last runs, what went wrong, whom to call, its pool."""

from collections.abc import Sequence
from dataclasses import dataclass

from etltui.console.cells import Cell, Styled
from etltui.console.glyphs import Glyphs
from etltui.console.model.before import said, trouble_lines
from etltui.console.model.connection_rows import since
from etltui.console.model.connections import FleetLine
from etltui.console.model.outcomes import outcome_glyph, outcome_status
from etltui.domain.errors import Trouble
from etltui.domain.job import Connection
from etltui.domain.logbook import Outcome
from etltui.domain.pools import PoolKey, PoolStats
from etltui.domain.run import ConnectionStatus
from etltui.domain.server import ServerFacts
from etltui.domain.stored import ConnectionRow
from etltui.domain.words import duration, moment, number, words

_LAST = 8
"""Runs told one a line; those before them are a sign each."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """What is told of a connection.

    Attributes:
        outcomes: Of its last runs, the newest first.
        trouble: What its newest failure was, in full; None where there was none.
        failed: The run of that failure.
        pool: Of its database; None where there is none now.
        server: What its database said of itself last; None: it has not said anything yet.
        odd: What is odd about that, a sentence each.
    """

    line: FleetLine
    outcomes: Sequence[Outcome] = ()
    trouble: Trouble | None = None
    failed: str = ""
    pool: PoolStats | None = None
    server: ServerFacts | None = None
    odd: Sequence[str] = ()


def pool_of(connection: Connection, pools: Sequence[PoolStats]) -> PoolStats | None:
    """The pool that serves a connection, None where there is none now."""
    key = str(PoolKey.of(connection))
    return next((pool for pool in pools if pool.pool == key), None)


def server_of(
    line: FleetLine, rows: Sequence[ConnectionRow]
) -> tuple[ServerFacts | None, Sequence[str]]:
    """What a connection's database said of itself last, and what is odd about that.

    Args:
        line: With its test, if it was tested since it was read.
        rows: Of its newest run.
    """
    if line.answer is not None and line.answer.found and line.answer.found.server:
        return line.answer.found.server, line.answer.found.odd
    found = (row.result for row in rows if row.connection == line.connection.name)
    result = next(found, None)
    return (None, ()) if result is None else (result.server, result.odd)


def row_of_signs(outcomes: Sequence[Outcome], glyphs: Glyphs) -> str:
    """A sign for each run, the oldest first."""
    return "".join(outcome_glyph(glyphs, each).text for each in reversed(outcomes))


def sheet_lines(sheet: Sheet, glyphs: Glyphs, at: float, zone: str) -> list[Cell]:
    """The lines of the page, what is wrong first.

    Args:
        sheet: What is told.
        glyphs: Signs.
        at: The moment, Unix time in seconds.
        zone: In which times are told.
    """
    there = sheet.line.connection
    lines: list[Cell] = []
    if sheet.line.hold is not None:
        hold = sheet.line.hold
        lines += [
            Styled(said("Held", f"{hold.reason} ({hold.who})"), "warn"),
            said("", f"since {moment(hold.since, zone)}"),
            "",
        ]
    if sheet.trouble is not None:
        lines += [*trouble_lines(sheet.trouble, there.contact), said("Run", sheet.failed), ""]
    if sheet.odd:
        lines += [*(Styled(said("Odd", each), "warn") for each in sheet.odd), ""]
    lines += _where(there)
    if sheet.server is not None and str(sheet.server):
        role = "warn" if sheet.server.bare else ""
        lines.append(Styled(said("Database", str(sheet.server)), role))
    lines += _runs(sheet, glyphs, at)
    lines += _pool(sheet.pool)
    return lines


def _where(there: Connection) -> list[Cell]:
    lines: list[Cell] = [
        said("Address", there.url.partition("?")[0]),
        said("Credential", there.credential or "none"),
        said("Tags", " ".join(there.tags) or "none"),
        said("Contact", there.contact or "nobody is named"),
    ]
    if there.opened is not None:
        lines.append(said("Opened", there.opened.isoformat()))
    if there.closed is not None:
        lines.append(said("Closed", there.closed.isoformat()))
    return lines


def _runs(sheet: Sheet, glyphs: Glyphs, at: float) -> list[Cell]:
    lines: list[Cell] = ["", Styled("Runs", "accent")]
    if not sheet.outcomes:
        return [*lines, "  It has not been read yet."]
    part = sheet.line.past.reliability
    lines.append(f"  {row_of_signs(sheet.outcomes, glyphs)}  the newest at the right")
    if part is not None:
        past = sheet.line.past
        lines.append(f"  {past.answered:,} of {past.asked:,} reads in 28 days completed")
    for outcome in sheet.outcomes[:_LAST]:
        status = outcome_status(glyphs, outcome)
        ago = since(at - outcome.at)
        text = (
            f"  {status.text:<16} {ago:>7}  {number(outcome.rows):>11} rows"
            f"  {duration(outcome.seconds):>6}  {outcome.job}  {outcome.far}"
        )
        lines.append(Styled(text.rstrip(), status.role if status.role in {"bad", "warn"} else ""))
    return lines


def _pool(pool: PoolStats | None) -> list[Cell]:
    lines: list[Cell] = ["", Styled("Pool", "accent")]
    if pool is None:
        return [*lines, "  No session is open to its database, and none was wanted lately."]
    lines += [
        f"  {pool.pool}",
        f"  {pool.lent} lent, {pool.idle} idle, {pool.waiting} waiting, at most {pool.size}",
        f"  login {pool.connect_p50_ms:,.0f} ms, wait p95 {pool.wait_p95_ms:,.0f} ms",
        f"  {pool.acquires:,} lent so far, {pool.opened:,} opened, {pool.lost:,} lost",
    ]
    if pool.last_error:
        lines.append(Styled(f"  last error: {pool.last_error}", "bad"))
    return lines


def failure_of(outcomes: Sequence[Outcome]) -> Outcome | None:
    """The newest failure, where the newest run that says something failed."""
    for outcome in outcomes:
        if outcome.status is ConnectionStatus.FAILED:
            return outcome
        if outcome.status is ConnectionStatus.COMPLETED:
            return None
    return None


def class_only(outcome: Outcome) -> Trouble | None:
    """A failure of which no more than its class is recorded any more."""
    if outcome.error_class is None:
        return None
    said_so = f"{words(outcome.error_class)}; its run is no longer recorded"
    return Trouble(error_class=outcome.error_class, message=said_so)
