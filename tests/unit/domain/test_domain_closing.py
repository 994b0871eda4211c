"""Whether a branch has closed the day: N-9."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from etltui.domain.closing import Closing
from etltui.domain.days import Days
from etltui.domain.job import Connection, Job, Query

FLAG = Closing(sql="x")
KOLKATA = ZoneInfo("Asia/Kolkata")
UNTIL = Closing(sql="x", until=datetime(2026, 11, 20, 18, tzinfo=KOLKATA))


@pytest.mark.parametrize(
    "value", [True, 1, 2, "1", "Y", " yes ", "TRUE", "closed", Decimal(1), 1.0]
)
def test_a_flag_that_says_yes_closes_the_day(value):
    assert FLAG.open_because(value) == ""


@pytest.mark.parametrize("value", [False, 0, "0", "N", "", "no", None, Decimal(0), "open"])
def test_any_other_leaves_it_open(value):
    assert FLAG.open_because(value) == "the day is not closed"


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("2026-11-20 18:00:00", ""),
        ("2026-11-20T17:59:59", "the last row is of 2026-11-20 17:59"),
        (datetime(2026, 11, 20, 18, 1), ""),  # noqa: DTZ001 - as a database says it
        (datetime(2026, 11, 20, 12, 30, tzinfo=UTC), ""),
        ("2026-11-20 12:29:00+00:00", "the last row is of 2026-11-20 12:29"),
        (date(2026, 11, 21), ""),
        (None, "no row of the day yet"),
    ],
)
def test_the_last_row_must_be_near_the_end_of_the_day_by_the_clock_that_it_says(value, why):
    assert UNTIL.open_because(value) == why


def test_what_is_no_time_is_refused():
    with pytest.raises(ValueError, match="'late' is no time"):
        UNTIL.open_because("late")


def test_it_is_asked_for_the_day_of_the_branch():
    job = Job(
        name="j",
        title="J",
        connections=("*",),
        queries=(Query(name="main", sql="select 1"),),
        destinations=(),
        day_until="select max(t) from s where t < :day_end",
        day_until_slack_h=2.5,
    )
    here = Connection(name="A", kind="sqlite", url="sqlite:///a", timezone="Asia/Kolkata")
    found = Days(day=date(2026, 11, 20)).closing(job, here)
    assert found.params == {"day_end": "2026-11-21 00:00:00"}
    assert found.until == datetime(2026, 11, 20, 21, 30, tzinfo=KOLKATA)
