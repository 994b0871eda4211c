"""N-8: calendars of connections and tags."""

from datetime import date

import pytest

from etltui.config.load import load
from etltui.domain.errors import ConfigError

TEXT = """
[calendars.tamil]
holidays = [2026-01-15, "2026-11-12"]
closed = ["Sunday"]

[calendars.mall]

[tags.south]
calendar = "tamil"

[connections.A]
url = "sqlite:///a.db"
tags = ["south"]

[connections.B]
url = "sqlite:///b.db"
tags = ["south"]
calendar = "mall"

[connections.C]
url = "sqlite:///c.db"
"""


def loaded(folder, text=TEXT):
    path = folder / "etltui.toml"
    path.write_text(text)
    return load(path, environ={}).connections


def mistakes(folder, text):
    with pytest.raises(ConfigError) as caught:
        loaded(folder, text)
    return [str(mistake).partition(": ")[2] for mistake in caught.value.mistakes]


def test_n_8_a_connection_goes_by_its_own_calendar_else_by_its_tags(tmp_path):
    a, b, c = loaded(tmp_path)
    assert (a.calendar, b.calendar, c.calendar) == ("tamil", "mall", "")
    assert a.days.holidays == (date(2026, 1, 15), date(2026, 11, 12))
    assert a.days.closed == ("sunday",)
    assert (b.days.name, b.days.holidays, c.days.name) == ("mall", (), "")


def test_n_8_a_calendar_that_is_not_there_is_named_once_with_who_goes_by_it(tmp_path):
    text = TEXT.replace("[calendars.tamil]", "[calendars.tamilnadu]")
    assert mistakes(tmp_path, text) == [
        'calendars.tamil: is not there, but is the calendar of A. Did you mean "tamilnadu"?'
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('["Sunday"]', '["Sundai"]', '"sundai" is not a day of the week. Did you mean "sunday"?'),
        ("[2026-01-15,", '["15.1.26",', '"15.1.26" is not a day. Write it as 2026-11-21'),
        ("closed =", "shut =", "is not a known key. Allowed: holidays, closed"),
        ('[2026-01-15, "2026-11-12"]', "7", "7 is not a list of days. Write [2026-11-12]"),
    ],
)
def test_n_8_what_is_wrong_in_a_calendar_is_refused_with_the_way_out(tmp_path, old, new, said):
    (found,) = mistakes(tmp_path, TEXT.replace(old, new))
    assert found.startswith("calendars.tamil.")
    assert found.endswith(said)
