"""The console in a real tmux: the demo's run, a cancel, a retry, a setting, leaving and back."""

import os
import re
import select
import shlex
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from etltui.cli import demo
from etltui.cli.demo_data import Demo
from functional.cli_kit import change, configure, environ, etltui
from functional.console.terminal_kit import LIMIT_S

BRANCHES, ROWS, SEED = 6, 50, 3
POLL_S = 0.05
PROMPT = "READY>"
WHOLE = r"✓ completed[^\n]* 6/6"
AGAIN = rf"{PROMPT}\s*$"
SIZES = [(80, 24), (120, 40)]

pytestmark = pytest.mark.timeout(300)


class Tmux:
    """A shell in a tmux of its own, whose screen is read as an operator sees it."""

    def __init__(self, socket: Path, size: tuple[int, int]) -> None:
        self._command = ["tmux", "-u", "-f", os.devnull, "-S", str(socket)]
        self._environ = environ(LC_ALL="C.UTF-8", PS1=f"{PROMPT} ", TERM="xterm-256color")
        self._environ.pop("TMUX", None)
        columns, lines = map(str, size)
        shell = ("bash", "--norc", "--noprofile", "-i")
        self._do("new-session", "-d", "-x", columns, "-y", lines, "-s", "console", *shell)

    def _do(self, *words: str) -> str:
        done = subprocess.run(
            [*self._command, *words],
            env=self._environ,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=True,
        )
        return done.stdout

    @property
    def screen(self) -> str:
        """What stands on the screen."""
        return self._do("capture-pane", "-p", "-t", "console")

    def wait_for(self, *words: str, without: str = "") -> str:
        """The screen once it holds all words, as regular expressions, and not another one."""
        until = time.monotonic() + LIMIT_S
        while True:
            screen = self.screen
            there = all(re.search(word, screen) for word in words)
            if there and not (without and re.search(without, screen)):
                return screen
            assert "crashed" not in screen, screen
            assert time.monotonic() < until, f"no {words} (without {without!r}) on\n{screen}"
            select.select([], [], [], POLL_S)

    def press(self, *keys: str) -> None:
        """Press keys by tmux's names."""
        self._do("send-keys", "-t", "console", *keys)

    def type(self, text: str) -> None:
        """Type text as it is, and enter."""
        self._do("send-keys", "-t", "console", "-l", text)
        self.press("Enter")

    def command(self, text: str) -> None:
        """Give the console a command by its name."""
        self.press(":")
        self.wait_for(r"(?m)^ :")
        self.type(text)

    def etltui(self, *words: object) -> None:
        """Start the console from the shell; what stood there before is cleared away."""
        self.press("C-l")
        command = shlex.join([sys.executable, "-m", "etltui", *map(str, words)])
        self.type(f"clear; {command}")

    def close(self) -> None:
        """End the shell and everything on its terminal."""
        self._do("kill-server")


@contextmanager
def tmux(folder: Path, size: tuple[int, int]) -> Iterator[Tmux]:
    if shutil.which("tmux") is None:
        why = "tmux is not installed, so nothing is seen of the console in it"
        if os.environ.get("ETLTUI_REQUIRE_SERVERS") == "1":
            pytest.fail(f"{why}, and ETLTUI_REQUIRE_SERVERS=1 requires it")
        pytest.skip(why)
    opened = Tmux(folder / "tmux", size)
    try:
        opened.wait_for(PROMPT)
        yield opened
    finally:
        opened.close()


@pytest.fixture(params=SIZES, ids=lambda size: "x".join(map(str, size)))
def size(request) -> tuple[int, int]:
    return request.param


@pytest.fixture
def folder(tmp_path) -> Path:
    made = tmp_path / "demo"
    demo.prepare(made, Demo(seed=SEED, branches=BRANCHES, rows=ROWS))
    # A branch that is locked is asked again and again: the run is surely in its middle.
    configure(made, "retries = 3, delay_s = 1", "retries = 100, delay_s = 0")
    return made


def statuses(folder: Path) -> list[str]:
    """How the runs ended, the newest first."""
    found = etltui("runs", "--json", "--config", folder / "config.toml")
    return [event["status"] for event in found.events]


@contextmanager
def held(folder: Path, branch: int) -> Iterator[None]:
    """A branch that answers nobody for the time of the block."""
    database = sqlite3.connect(folder / "data" / f"branch_{branch:03d}.db", isolation_level=None)
    database.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        database.close()


def start(terminal: Tmux) -> None:
    """Run the job under the cursor, after reading what that takes."""
    terminal.press("r")
    terminal.wait_for(r"^ Run GST sales, all branches\?", "⏎ start")
    terminal.press("Enter")


def a_whole_run(terminal: Tmux, folder: Path) -> None:
    of = ("--dir", folder, "--branches", BRANCHES, "--rows", ROWS, "--seed", SEED)
    terminal.etltui("demo", *of)
    terminal.wait_for("^ Monitor", WHOLE)


def a_cancel(terminal: Tmux, folder: Path) -> None:
    with held(folder, 2):
        start(terminal)
        terminal.wait_for("5 completed", "conn ", "x cancel")
        terminal.press("g", "x")
        terminal.wait_for(r"Cancel this run\? y/n")
        terminal.type("y")
        terminal.wait_for("⊘ cancelled")


def what_failed_is_read_again(terminal: Tmux, folder: Path) -> None:
    change(folder, 2, "ALTER TABLE sales RENAME TO kept")
    start(terminal)
    terminal.wait_for("! with errors", "5/6", "f re-run failed")
    change(folder, 2, "ALTER TABLE kept RENAME TO sales")
    terminal.press("g", "f")
    terminal.wait_for(WHOLE, without="with errors")


def a_setting(terminal: Tmux, folder: Path) -> None:
    terminal.press(",")
    terminal.wait_for("^ Settings", "pool_size")
    terminal.command("set max_jobs 7")
    terminal.wait_for("1 changed, not applied", "max_jobs.*→ 7")
    terminal.press("a")
    terminal.wait_for(r"max_jobs +7 .*local", without="not applied")
    assert "max_jobs = 7" in (folder / "config.local.toml").read_text()


def away_and_back(terminal: Tmux, folder: Path) -> None:
    with held(folder, 2):
        terminal.press("1")
        terminal.wait_for("^ Monitor", "r run")
        start(terminal)
        terminal.wait_for("5 completed", "conn ")
        terminal.press("d")
        terminal.wait_for("The engine goes on", AGAIN)
        terminal.etltui("--config", folder / "config.toml")
        terminal.wait_for("^ Monitor", "5 completed")
    terminal.wait_for(WHOLE, without="◐")


def test_n_22_a_day_with_the_demo(tmp_path, folder, size):
    with tmux(tmp_path, size) as terminal:
        a_whole_run(terminal, folder)
        a_cancel(terminal, folder)
        what_failed_is_read_again(terminal, folder)
        a_setting(terminal, folder)
        away_and_back(terminal, folder)
        terminal.press("8")
        terminal.wait_for("^ History  3 runs")
        terminal.press("q")
        terminal.wait_for(AGAIN)
    assert statuses(folder) == ["completed"] * 3
