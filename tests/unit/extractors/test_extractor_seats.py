"""Who sits with whom: sessions of foreign drivers few together, and never with the others."""

import pytest

from etltui.extractors.seats import APART, MOST_APART, MOST_TOGETHER, seat


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize(
    ("sessions", "place"),
    [([], None), ([3], None), ([3, 0], 1), ([2, 1, 2], 1), ([0], 0)],
)
def test_an_idle_one_first_then_a_new_one_then_the_least_busy(sessions, place, apart):
    assert seat(sessions, apart=apart, limit=3) == place


def test_our_own_kinds_share_however_many_there_are():
    assert seat([500, 499], apart=False, limit=2) == 1


def test_foreign_drivers_sit_few_together_as_long_as_there_is_room():
    assert seat([MOST_TOGETHER - 1], apart=True, limit=1) == 0
    assert seat([MOST_TOGETHER], apart=True, limit=1) is None
    assert seat([MOST_TOGETHER] * (MOST_APART - 1), apart=True, limit=1) is None
    assert seat([MOST_TOGETHER] * MOST_APART, apart=True, limit=1) == 0


def test_seating_many_opens_as_few_as_are_needed():
    there: list[int] = []
    for _ in range(50):
        place = seat(there, apart=True, limit=2)
        if place is None:
            there.append(1)
        else:
            there[place] += 1
    assert len(there) == 7
    assert max(there) <= MOST_TOGETHER


def test_which_kinds_sit_apart():
    assert {"odbc", "mssql"} == APART
