"""Little memory, few descriptors, a slow disk and a full one: slow progress or a clear stop."""

import shutil
import sys

import pytest

from faults.resources import (
    MB,
    can_mount,
    cells,
    killed_for_memory,
    little_memory,
    on_a_small_disk,
    prepare,
    rows,
    slow_disk,
    weighed,
)

MOST = 440 * MB
"""The threshold of 400 MB and a tenth."""

pytestmark = pytest.mark.timeout(240)


@pytest.mark.parametrize(
    ("query", "job", "code"),
    [
        (rows(200_000_000), "query_timeout_s = 8", 1),
        (cells(60), "", 0),
    ],
    ids=["200 million rows", "cells of 1 MiB"],
)
def test_s3_33_a_large_source_stays_within_the_threshold(query, job, code, tmp_path):
    config = prepare(tmp_path, query, job=job)
    with little_memory(512 * MB) as limited:
        found = weighed(config, limits=limited[0] if limited else "true")
        assert limited is None or killed_for_memory(limited[1]) == 0
    assert found.ended.code == code, found.ended.err
    assert 0 < found.most <= MOST


def test_few_descriptors_are_refused_with_what_is_needed(tmp_path):
    config = prepare(tmp_path, rows(10))
    refused = weighed(config, limits="ulimit -n 64").ended
    assert refused.code == 2
    assert "Raise the hard limit to 528, or to 136 for a single connection" in refused.err
    assert not (tmp_path / "state").exists()
    config = prepare(tmp_path, rows(10), settings="max_connections = 1")
    assert weighed(config, limits="ulimit -n 136").ended.code == 0


def test_on_a_slow_disk_everything_comes_slowly(tmp_path):
    """Nobody takes a slow disk for a server that has stalled."""
    config = prepare(tmp_path, rows(60_000), job="stall_timeout_s = 5")
    found = weighed(config, **slow_disk(tmp_path / "slow", MB // 5))
    assert found.ended.code == 0, found.ended.out
    assert found.ended.finished["rows"] == 120_000
    # Two branches of 1.3 MB each wrote side by side.
    assert found.seconds > 6
    assert found.most <= MOST


def test_a_full_disk_stops_resumably_and_more_room_completes(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if not can_mount(disk):
        pytest.skip("no file system can be mounted here")
    prepare(tmp_path / "made", rows(400_000))
    etltui = f"{sys.executable} -m etltui run gather --config etltui.toml"
    done = on_a_small_disk(
        disk,
        "8m",
        f"cp {tmp_path}/made/* .",
        f"({etltui}; echo code $?)",
        f"mount -o remount,size=200m {disk}",
        f"{etltui} --resume",
        "wc -l < out/gather.csv",
        "ls -A out state/parts",
    )
    assert "code 4" in done.stdout, done.stdout + done.stderr
    assert "no space left" in done.stdout
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split()[-4:] == ["800001", "out:", "gather.csv", "state/parts:"]
    shutil.rmtree(disk)
