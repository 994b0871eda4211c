"""Kills a run at random moments, resumes it, and proves that nothing is lost or doubled.

    python tests/faults/kills.py --kills 50 --branches 56 --rows 20000

A victim is the engine or one of its extractors. After every completed run the targets are held
against those of an undisturbed one; a watcher looks at them each millisecond all the while.
"""

import argparse
import json
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
import zlib
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import psutil

JOB = "gst_sales"
CHILD_LIFE_S = 1.0
NOT_DATA = {"docProps/core.xml", "docProps/app.xml"}
INDEX = "xl/worksheets/sheet1.xml"
USUAL = re.compile(rb'<c r="F(?!1")[0-9]+"[^>]*><v>[0-9]+</v></c>')
"""Cells of the column "Usual rows" but its head."""


def data_of(workbook: Path) -> dict[str, int]:
    """CRC of each member but the Run sheet, which holds times.

    Of the Index without the usual rows, which come from earlier runs.
    """
    with zipfile.ZipFile(workbook) as book:
        members = {i.filename: i.CRC for i in book.infolist() if i.filename not in NOT_DATA}
        members[INDEX] = zlib.crc32(USUAL.sub(b"", book.read(INDEX)))
        sheets = [name for name in members if name.startswith("xl/worksheets/sheet")]
        # The Run sheet is the last one.
        last = max(sheets, key=lambda name: int("".join(filter(str.isdigit, name))))
        del members[last]
        return members


def crc_of(path: Path) -> int:
    crc = 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            crc = zlib.crc32(block, crc)
    return crc


@dataclass
class Watcher:
    """Looks at the targets each millisecond; every file it finds there must be whole."""

    output: Path
    expected: dict[str, object]
    seen: int = 0
    torn: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        known: dict[str, tuple[int, int, int]] = {}
        while not self._stop.wait(0.001):
            for name, check in (("gst_sales.csv", crc_of), ("gst_sales.xlsx", data_of)):
                path = self.output / name
                with suppress(FileNotFoundError):
                    stat = path.stat()
                    mark = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
                    if known.get(name) != mark:
                        known[name] = mark
                        self.seen += 1
                        try:
                            whole = check(path) == self.expected[name]
                        except zipfile.BadZipFile:
                            whole = False
                        if not whole:
                            self.torn.append(name)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.run)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


@dataclass
class Report:
    """What happened."""

    kills: Counter = field(default_factory=Counter)
    runs: int = 0
    wrong: list[str] = field(default_factory=list)
    reread: list[str] = field(default_factory=list)
    survivors: int = 0
    left_over: list[str] = field(default_factory=list)
    codes: Counter = field(default_factory=Counter)

    @property
    def bad(self) -> bool:
        """Whether anything went wrong; a process that was not killed must have completed."""
        unexpected = self.codes.keys() - {0, -signal.SIGKILL}
        return bool(
            self.wrong or self.reread or self.survivors or self.left_over or unexpected,
        )


