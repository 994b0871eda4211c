"""The console in tmux: drawn by a terminal that others wrote, resized, killed with its server."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from etltui.cli import demo
from etltui.cli.demo_data import Demo
from functional.cli_kit import environ, etltui, locked
from functional.console.terminal_kit import LIMIT_S, UTF, children, console, until_gone

BRANCHES = 6

pytestmark = pytest.mark.timeout(180)


class Tmux:
    """A server of our own with one pane."""

    def __init__(self, folder: Path) -> None:
        found = shutil.which("tmux")
        if found is None:
            pytest.skip("tmux is not installed here")
        self._tmux = (found, "-S", str(folder / "tmux"), "-f", "/dev/null")

    def __call__(self, *words: object) -> str:
        done = subprocess.run(
            [*self._tmux, *map(str, words)],
            check=True,
            capture_output=True,
            text=True,
            # What a shell has exported once must not hold for ever.
            env=environ(**UTF, COLUMNS="80", LINES="24"),
        )
        return done.stdout

    def screen(self) -> str:
        return self("capture-pane", "-p")

    def wait_for(self, word: str) -> str:
        until = time.monotonic() + LIMIT_S
        while word not in (shown := self.screen()):
            assert time.monotonic() < until, shown
            time.sleep(0.05)
        return shown

    def keeper(self) -> int:
        """The process that the pane runs."""
        return int(self("display-message", "-p", "#{pane_pid}"))


@pytest.fixture
def folder(tmp_path) -> Path:
    made = tmp_path / "demo"
    demo.prepare(made, Demo(seed=3, branches=BRANCHES, rows=50))
    return made


@pytest.fixture
def tmux(tmp_path, folder) -> Iterator[Tmux]:
    """The console in a pane of 80x24."""
    made = Tmux(tmp_path)
    command = (sys.executable, "-m", "etltui", "--config", folder / "config.toml")
    made("new-session", "-d", "-x", 80, "-y", 24, *command)
    pid = int(made("display-message", "-p", "#{pid}"))
    try:
        made.wait_for("CONNECTION")
        yield made
    finally:
        if psutil.pid_exists(pid):
            # It may be on its way out already.
            with contextlib.suppress(subprocess.CalledProcessError):
                made("kill-server")
            until_gone(pid)


def test_a_pane_shows_it_whole_at_any_size(tmux):
    tmux("send-keys", "2")
    tmux.wait_for("GST sales")
    small = tmux.screen().splitlines()
    assert len(small) == 24
    assert "? help" in small[-1]
    assert "GST sales" in small[2]
    assert max(map(len, small)) <= 80
    tmux("resize-window", "-x", 132, "-y", 43)
    tmux.wait_for("OWNER")
    tmux("resize-window", "-x", 60, "-y", 20)
    until = time.monotonic() + LIMIT_S
    while "OWNER" in (shown := tmux.screen()) or "command" not in shown.splitlines()[-1]:
        assert time.monotonic() < until, shown
        time.sleep(0.05)
    tmux("send-keys", "C-z")
    tmux.wait_for("No shell waits")


def test_n_22_a_run_outlives_the_server_of_its_pane(tmux, folder):
    config = ("--config", folder / "config.toml")
    with locked(folder, 2):
        assert etltui("run", "gst_sales", "--no-wait", *config).code == 0
        tmux.wait_for("5 completed")
        keeper = tmux.keeper()
        (engine,) = children(keeper)
        tmux("kill-server")
        until_gone(keeper)
        with console(*config) as again:
            again.wait_for(b"5 completed")
            assert os.getsid(engine) == engine
            again.type("d")
            assert again.ended() == 0
    until_gone(engine)
    assert etltui("runs", "--json", *config).events[0]["status"] == "completed"
