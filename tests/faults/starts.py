"""Starts a job many times at once against one state folder, and proves that one engine runs it.

    python tests/faults/starts.py --starts 200

All stand behind one gate. The job goes on until each has said what it came to; then the engine is
killed, and the folder must be free for the next one at that moment.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from etltui.store.lock import hold

LIMIT_S = 600
HELD = 75
CONFIG = '''\
[settings]
state_dir = "state"
extractors = 1
stall_timeout_s = 3600
query_timeout_s = 3600

[connections.Branch]
url = "sqlite:///{folder}/branch.db"
rows_per_s = 1

[jobs.sales]
title = "Sales"
connections = ["*"]
query = """
WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 100000) SELECT x FROM n
"""
destinations = [{{ type = "csv", path = "out/sales.csv" }}]
'''
GATE = "import sys; sys.stdin.read(); from etltui.cli.main import main; main()"
JOINED = re.compile(r"joined the engine of \S+, process (\d+)")
NAMED = re.compile(r"is held by process (\d+) on host \S+ \(etltui run sales")


@dataclass
class Report:
    """What the starts came to."""

    engines: list[int] = field(default_factory=list)
    joined: dict[int, int] = field(default_factory=dict)
    """From each that joined to the process that it named."""
    told: dict[int, int] = field(default_factory=dict)
    """From each that was not to join to the process that it named."""
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def bad(self) -> bool:
        """Whether there was not just one engine, known to all."""
        named = {*self.joined.values(), *self.told.values()}
        return bool(self.wrong) or len(self.engines) != 1 or not named <= set(self.engines)


class Starts:
    """So many processes behind one gate, each with a file for what it says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: dict[int, subprocess.Popen] = {}

    def begin(self, count: int, *more: str) -> set[int]:
        """Start so many, all at once; their process ids."""
        config = str(self.folder / "config.toml")
        command = ["run", "sales", "--config", config, "--json", *more]
        gate, opener = os.pipe()
        begun = set()
        for _ in range(count):
            with (self.folder / "said").open("w") as said:
                process = subprocess.Popen(
                    [sys.executable, "-c", GATE, *command],
                    stdin=gate,
                    stdout=subprocess.DEVNULL,
                    stderr=said,
                    # Only this process may keep the gate shut.
                    close_fds=True,
                )
            (self.folder / "said").rename(self.folder / f"{process.pid}.said")
            self.processes[process.pid] = process
            begun.add(process.pid)
        os.close(gate)
        os.close(opener)
        return begun

    def said(self, pid: int) -> str:
        return (self.folder / f"{pid}.said").read_text(encoding="utf-8")

    def end(self) -> None:
        for process in self.processes.values():
            process.kill()
        for process in self.processes.values():
            process.wait()


def start_at_once(folder: Path, *, starts: int, apart: int) -> Report:
    """Start a job so many times, and so many times more with `--no-join`.

    Args:
        folder: Empty.
        starts: How many may join.
        apart: How many may not.
    """
    (folder / "config.toml").write_text(CONFIG.format(folder=folder), encoding="utf-8")
    (folder / "branch.db").touch()
    report, processes = Report(), Starts(folder)
    begun = time.monotonic()
    try:
        _joined(report, processes, processes.begin(starts))
        _told(report, processes, processes.begin(apart, "--no-join"))
        _freed(report, processes, folder / "state")
    finally:
        processes.end()
    report.seconds = round(time.monotonic() - begun, 1)
    return report


def _joined(report: Report, processes: Starts, begun: set[int]) -> None:
    """Wait until all but one have joined; that one is the engine."""
    deadline = time.monotonic() + LIMIT_S
    while len(report.joined) < len(begun) - 1 and time.monotonic() < deadline:
        time.sleep(0.05)
        for pid in begun - report.joined.keys():
            if found := JOINED.search(processes.said(pid)):
                report.joined[pid] = int(found[1])
            elif (code := processes.processes[pid].poll()) is not None:
                report.wrong.append(f"{pid} ended with {code}: {processes.said(pid).strip()}")
                return
    report.engines = sorted(begun - report.joined.keys())


def _told(report: Report, processes: Starts, begun: set[int]) -> None:
    for pid in begun:
        code = processes.processes[pid].wait(LIMIT_S)
        if found := NAMED.search(processes.said(pid)):
            report.told[pid] = int(found[1])
        if code != HELD or not found:
            report.wrong.append(f"{pid} ended with {code}: {processes.said(pid).strip()}")


def _freed(report: Report, processes: Starts, state: Path) -> None:
    """Kill the engine and hold the folder in its place at once."""
    if len(report.engines) != 1:
        return
    engine = processes.processes[report.engines[0]]
    engine.send_signal(signal.SIGKILL)
    engine.wait()
    with hold(state, holder_text="the next one", now=datetime.now(UTC)):
        pass


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=200)
    parser.add_argument("--apart", type=int, default=20)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = start_at_once(Path(folder), starts=asked.starts, apart=asked.apart)
    print(
        f"{asked.starts} starts: {len(report.engines)} engine, {len(report.joined)} joined it; "
        f"{len(report.told)} of {asked.apart} with --no-join were told who holds it; "
        f"{report.seconds} s"
    )
    print(*report.wrong, sep="\n")
    return 1 if report.bad else 0


if __name__ == "__main__":
    sys.exit(main())
