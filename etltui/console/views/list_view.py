"""A view of records in a table: filtered, sorted, its columns chosen, rows selected, exported."""

import asyncio
import json
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult

from etltui.console.bridge import Moment
from etltui.console.cells import Cell, Row, Styled, text_of
from etltui.console.commands import Command, bindings
from etltui.console.model.listing import Field, Test, arranged, row_of, test_of
from etltui.console.new_file import as_csv, why_not_written, write_new
from etltui.console.view import Desk, View
from etltui.console.widgets.table import Table

T = TypeVar("T")

LIST_COMMANDS = (
    Command(
        id="list.filter",
        keys="slash",
        title="filter",
        help="Show rows only that match: word, !word, /regex/, column>value.",
        takes="FILTER",
    ),
    Command(
        id="list.sort",
        keys="s",
        title="sort",
        help="Sort by the next column, or by a named one; - before the name sorts downwards.",
        takes="COLUMN",
        footer=False,
    ),
    Command(
        id="list.reverse",
        keys="S",
        title="reverse",
        help="Sort the other way round.",
        footer=False,
    ),
    Command(
        id="list.columns",
        keys="C",
        title="columns",
        help="Choose which columns are shown.",
        takes="COLUMNS",
        footer=False,
    ),
    Command(
        id="list.export",
        keys="E",
        title="export",
        help="Write the rows that are shown into a .csv or .json file.",
        takes="FILE",
        footer=False,
    ),
    Command(
        id="list.copy",
        keys="y",
        title="copy",
        help="Copy the selected rows to the clipboard.",
        footer=False,
    ),
)
"""What every list can do; views put their own before."""


