"""N-8: days on which nothing is expected of a branch."""

from datetime import date

from etltui.domain.calendar import Calendar

TAMIL = Calendar(name="tamil", holidays=(date(2026, 1, 15),), closed=("sunday", "tuesday"))


def test_n_8_a_holiday_is_a_day_off_and_named():
    assert TAMIL.day_off(date(2026, 1, 15)) == "a holiday in the calendar tamil"


def test_n_8_a_closed_weekday_is_a_day_off_and_named():
    assert TAMIL.day_off(date(2026, 11, 22)) == "closed on Sundays in the calendar tamil"
    assert TAMIL.day_off(date(2026, 11, 24)) == "closed on Tuesdays in the calendar tamil"


def test_n_8_any_other_day_is_none():
    assert TAMIL.day_off(date(2026, 11, 23)) == ""
    assert Calendar().day_off(date(2026, 1, 15)) == ""
