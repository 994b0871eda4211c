"""How many rows there were against what is usual, in as few characters as can be."""

from collections.abc import Iterable
from statistics import median_high

COMPARED = 10
"""The past that is usual: so many of the newest."""
_MOST = 10.0


def usual_of(newest_first: Iterable[int]) -> int | None:
    """The median of what was read in the last runs; None where there were none."""
    rows = [count for _, count in zip(range(COMPARED), newest_first, strict=False)]
    return median_high(rows) if rows else None


def difference(rows: int, usual: int | None, minus: str) -> str:
    """How far rows are from usual: `+0.4%`, `−100%`, `x25`; empty where nothing is usual.

    Args:
        rows: What was read.
        usual: The median of past runs.
        minus: The sign before what is less.
    """
    if usual is None:
        return ""
    if not usual:
        return "new" if rows else "0%"
    part = (rows - usual) / usual
    if part >= _MOST:
        return f"x{rows / usual:,.0f}"
    text = f"{abs(part):.1%}" if abs(part) < 0.1 else f"{abs(part):.0%}"
    if text in {"0.0%", "0%"}:
        return "0%"
    return f"{'+' if part > 0 else minus}{text}"
