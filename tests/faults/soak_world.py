"""Hundreds of branches in jobs that repeat, and the engine that serves them until it is killed."""

import json
import sqlite3
import subprocess
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil

from functional.cli_kit import environ
from functional.console.terminal_kit import ETLTUI
from postgresql_kit import HOST, PASSWORD, PORT, USER, Server

JOBS = 4
ROWS = 400
_SHARE = 5
"""Every fifth branch is one of a PostgreSQL server's; ten of them share a database."""
_HEAD = """
[settings]
state_dir = "state"
max_connections = 40
shutdown_timeout_s = 2
leak_s = 10

[credentials.reader]
user = "{user}"
password = "env:BRANCH_PASSWORD"
"""
_CONNECTION = """
[connections.{name}]
url = "{url}"
tags = ["{tag}"]
"""
_JOB = """
[jobs.{job}]
connections = ["tag:{job}"]
query = "SELECT * FROM sales"
resume = true
retry = {{ retries = 5, delay_s = 1 }}

[[jobs.{job}.destinations]]
type = "{type}"
path = "out/{job}.{suffix}"
"""
_TYPES = (("csv", "csv"), ("excel", "xlsx"), ("jsonl", "jsonl"), ("parquet", "parquet"))
_TABLE = "CREATE TABLE sales (id int, customer text, amount numeric(12,2))"
_SECRET = {"BRANCH_PASSWORD": PASSWORD or "not asked for"}


class SoakWorld:
    """The branches, and the engine.

    Args:
        folder: An empty one.
        connections: How many branches.
        closes: Drops the databases of the server.
    """

    def __init__(self, folder: Path, connections: int, closes: ExitStack) -> None:
        self.folder = folder
        self.files: list[Path] = []
        self.databases: list[str] = []
        self.server = self._served(closes)
        self.jobs = [f"soak_{number}" for number in range(JOBS)]
        self.starts = 0
        self._engine: subprocess.Popen | None = None
        text = [_HEAD.format(user=USER)]
        for number in range(connections):
            name, tag = f"branch_{number:03d}", self.jobs[number % JOBS]
            text.append(_CONNECTION.format(name=name, tag=tag, url=self._branch(number)))
            if text[-1].count("postgresql://"):
                text.append('credential = "reader"\n')
        for job, (kind, suffix) in zip(self.jobs, _TYPES, strict=True):
            text.append(_JOB.format(job=job, type=kind, suffix=suffix))
        self.config = folder / "etltui.toml"
        self.config.write_text("".join(text))

    def _served(self, closes: ExitStack) -> Server | None:
        server = Server()
        try:
            server.execute("SELECT 1")
        except Exception:  # noqa: BLE001 - whatever it is, there is no server here
            return None
        closes.callback(server.clear)
        return server

    def _branch(self, number: int) -> str:
        """Make it; its url."""
        if self.server and number % _SHARE == 0:
            if number // _SHARE % 10 == 0:
                fill = f"INSERT INTO sales SELECT g, 'C' || g, g FROM generate_series(1,{ROWS}) g"
                self.databases.append(self.server.database(_TABLE, fill))
            return f"postgresql://{HOST}:{PORT}/{self.databases[-1]}?sslmode=disable"
        path = self.folder / f"branch_{number:03d}.db"
        with sqlite3.connect(path) as database:
            database.execute(_TABLE)
            rows = ((row, f"C{row}", row * number / 100) for row in range(1, ROWS + 1))
            database.executemany("INSERT INTO sales VALUES (?, ?, ?)", rows)
        database.close()
        self.files.append(path)
        return f"sqlite:///{path}"

    def etltui(self, *words: str, limit_s: float = 300) -> subprocess.CompletedProcess:
        """A command to its end."""
        return subprocess.run(
            [*ETLTUI, *words, "--config", str(self.config)],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
            env=environ(**_SECRET),
            timeout=limit_s,
        )

    def start(self) -> None:
        """Start an engine, and wait until it serves."""
        self.starts += 1
        self._serve()
        until = time.monotonic() + 600
        while not self._serves():
            # Whoever followed runs may have an engine of his own until they have ended.
            if self._engine.poll() is not None:
                time.sleep(1)
                self._serve()
            assert time.monotonic() < until, "no engine"
            time.sleep(0.05)

    def _serves(self) -> bool:
        state = self.folder / "state"
        with suppress(OSError, ValueError):
            held = json.loads((state / ".lock").read_bytes())["pid"] == self._engine.pid
            return held and (state / "engine.sock").exists()
        return False

    def _serve(self) -> None:
        self._engine = subprocess.Popen(
            [*ETLTUI, "serve", "--quiet", "--config", str(self.config)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environ(**_SECRET),
        )

    def stop(self, *, kill: bool = False) -> int:
        """End the engine; its exit code."""
        if self._engine is None:
            return 0
        (self._engine.kill if kill else self._engine.terminate)()
        code = self._engine.wait(60)
        self._engine = None
        return code

    @property
    def engine(self) -> psutil.Process | None:
        """The engine's process, while there is one."""
        with suppress(psutil.NoSuchProcess):
            if self._engine is not None and self._engine.poll() is None:
                return psutil.Process(self._engine.pid)
        return None

    def extractors(self) -> list[psutil.Process]:
        """The engine's children."""
        with suppress(psutil.NoSuchProcess):
            return self.engine.children() if self.engine else []
        return []

    def leaks(self) -> list[str]:
        """What the engines have said that they do not get back."""
        found = []
        for path in sorted((self.folder / "state" / "logs").glob("*.jsonl")):
            for line in path.read_text().splitlines():
                with suppress(json.JSONDecodeError):
                    said = json.loads(line)["message"]
                    if said.startswith(("Leak", "Session leak")):
                        found.append(said)
        return found