class ListView(View, Generic[T]):
    """Shows records one a line.

    A view of this kind says its `FIELDS` and gives `records` and `key`.
    """

    FIELDS: ClassVar[Sequence[Field]]  # type: ignore[type-arg]  # of the view's own records
    SORT: ClassVar[str] = ""
    """The column sorted by at first; empty for the order of the records."""
    EMPTY: ClassVar[Sequence[str]] = ()
    COMMANDS: ClassVar[tuple[Command, ...]] = LIST_COMMANDS
    BINDINGS = bindings(LIST_COMMANDS)

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.sort, self.descending = self.SORT.lstrip("-"), self.SORT.startswith("-")
        self.filter = ""
        self.hidden = {field.id for field in self.FIELDS if not field.shown}
        self._test: Test[T] | None = None
        self._records: dict[str, T] = {}
        self._painted: dict[str, tuple[T, Row]] = {}
        self._painted_as: tuple[Field[T], ...] = ()
        self.total = 0
        self.table = Table((), desk.look.palette, desk.look.glyphs)
        self.table.empty = ("", f"reading {desk.look.glyphs.ellipsis}")

    def compose(self) -> ComposeResult:
        """The table."""
        yield self.table

    @abstractmethod
    def records(self, moment: Moment) -> Sequence[T]:
        """What there is to show, in its own order."""

    @abstractmethod
    def key(self, record: T) -> str:
        """Tells a record from all others."""

    def fields(self) -> tuple[Field[T], ...]:
        """The columns that are shown."""
        return tuple(field for field in self.FIELDS if field.id not in self.hidden)

    def rows(self, records: Sequence[T]) -> Sequence[Row]:
        """The lines of the records that are left after the filter, in order.

        Of a record that is the same object as before it is the same line.
        """
        fields = self.fields()
        known = self._painted if fields == self._painted_as else {}
        self._painted, self._painted_as = {}, fields
        for record in records:
            key = self.key(record)
            before = known.get(key)
            if before is None or before[0] is not record:
                before = (record, row_of(record, key, fields))
            self._painted[key] = before
        return [row for _, row in self._painted.values()]

    def show(self, moment: Moment) -> None:
        """Show the records of this moment."""
        found = self.records(moment)
        self.total = len(found)
        if self._test is not None:
            found = [record for record in found if self._test(record)]
        by = next((field for field in self.FIELDS if field.id == self.sort), None)
        found = arranged(found, by, descending=self.descending)
        self._records = {self.key(record): record for record in found}
        self.table.lay_out(
            [field.column for field in self.fields()], self.sort, down=self.descending
        )
        self.table.empty = self.nothing()
        self.table.show(self.rows(found))

    def nothing(self) -> Sequence[str]:
        """What stands there without rows."""
        if self.filter and self.total:
            return (
                "",
                f"None of {self.total:,} matches {self.filter}.",
                "/ changes the filter, esc takes it away.",
            )
        return ("", *self.EMPTY)

    def restyle(self) -> None:
        """Paint with the colours and signs of the desk."""
        self.table.look(self.desk.look.palette, self.desk.look.glyphs)

    @property
    def current(self) -> T | None:
        """The record under the cursor."""
        return self._records.get(self.table.key)

    @property
    def selected(self) -> tuple[T, ...]:
        """The selected records in order, or the one under the cursor."""
        return tuple(self._records[key] for key in self.table.keys if key in self._records)

    def marks(self) -> list[Cell]:
        """What the status line says of filter, selection and place."""
        parts: list[Cell] = []
        if self.filter:
            parts.append(Styled(f"  /{self.filter} {len(self._records)}/{self.total}", "accent"))
        if chosen := len(self.table.chosen & self._records.keys()):
            parts.append(Styled(f"  {chosen} selected", "accent"))
        if self.table.position:
            parts.append(Styled(f"  {self.table.position}", "muted"))
        return parts

    def on_table_moved(self) -> None:
        """Let hint and footer follow the cursor."""
        self.desk.redraw()

    def on_table_headed(self, message: Table.Headed) -> None:
        """Sort by the column that was clicked; a second click turns it round."""
        message.stop()
        self.descending = message.column == self.sort and not self.descending
        self.sort = message.column
        self.show(self.desk.moment)
        self.desk.redraw()

    def filter_by(self, text: str) -> None:
        """Show only what matches.

        Raises:
            ValueError: The text is no filter; it says what to write.
        """
        self._test = test_of(text, self.FIELDS) if text.strip() else None
        self.filter = text.strip()
        self.show(self.desk.moment)
        self.desk.redraw()

    def taken_back(self) -> bool:
        """Take the filter away."""
        narrow = bool(self.filter)
        if narrow:
            self.filter_by("")
        return narrow

    def unfilter(self) -> None:
        """Let the next picture have every record."""
        self._test, self.filter = None, ""

    async def do_filter(self, text: str = "") -> None:
        """Ask for a filter; it holds while it is typed."""
        before = self.filter

        def typed(part: str) -> None:
            try:
                self.filter_by(part)
            except ValueError:
                return  # it is not typed to its end yet

        wanted = text or await self.desk.ask("/", text=before, changed=typed)
        try:
            self.filter_by(before if wanted is None else wanted)
        except ValueError as error:
            self.filter_by(before)
            self.desk.tell(f"{wanted}: {error}", "error")

    async def do_sort(self, text: str = "") -> None:
        """Sort by a column, or by the next one."""
        known = [field.id for field in self.fields()]
        wanted = text.lstrip("-").lower()
        if text and wanted not in known:
            self.desk.tell(f"there is no column {wanted!r}; there are {', '.join(known)}", "error")
            return
        at = known.index(self.sort) + 1 if self.sort in known else 0
        self.sort = wanted or ("" if at >= len(known) else known[at])
        self.descending = text.startswith("-")
        self.show(self.desk.moment)
        self.desk.redraw()

    async def do_reverse(self, _: str = "") -> None:
        """Sort the other way round."""
        self.descending = not self.descending
        self.show(self.desk.moment)

    async def do_columns(self, text: str = "") -> None:
        """Ask which columns to show."""
        known = [field.id for field in self.FIELDS]
        now = " ".join(field.id for field in self.fields())
        wanted = text or await self.desk.ask("columns: ", text=now, choices=known)
        if wanted is None:
            return
        names = wanted.replace(",", " ").lower().split()
        unknown = [name for name in names if name not in known]
        if unknown:
            self.desk.tell(
                f"there is no column {unknown[0]!r}; there are {', '.join(known)}", "error"
            )
            return
        keep = {field.id for field in self.FIELDS if field.keep}
        self.hidden = set(known) - set(names) - keep if names else set()
        self.show(self.desk.moment)

    async def do_export(self, text: str = "") -> None:
        """Write what is shown into a file."""
        path = text or await self.desk.ask("write to: ", text=f"{self.NAME}.csv")
        if not path:
            return
        wanted = Path(path)
        made = self.exported(wanted.suffix.lower())
        try:
            place = await asyncio.to_thread(write_new, wanted, made)
        except OSError as error:
            self.desk.tell(why_not_written(wanted, error), "error")
        else:
            self.desk.tell(f"{len(self._records):,} rows in {place}")

    def exported(self, suffix: str) -> str:
        """The rows that are shown as CSV, or as JSON for `.json`."""
        fields = self.fields()
        head = [field.id for field in fields]
        lines = [
            [text_of(field.cell(record)).strip() for field in fields]
            for record in self._records.values()
        ]
        if suffix == ".json":
            found = [dict(zip(head, line, strict=True)) for line in lines]
            return json.dumps(found, ensure_ascii=False, indent=1) + "\n"
        return as_csv(head, lines)

    async def do_copy(self, _: str = "") -> None:
        """Copy the selected rows."""
        fields = self.fields()
        lines = [
            "\t".join(text_of(field.cell(record)).strip() for field in fields)
            for record in self.selected
        ]
        self.desk.copy("\n".join(lines))
