"""Whoever looks at a target sees a whole one, old or new."""

import pytest

from faults import watched


@pytest.mark.timeout(300)
def test_a_watched_target_is_whole_at_every_moment(tmp_path):
    watcher = watched.watch(tmp_path, runs=8)
    assert not watcher.wrong
    assert set(watcher.files) == set(watched.CHECKS)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_watched_target_is_whole_over_two_hundred_runs(tmp_path):
    watcher = watched.watch(tmp_path, runs=200)
    assert not watcher.wrong


@pytest.mark.parametrize(
    ("name", "content"),
    [("sales.xlsx", b"PK\x03\x04"), ("sales.csv", b"id,name\n1,x\n2"), ("sales.parquet", b"PAR1")],
)
def test_the_watcher_sees_what_is_torn(tmp_path, name, content):
    watcher = watched.Watcher(output=tmp_path, begun=1)
    tmp_path.joinpath(name).write_bytes(content)
    known = {}
    watcher._look(name, known)
    assert watcher.wrong[0].startswith(f"{name} is torn")
    tmp_path.joinpath(name).unlink()
    watcher._look(name, known)
    assert watcher.wrong[1] == f"{name} was not there"


def test_the_watcher_sees_half_of_the_rows(tmp_path):
    watcher = watched.Watcher(output=tmp_path, begun=1)
    tmp_path.joinpath("sales.csv").write_bytes(b"id,name\n1,x\n")
    watcher._look("sales.csv", {})
    assert watcher.wrong == ["sales.csv has 1 rows, no run has"]
