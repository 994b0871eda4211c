"""Random SIGKILLs of an engine with a full queue, restarted each time (S1-61)."""

import pytest

from faults.queue_kills import rounds


@pytest.mark.timeout(120)
def test_a_few_kills_lose_and_double_no_queued_run(tmp_path):
    report = rounds(tmp_path, kills=5, runs=100, seed=7)
    assert not report.wrong, report


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_fifty_kills_lose_and_double_no_queued_run(tmp_path):
    report = rounds(tmp_path, kills=50, runs=200, seed=1)
    assert not report.wrong, report
