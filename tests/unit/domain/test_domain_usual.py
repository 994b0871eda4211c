"""What is near to the usual number of rows, and what is said of the rest."""

import pytest

from etltui.domain.usual import deviation


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
