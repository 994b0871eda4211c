"""The business day and its bounds: N-9, N-10."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etltui.domain.days import Days, asks_for_day, business_day, of_days
from etltui.domain.job import Connection, Job, Query
from etltui.domain.plan import plan_connection

DAY = date(2026, 11, 20)
HERE = Connection(name="A", kind="sqlite", url="sqlite:///a", timezone="Asia/Kolkata")
QUERY = Query(name="main", sql="select * from s where t >= :day_start and t < :day_end")
JOB = Job(name="j", title="J", connections=("*",), queries=(QUERY,), destinations=())


@pytest.mark.parametrize(
    ("said", "day"),
    [("today", DAY), ("yesterday", date(2026, 11, 19)), ("0", DAY), ("-7", date(2026, 11, 13))],
)
def test_a_job_means_a_day_by_word_or_number(said, day):
    assert business_day(said, DAY) == day


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("Europe/Berlin", date(2026, 11, 20), 24),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        # There the clock skips midnight itself.
        ("Asia/Beirut", date(2026, 3, 29), 23),
        ("America/Havana", date(2026, 11, 1), 25),
    ],
)
def test_n_10_a_day_has_the_hours_that_its_zone_gives_it(zone, day, hours):
    start, end = Days(day=day).bounds(zone)
    assert (end.astimezone(UTC) - start.astimezone(UTC)) == timedelta(hours=hours)


@given(
    st.sampled_from(["Europe/Berlin", "America/Sao_Paulo", "Asia/Beirut", "Asia/Kolkata", "UTC"]),
    st.dates(date(2000, 1, 1), date(2037, 12, 30)),
    st.integers(0, 23),
)
def test_neighbouring_days_always_meet(zone, day, lag):
    days = Days(day=day, begins_h=lag)
    start, end = days.bounds(zone)
    again, _ = replace(days, day=day + timedelta(days=1)).bounds(zone)
    assert start.astimezone(UTC) < end.astimezone(UTC) == again.astimezone(UTC)


def test_a_connection_without_a_zone_has_that_of_the_settings():
    days = Days(day=DAY, timezone="America/New_York")
    assert days.bounds()[0] == datetime(2026, 11, 20, tzinfo=ZoneInfo("America/New_York"))
    assert days.bounds("Asia/Tokyo")[0] == datetime(2026, 11, 20, tzinfo=ZoneInfo("Asia/Tokyo"))


def test_n_10_bounds_are_bound_without_being_named_in_local_time_and_in_utc():
    asked = replace(QUERY, sql="x >= :day_start_utc or y < :day_end or z = @day or w = $day_start")
    assert Days(day=DAY).bound(asked, HERE).params == {
        "day_start_utc": "2026-11-19 18:30:00",
        "day_end": "2026-11-21 00:00:00",
        "day": "2026-11-20",
        "day_start": "2026-11-20 00:00:00",
    }


def test_sql_server_gets_the_form_that_no_login_language_turns_round():
    bound = Days(day=DAY).bound(QUERY, replace(HERE, kind="mssql"))
    assert bound.params["day_start"] == "2026-11-20T00:00:00"


def test_a_day_begins_with_the_first_hour_that_its_clock_shows():
    """In Beirut it went from midnight to one o'clock on that day."""
    there = replace(HERE, timezone="Asia/Beirut")
    bound = Days(day=date(2026, 3, 29)).bound(QUERY, there)
    assert bound.params["day_start"] == "2026-03-29 01:00:00"


def test_what_is_no_parameter_is_left_alone():
    cast = replace(QUERY, sql="select x::day, y :day_starter, '12:dayz' from s")
    assert not asks_for_day(cast)
    assert Days(day=DAY).bound(cast, HERE) == cast


def test_a_param_may_hold_the_day_in_a_form_of_its_own():
    asked = replace(
        QUERY,
        params={"low": "{day_start:%Y%m%d}-{day}", "n": 3, "json": '{"a": {}}', "day_end": "mine"},
    )
    assert Days(day=DAY).bound(asked, HERE).params == {
        "day_start": "2026-11-20 00:00:00",
        "low": "20261120-2026-11-20",
        "n": 3,
        "json": '{"a": {}}',
        "day_end": "mine",
    }


def test_a_day_that_begins_late_is_still_the_one_before_until_then():
    job = replace(JOB, day_lag_h=4, business_day="today")
    at = datetime(2026, 11, 21, 3, 59, tzinfo=ZoneInfo("Asia/Kolkata"))
    days = Days.of(job, at, "Asia/Kolkata")
    assert days.day == DAY
    assert days.bounds()[0] == datetime(2026, 11, 20, 4, tzinfo=ZoneInfo("Asia/Kolkata"))
    assert Days.of(job, at + timedelta(minutes=1), "").day == date(2026, 11, 21)


def test_parts_of_another_day_zone_or_lag_are_not_kept_but_only_where_the_day_matters():
    def hashed(job=JOB, connection=HERE, **changes):
        return plan_connection(1, connection, job, replace(Days(day=DAY), **changes)).hash

    assert hashed() == hashed(timezone="UTC")  # its own zone holds
    assert hashed() != hashed(day=date(2026, 11, 19))
    assert hashed() != hashed(begins_h=1)
    assert hashed() != hashed(connection=replace(HERE, timezone="UTC"))
    plain = replace(JOB, queries=(replace(QUERY, sql="select 1"),))
    assert hashed(plain) == hashed(plain, day=date(2026, 11, 19))
    assert hashed(plain) == plan_connection(1, HERE, plain).hash


def test_a_value_of_that_name_is_the_job_s_own():
    own = replace(QUERY, sql="select :day", params={"day": "monday"})
    assert not asks_for_day(own)
    assert Days(day=DAY).bound(own, HERE) == own


def test_a_job_is_of_days_by_any_of_its_texts():
    plain = replace(JOB, queries=(replace(QUERY, sql="select 1"),))
    assert of_days(JOB)
    assert not of_days(plain)
    assert of_days(replace(plain, overrides={"A": {"main": "select :day"}}))
    assert of_days(replace(plain, queries=(replace(QUERY, sql="", params={"a": "{day}"}),)))
    assert of_days(replace(plain, queries=(replace(QUERY, sql="", control="x = :day"),)))
