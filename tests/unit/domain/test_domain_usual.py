"""What is near to the usual number of rows, and what is said of the rest."""

import pytest

from etltui.domain.usual import Usual, deviation


@pytest.mark.parametrize(
    ("rows", "usual"),
    [(0, None), (7, None), (0, 0), (50, 100), (100, 100), (200, 100), (1, 2), (2, 1)],
)
def test_nothing_is_said_of_what_is_usual_or_unknown(rows, usual):
    assert deviation(rows, usual) == ""


@pytest.mark.parametrize(
    ("rows", "usual", "said"),
    [
        (0, 1234, "empty, usually 1,234"),
        (0, 1, "empty, usually 1"),
        (1, 0, "usually empty"),
        (49, 100, "less than half the usual 100"),
        (201, 100, "more than double the usual 100"),
        (5000, 2000, "more than double the usual 2,000"),
    ],
)
def test_what_is_far_from_usual_is_said(rows, usual, said):
    assert deviation(rows, usual) == said


def test_n_26_what_is_usual_is_a_median_and_how_far_half_of_the_runs_are_from_it():
    assert Usual.of([5, 9, 7], [4.0, 6.0, 20.0]) == Usual(rows=7, seconds=6.0, spread=2.0)
    assert Usual.of([5, 9], [3.0, 3.0, 3.0]) == Usual(rows=9, seconds=3.0, spread=0.0)


def test_n_30_what_is_usual_tells_bytes_where_runs_do():
    assert Usual.of([5], [], [30, 10, 20]) == Usual(rows=5, bytes=20)
    assert Usual.of([5], [8.0], [30]).bytes == 30


def test_of_few_runs_nobody_knows_how_far_they_differ():
    assert Usual.of([5], [8.0]) == Usual(rows=5, seconds=8.0, spread=2.0)
    assert Usual.of([5, 5], [4.0, 12.0]) == Usual(rows=5, seconds=8.0, spread=4.0)
    assert Usual.of([5], []) == Usual(rows=5, seconds=None)
