"""Filters and sorts what a list shows: `north`, `!done`, `/^br.*7$/`, `rows>1000`."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from etltui.console.cells import Align, Cell, Column, Cut, Row, text_of

T = TypeVar("T")

_COMPARED = re.compile(r"^(\w+)\s*(>=|<=|!=|=|>|<)\s*(.+)$")
_UNITS: Mapping[str, float] = {"k": 1e3, "m": 1e6, "g": 1e9}


@dataclass(frozen=True, kw_only=True, slots=True)
class Field(Generic[T]):
    """A column of records: how it is shown, and what it is sorted and filtered by.

    Attributes:
        cell: What is shown of a record.
        value: What it is sorted and compared by; None for what is shown.
        shown: Whether it is shown until the operator says otherwise.
        keep: Whether it cannot be hidden.
    """

    id: str
    title: str
    width: int
    cell: Callable[[T], Cell]
    value: Callable[[T], Any] | None = None
    align: Align = "left"
    flexible: bool = False
    below: int = 0
    cut: Cut = "right"
    shown: bool = True
    keep: bool = False

    @property
    def column(self) -> Column:
        """How the table lays it out."""
        return Column(
            id=self.id,
            title=self.title,
            width=self.width,
            align=self.align,
            flexible=self.flexible,
            below=self.below,
            cut=self.cut,
        )

    def of(self, record: T) -> Any:
        """What a record is sorted and compared by."""
        return text_of(self.cell(record)).strip() if self.value is None else self.value(record)


Test = Callable[[T], bool]


def _number(text: str) -> float | None:
    found = re.fullmatch(r"(-?[\d,_]*\.?\d+)([kmgKMG]?)%?", text.strip())
    if found is None:
        return None
    return float(found[1].replace(",", "").replace("_", "")) * _UNITS.get(found[2].lower(), 1.0)


def _comparing(value: Any, sign: str, wanted: str) -> bool:
    number = _number(wanted)
    if isinstance(value, int | float) and number is not None:
        order = (value > number) - (value < number)
    elif isinstance(value, int | float) or value is None:
        return sign == "!="
    else:
        low, other = str(value).lower(), wanted.lower()
        if sign in {"=", "!="}:
            return (other in low) is (sign == "=")
        order = (low > other) - (low < other)
    return {">": order > 0, "<": order < 0, ">=": order >= 0, "<=": order <= 0}.get(
        sign, (order == 0) is (sign == "=")
    )


def test_of(text: str, fields: Sequence[Field[T]]) -> Test[T]:
    """What a filter lets through; several terms behind each other must all hold.

    Args:
        text: Terms: `word` is found in anything shown, `!word` is not, `/regex/` is found (blanks
            are its own), `column>value` (also `<`, `>=`, `<=`, `=`, `!=`; 10k, 2m count) compares.
        fields: The columns.

    Raises:
        ValueError: A column is unknown or a regex is none; the text says what to write.
    """
    tests: list[Test[T]] = [_term(term, fields) for term in _terms(text)]
    return lambda record: all(test(record) for test in tests)


def _terms(text: str) -> list[str]:
    return [found[0] for found in re.finditer(r"!?/(?:[^/\\]|\\.)*/?|\S+", text)]


def _term(term: str, fields: Sequence[Field[T]]) -> Test[T]:
    if term.startswith("!") and len(term) > 1:
        inner = _term(term[1:], fields)
        return lambda record: not inner(record)
    if term.startswith("/") and len(term) > 1:
        return _pattern(term.strip("/"), fields)
    compared = _COMPARED.match(term)
    if compared is not None:
        name, sign, wanted = compared.groups()
        field = next(
            (each for each in fields if name.lower() in {each.id, each.title.lower()}), None
        )
        if field is None:
            known = ", ".join(each.id for each in fields)
            raise ValueError(f"there is no column {name!r}; there are {known}")
        return lambda record: _comparing(field.of(record), sign, wanted)
    word = term.lower()
    return lambda record: word in _whole(record, fields).lower()


def _pattern(text: str, fields: Sequence[Field[T]]) -> Test[T]:
    try:
        pattern = re.compile(text, re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"{text!r} is no pattern: {error}. Put \\ before . ( [ * + ?") from None
    return lambda record: any(pattern.search(text_of(each.cell(record))) for each in fields)


def _whole(record: T, fields: Sequence[Field[T]]) -> str:
    return " ".join(text_of(each.cell(record)) for each in fields)


def arranged(records: Sequence[T], field: Field[T] | None, *, descending: bool = False) -> list[T]:
    """The records by a column; what has no value comes last either way, equals keep their order."""
    if field is None:
        return list(records)
    of = field.of
    known = [record for record in records if of(record) is not None]
    unknown = [record for record in records if of(record) is None]
    known.sort(key=of, reverse=descending)
    return known + unknown


def row_of(record: T, key: str, fields: Sequence[Field[T]]) -> Row:
    """The line of a record."""
    return Row(key=key, cells=tuple(field.cell(record) for field in fields))
