"""A branch that was away when its run ended is patched in when it comes back: N-1."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from functional.cli_kit import etltui

ZONE = "Asia/Kolkata"
CONFIG = """
[settings]
state_dir = "state"
timezone = "Asia/Kolkata"
[connections.a]
url = "sqlite:///a.db"
[connections.b]
url = "sqlite:///b.db"
[jobs.daily]
connections = ["a", "b"]
query = "SELECT id FROM bills"
late_until = "UNTIL"
retry = { retries = 0 }
[[jobs.daily.destinations]]
type = "csv"
path = "out.csv"
connection_column = "branch"
"""


@pytest.fixture
def desk(tmp_path):
    """A desk whose branch b is away, and a late window of some hours."""
    for branch in "ab":
        with closing(sqlite3.connect(tmp_path / f"{branch}.db")) as db, db:
            db.execute("CREATE TABLE bills (id INTEGER)")
            db.execute("INSERT INTO bills VALUES (1)")
    (tmp_path / "b.db").rename(tmp_path / "b.away")
    until = datetime.now(ZoneInfo(ZONE)) + timedelta(hours=3)
    (tmp_path / "etltui.toml").write_text(CONFIG.replace("UNTIL", f"{until:%H:%M}"))
    return tmp_path


def call(desk, *words):
    return etltui(*words, "--config", desk / "etltui.toml")


def lines(desk):
    return (desk / "out.csv").read_text().splitlines()


def late(desk):
    return json.loads(call(desk, "show", "daily", "--json").out)["late"]


def serving(desk):
    """An engine that stays, at work."""
    words = [sys.executable, "-m", "etltui", "serve", "--config", str(desk / "etltui.toml")]
    engine = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    for line in engine.stderr:
        if "serving" in line:
            return engine
    raise AssertionError("the engine has ended")


def until(engine, word):
    """Read what the engine says until it says a word."""
    assert any(word in line for line in engine.stderr)


def ended(engine, number):
    os.kill(engine.pid, number)
    engine.stderr.close()
    engine.wait()


def test_n_1_who_does_not_wait_leaves_it_to_an_engine_that_stays(desk):
    done = call(desk, "run", "daily", "--no-late")
    assert done.code == 3
    assert "1 connection is tried on until" in done.err
    assert late(desk) == ["b"]
    shown = call(desk, "show", "daily").out
    assert "1 connection is tried on until" in shown
    assert "once a console or etltui serve runs" in shown
    assert lines(desk) == ["branch,id", "a,1"]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_n_1_a_kill_in_the_window_and_a_new_engine_patches_it_in(desk):
    engine = serving(desk)
    try:
        assert call(desk, "run", "daily").code == 3
        assert json.loads(call(desk, "snapshot", "--json").out)["late"][0]["connections"] == ["b"]
        ended(engine, signal.SIGKILL)
        (desk / "b.away").rename(desk / "b.db")
        engine = serving(desk)
        until(engine, "completed:")
        assert lines(desk) == ["branch,id", "a,1", "b,1"]
        assert late(desk) == []
    finally:
        ended(engine, signal.SIGKILL)


def test_n_1_cancel_ends_it_for_good(desk):
    engine = serving(desk)
    try:
        call(desk, "run", "daily")
        cancelled = call(desk, "cancel", "daily")
        assert (cancelled.code, "1 late connection not tried any more" in cancelled.out) == (
            0,
            True,
        )
        assert late(desk) == []
        assert json.loads(call(desk, "snapshot", "--json").out)["late"] == []
    finally:
        ended(engine, signal.SIGKILL)
