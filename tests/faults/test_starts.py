"""Many starts of one job at once are one engine (N-23, and the lock that is free at a death)."""

import pytest

from faults.starts import start_at_once


@pytest.mark.timeout(300)
def test_many_starts_at_once_are_one_engine(tmp_path):
    report = start_at_once(tmp_path, starts=12, apart=3)
    assert not report.bad, report
    assert (len(report.joined), len(report.told)) == (11, 3)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_two_hundred_starts_at_once_are_one_engine(tmp_path):
    report = start_at_once(tmp_path, starts=200, apart=20)
    assert not report.bad, report
    assert (len(report.joined), len(report.told)) == (199, 20)
