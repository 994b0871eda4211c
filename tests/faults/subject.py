"""What trials work on: a small fleet, a job with a target of every kind, and a run of it."""

import asyncio
import json
import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from importlib import import_module
from pathlib import Path

from etltui import bootstrap
from etltui.config.load import load, state_folder
from etltui.domain.errors import EtltuiError
from etltui.domain.events import ConnectionCompleted, ConnectionStarted, RunFinished
from etltui.domain.run import RunStatus
from faults.forks import Outcome, Zygote, forked
from faults.kills import crc_of, data_of
from faults.shim import ENGINE, ROLES, Fault, Shim

NAMES = ("a", "b", "c")
TARGETS = ("sales.xlsx", "sales.csv", "sales.parquet", "lake")
"""In the order of the job's destinations."""
_CONFIG = """\
[settings]
state_dir = "state"
timezone = "Asia/Kolkata"
extractors = 1
disk_reserve_mb = 0

[jobs.sales]
title = "Sales"
connections = ["*"]
query = "SELECT * FROM sales ORDER BY number"
max_parallel = 1
retry = { retries = 3, delay_s = 0, multiplier = 1 }
destinations = [
    { type = "excel", path = "output/sales.xlsx" },
    { type = "csv", path = "output/sales.csv" },
    { type = "parquet", path = "output/sales.parquet" },
    { type = "parquet", path = "output/lake", layout = "folder" },
]
"""
_LOADED = (
    "etltui.readers.sqlite",
    "etltui.writers.csv",
    "etltui.writers.excel",
    "etltui.writers.parquet",
    "etltui.writers.read_back",
    "openpyxl",
)


class World:
    """A folder with sources, configuration, state and targets; each trial begins with the same."""

    def __init__(self, root: Path, shim: Shim) -> None:
        self.root = root
        self.shim = shim
        self.state, self.output = root / "state", root / "output"
        self.old: dict[str, object] = {}
        self.new: dict[str, object] = {}
        self.lines: list[str] = []
        self.stays: set[str] = set()
        self.counts: dict[int, int] = {}

    def make(self) -> None:
        """Run once for the old targets, and once more, undisturbed, for the new ones."""
        (self.root / "data").mkdir(parents=True)
        (self.root / "config.toml").write_text(_configuration())
        self.sources(day=1)
        self.undisturbed()
        self.old = targets(self.output)
        self.sources(day=2)
        self.keep("base")
        self.undisturbed()
        self.new = targets(self.output)
        self.lines = (self.output / "sales.csv").read_text().splitlines()
        self.stays = {path.name for path in self.state.iterdir()}
        self.counts = {role: self.shim.control.count[role] for role in ROLES}
        if self.old.keys() != self.new.keys() or self.old == self.new:
            raise AssertionError("the old and the new targets must have the same names")

    def sources(self, day: int) -> None:
        """What the branches hold on a day."""
        for place, name in enumerate(NAMES, 1):
            path = self.root / "data" / f"{name}.db"
            path.unlink(missing_ok=True)
            with closing(sqlite3.connect(path)) as db, db:
                db.execute("CREATE TABLE sales (number INTEGER PRIMARY KEY, name TEXT, paid REAL)")
                rows = ((n, f"{name}, day {day}: row {n}", n / 4) for n in range(20 * place * day))
                db.executemany("INSERT INTO sales VALUES (?, ?, ?)", rows)

    def undisturbed(self) -> None:
        """A run that nothing happens to."""
        done = self.run(None)
        if done.status != RunStatus.COMPLETED:
            raise AssertionError(f"an undisturbed run ended: {done}")

    def keep(self, name: str) -> None:
        """Keep state and targets as they are now."""
        for folder in (self.state, self.output):
            shutil.copytree(folder, self.root / name / folder.name)

    def back(self, name: str = "base") -> None:
        """State and targets as they were kept."""
        for folder in (self.state, self.output):
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(self.root / name / folder.name, folder)

    def run(
        self,
        fault: Fault | None,
        *,
        record: bool = False,
        change: Callable[[], None] | None = None,
        goes_on: bool = False,
    ) -> Outcome:
        """One engine's life; it takes up what is unfinished.

        Args:
            fault: What goes wrong.
            record: Whether the shim keeps a journal.
            change: Breaks the program in its processes, and nowhere else.
            goes_on: Whether the journal of the life before goes on.
        """
        self._wait()
        self.shim.arm(fault, self.state, self.output, record=record, goes_on=goes_on)
        return forked(lambda say: self._live(say, change))

    def _wait(self) -> None:
        """Let a minute pass for what a killed engine has left beside the targets."""
        for path in self.output.glob(".*"):
            facts = path.stat()
            os.utime(path, (facts.st_atime, facts.st_mtime - 60))

    def _live(self, say: Callable[[dict], None], change: Callable[[], None] | None) -> None:
        if change is not None:
            change()
        zygote = Zygote(self.shim)
        bootstrap._launcher = lambda *_: zygote.launch
        self.shim.be(ENGINE)
        asyncio.run(_engine(self.root, self.shim, say))

    def _rows(self) -> str:
        """Whether rows are lost or doubled in the text target, which tells them apart."""
        try:
            found = Counter((self.output / "sales.csv").read_text().splitlines())
        except OSError:
            return "lost"
        wanted = Counter(self.lines)
        return "lost" if wanted - found else "doubled" if found - wanted else "differs"

    def left(self) -> set[str]:
        """What nobody needs after a completed run, and is there."""
        found = {path.name for path in self.state.iterdir()} - self.stays
        for folder in (self.state / "parts", self.state / "checkpoints"):
            if folder.is_dir():
                found |= {str(path.relative_to(self.state)) for path in folder.rglob("*")}
        return found | {path.name for path in self.output.iterdir()} - _tops(self.new)

    def verdict(self, *, tidy: bool = True) -> str:
        """What is wrong with the targets after a completed run; empty for nothing.

        Args:
            tidy: Whether nothing may be left behind either.
        """
        try:
            found = targets(self.output)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is no whole target
            return f"a target cannot be read: {error!r}"
        if wrong := sorted(n for n in self.new if found.get(n) != self.new[n]):
            return f"{self._rows()}: {', '.join(wrong)}"
        left = self.left() if tidy else set()
        return f"left behind: {', '.join(sorted(left))}" if left else ""


