"""Runs the command as an operator would, and changes the demo as branches change."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LIMIT_S = 120
"""A safety net: a command that takes longer hangs."""


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def events(self) -> list[dict]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def finished(self) -> dict:
        (event,) = (event for event in self.events if event["type"] == "run_finished")
        return event


def environ(**more: str) -> dict[str, str]:
    """The environment without what an operator may have set for etltui."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("ETLTUI_")}
    return {**kept, "TERM": "dumb", **more}


def start(*arguments: object, limits: str = "true", **more: str) -> subprocess.Popen:
    """Start the command under limits that are said as the shell says them (`ulimit …`)."""
    command = [sys.executable, "-m", "etltui", *map(str, arguments)]
    return subprocess.Popen(
        ["bash", "-c", f'{limits} && exec "$@"', "bash", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env=environ(**more),
    )


def end(process: subprocess.Popen) -> Ended:
    with process:
        out, err = process.communicate(timeout=LIMIT_S)
    return Ended(code=process.returncode, out=out, err=err)


def etltui(*arguments: object, **more: str) -> Ended:
    return end(start(*arguments, **more))


def run(folder: Path, *arguments: object, **more: str) -> Ended:
    """`etltui run gst_sales --json` over a demo's folder."""
    config = folder / "config.toml"
    return etltui("run", "gst_sales", "--json", "--config", config, *arguments, **more)


def change(folder: Path, branch: int, *statements: str) -> None:
    """Change a branch's database."""
    database = sqlite3.connect(folder / "data" / f"branch_{branch:03d}.db")
    with database:
        for statement in statements:
            database.execute(statement)
    database.close()


def rows_of(folder: Path, branch: int) -> list[tuple]:
    database = sqlite3.connect(folder / "data" / f"branch_{branch:03d}.db")
    rows = database.execute("SELECT * FROM sales").fetchall()
    database.close()
    return rows


def wait_for(process: subprocess.Popen, word: str) -> None:
    """Read stdout until a line holds the word; the line is gone then."""
    for line in process.stdout:
        if word in line:
            return
    raise AssertionError(f"the command ended without {word!r}")


def interrupt(process: subprocess.Popen, number: signal.Signals = signal.SIGINT) -> None:
    process.send_signal(number)


def configure(folder: Path, old: str, new: str) -> None:
    path = folder / "config.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def endless(folder: Path, branch: int) -> None:
    """A branch whose query never ends: the run is surely in its middle."""
    change(
        folder,
        branch,
        "ALTER TABLE sales RENAME TO kept",
        "CREATE VIEW sales AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "
        "SELECT kept.* FROM n CROSS JOIN kept",
    )


def mend(folder: Path, branch: int) -> None:
    change(folder, branch, "DROP VIEW sales", "ALTER TABLE kept RENAME TO sales")


@contextmanager
def locked(folder: Path, branch: int) -> Iterator[None]:
    """A branch that answers nobody for the time of the block, and is asked again and again."""
    configure(folder, "retries = 3, delay_s = 1", "retries = 100, delay_s = 0")
    database = sqlite3.connect(folder / "data" / f"branch_{branch:03d}.db", isolation_level=None)
    database.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        database.close()


@contextmanager
def serving(folder: Path, *arguments: object, **more: str) -> Iterator[subprocess.Popen]:
    """`etltui serve` over a demo's folder; TERM ends it where the block has not."""
    process = start("serve", "--config", folder / "config.toml", *arguments, **more)
    try:
        for line in process.stderr:
            if "serving" in line:
                break
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        end(process)
