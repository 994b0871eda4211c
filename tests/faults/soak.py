"""Lets jobs repeat for hours while something goes wrong every few seconds, and looks for leaks.

    python tests/faults/soak.py --hours 8 --connections 200 --every 2

Extractors are killed and stopped, databases locked, sessions ended at the server, runs cancelled,
engines killed and started anew. At the end the faults stop; then every job must complete, every
target must agree with what was written, and the engine must hold what it held when it was new.
"""

import argparse
import random
import sqlite3
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))

from faults.soak_world import SoakWorld

HOUR_S = 3600.0
SAMPLE_S = 2.0
WARM_S = 60.0
"""Of an engine's life: caches fill, allocators grow."""
QUIET_S = 15.0
"""Longer than what was not given back is let alone, `leak_s` of the configuration."""
MOST_SLOPE = 60.0
"""MiB an hour that may be noise, once there is an hour to measure."""
_MB = 1024 * 1024


@dataclass(frozen=True)
class Sample:
    """An engine and its children at one moment; `life` counts engines."""

    at: float
    life: int
    memory: float
    descriptors: int
    threads: int
    children: int


@dataclass
class Report:
    """What happened."""

    faults: Counter = field(default_factory=Counter)
    codes: Counter = field(default_factory=Counter)
    samples: list[Sample] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    verified: int = 0
    lives: int = 0

    @property
    def measured(self) -> float:
        """Seconds from the first sample to the last."""
        at = [each.at for each in self.samples]
        return max(at) - min(at) if at else 0.0

    def slope(self) -> float:
        """MiB an hour that the tree grows by, over all engines, each after it has warmed up."""
        over, under = 0.0, 0.0
        for life in {each.life for each in self.samples}:
            ours = [each for each in self.samples if each.life == life]
            ours = [each for each in ours if each.at - ours[0].at > WARM_S]
            if len(ours) > 1:
                at, used = mean(e.at for e in ours), mean(e.memory for e in ours)
                over += sum((each.at - at) * (each.memory - used) for each in ours)
                under += sum((each.at - at) ** 2 for each in ours)
        return HOUR_S * over / under if under else 0.0

    def lines(self) -> Iterator[str]:
        """For whoever started it."""
        yield "faults: " + ", ".join(f"{name} {n}" for name, n in self.faults.most_common())
        yield "runs ended: " + ", ".join(f"code {code}: {n}" for code, n in self.codes.items())
        yield f"engines: {self.lives}, targets verified: {self.verified}"
        for what in ("memory", "descriptors", "threads", "children"):
            values = [getattr(each, what) for each in self.samples] or [0]
            yield f"{what:<12} least {min(values):8.1f}  most {max(values):8.1f}"
        told = "" if self.measured > HOUR_S else " (under an hour: what runs go up and down by)"
        yield f"memory slope after warm-up: {self.slope():+.1f} MiB/h{told}"
        yield from (f"WRONG: {words}" for words in self.wrong)