class Harness:
    """Runs one demo folder over and over, killing as it goes."""

    def __init__(self, folder: Path, *, seed: int, most_wait_s: float) -> None:
        self.folder = folder
        self.random = random.Random(seed)
        self.most_wait_s = most_wait_s
        self.report = Report()
        self.durable: set[tuple[str, str]] = set()

    def command(self) -> list[str]:
        config = str(self.folder / "config.toml")
        return [sys.executable, "-m", "etltui", "run", JOB, "--config", config, "--json"]

    def once(self, *, kill: bool) -> int:
        """One process, killed or left alone; its exit code."""
        with subprocess.Popen(
            self.command(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            events: list[dict] = []
            reading = threading.Thread(target=self.read, args=(process.stdout, events))
            reading.start()
            tree = psutil.Process(process.pid)
            children: list[psutil.Process] = []
            if kill:
                children = self.kill(process, tree)
            code = process.wait()
            reading.join()
        self.take(events)
        self.await_end(children)
        self.report.codes[code] += 1
        return code

    @staticmethod
    def read(stream, events: list[dict]) -> None:
        for line in stream:
            # A killed writer may leave half a line.
            with suppress(json.JSONDecodeError):
                events.append(json.loads(line))

    def kill(self, process: subprocess.Popen, tree: psutil.Process) -> list[psutil.Process]:
        """Wait a while, then kill; an extractor's death leaves the engine to carry on."""
        with suppress(subprocess.TimeoutExpired):
            process.wait(self.random.uniform(0.1, self.most_wait_s))
        children: list[psutil.Process] = []
        with suppress(psutil.NoSuchProcess):
            children = tree.children()
            if children and self.random.random() < 0.5:
                self.random.choice(children).kill()
                self.report.kills["extractor"] += 1
            elif process.poll() is None:
                process.kill()
                self.report.kills["engine"] += 1
        return children

    def take(self, events: list[dict]) -> None:
        """What is durable must never be read again in the same run."""
        for event in events:
            which = (event["run"], event.get("connection", ""))
            if event["type"] == "connection_started" and which in self.durable:
                self.report.reread.append(" ".join(which))
            if event["type"] == "connection_completed":
                self.durable.add(which)

    def await_end(self, children: list[psutil.Process]) -> None:
        _, alive = psutil.wait_procs(children, timeout=CHILD_LIFE_S)
        # One that waits for init to take notice is dead, too.
        self.report.survivors += sum(
            child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in alive
        )

    def finished(self, expected: dict[str, object]) -> None:
        """Hold a completed run against the undisturbed one; nothing may be left behind."""
        self.report.runs += 1
        output, state = self.folder / "output", self.folder / "state"
        if crc_of(output / "gst_sales.csv") != expected["gst_sales.csv"]:
            self.report.wrong.append("csv")
        if data_of(output / "gst_sales.xlsx") != expected["gst_sales.xlsx"]:
            self.report.wrong.append("xlsx")
        left = {path.name for path in output.iterdir()} - {"gst_sales.csv", "gst_sales.xlsx"}
        left |= {path.name for path in (state / "parts").rglob("*")}
        left |= {path.name for path in (state / "checkpoints").iterdir()}
        self.report.left_over.extend(left)


def undisturbed(folder: Path, branches: int, rows: int) -> tuple[dict[str, object], float]:
    """Make the demo and run it in peace: what its targets hold, and the seconds of a run."""
    size = ["--branches", str(branches), "--rows", str(rows)]
    subprocess.run(
        [sys.executable, "-m", "etltui", "demo", "--headless", "--dir", str(folder), *size],
        check=True,
        capture_output=True,
    )
    output = folder / "output"
    expected: dict[str, object] = {
        "gst_sales.csv": crc_of(output / "gst_sales.csv"),
        "gst_sales.xlsx": data_of(output / "gst_sales.xlsx"),
    }
    started = time.monotonic()
    again = Harness(folder, seed=0, most_wait_s=0)
    again.once(kill=False)
    again.finished(expected)
    if again.report.bad:
        raise AssertionError(f"two undisturbed runs differ: {again.report}")
    return expected, time.monotonic() - started


def kill_and_resume(
    folder: Path,
    *,
    kills: int,
    branches: int,
    rows: int,
    seed: int = 1,
) -> Report:
    """So many kills; the last run is left to complete."""
    expected, seconds = undisturbed(folder, branches, rows)
    harness = Harness(folder, seed=seed, most_wait_s=seconds)
    shutil.rmtree(folder / "output")
    shutil.rmtree(folder / "state")
    with Watcher(output=folder / "output", expected=expected) as watcher:
        while harness.report.kills.total() < kills:
            if harness.once(kill=True) == 0:
                harness.finished(expected)
        while harness.once(kill=False) != 0:
            pass
        harness.finished(expected)
    harness.report.wrong.extend(f"torn {name}" for name in watcher.torn)
    return harness.report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--branches", type=int, default=56)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = kill_and_resume(
            Path(folder) / "demo",
            kills=asked.kills,
            branches=asked.branches,
            rows=asked.rows,
            seed=asked.seed,
        )
    print(report)
    return 1 if report.bad else 0


if __name__ == "__main__":
    sys.exit(main())
