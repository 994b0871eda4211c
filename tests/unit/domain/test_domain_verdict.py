"""N-8: zero rows and odd numbers of rows, judged by the same day of past weeks and the calendar."""

import pytest

from etltui.domain.usual import Usual
from etltui.domain.verdict import Judged, Verdict, far_of, judge

SUNDAYS = Usual(rows=100, weekday="sunday")
CLOSED = Usual(rows=0, weekday="sunday")
ANY = Usual(rows=100)
HOLIDAY = "a holiday in the calendar tamil"


@pytest.mark.parametrize(
    ("rows", "usual", "day_off", "verdict", "why"),
    [
        (90, SUNDAYS, "", Verdict.OK, ""),
        (0, CLOSED, "", Verdict.OK_EMPTY, "empty, as usual"),
        (0, SUNDAYS, "", Verdict.EMPTY, "empty, usually 100 on Sundays"),
        (0, ANY, "", Verdict.EMPTY, "empty, usually 100"),
        (49, SUNDAYS, "", Verdict.BELOW, "less than half the usual 100 on Sundays"),
        (201, ANY, "", Verdict.ABOVE, "more than double the usual 100"),
        (3, CLOSED, "", Verdict.ABOVE, "usually empty on Sundays"),
        (0, None, "", Verdict.NO_PAST, ""),
        (7, None, "", Verdict.NO_PAST, ""),
        (0, SUNDAYS, HOLIDAY, Verdict.DAY_OFF, HOLIDAY),
        (0, None, HOLIDAY, Verdict.DAY_OFF, HOLIDAY),
        (49, ANY, HOLIDAY, Verdict.DAY_OFF, HOLIDAY),
        (50, ANY, HOLIDAY, Verdict.OK, ""),
        (201, ANY, HOLIDAY, Verdict.ABOVE, "more than double the usual 100"),
        (7, None, HOLIDAY, Verdict.NO_PAST, ""),
    ],
)
def test_n_8_rows_are_judged(rows, usual, day_off, verdict, why):
    assert judge(rows, usual, day_off) == Judged(verdict=verdict, why=why)


def test_n_8_an_operator_is_told_of_what_is_far_and_of_nothing_else():
    assert judge(0, ANY).far == "empty, usually 100"
    assert judge(0, ANY, HOLIDAY).far == ""
    assert judge(0, CLOSED).far == ""
    assert far_of(judge(0, ANY, HOLIDAY), 0, 100) == ""
    assert far_of(None, 0, 100) == "empty, usually 100"
