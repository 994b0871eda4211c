"""N-2: a limit for queries that is learned from what they took."""

import pytest

from etltui.domain.usual import Usual
from etltui.engine.limits import QueryLimit, query_limit


def past(longest, runs=5):
    return Usual(rows=1, longest_s=longest, timed=runs)


@pytest.mark.parametrize(
    ("usual", "learn"), [(past(28), False), (None, True), (past(28, runs=4), True)]
)
def test_n_2_the_configured_limit_holds_where_nothing_can_or_shall_be_learned(usual, learn):
    assert query_limit(300, usual, learn=learn) == QueryLimit(seconds=300)


def test_n_2_three_times_the_longest_of_its_runs():
    found = query_limit(300, past(28, runs=10), learn=True)
    assert found.seconds == 84
    assert found.learned == "3 x the longest of its last 10 runs, 28 s"


def test_n_2_never_less_than_a_minute():
    found = query_limit(300, past(0.5), learn=True)
    assert found.seconds == 60
    assert found.learned == "3 x the longest of its last 5 runs, 0 s; at least 60 s"


@pytest.mark.parametrize("configured", [84, 50, 20])
def test_n_2_never_more_than_what_is_configured(configured):
    assert query_limit(configured, past(28), learn=True) == QueryLimit(seconds=configured)
