"""Targets that could not be written are found before anything is read."""

import os
import re
from pathlib import Path

import pytest

from etltui.domain.errors import ConfigError, ErrorClass, StateError
from etltui.domain.run import RunStatus
from etltui.domain.targets import partial_path
from etltui.engine.preflight import obstacle
from etltui.engine.prepare import make_folders
from fakes import Script, failure


def test_a_target_in_a_folder_that_is_still_to_be_made_is_fine(tmp_path):
    assert obstacle(tmp_path / "new" / "deep" / "out.csv", tmp_path / "state") == ""
    (tmp_path / "out.csv").write_text("of yesterday")
    assert obstacle(tmp_path / "out.csv", tmp_path / "state") == ""


def test_what_stands_in_the_way_is_named(tmp_path, monkeypatch):
    state = tmp_path / "state"
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    for target, words in (
        ("state/out.csv", "lies in the state folder"),
        ("pipe", "is no regular file"),
        ("folder", "is a folder"),
        ("file/out.csv", "is no folder"),
    ):
        assert obstacle(tmp_path / target, state).endswith(words)
    # Root may write everywhere, so the answer is asked for.
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert obstacle(tmp_path / "out.csv", state) == f"the folder {tmp_path} may not be written"


async def test_the_engine_refuses_such_a_target_and_names_its_key(world):
    (world.folder / "out" / "sales.csv").mkdir(parents=True)
    with pytest.raises(ConfigError, match=re.escape("jobs.sales.destinations[1].path")):
        await world.engine.check("sales")
    assert not await world.store.runs()


async def test_resuming_some_keeps_the_rest_of_the_run_open(world):
    # A full disk stops the run, resumably.
    world.leases.extracts["B"] = Script(failure(ErrorClass.DISK, "full"), 2)
    world.job(max_parallel=1)
    world.renew()
    first = await world.run()
    assert first.status is RunStatus.STOPPED
    some = await world.run(resume=True, only=["B"])
    assert (some.run, some.status) == (first.run, RunStatus.STOPPED)
    assert some.reason == "1 of 3 connections, left out by --only, are still to be read"
    assert (await world.run(resume=True)).status is RunStatus.COMPLETED


async def test_the_index_lists_what_was_left_out(world):
    result = await world.run(only=["B"])
    assert (result.total, result.left_out) == (1, 2)
    entries = world.parts.tasks[-1].entries
    assert [(entry.connection, entry.status) for entry in entries] == [
        ("B", "completed"),
        ("A", "skipped"),
        ("C", "skipped"),
    ]


async def test_a_partial_target_gives_way_where_there_is_no_room_beside_it(world):
    partial = partial_path(Path(world.target))
    partial.parent.mkdir()
    partial.write_bytes(b"x" * 1000)
    world.parts.assembles = Script(None)
    world.free = lambda: 0 if partial.exists() else 1 << 30
    result = await world.run()
    assert result.status is RunStatus.COMPLETED
    assert not partial.exists()


def test_a_folder_of_parts_that_cannot_be_made_is_said_so(tmp_path, world):
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="cannot be made: File exists"):
        make_folders(tmp_path / "file" / "run", world.jobs["sales"])
