"""Targets: what they may never replace, and what stands where they should go."""

import os
import socket
import subprocess
import sys

import pytest

from etltui.config.targets import _MOMENTS
from etltui.config.templates import _DIRECTIVES

JOB = """
[settings]
state_dir = "{state}"
[connections.a]
url = "sqlite:///data/a.db"
[jobs.j]
connections = ["a"]
query = "SELECT 1"
destinations = [{{ type = "csv", path = "{path}" }}]
"""


def refused(desk, path, state="state"):
    """Why a target is refused."""
    key, said = desk.mistake(JOB.format(path=path, state=state))
    assert key == "jobs.j.destinations[1].path"
    return said


def taken(desk, path, state="state"):
    return bool(desk.load(JOB.format(path=path, state=state)).jobs)


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("etltui.toml", "this configuration"),
        ("x/../etltui.toml", "this configuration"),
        ("etltui.local.toml", "the local configuration"),
        ("data/a.db", 'the database of connection "a"'),
        ("data/a.db-wal", 'the -wal file of connection "a"'),
        ("data/a.db-shm", 'the -shm file of connection "a"'),
        ("data/a.db-journal", 'the -journal file of connection "a"'),
    ],
)
def test_a_target_never_replaces_what_is_read(desk, path, what):
    assert refused(desk, path) == f"would overwrite {what}. Write another path"


def test_no_link_leads_around_that(desk):
    (desk.folder / "data").mkdir()
    (desk.folder / "link").symlink_to(desk.folder / "data")
    (desk.folder / "data" / "real.toml").touch()
    desk.path.symlink_to(desk.folder / "data" / "real.toml")
    assert "the database of connection" in refused(desk, "link/a.db")
    assert "this configuration" in refused(desk, "data/real.toml")
    assert "this configuration" in refused(desk, "etltui.toml")
    assert "lies in the state folder" in refused(desk, "link/x.csv", state="data")
    assert "lies in the state folder" in refused(desk, "data/x.csv", state="link")


def test_a_name_like_those_elsewhere_is_free(desk):
    assert taken(desk, "out/etltui.toml")
    assert taken(desk, "out/a.db-wal")


@pytest.mark.parametrize("path", ["state", "state/x.csv", "state/{date}/x.csv", "./y/../state/z"])
def test_a_target_never_lies_in_the_state_folder(desk, path):
    assert refused(desk, path) == (
        f"lies in the state folder {desk.folder}/state. "
        "Write to another folder, or set another state_dir"
    )


def test_a_folder_beside_the_state_folder_is_free_and_so_is_all_where_there_is_none(desk):
    assert taken(desk, "states/x.csv")
    assert taken(desk, "state/x.csv", state="")


def test_a_state_folder_that_links_to_itself_is_taken_as_written(desk):
    (desk.folder / "state").symlink_to(desk.folder / "state")
    assert "lies in the state folder" in refused(desk, "state")


def test_what_is_no_file_is_never_replaced(desk, tmp_path, monkeypatch):
    (desk.folder / "folder").mkdir()
    os.mkfifo(desk.folder / "pipe")
    (desk.folder / "link").symlink_to("/dev/null")
    monkeypatch.chdir(tmp_path)  # a socket's path may be no longer than 107 bytes
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
    for name, kind in [
        ("folder", "a folder"),
        ("pipe", "no regular file"),
        ("socket", "no regular file"),
        ("link", "no regular file"),
    ]:
        assert refused(desk, name) == f"{desk.folder}/{name} is {kind}. Name a file"
    assert refused(desk, "/dev/null") == "/dev/null is no regular file. Name a file"


def test_a_file_and_a_link_to_one_and_a_link_to_nothing_may_be_replaced(desk):
    (desk.folder / "file").touch()
    (desk.folder / "link").symlink_to("file")
    (desk.folder / "lost").symlink_to("nothing")
    for name in ("file", "link", "lost", "not/there/yet"):
        assert taken(desk, name)


@pytest.mark.parametrize("path", ["file/x.csv", "file/a/b/{job}.csv", "file/{date}/x_{run}.csv"])
def test_a_file_is_no_folder(desk, path):
    (desk.folder / "file").touch()
    said = f"{desk.folder}/file is no folder. Write another path"
    assert refused(desk, path) == said


@pytest.mark.parametrize("form", ["%Y-%m-%d", *(f"%{letter}" for letter in _DIRECTIVES)])
def test_a_folder_with_the_name_of_one_days_target_says_nothing(desk, form):
    for moment in _MOMENTS:
        (desk.folder / f"{moment:{form}}").mkdir(exist_ok=True)
    assert taken(desk, f"{{date:{form}}}")


def test_what_each_run_writes_alike_is_looked_for(desk):
    (desk.folder / "j" / "100%_j.csv").mkdir(parents=True)
    assert "is a folder. Name a file" in refused(desk, "{job}/100{date:%%}_{jobName}.csv")
    assert taken(desk, "{job}/100{date:%%}_{jobName}.csv{run}")


def test_names_are_measured_under_an_ascii_locale_too(desk):
    """An ASCII file system encoding can neither encode nor look for these names."""
    text = JOB.format(path=f"é/{'é' * 121}.csv", state="ü")
    script = (
        "import pathlib, sys; from etltui.config.load import load\n"
        "assert sys.getfilesystemencoding() == 'ascii'\n"
        "load(pathlib.Path(sys.argv[1]), environ={})"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, desk.write(text).path],
        env={**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        capture_output=True,
        check=False,
    )
    assert b"destinations[1].path: gives a file name of 246 bytes" in done.stderr
