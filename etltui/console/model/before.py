"""What is read before something is started: an estimate, a dry run, the plan of a query."""

from collections.abc import Iterator

from rich.cells import cell_len

from etltui.console.cells import Cell, Styled, fitted
from etltui.domain.errors import ADVICE, Trouble
from etltui.domain.inquiry import DryQuery, DryRun, Estimate, Explained
from etltui.domain.progress import Eta
from etltui.domain.words import counted, duration, noted, number, size, words

_HEAD = 13
_WIDEST = 24
_VALUE = 12
_SHOWN = 3


def said(head: str, text: str) -> str:
    """A line of a page: what it is, and what it says."""
    return f"{head:<{_HEAD}} {text}"


def estimate_lines(found: Estimate, sign: str) -> list[Cell]:
    """What a run is likely to take, what stands against it first.

    Args:
        found: The estimate.
        sign: Before each warning.
    """
    lines: list[Cell] = [Styled(f"{sign} {text}", "warn") for text in found.warnings]
    if lines:
        lines.append("")
    known = found.known == found.connections
    unknown = "" if known else f", of {number(found.known)} the usual rows are known"
    lines.append(said("Connections", f"{number(found.connections)}{unknown}"))
    rows = "not known" if not found.known else f"about {number(found.rows)}"
    lines.append(said("Rows", rows if known or not found.known else f"{rows} of those"))
    lines.append(said("Time", _time(found.eta)))
    for at, target in enumerate(found.targets):
        head = "Targets" if not at else ""
        large = "size not known" if target.bytes is None else f"about {size(target.bytes)}"
        lines.append(said(head, f"{target.path} ({target.type}, {large})"))
    lines.append(said("Memory", f"{size(found.memory)}, {found.memory_is}"))
    for at, room in enumerate(found.disks):
        text = f"{room.folder}: {size(room.free)} free, {size(room.need)} to come"
        line = said("Disk" if not at else "", text)
        lines.append(line if room.enough else Styled(line, "bad"))
    return lines


def _time(eta: Eta | None) -> str:
    if eta is None:
        return "not known"
    band = f", {duration(eta.band_s)} more or less" if eta.band_s else ""
    return f"about {duration(eta.left_s)}{band}{' (a guess)' if eta.guess else ''}"


def trouble_lines(trouble: Trouble, contact: str = "") -> list[Cell]:
    """A failure in full: what happened, what it means, what to try, whom to call."""
    known = ADVICE[trouble.error_class]
    lines: list[Cell] = [
        Styled(said("What", f"{words(trouble.error_class)}: {trouble.message}"), "bad"),
        said("Means", known.means),
        said("Try", known.try_),
    ]
    return [*lines, said("Call", contact)] if contact else lines


def dry_run_lines(found: DryRun, contact: str = "") -> list[Cell]:
    """What a dry run brought: numbers, columns, the first rows beside them."""
    if found.trouble is not None:
        return trouble_lines(found.trouble, contact)
    took = sum(found.seconds.values())
    lines: list[Cell] = [
        said("Rows", number(found.rows)),
        said("Time", duration(took)),
        said("Parts", f"{size(found.bytes)}, deleted again"),
    ]
    if found.columns_of:
        lines.append(said("Columns", f"those of run {found.columns_of}"))
    lines += [Styled(said("Changed", noted(note, n)), "warn") for note, n in found.notes.items()]
    for query in found.queries:
        lines.append("")
        lines.extend(_query(query))
    return lines


def plan_lines(found: Explained, contact: str = "") -> list[Cell]:
    """How a database would answer each query, in its own words."""
    if found.trouble is not None:
        return trouble_lines(found.trouble, contact)
    lines: list[Cell] = []
    for query in found.queries:
        lines += [*([""] if lines else []), Styled(query.name, "accent")]
        told = query.plan.splitlines()
        lines += [f"  {step}" for step in told]
        if not told:
            lines.append(Styled("  This kind of database tells no plan.", "muted"))
    return lines


def _query(query: DryQuery) -> Iterator[Cell]:
    first = query.first[:_SHOWN]
    shown = f", the first {counted(len(first), 'row')} at the right" if first else ""
    columns = counted(len(query.columns), "column")
    yield Styled(f"{query.name}: {number(query.rows)} rows, {columns}{shown}", "accent")
    name = min(max((cell_len(each.name) for each in query.columns), default=0), _WIDEST)
    kind = max((len(each.type) for each in query.columns), default=0)
    for at, column in enumerate(query.columns):
        values = [fitted(row[at], _VALUE) for row in first if at < len(row)]
        cells = (fitted(column.name, name), f"{column.type:<{kind}}", *values)
        yield "  ".join(("", *cells)).rstrip()
