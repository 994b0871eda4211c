"""How a status and its reason read together, and many names."""

import pytest

from etltui.domain.words import because, some


@pytest.mark.parametrize(
    ("status", "reason", "said"),
    [
        ("completed", "", "completed"),
        ("stopped", "stopped by SIGINT", "stopped by SIGINT"),
        ("stopped", "its engine died", "stopped: its engine died"),
    ],
)
def test_a_status_and_its_reason_are_said_once(status, reason, said):
    assert because(status, reason) == said


@pytest.mark.parametrize(
    ("names", "said"),
    [((), ""), (("a",), "a"), (("a", "b"), "a, b"), (("a", "b", "c"), "a, b and 1 more")],
)
def test_of_many_names_the_first_stand_there_and_how_many_follow(names, said):
    assert some(names, 2) == said