def _tops(names: dict[str, object]) -> set[str]:
    return {name.split("/")[0] for name in names}


def targets(output: Path) -> dict[str, object]:
    """What each file below a folder holds: all of its bytes, of a workbook its data members."""
    return {
        str(path.relative_to(output)): data_of(path) if path.suffix == ".xlsx" else crc_of(path)
        for path in sorted(output.rglob("*"))
        if path.is_file()
    }


def _configuration() -> str:
    tables = (f'[connections.{name}]\nurl = "sqlite:///data/{name}.db"\n' for name in NAMES)
    return "\n".join((_CONFIG, *tables))


def load_all() -> None:
    """Import what the processes of a trial need, in the process that they are forked from."""
    for module in _LOADED:
        import_module(module)


async def _engine(root: Path, shim: Shim, say: Callable[[dict], None]) -> None:
    def heard(event: object) -> None:
        match event:
            case ConnectionStarted():
                said = {"run": event.run, "started": event.connection}
            case ConnectionCompleted():
                said = {"run": event.run, "durable": event.connection}
            case RunFinished():
                said = {"run": event.run, "status": event.result.status}
                said["reason"] = event.result.reason
            case _:
                return
        shim.note(json.dumps(said))
        say(said)

    try:
        config = load(root / "config.toml", environ={})
        opened = bootstrap.engine(config, state_folder(config, None, {}), environ={})
        async with opened as engine:
            engine._tools.bus.listen(heard)
            handle = await engine.submit("sales", resume=True)
            result = await handle.wait()
            failed = [c.trouble.message for c in result.connections if c.trouble]
            say({"status": result.status, "reason": "; ".join([result.reason, *failed])})
            rows = await engine._tools.store.runs(job="sales", limit=2)
            say({"recorded": [row.status for row in rows]})
    except EtltuiError as error:
        say({"error": str(error)})
