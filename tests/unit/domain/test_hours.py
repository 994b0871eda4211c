"""When a connection may be read; N-31."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etltui.domain.hours import opening, spans

KOLKATA, BERLIN = ZoneInfo("Asia/Kolkata"), ZoneInfo("Europe/Berlin")


def at(text, zone=KOLKATA):
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize("clock", ["22:00", "23:59", "00:00", "05:59"])
def test_hours_that_wrap_midnight_are_open(clock):
    assert opening("22:00-06:00", at(f"2026-11-22T{clock}:30")) == 0


@pytest.mark.parametrize(
    ("hours", "now", "opens"),
    [
        ("22:00-06:00", "2026-11-22T06:00:00", "2026-11-22T22:00:00"),
        ("22:00-06:00", "2026-11-22T21:59:59", "2026-11-22T22:00:00"),
        ("01:00-02:00", "2026-11-22T02:00:00", "2026-11-23T01:00:00"),
        ("01:00-02:00, 12:30-13:30", "2026-11-22T02:00:00", "2026-11-22T12:30:00"),
        ("22:00-24:00", "2026-11-22T00:00:00", "2026-11-22T22:00:00"),
    ],
)
def test_outside_of_them_the_next_begin_is_told(hours, now, opens):
    assert opening(hours, at(now)) == at(opens).timestamp()


def test_the_wall_clock_decides_in_the_night_of_the_change_of_clocks():
    # On 2026-10-25 the hour from 02:00 comes twice.
    now = at("2026-10-24T12:00:00", BERLIN)
    opens = opening("04:00-05:00", now)
    assert datetime.fromtimestamp(opens, BERLIN).hour == 4
    assert opens - now.timestamp() == 17 * 3600


def test_without_hours_it_is_always_open():
    assert opening("", at("2026-11-22T12:00:00")) == 0


@pytest.mark.parametrize("text", ["", "22:00", "22:00-22:00", "24:00-01:00", "1:00-2:00", "a-b"])
def test_no_spans(text):
    with pytest.raises(ValueError, match=r".*"):
        spans(text)


@given(
    begin=st.integers(0, 1439),
    end=st.integers(0, 1439),
    now=st.integers(0, 1439),
)
def test_what_is_told_is_open_and_nothing_before_it_is(begin, end, now):
    if begin == end:
        return
    hours = f"{begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02}"
    moment = at("2026-11-22T00:00:00") + timedelta(minutes=now)
    opens = opening(hours, moment)
    if opens:
        assert opening(hours, datetime.fromtimestamp(opens, KOLKATA)) == 0
        before = datetime.fromtimestamp(opens - 60, KOLKATA)
        assert before < moment or opening(hours, before) == opens
