"""Decides which sheets a workbook has, what they are called, and which parts lie on them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from etltui.domain.job import ExcelOptions
from etltui.domain.limits import Limits
from etltui.domain.naming import Wanted, legal, sheet_names
from etltui.domain.part import Receipt
from etltui.domain.task import PublishTask
from etltui.writers.excel_part import SHEETS, SINGLE
from etltui.writers.writer import variants

ONE_QUERY = "main"
"""What a job with one query calls it; the name says nothing, so sheets do not bear it."""
_STACKED = "Data"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """One sheet of data.

    Attributes:
        query: Position of its query, which tells its columns.
        parts: In the order of their rows.
        stacked: Rows begin with the connection's name.
        renamed: It does not bear the name that it should.
    """

    name: str
    query: int
    parts: tuple[Receipt, ...]
    stacked: bool
    renamed: bool = False

    @property
    def rows(self) -> int:
        """Without the header."""
        return sum(part.rows for part in self.parts)


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a connection's rows begin on a sheet."""

    sheet: Sheet
    row: int
    """As the sheet counts, the header being 1."""


_Draft = tuple[Wanted, int, bool, tuple[Receipt, ...]]
"""A sheet without its name: the wanted one, query, stacked, parts."""


def sheets_of(task: PublishTask, options: ExcelOptions, limits: Limits) -> tuple[Sheet, ...]:
    """The data sheets in order: stacked ones, then each connection's in the job's order.

    A connection without parts has no sheet; one with parts of no rows has.
    """
    drafts: list[_Draft] = []
    if options.layout != SHEETS:
        drafts += _stacked(task, limits)
    if options.layout != SINGLE:
        drafts += _by_connection(task)
    names = sheet_names([draft[0] for draft in drafts], units=limits.name)
    return tuple(
        Sheet(
            name=name,
            query=query,
            parts=parts,
            stacked=stacked,
            renamed=name != _whole(wanted),
        )
        for name, (wanted, query, stacked, parts) in zip(names, drafts, strict=True)
    )


def places_of(connection: str, sheets: Sequence[Sheet]) -> Iterator[Place]:
    """Where a connection's parts begin, in the order of the sheets."""
    for sheet in sheets:
        row = 2
        for part in sheet.parts:
            if part.connection == connection:
                yield Place(sheet=sheet, row=row)
                break
            row += part.rows


def _by_connection(task: PublishTask) -> Iterator[_Draft]:
    several = len(task.held) > 1
    for entry in task.entries:
        number: dict[int, int] = {}
        for part in variants(entry.receipts, SHEETS):
            number[part.query] = number.get(part.query, 0) + 1
            query = f" {task.queries[part.query]}" if several else ""
            yield (f"{entry.connection}{query}", number[part.query]), part.query, False, (part,)


def _stacked(task: PublishTask, limits: Limits) -> Iterator[_Draft]:
    """One sheet for each query, and more where rows do not fit; without rows only a header."""
    for query in task.held:
        wanted = _stacked_name(task.queries[query], task.title)
        number, parts = 1, list[Receipt]()
        for entry in task.entries:
            for part in variants(entry.receipts, SINGLE):
                if part.query != query:
                    continue
                # a part goes whole or to the next sheet: only a connection longer than a sheet,
                # which has several parts, is ever torn
                if parts and not _fit([*parts, part], limits):
                    yield (wanted, number), query, True, tuple(parts)
                    number, parts = number + 1, []
                parts.append(part)
        yield (wanted, number), query, True, tuple(parts)


def _fit(parts: Sequence[Receipt], limits: Limits) -> bool:
    rows = sum(part.rows for part in parts)
    return rows < limits.rows and sum(part.raw_bytes for part in parts) <= limits.xml


def _stacked_name(query: str, title: str) -> str:
    if query != ONE_QUERY:
        return query
    return title if title and legal(title) else _STACKED


def _whole(wanted: Wanted) -> str:
    name, number = wanted
    return f"{name} ({number})" if number > 1 else name
