"""Sums what is written, and asks a database for what that must come to."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias, cast

import pyarrow as pa
import pyarrow.compute as pc

from etltui.domain.columns import Column
from etltui.domain.control import EXACT, ROWS, Amount, Control, amount, compared, differing, failed
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.task import QueryTask
from etltui.extractors.lines import Printed

_SAFE_DIGITS = 30
"""Of a decimal column: sums of a batch's values still fit in the 38 digits of Arrow's."""
_LARGEST = 2**63
_Values: TypeAlias = Any
"""An array; its stubs know no sums."""


def asked(query: QueryTask) -> QueryTask:
    """The control query as one to read."""
    return replace(query, sql=query.control, control="", columns=())


def first_row(
    columns: Sequence[Column],
    batches: Iterable[pa.RecordBatch | Printed],
) -> dict[str, object]:
    """What a control query says: its only row.

    Raises:
        Failure: Of class `control`; it gives no row, or more than one.
    """
    rows: list[dict[str, object]] = []
    for batch in batches:
        if not isinstance(batch, Printed) and len(rows) <= 1:
            named = batch.slice(0, 2).rename_columns([column.name for column in columns])
            rows += named.to_pylist()
    if len(rows) != 1:
        count = "no row" if not rows else "more than one row"
        raise _wrong(f"the control query gives {count}; it must give one")
    return rows[0]


class Sums:
    """What the rows of a query come to, batch by batch as they are written.

    Args:
        query: With the columns that are written.
        said: What its control query says, by name.

    Raises:
        Failure: Of class `control`; it says something of a column that is not written, or what is
            no number.
    """

    def __init__(self, query: QueryTask, said: Mapping[str, object]) -> None:
        self._query = query
        self.expected: dict[str, Amount] = {}
        self._places: dict[str, int] = {}
        names = {column.name.casefold(): place for place, column in enumerate(query.columns)}
        for name, value in said.items():
            what, place = _meant(name, names, query)
            self.expected[what] = _amount(name, value)
            if place is not None:
                self._places[what] = place
        self._got: dict[str, Amount] = dict.fromkeys(self._places, 0)

    @property
    def counts_only(self) -> bool:
        """Whether no column has to be looked at."""
        return not self._places

    def add(self, batch: pa.RecordBatch) -> None:
        """Take a batch in that is written.

        Raises:
            Failure: Of class `control`; a column holds what cannot be summed.
        """
        for what, place in self._places.items():
            values = batch.column(place)
            try:
                self._got[what] = _plus(self._got[what], _sum(values))
            except (InvalidOperation, ValueError) as error:
                raise _wrong(f"column {what} cannot be summed: {error}") from None

    def proved(self, rows: int) -> tuple[Control, ...]:
        """What was expected beside what was written.

        Args:
            rows: That were written.

        Raises:
            Failure: Of class `control`; it does not agree, and the job lets that fail.
        """
        query = self._query
        got = {ROWS[0]: rows, **self._got}
        found = compared(query.name, self.expected, got, query.control_tolerance)
        if query.on_control == "fail" and differing(found):
            raise failed(found)
        return found


def _wrong(message: str) -> Failure:
    return Failure(ErrorClass.CONTROL, message)


def _meant(name: str, names: Mapping[str, int], query: QueryTask) -> tuple[str, int | None]:
    """What a column of the control query says something of, and its place; None for the rows."""
    folded = name.casefold()
    if folded in ROWS:
        return ROWS[0], None
    if folded not in names:
        written = ", ".join(column.name for column in query.columns)
        raise _wrong(
            f"the control query says {name}, which is neither {ROWS[0]} nor a written column: "
            f"{written}"
        )
    return query.columns[names[folded]].name, names[folded]


def _amount(name: str, value: object) -> Amount:
    """A value of the control query; one without a type of its own may be a float or not."""
    try:
        if isinstance(value, Mapping):
            return _loose(value["text"])
        return amount(value)
    except ValueError as error:
        raise _wrong(f"the control query says of {name}: {error}") from None


def _loose(text: str) -> Amount:
    """A number from a database whose values have types of their own, and sums that are floats."""
    found = amount(text)
    whole = isinstance(found, Decimal) and found == found.to_integral_value() and "." not in text
    return int(found) if whole else float(found)


def _plus(one: Amount, other: Amount) -> Amount:
    if isinstance(one, float) or isinstance(other, float):
        return float(one) + float(other)
    if isinstance(one, int) and isinstance(other, int):
        return one + other
    return EXACT.add(Decimal(one), Decimal(other))


def _sum(values: _Values) -> Amount:
    """The sum of a column's values that are not NULL.

    Raises:
        ValueError: They are no numbers.
        InvalidOperation: One of them is none.
    """
    kind = values.type
    for fits, add in _SUMS:
        if fits(kind):
            return add(values)
    raise ValueError(f"it holds {kind}")


def _whole(values: _Values) -> Amount:
    low, high = pc.min(values).as_py(), pc.max(values).as_py()
    if low is None or high is None:
        return 0
    if max(abs(low), abs(high)) * len(values) < _LARGEST:
        return int(pc.sum(values).as_py() or 0)
    # Arrow's own sum would begin again at the other end.
    return sum(int(value) for value in values.to_pylist() if value is not None)


def _exact(values: _Values) -> Amount:
    wide = values
    if values.type.precision > _SAFE_DIGITS:
        wide = values.cast(pa.decimal256(76, values.type.scale))
    return cast("Decimal", pc.sum(wide).as_py() or Decimal(0))


def _plain(values: _Values) -> Amount:
    return cast("Amount", pc.sum(values).as_py() or 0)


def _texts(values: _Values) -> Amount:
    found = Decimal(0)
    for text in values.to_pylist():
        if text is not None:
            found = EXACT.add(found, Decimal(text.strip()))
    return found


def _mixed(values: _Values) -> Amount:
    return _texts(pc.if_else(values.is_valid(), values.field("text"), None))


def _nothing(_: _Values) -> Amount:
    return 0


_SUMS: tuple[tuple[Callable[[Any], bool], Callable[[_Values], Amount]], ...] = (
    (pa.types.is_integer, _whole),
    (pa.types.is_decimal, _exact),
    (pa.types.is_floating, _plain),
    (pa.types.is_boolean, _plain),
    (pa.types.is_struct, _mixed),
    (pa.types.is_string, _texts),
    (pa.types.is_large_string, _texts),
    (pa.types.is_null, _nothing),
)
