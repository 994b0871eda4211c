"""A folder with a job of three branches, of which one is stuck, and what is left in it."""

import csv
import fcntl
import sqlite3
import subprocess
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path
from typing import ClassVar

from faults.stuck import ROWS, Stuck, fill
from functional.cli_kit import LIMIT_S, environ
from functional.console.terminal_kit import ETLTUI
from postgresql_kit import PASSWORD, USER

_CONFIG = """
[settings]
state_dir = "state"
on_hangup = "{hangup}"
shutdown_timeout_s = 1

[credentials.reader]
user = "{user}"
password = "env:BRANCH_PASSWORD"

[jobs.gather]
connections = ["*"]
query = "SELECT * FROM sales"
resume = true
retry = {{ retries = 100, delay_s = 0 }}

[[jobs.gather.destinations]]
type = "csv"
path = "out/gather.csv"
connection_column = "branch"
"""
_TARGETS = {"gather.csv", "gather.partial.csv"}
_CLAIM = ".gather.csv.etltui-lock"
_CONNECTION = """
[connections.{name}]
url = "{url}"
{more}"""


class World:
    """The folder.

    Args:
        folder: It is made.
        stuck: The third branch.
        hangup: What a closed terminal means.
    """

    JOB: ClassVar[str] = "gather"

    def __init__(self, folder: Path, stuck: Stuck, *, hangup: str) -> None:
        self.stuck = stuck
        self.folder = folder
        self.config = folder / "etltui.toml"
        self.temporary = folder / "temporary"
        self.temporary.mkdir(parents=True)
        secret = PASSWORD or "not asked for"
        self.environ = {"TMPDIR": str(self.temporary), "BRANCH_PASSWORD": secret}
        self.state = folder / "state"
        urls = {"stuck": stuck.url(folder)}
        for name in ("north", "south"):
            fill(folder / f"{name}.db")
            urls[name] = f"sqlite:///{folder / name}.db"
        self._names = tuple(urls)
        self.config.write_text(
            _CONFIG.format(hangup=hangup, user=USER)
            + "".join(
                _CONNECTION.format(name=name, url=url, more=stuck.more * (name == "stuck"))
                for name, url in urls.items()
            )
        )

    def etltui(self, *arguments: object) -> subprocess.CompletedProcess:
        """A command on this folder, to its end."""
        return subprocess.run(
            [*ETLTUI, *map(str, arguments), "--config", str(self.config)],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
            env=environ(**self.environ),
            timeout=LIMIT_S,
        )

    def _count(self, question: str) -> int:
        where = f"file:{self.state / 'state.db'}?mode=ro"
        try:
            with closing(sqlite3.connect(where, uri=True)) as database:
                return database.execute(question).fetchone()[0]
        except sqlite3.OperationalError:  # it is being made
            return 0

    def stuck_now(self) -> bool:
        """Whether all but the stuck branch are done, and that one is being read."""
        done = "SELECT count(*) FROM run_connections WHERE result IS NOT NULL"
        if self._count(done) < len(self._names) - 1:
            return False
        log = "".join(path.read_text() for path in (self.state / "logs").glob("*.jsonl"))
        return "Executing connection: stuck" in log and self.stuck.waiting()

    def completed(self) -> bool:
        """Whether the run is completed."""
        return bool(self._count("SELECT count(*) FROM runs WHERE status = 'completed'"))

    def left_over(self, *, at_once: bool = False) -> list[str]:
        """What nobody should have left: locks, sockets, temporary files.

        Args:
            at_once: Somebody left at once: as after a crash, his claim of a target is still there,
                for the next run to take over.
        """
        wrong = [f"left in TMPDIR: {path.name}" for path in self.temporary.rglob("*")]
        wrong += [f"left: {path.name}" for path in self.state.glob("*.sock")]
        out = self.folder / "out"
        if out.exists():
            allowed = _TARGETS | ({_CLAIM} if at_once else set())
            wrong += [f"left: {path.name}" for path in out.iterdir() if path.name not in allowed]
        with (self.state / ".lock").open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                wrong.append("the folder is held")
        if self.completed():
            wrong += [f"left: {path.name}" for path in (self.state / "parts").rglob("*")]
        return wrong

    def lost_and_doubled(self) -> tuple[int, int]:
        """Rows that are missing in the target, and rows that are there twice."""
        found: Counter[tuple[str, str]] = Counter()
        with suppress(FileNotFoundError), (self.folder / "out" / "gather.csv").open() as file:
            found.update((row["branch"], row["id"]) for row in csv.DictReader(file))
        expected = {(name, str(n)) for name in self._names for n in range(1, ROWS + 1)}
        return len(expected - found.keys()), found.total() - len(found)
