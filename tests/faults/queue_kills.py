"""Kills an engine with 200 queued runs at random moments, and proves that each ran once.

    python tests/faults/queue_kills.py --kills 50

Each run has a target of its own. In the end every run must have completed, every target must hold
its rows, none may have been made twice, and no run may have begun again after its end.
"""

import argparse
import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from etltui.bootstrap import engine, open_history
from etltui.config.load import load
from etltui.domain.events import RunFinished, RunStarted, TargetPublished
from etltui.domain.run import RunStatus
from etltui.engine.engine import Engine

BRANCHES = 4
JOBS = 8
JOURNAL = "journal.txt"

_HEAD = """
[settings]
state_dir = "state"
extractors = 0
max_jobs = 6
max_jobs_per_type = 6
max_connections = 8
overlap = "queue"
"""

_JOB = """
[jobs.job{number}]
connections = ["b{one}", "b{other}"]
query = "SELECT * FROM sales"
resume = true
retry = {{ retries = 100, delay_s = 0 }}
[[jobs.job{number}.destinations]]
type = "csv"
path = "output/{{run}}.csv"
connection_column = "branch"
"""


def make(folder: Path) -> None:
    """Branches of three rows, jobs over two of them each, and a configuration."""
    folder.mkdir()
    text = _HEAD
    for number in range(BRANCHES):
        with closing(sqlite3.connect(folder / f"b{number}.db")) as branch, branch:
            branch.execute("CREATE TABLE sales (id INTEGER, amount TEXT)")
            branch.executemany("INSERT INTO sales VALUES (?, ?)", [(n, "9.50") for n in range(3)])
        text += f'\n[connections.b{number}]\nurl = "sqlite:///b{number}.db"\n'
    for number in range(JOBS):
        text += _JOB.format(number=number, one=number % BRANCHES, other=(number + 1) % BRANCHES)
    (folder / "etltui.toml").write_text(text)


def expected(job: str) -> list[str]:
    """The lines of a job's target."""
    number = int(job.removeprefix("job"))
    branches = (f"b{number % BRANCHES}", f"b{(number + 1) % BRANCHES}")
    # In the order of the job's connections.
    return ["branch,id,amount", *(f"{b},{n},9.50" for b in branches for n in range(3))]


async def serve(folder: Path, runs: int, seed: int) -> None:
    """The victim: submit what is not in the history yet, and write down what happens."""
    config = await asyncio.to_thread(load, folder / "etltui.toml", environ={})
    state = folder / "state"
    journal = os.open(folder / JOURNAL, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    async with engine(config, state, environ={}, resident=True) as made:
        with made.events() as events:
            working = asyncio.create_task(work(made, state, runs, seed))
            working.add_done_callback(lambda _: events.end())
            async for event in events:
                match event:
                    case RunStarted():
                        line = f"started {event.run} {event.attempt}\n"
                    case TargetPublished(final=True):
                        facts = await asyncio.to_thread(os.stat, event.path)
                        line = f"published {event.run} {facts.st_ino}\n"
                    case RunFinished():
                        line = f"finished {event.run} {event.result.status}\n"
                    case _:
                        continue
                os.write(journal, line.encode())
            await working


async def work(made: Engine, state: Path, runs: int, seed: int) -> None:
    """Ask for as many runs as are missing, and wait until none waits or is at work."""
    async with await open_history(state) as history:
        there = len(await history.runs(limit=-1))
    choice = random.Random(seed + there)
    for _ in range(runs - there):
        delay_s = choice.choice([0.0, 0.0, 0.2])
        job = f"job{choice.randrange(JOBS)}"
        await made.submit(job, resume=False, priority=choice.randrange(200), delay_s=delay_s)
    while made.get_running_jobs() or made.get_pending_jobs():  # noqa: ASYNC110 - nobody else waits
        await asyncio.sleep(0.05)


@dataclass
class Report:
    """What happened."""

    kills: int = 0
    processes: int = 0
    runs: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)
    attempts: Counter = field(default_factory=Counter)


def killed(folder: Path, *, runs: int, seed: int, after_s: float | None) -> int:
    """One process, killed after so long if it has not ended by then; its exit code."""
    words = [sys.executable, __file__, "--serve", str(folder), "--runs", str(runs)]
    with (folder / "stderr.txt").open("ab") as stderr:
        process = subprocess.Popen(
            [*words, "--seed", str(seed)],
            stderr=stderr,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        try:
            return process.wait(after_s)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()


def rounds(folder: Path, *, kills: int, runs: int, seed: int, most_wait_s: float = 2.5) -> Report:
    """Kill until so many kills are done and all runs have ended; another folder when they have."""
    report, chance = Report(), random.Random(seed)
    started = time.monotonic()
    while report.kills < kills:
        place = folder / f"round{report.runs}"
        make(place)
        code = -signal.SIGKILL
        while code != 0:
            after_s = chance.uniform(0.3, most_wait_s) if report.kills < kills else None
            code = killed(place, runs=runs, seed=seed, after_s=after_s)
            report.processes += 1
            report.kills += code == -signal.SIGKILL
            if code not in {0, -signal.SIGKILL}:
                raise AssertionError((place / "stderr.txt").read_text()[-4000:])
        report.runs += runs
        asyncio.run(inspect(place, runs, report))
    report.seconds = round(time.monotonic() - started, 1)
    return report


async def inspect(folder: Path, runs: int, report: Report) -> None:
    """Hold what is there against what must be."""
    async with await open_history(folder / "state") as history:
        rows = await history.runs(limit=-1)
        waiting = await history.queued()
    wrong = report.wrong
    if len(rows) != runs or waiting:
        wrong.append(f"{len(rows)} runs of {runs}, {len(waiting)} still wait")
    for row in rows:
        report.attempts[row.attempt] += 1
        if row.status is not RunStatus.COMPLETED:
            wrong.append(f"{row.run} is {row.status}: {row.reason}")
        target = folder / "output" / f"{row.run}.csv"
        if not target.exists() or target.read_text().splitlines() != expected(row.job):
            wrong.append(f"{target.name} does not hold its rows")
    left = {path.name for path in (folder / "output").iterdir()} - {f"{r.run}.csv" for r in rows}
    wrong.extend(f"left over: {name}" for name in left)
    wrong.extend(twice(folder))


def twice(folder: Path) -> list[str]:
    """Runs that began after their end, or whose target is another file than was told of once."""
    ended: set[str] = set()
    wrong = []
    for line in (folder / JOURNAL).read_text().splitlines():
        kind, run, fact = line.split()
        if kind == "started" and run in ended:
            wrong.append(f"{run} began after its end")
        if kind == "finished" and fact == RunStatus.COMPLETED:
            ended.add(run)
        if kind == "published":
            target = folder / "output" / f"{run}.csv"
            if str(target.stat().st_ino) != fact:
                wrong.append(f"{run} was published again after it had been")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--serve", type=Path)
    asked = parser.parse_args()
    if asked.serve:
        asyncio.run(serve(asked.serve, asked.runs, asked.seed))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        report = rounds(Path(folder), kills=asked.kills, runs=asked.runs, seed=asked.seed)
    print(report)
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
