"""Targets that are folders, where the engine looks at them, clears them away or puts them back."""

import os

import pytest

from etltui.config.folders import put_back
from etltui.domain.stored import PublicationRow, PublicationState
from etltui.domain.targets import MANIFEST, aside_path, partial_path, temporary_path
from etltui.engine.preflight import obstacle
from etltui.engine.prepare import _clear_away
from etltui.engine.publish import _remove_partial


@pytest.fixture
def lake(tmp_path):
    return tmp_path / "lake"


def filled(folder):
    folder.mkdir()
    (folder / "B1.parquet").write_text("rows")
    (folder / MANIFEST).write_text('{"files": [{"name": "B1.parquet"}]}')


def test_only_a_folder_of_our_own_may_stand_there(lake, tmp_path):
    state = tmp_path / "state"
    assert obstacle(lake, state, is_folder=True) == ""
    filled(lake)
    assert obstacle(lake, state, is_folder=True) == ""
    assert obstacle(lake, state) == f"{lake} is a folder"
    (lake / "mine").touch()
    said = f"{lake} holds mine, which no run has put there"
    assert obstacle(lake, state, is_folder=True) == said


def test_a_file_or_a_pipe_where_a_folder_should_stand_is_named(lake, tmp_path):
    lake.touch()
    assert obstacle(lake, tmp_path / "state", is_folder=True) == f"{lake} is a file"
    lake.unlink()
    os.mkfifo(lake)
    assert obstacle(lake, tmp_path / "state", is_folder=True) == f"{lake} is no regular file"


def test_a_partial_folder_goes_with_all_that_was_left_of_it(lake, tmp_path):
    partial = partial_path(lake)
    for folder in (partial, temporary_path(partial), aside_path(partial)):
        filled(folder)
    _remove_partial(lake)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("new", [True, False])
def test_an_older_runs_folder_is_cleared_away_and_what_it_moved_aside_put_back(lake, new):
    filled(temporary_path(lake))
    filled(aside_path(lake))
    if new:
        filled(lake)
    row = PublicationRow(
        run="r",
        destination=0,
        target=str(lake),
        temporary=str(temporary_path(lake)),
        state=PublicationState.ASSEMBLED,
    )
    _clear_away(row)
    assert [path.name for path in lake.parent.iterdir()] == ["lake"]
    assert (lake / "B1.parquet").read_text() == "rows"


def test_where_nothing_was_left_nothing_is_done(lake, tmp_path):
    put_back(lake)
    _remove_partial(lake)
    assert not list(tmp_path.iterdir())
