"""Whether a connection's rows are what was to be expected of its day."""

from dataclasses import dataclass
from enum import StrEnum

from etltui.domain.usual import Usual, deviation


class Verdict(StrEnum):
    """What is to be thought of a number of rows."""

    OK = "ok"
    OK_EMPTY = "ok_empty"
    """None, as is usual on such a day."""
    NO_PAST = "no_past"
    """There is nothing to compare it with."""
    DAY_OFF = "day_off"
    """None, or far fewer than usual, on a day on which its calendar expects no more."""
    EMPTY = "suspicious_empty"
    """None, where there usually are some."""
    BELOW = "below"
    ABOVE = "above"


FAR = frozenset({Verdict.EMPTY, Verdict.BELOW, Verdict.ABOVE})
"""What an operator is to look at."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """A verdict, and why, in words; empty where nothing is to be said."""

    verdict: Verdict
    why: str = ""

    @property
    def far(self) -> str:
        """How far the rows are from usual, in words; empty where nobody needs to look."""
        return self.why if self.verdict in FAR else ""


def judge(rows: int, usual: Usual | None, day_off: str = "") -> Judged:
    """What is to be thought of rows.

    Args:
        rows: What was read.
        usual: What past runs were, those of the same day of the week where there are enough.
        day_off: Why nothing is expected of the day, as its calendar says.
    """
    if day_off and (not rows or (usual and rows * 2 < usual.rows)):
        return Judged(verdict=Verdict.DAY_OFF, why=day_off)
    if usual is None:
        return Judged(verdict=Verdict.NO_PAST)
    far = deviation(rows, usual.rows)
    if far and usual.weekday:
        far += f" on {usual.weekday.capitalize()}s"
    if not rows:
        empty = Judged(verdict=Verdict.OK_EMPTY, why="empty, as usual")
        return Judged(verdict=Verdict.EMPTY, why=far) if far else empty
    if not far:
        return Judged(verdict=Verdict.OK)
    return Judged(verdict=Verdict.ABOVE if rows > usual.rows else Verdict.BELOW, why=far)


def far_of(judged: Judged | None, rows: int, usual: int | None) -> str:
    """How far rows are from usual, in words: as it was judged, else by the number alone."""
    return deviation(rows, usual) if judged is None else judged.far
