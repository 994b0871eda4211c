"""The processes that read databases: as many as the settings say, with the work divided."""

import asyncio
from pathlib import Path

import psutil
import pytest

from etltui.bootstrap import engine
from etltui.cli import demo
from etltui.cli.demo_data import Demo
from etltui.config.load import load
from etltui.domain.run import RunStatus

BRANCHES = 6


def files_of(process):
    """The branches that a process has open."""
    names = (Path(each.path).name for each in process.open_files())
    return {name for name in names if name.startswith("branch_") and name.endswith(".db")}


@pytest.mark.parametrize("workers", [1, 3])
async def test_s1_6_s1_63_a_run_is_divided_among_as_many_workers_as_the_settings_say(
    tmp_path, workers
):
    """S1-6, S1-63 on one machine: each worker reads branches of its own, none reads all."""
    await asyncio.to_thread(demo.prepare, tmp_path / "demo", Demo(seed=3, branches=6, rows=50))
    file = tmp_path / "demo" / "config.toml"
    config = await asyncio.to_thread(load, file, environ={}, overrides={"extractors": workers})
    before = psutil.Process().children()
    async with engine(config, tmp_path / "demo" / "state", environ={}) as own:
        result = await (await own.submit("gst_sales")).wait()
        assert result.status is RunStatus.COMPLETED
        begun = [each for each in psutil.Process().children() if each not in before]
        read = [files_of(each) for each in begun]
        read = [each for each in read if each]
    assert len(read) == workers
    assert sum(map(len, read)) == len(set.union(*read)) == BRANCHES
    assert all(read)