class Soak:
    """One soak.

    Args:
        world: Branches and engine.
        seed: Of what goes wrong.
    """

    def __init__(self, world: SoakWorld, seed: int) -> None:
        self._world = world
        self._random = random.Random(seed)
        self._over = threading.Event()
        self._turn = threading.Lock()
        self._fresh: Sample | None = None
        self.report = Report()
        self._faults: dict[str, tuple[int, Callable[[], None]]] = {
            "extractor killed": (6, self._kill_extractor),
            "extractor stopped": (4, self._stop_extractor),
            "database locked": (6, self._lock),
            "session ended": (6, self._end_session),
            "run cancelled": (2, self._cancel),
            "engine stopped": (2, self._stop_engine),
            "engine killed": (1, lambda: self._restart(kill=True)),
            "engine ended": (1, lambda: self._restart(kill=False)),
        }

    def run(self, seconds: float, every: float) -> Report:
        """Soak for so long."""
        self._world.start()
        self._settle()
        self._fresh = self._sample()
        looking = threading.Thread(target=self._look, daemon=True)
        working = threading.Thread(target=self._work, daemon=True)
        for thread in (looking, working):
            thread.start()
        until = time.monotonic() + seconds
        names = list(self._faults)
        weights = [self._faults[name][0] for name in names]
        while time.monotonic() < until:
            (name,) = self._random.choices(names, weights)
            begun = time.monotonic()
            with suppress(psutil.Error):
                self._faults[name][1]()
                self.report.faults[name] += 1
            time.sleep(max(0.0, every - (time.monotonic() - begun)))
        self._over.set()
        working.join()
        looking.join()
        self._judge()
        return self.report

    def _kill_extractor(self) -> None:
        if children := self._world.extractors():
            self._random.choice(children).kill()

    def _stop_extractor(self) -> None:
        if children := self._world.extractors():
            self._asleep(self._random.choice(children))

    def _stop_engine(self) -> None:
        if engine := self._world.engine:
            self._asleep(engine)

    def _asleep(self, process: psutil.Process) -> None:
        process.suspend()
        try:
            time.sleep(self._random.uniform(0.5, 3.0))
        finally:
            process.resume()

    def _lock(self) -> None:
        path = self._random.choice(self._world.files)
        database = sqlite3.connect(path, isolation_level=None, timeout=0)
        with suppress(sqlite3.OperationalError):
            database.execute("BEGIN EXCLUSIVE")
            time.sleep(self._random.uniform(0.5, 3.0))
        database.close()

    def _end_session(self) -> None:
        if self._world.server is None:
            return
        name = self._random.choice(self._world.databases)
        self._world.server.execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        )

    def _cancel(self) -> None:
        self._world.etltui("cancel", self._random.choice(self._world.jobs))

    def _restart(self, *, kill: bool) -> None:
        with self._turn:
            code = self._world.stop(kill=kill)
            if not kill and code:
                self.report.wrong.append(f"an engine that was told to end ended with {code}")
            self._world.start()

    def _work(self) -> None:
        """Have every job run again and again."""
        while not self._over.is_set():
            ended = self._world.etltui("run", *self._world.jobs, limit_s=900)
            self.report.codes[ended.returncode] += 1
            # Without an engine for a moment: whoever follows has been told.
            if ended.returncode == 2 or "Traceback" in ended.stderr:
                self.report.wrong.append(ended.stderr[-500:])

    def _sample(self) -> Sample | None:
        engine = self._world.engine
        if engine is None:
            return None
        with suppress(psutil.Error):
            tree = [engine, *engine.children(recursive=True)]
            weights = []
            for process in tree:
                with suppress(psutil.NoSuchProcess):
                    weights.append(process.memory_full_info().pss)
            return Sample(
                at=time.monotonic(),
                life=self._world.starts,
                memory=sum(weights) / _MB,
                descriptors=engine.num_fds(),
                threads=engine.num_threads(),
                children=len(tree) - 1,
            )
        return None

    def _look(self) -> None:
        while not self._over.wait(SAMPLE_S):
            if sample := self._sample():
                self.report.samples.append(sample)

    def _settle(self) -> None:
        """Run every job once in peace, and wait until nobody needs anything any more."""
        ended = self._world.etltui("run", *self._world.jobs)
        if ended.returncode:
            self.report.wrong.append(f"in peace: {ended.returncode} {ended.stderr[-500:]}")
        time.sleep(QUIET_S)

    def _judge(self) -> None:
        report = self.report
        report.lives = self._world.starts
        self._settle()
        last = self._sample()
        if last is None or self._fresh is None:
            report.wrong.append("the engine has gone")
        else:
            for what, room in (("descriptors", 8), ("threads", 8), ("children", 1)):
                grown = getattr(last, what) - getattr(self._fresh, what)
                if grown > room:
                    report.wrong.append(f"{grown} {what} more than when the engine was new")
        for job in self._world.jobs:
            told = self._world.etltui("verify", job)
            report.verified += told.returncode == 0
            if told.returncode:
                report.wrong.append(f"verify {job}: {told.stdout[-500:]}{told.stderr[-200:]}")
        if code := self._world.stop():
            report.wrong.append(f"the last engine ended with {code}")
        report.wrong += sorted(set(self._world.leaks()))
        if report.measured > HOUR_S and report.slope() > MOST_SLOPE:
            report.wrong.append("memory grows")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--connections", type=int, default=200)
    parser.add_argument("--every", type=float, default=2.0, help="seconds between faults")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as closes:
        world = SoakWorld(Path(name), asked.connections, closes)
        try:
            report = Soak(world, asked.seed).run(HOUR_S * asked.hours, asked.every)
        finally:
            world.stop(kill=True)
    print("\n".join(report.lines()))
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
