"""What the Index sheet and the Run sheet say.

The Index is a function of the result and of what rows are usual: two runs that read the same rows
make the same one, but for that column where their past is not the same. Whatever else differs from
run to run (times, ids, messages) stands on the Run sheet; but who is handed a workbook once more
must see at its first look what is new in it.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from etltui.domain.control import told
from etltui.domain.errors import ADVICE, ErrorClass, Trouble
from etltui.domain.part import Receipt
from etltui.domain.task import PublishEntry, PublishTask
from etltui.domain.usual import deviation
from etltui.domain.words import names_columns, noted, words
from etltui.writers.excel_sheets import Place, Sheet, places_of
from etltui.writers.notes import of_a_part
from etltui.writers.writer import variants
from etltui.writers.zip_parts import crc_combine

RENAMED = "sheet renamed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """Text that leads to a cell of this workbook."""

    text: str
    sheet: str
    row: int

    @property
    def location(self) -> str:
        """As Excel writes it."""
        return "'" + self.sheet.replace("'", "''") + f"'!A{self.row}"


Value = str | int | Link | None
"""What a cell of these sheets holds."""

INDEX_HEAD = (
    ("#", 6),
    ("Connection", 28),
    ("Sheet", 28),
    ("Status", 12),
    ("Rows", 12),
    ("Usual rows", 12),
    ("Columns", 10),
    ("Checksum", 12),
    ("Error class", 14),
    ("What it means", 48),
    ("What to try", 48),
    ("Contact", 24),
    ("Day", 28),
    ("Control", 28),
    ("Drift", 36),
    ("Changes", 48),
)
"""Names of the columns, and their widths in characters."""
RUN_HEAD = (("What", 28), ("Value", 100))


def index_rows(task: PublishTask, sheets: Sequence[Sheet]) -> Iterator[tuple[Value, ...]]:
    """A row for each connection in the job's order, then the totals, then how it was patched."""
    for number, entry in enumerate(task.entries, 1):
        yield _entry_row(number, entry, sheets)
    complete = sum(bool(entry.receipts) for entry in task.entries)
    total = f"{complete:,} of {len(task.entries):,} connections"
    rows = sum(entry.rows for entry in task.entries if entry.receipts)
    yield (None, "Total", total, None, rows, *([None] * (len(INDEX_HEAD) - 5)))
    for revision, when, changes in task.revisions:
        between = [None] * (len(INDEX_HEAD) - 4)
        yield (None, f"Revision {revision}", when, *between, changes)


def run_rows(task: PublishTask) -> Iterator[tuple[Value, ...]]:
    """The run's facts, then what failed connections reported and what is odd at any."""
    yield from task.facts
    for entry in task.entries:
        if entry.trouble:
            yield entry.connection, entry.trouble.message
        for said in entry.odd:
            yield entry.connection, said


def checksum(entry: PublishEntry) -> str:
    """CRC-32 of a connection's rows before compression, over its queries and segments in order."""
    crc = 0
    for part in _own(entry):
        crc = crc_combine(crc, part.raw_crc, part.raw_bytes)
    return f"{crc:08x}"


def _own(entry: PublishEntry) -> tuple[Receipt, ...]:
    """The parts of one variant: those of the others hold the same rows once more."""
    first = min((part.variant for part in entry.receipts), default="")
    return variants(entry.receipts, first)


def _entry_row(
    number: int,
    entry: PublishEntry,
    sheets: Sequence[Sheet],
) -> tuple[Value, ...]:
    places = sorted(places_of(entry.connection, sheets), key=lambda place: place.sheet.stacked)
    advice = ADVICE[entry.trouble.error_class] if entry.trouble else None
    return (
        number,
        entry.connection,
        _link(places),
        words(entry.status),
        entry.rows if entry.receipts else None,
        entry.usual,
        len(entry.receipts[0].columns) if entry.receipts else None,
        checksum(entry) if entry.receipts else None,
        words(entry.trouble.error_class) if entry.trouble else None,
        _means(entry.trouble) if entry.trouble else None,
        advice.try_ if advice else None,
        entry.contact or None,
        f"provisional: {entry.provisional}" if entry.provisional else None,
        told(entry.controls) or None,
        _drift(entry) or None,
        _changes(entry, places) or None,
    )


def _means(trouble: Trouble) -> str:
    """What a failure means; of what nobody read on purpose why, the same until that ends."""
    if trouble.error_class in {ErrorClass.HELD, ErrorClass.HOURS}:
        return f"{words(trouble.error_class)}: {trouble.message}"
    return ADVICE[trouble.error_class].means


def _cuts(receipts: Sequence[Receipt]) -> Counter[str]:
    """What this target's parts count, once: every variant counts the same values."""
    most = Counter[str]()
    for variant in {part.variant for part in receipts}:
        counted = Counter[str]()
        for part in variants(receipts, variant):
            counted.update(part.notes)
        most |= counted
    return most


def _link(places: Sequence[Place]) -> Link | None:
    if not places:
        return None
    first = places[0]
    return Link(text=first.sheet.name, sheet=first.sheet.name, row=first.row)


def _drift(entry: PublishEntry) -> str:
    """How the connection's columns are not those of the others."""
    return "; ".join(sorted(note for note in entry.notes if names_columns(note)))


def _changes(entry: PublishEntry, places: Sequence[Place]) -> str:
    """How far the rows are from usual, and what limits and the column plan did to them, in words.

    The entry's notes are of the connection: those that parts count are there for all targets and
    variants together, so they are taken from this target's receipts instead.
    """
    own = {note: n for note, n in entry.notes.items() if not of_a_part(note)}
    notes = Counter({note: n for note, n in own.items() if not names_columns(note)})
    notes.update(_cuts(entry.receipts))
    far = entry.remark or deviation(entry.rows, entry.usual) if entry.receipts else ""
    said = [far] if far else []
    said += [noted(what, count) for what, count in sorted(notes.items())]
    said += [f"{RENAMED}: {place.sheet.name}" for place in places if place.sheet.renamed]
    return "; ".join(said + [f"also on {place.sheet.name}" for place in places[1:]])
