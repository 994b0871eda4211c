"""Signals and closed terminals while a driver hears nothing (N-22): a few of all trials."""

from contextlib import ExitStack

import pytest

from faults.signals import FAULTS, once
from faults.stuck import at_hand

SLACK_S = 30.0
"""A busy machine is no fault of ours; `python tests/faults/signals.py` measures."""


@pytest.fixture(scope="module")
def ways():
    with ExitStack() as closes:
        yield at_hand(closes)


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("fault", "way"),
    [
        ("run: QUIT", "sqlite, busy"),
        ("run: TERM twice", "sqlite, locked"),
        ("serve: HUP, stop", "psqlODBC"),
        ("console: closed, finish", "sqlite, locked"),
        ("console: QUIT", "postgresql"),
    ],
)
def test_n_22_nothing_is_left_and_nothing_lost(fault, way, ways, tmp_path):
    if way not in ways:
        pytest.skip(f"no {way} here")
    trial = once(tmp_path / "trial", FAULTS[fault], ways[way], slack=SLACK_S)
    assert not trial.wrong
    assert (trial.lost, trial.doubled) == (0, 0)
