"""Formats of dates and times: what is refused, and in what words."""

import pytest

from etltui.domain.moments import pieces, trouble


@pytest.mark.parametrize(
    ("text", "clock", "said"),
    [
        ("%d/%m/%Y", False, ""),
        ("%Y%m%d", False, ""),
        ("%Y-%m-%dT%H:%M:%S", True, ""),
        ("%d.%m.%Y, %H:%M:%S %z", True, ""),
        ("%d/%m", False, "lacks %Y"),
        ("%d", False, "lacks %Y, %m"),
        ("%d/%m/%Y %H:%M", True, "lacks %S"),
        ("%d/%m/%y", False, "%y is no token of it"),
        ("%d/%m/%Y %H", False, "%H is no token of it"),
        ("%d/%m/%Y%z", False, "%z is no token of it"),
        ("%d/%m/%Y%%", False, "%% is no token of it"),
        ("%d/%m/%Y%", False, "% is no token of it"),
        ("%d/%d/%m/%Y", False, "holds a token twice"),
        ('%d"%m/%Y', False, "holds '\"'"),
        ("%d1%m/%Y", False, "holds '1'"),
        ("%d\\1%m/%Y", False, "holds '\\\\'"),
    ],
)
def test_n_16_a_format_loses_nothing_and_holds_nothing_odd(text, clock, said):
    assert trouble(text, clock=clock) == said


def test_a_format_is_tokens_and_what_stands_between_them():
    assert pieces("%d, %m%Y ") == ["%d", ", ", "%m", "%Y", " "]
