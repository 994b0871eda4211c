"""A damaged state database of a killed run loses and doubles no row (S3-19, N-13)."""

import pytest

from faults.state_damage import FAULTS, damage_and_resume


@pytest.mark.timeout(300)
def test_a_damaged_state_loses_and_doubles_no_row(tmp_path):
    faults = ["page of noise", "empty", "log: bits"]
    table = damage_and_resume(tmp_path / "demo", times=1, faults=faults, branches=6, rows=200)
    assert [(row.survived, row.lost, row.doubled) for row in table.values()] == [(1, 0, 0)] * 3
    # What is lost of the database comes back by the marks beside it: no branch is asked again.
    assert (table["empty"].found, table["empty"].reread) == (1, 0)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_no_damage_of_the_state_loses_or_doubles_a_row(tmp_path):
    table = damage_and_resume(tmp_path / "demo", times=10, faults=list(FAULTS))
    assert [fault for fault, row in table.items() if row.survived < row.tried] == []
