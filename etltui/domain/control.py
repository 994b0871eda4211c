"""Whether what was written is what a control query counted: numbers of rows, sums of columns."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation

from etltui.domain.errors import ErrorClass, Failure

ROWS = ("rows", "row_count")
"""Names under which a control query counts rows; some databases keep the first for themselves."""
Amount = int | float | Decimal
EXACT = Context(prec=200)
"""Python's own rounds sums to 28 digits."""
_ROUNDING = 1e-9
"""By how much of itself a sum of floats may differ: their order is not the same at the source."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Control:
    """One thing that a control query said of the rows.

    Attributes:
        query: The query's name.
        what: `rows`, or the name of a written column that was summed.
        expected: As the control query says.
        got: Of what was written.
        agrees: Whether that is the same, within what the job allows.
    """

    query: str
    what: str
    expected: str
    got: str
    agrees: bool

    @property
    def difference(self) -> str:
        """Both sides, in words."""
        return f"{self.what} {self.got} written, {self.expected} at the source"


def amount(value: object) -> Amount:
    """A value of a control query as a number; what it has no rows for is 0.

    Raises:
        ValueError: It is none.
    """
    if value is None:
        return 0
    if isinstance(value, int | float | Decimal):
        return value
    try:
        found = Decimal(str(value).strip())
    except InvalidOperation:
        raise ValueError(f"{str(value)[:40]!r} is no number") from None
    if not found.is_finite():
        raise ValueError(f"{found} is no number")
    return found


def compared(
    query: str,
    expected: Mapping[str, Amount],
    got: Mapping[str, Amount],
    tolerance: float,
) -> tuple[Control, ...]:
    """What was expected beside what was written.

    Args:
        query: The query's name.
        expected: From `rows` or a column's name to what the control query says.
        got: The same names.
        tolerance: By how much each may differ.
    """
    return tuple(
        Control(
            query=query,
            what=what,
            expected=_shown(value),
            got=_shown(got[what]),
            agrees=_near(value, got[what], tolerance),
        )
        for what, value in expected.items()
    )


def differing(controls: Sequence[Control]) -> str:
    """What does not agree, in words; empty where all does."""
    several = len({each.query for each in controls}) > 1
    return "; ".join(
        f"{f'{each.query}: ' if several else ''}{each.difference}"
        for each in controls
        if not each.agrees
    )


def told(controls: Sequence[Control]) -> str:
    """What was controlled and how it came out, in words; empty where nothing was."""
    if not controls:
        return ""
    if said := differing(controls):
        return f"differs: {said}"
    several = len({each.query for each in controls}) > 1
    what = (f"{each.query} {each.what}" if several else each.what for each in controls)
    return f"agrees: {', '.join(what)}"


def failed(controls: Sequence[Control]) -> Failure:
    """The failure of rows that are not those that were counted."""
    facts = {f"{each.query} {each.what}": each.difference for each in controls if not each.agrees}
    return Failure(ErrorClass.CONTROL, differing(controls), facts)


def _near(one: Amount, other: Amount, tolerance: float) -> bool:
    if isinstance(one, float) or isinstance(other, float):
        rounding = _ROUNDING if math.isfinite(one) and math.isfinite(other) else 0.0
        return math.isclose(one, other, rel_tol=rounding, abs_tol=tolerance)
    return abs(EXACT.subtract(Decimal(one), Decimal(other))) <= Decimal(repr(tolerance))


def _shown(value: Amount) -> str:
    if isinstance(value, float):
        return f"{value:,.15g}"
    return f"{value:,f}" if isinstance(value, Decimal) else f"{value:,}"
