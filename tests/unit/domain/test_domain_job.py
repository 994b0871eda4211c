from datetime import date

import pytest

from etltui.domain.job import Connection

FIRST, LAST = date(2026, 3, 1), date(2026, 9, 30)


@pytest.mark.parametrize(
    ("opened", "closed", "day", "there"),
    [
        (None, None, date(2026, 1, 1), True),
        (FIRST, None, date(2026, 2, 28), False),
        (FIRST, None, FIRST, True),
        (None, LAST, LAST, True),
        (None, LAST, date(2026, 10, 1), False),
    ],
)
def test_a_branch_is_missing_only_between_its_first_and_its_last_day(opened, closed, day, there):
    """N-33."""
    shop = Connection(name="A", kind="sqlite", url="", opened=opened, closed=closed)
    assert shop.exists(day) is there
