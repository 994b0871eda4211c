"""What a line of the picture is made of: cells with a role of colour, columns, rows."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

from rich.cells import cell_len, set_cell_size

from etltui.domain.safe_text import safe_text


class Styled(NamedTuple):
    """Text with the role of its colour: ok, busy, warn, bad, muted, accent; empty for plain."""

    text: str
    role: str = ""


Cell = str | Styled

Cut = Literal["middle", "left", "right"]
Align = Literal["left", "right"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        width: In cells; of a flexible one the least.
        flexible: Takes what the others leave.
        below: Hidden on tables narrower than this.
        cut: Where text that is too long loses characters.
    """

    id: str
    title: str
    width: int
    align: Align = "left"
    flexible: bool = False
    below: int = 0
    cut: Cut = "right"


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A line of a table.

    Attributes:
        key: Tells it from all others, whatever its place.
        cells: One for each column; of a heading the first alone, over the whole width.
        heading: Parts groups of rows; it cannot be chosen.
    """

    key: str
    cells: tuple[Cell, ...]
    heading: bool = False


class Place(NamedTuple):
    """Where a column stands on a line."""

    column: int
    x: int
    width: int


@lru_cache(maxsize=64)
def places(columns: tuple[Column, ...], width: int) -> tuple[Place, ...]:
    """Where the columns stand on a line of a width, one cell between two and one at each end.

    What hides on a narrow line is left out; flexible ones share what is left; what does not fit
    any more at the right is cut or left out.
    """
    shown = [(n, each) for n, each in enumerate(columns) if width >= each.below]
    spare = width - 1 - sum(each.width + 1 for _, each in shown)
    flexible = [n for n, each in shown if each.flexible]
    found, x = [], 1
    for n, each in shown:
        take = each.width
        if n in flexible and spare > 0:
            share = spare // len(flexible)
            take += share + (spare - share * len(flexible) if n == flexible[-1] else 0)
        take = min(take, width - 1 - x)
        if take <= 0:
            break
        found.append(Place(n, x, take))
        x += take + 1
    return tuple(found)


@lru_cache(maxsize=4096)
def fitted(
    text: str, width: int, align: Align = "left", cut: Cut = "right", mark: str = "…"
) -> str:
    """Harmless text of exactly so many terminal cells."""
    text = safe_text(text)
    length = len(text) if text.isascii() else cell_len(text)
    if length <= width:
        pad = " " * (width - length)
        return pad + text if align == "right" else text + pad
    room = width - len(mark)
    if room <= 0:
        return set_cell_size(text, width)
    if cut == "right":
        return set_cell_size(text, room) + mark
    left = 0 if cut == "left" else (room + 1) // 2
    head = set_cell_size(text, left) if left else ""
    return head + mark + _tail(text, room - left)


def _tail(text: str, width: int) -> str:
    """The end of a text, exactly so many cells."""
    taken: list[str] = []
    length = 0
    for character in reversed(text):
        size = cell_len(character)
        if length + size > width:
            break
        taken.append(character)
        length += size
    return " " * (width - length) + "".join(reversed(taken))


def text_of(cell: Cell) -> str:
    """The text of a cell."""
    return cell if isinstance(cell, str) else cell.text


def role_of(cell: Cell) -> str:
    """The role of a cell's colour, empty for plain."""
    return "" if isinstance(cell, str) else cell.role


def changed_spans(
    before: Row,
    after: Row,
    where: Sequence[Place],
    width: int,
) -> Iterator[tuple[int, int]]:
    """From where to where (exclusive) a line must be painted again, few and small."""
    if before is after:
        return
    if before.heading or after.heading or len(before.cells) != len(after.cells):
        if before != after:
            yield 0, width
        return
    changed = [
        (place.x, place.x + place.width)
        for place in where
        if before.cells[place.column] != after.cells[place.column]
    ]
    yield from _neighbours_joined(changed)


def _neighbours_joined(spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The spans, those with one cell between them in one."""
    start = end = -1
    for first, last in spans:
        if start >= 0 and first - end > 1:
            yield start, end
            start = first
        elif start < 0:
            start = first
        end = last
    if start >= 0:
        yield start, end


def joined(parts: Iterable[Cell], between: str = "  ") -> list[Cell]:
    """The parts that are not empty, something between two."""
    found: list[Cell] = []
    for part in parts:
        if text_of(part):
            if found:
                found.append(between)
            found.append(part)
    return found


def folded(text: str, width: int, hang: int = 0) -> list[str]:
    """A text in harmless lines of a width, broken at blanks where it can be; the rest moved in."""
    lines: list[str] = []
    hang = hang if hang < width // 2 else 0
    for part in text.split("\n"):
        rest = safe_text(part)
        while (fit := _fitting(rest, width)) < len(rest):
            at = rest.rfind(" ", 1, fit + 1)
            cut = at if at > fit // 2 else fit
            lines.append(rest[:cut])
            rest = " " * hang + (rest[cut:].lstrip(" ") if cut == at else rest[cut:])
        lines.append(rest)
    return lines


def _fitting(text: str, width: int) -> int:
    """How many characters fit into so many cells, at least one."""
    if text.isascii():
        return min(len(text), width)
    length = 0
    for number, character in enumerate(text):
        length += cell_len(character)
        if length > width:
            return max(number, 1)
    return len(text)
