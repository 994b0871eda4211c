"""The first and the last day of a connection."""

from datetime import date

import pytest


def text(line):
    return f'[connections.a]\nurl = "sqlite:///a.db"\n{line}'


@pytest.mark.parametrize("day", ["2026-11-21", '"2026-11-21"'])
def test_a_day_is_a_date_or_its_text(desk, day):
    (found,) = desk.load(text(f"opened = {day}\nclosed = {day}")).connections
    assert (found.opened, found.closed) == (date(2026, 11, 21), date(2026, 11, 21))
    assert found.exists(date(2026, 11, 21))
    (found,) = desk.load(text("")).connections
    assert (found.opened, found.closed) == (None, None)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("opened = 2026-11-21T00:00:00", "2026-11-21 00:00:00 is not a day"),
        ("opened = 20261121", "20261121 is not a day"),
        ("opened = true", "true is not a day. Write it as 2026-11-21"),
        ('closed = "tomorrow"', '"tomorrow" is not a day'),
        ('closed = ""', '"" is not a day'),
        (
            "opened = 2026-11-22\nclosed = 2026-11-21",
            "2026-11-21 is before opened. Allowed: 2026-11-22 or later",
        ),
    ],
)
def test_what_is_no_day_is_refused(desk, line, said):
    key, sentence = desk.mistake(text(line))
    assert key == f"connections.a.{line.rpartition(' = ')[0].rpartition(chr(10))[2]}"
    assert said in sentence
