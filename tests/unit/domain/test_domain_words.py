"""How a status and its reason read together."""

import pytest

from etltui.domain.words import because


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
