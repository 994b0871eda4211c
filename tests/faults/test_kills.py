"""Random SIGKILLs of engine and extractors, resumed each time (S3-2, S3-3, S3-19, S3-20, N-13)."""

import pytest

from faults.kills import kill_and_resume


@pytest.mark.timeout(300)
def test_a_few_kills_lose_and_double_nothing(tmp_path):
    report = kill_and_resume(tmp_path / "demo", kills=6, branches=12, rows=4000, seed=7)
    assert not report.bad, report


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_fifty_kills_of_a_large_run_lose_and_double_nothing(tmp_path):
    report = kill_and_resume(tmp_path / "demo", kills=50, branches=56, rows=20_000)
    assert not report.bad, report
