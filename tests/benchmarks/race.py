"""Times programs in turns, so that a busy minute meets all of them; keeps what came of it.

Each program is a process of its own that ends with one line of JSON: `seconds` of the work, and
what it knows besides (`start_s` before it, `rows`). CPU seconds and the peak of memory are of the
whole tree, seen from outside.
"""

import json
import os
import platform
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

_LOOK_S = 0.02
_MB = 1024 * 1024


@dataclass(frozen=True)
class Sample:
    """One turn of a program: wall seconds of its work, of all its life, CPU seconds, peak MB."""

    seconds: float
    start_s: float
    cpu_s: float
    peak_mb: float


class UnfitError(Exception):
    """A program failed, or what it made is not what was asked for."""


def tree_mb(root: psutil.Process) -> float:
    """What a process and its children weigh; pages that they share are counted once."""
    total = 0
    with suppress(psutil.Error):
        for process in [root, *root.children(recursive=True)]:
            with suppress(psutil.Error):
                total += process.memory_full_info().pss
    return total / _MB


def once(command: Sequence[str], environ: Mapping[str, str] | None = None) -> Sample:
    """Run a program.

    Raises:
        UnfitError: It failed.
    """
    begun = time.perf_counter()
    peak, over = 0.0, threading.Event()
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **(environ or {})},
    ) as process:
        root = psutil.Process(process.pid)

        def watch() -> None:
            nonlocal peak
            while not over.wait(_LOOK_S):
                peak = max(peak, tree_mb(root))

        watcher = threading.Thread(target=watch)
        watcher.start()
        assert process.stdout
        assert process.stderr
        said, errors = process.stdout.read(), process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        over.set()
        watcher.join()
    life = time.perf_counter() - begun
    if process.returncode:
        raise UnfitError(f"{' '.join(command)[:200]}: {errors.decode(errors='replace')[-600:]}")
    last = said.decode().strip().splitlines()[-1:] or ["{}"]
    told = json.loads(last[0]) if last[0].startswith("{") else {}
    return Sample(
        seconds=told.get("seconds", life),
        start_s=told.get("start_s", 0.0),
        cpu_s=usage.ru_utime + usage.ru_stime,
        peak_mb=peak,
    )


def race(
    ways: Mapping[str, Callable[[], Sample]], turns: int
) -> tuple[dict[str, Sample], dict[str, str]]:
    """The median of so many turns of each way, and why others fell out.

    A way that is unfit once has no further turn.
    """
    samples: dict[str, list[Sample]] = {way: [] for way in ways}
    unfit: dict[str, str] = {}
    for _ in range(turns):
        for way, run in ways.items():
            if way in unfit:
                continue
            try:
                samples[way].append(run())
            except UnfitError as error:
                unfit[way] = str(error)
    medians = {way: _median(found) for way, found in samples.items() if way not in unfit}
    return medians, unfit


def _median(samples: Sequence[Sample]) -> Sample:
    return Sample(
        *(
            statistics.median(getattr(each, name) for each in samples)
            for name in ("seconds", "start_s", "cpu_s", "peak_mb")
        ),
    )


class Book:
    """Earlier figures, a line of JSON for each time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        lines = path.read_text().splitlines() if path.exists() else []
        self._before: dict[str, dict[str, float]] = {}
        for line in lines:
            self._before.update(json.loads(line)["ratios"])
        self._ratios: dict[str, dict[str, float]] = {}
        self._samples: dict[str, dict[str, dict[str, float]]] = {}

    def add(self, cell: str, ours: str, medians: Mapping[str, Sample]) -> list[str]:
        """Take the figures of one cell in; the lines of its table."""
        mine = medians[ours]
        self._samples[cell] = {way: asdict(sample) for way, sample in medians.items()}
        ratios = {way: mine.seconds / each.seconds for way, each in medians.items() if way != ours}
        self._ratios[cell] = ratios
        lines = []
        for way, each in medians.items():
            line = f"  {way:<28}{each.seconds:7.2f} s {each.cpu_s:7.2f} s CPU"
            line += f" {each.peak_mb:6.0f} MB"
            if way in ratios:
                line += f"   ours is {ratios[way]:.2f} of it"
                before = self._before.get(cell, {}).get(way)
                line += f" (before: {before:.2f})" if before else ""
            elif each.start_s:
                line += f"   after a start of {each.start_s:.2f} s"
            lines.append(line)
        return lines

    def close(self) -> None:
        """Keep what was taken in."""
        self._path.parent.mkdir(exist_ok=True)
        record = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores",
            "python": platform.python_version(),
            "ratios": self._ratios,
            "samples": self._samples,
        }
        with self._path.open("a") as file:
            file.write(json.dumps(record) + "\n")
