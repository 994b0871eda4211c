"""Memory of the whole process tree: ten times the rows, and twenty runs in one engine.

    python tests/benchmarks/bench_memory.py [--branches 56] [--rows 800000]

Peak PSS (proportional set size) of engine and extractors, every 50 ms. The longer one looks,
the higher a peak one meets: so the small run is looked at five times.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

import psutil

from etltui.bootstrap import engine
from etltui.cli.demo import JOB, prepare
from etltui.cli.demo_data import Demo
from etltui.config.load import load

_MB = 1024 * 1024
_SAMPLE_S = 0.05


def tree_pss(root: psutil.Process) -> int:
    total = 0
    with suppress(psutil.Error):
        for process in [root, *root.children(recursive=True)]:
            with suppress(psutil.Error):
                total += process.memory_full_info().pss
    return total


def peak_of_run(folder: Path, branches: int, rows: int) -> int:
    """Bytes at the peak of one run as a process of its own."""
    config = prepare(folder, Demo(seed=1, branches=branches, rows=rows))
    command = [sys.executable, "-m", "etltui", "run", JOB, "--no-resume", "--config", str(config)]
    peak = 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        process = psutil.Process(run.pid)
        while run.poll() is None:
            peak = max(peak, tree_pss(process))
            with suppress(subprocess.TimeoutExpired):
                run.wait(_SAMPLE_S)
    assert run.returncode == 0, run.returncode
    return peak


async def runs_in_one_engine(folder: Path, times: int) -> list[int]:
    """Bytes after each run."""
    config = load(folder / "config.toml", environ={})
    weights = []
    async with engine(config, folder / "state", environ=os.environ) as running:
        for _ in range(times):
            submitted = await running.submit(JOB, resume=False)
            result = await submitted.wait()
            assert str(result.status) == "completed", result
            weights.append(await asyncio.to_thread(tree_pss, psutil.Process()))
    return weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--branches", type=int, default=56)
    parser.add_argument("--rows", type=int, default=800_000)
    asked = parser.parse_args()
    each = asked.rows // asked.branches
    with tempfile.TemporaryDirectory() as name:
        small = max(peak_of_run(Path(name) / "small", asked.branches, each) for _ in range(5))
        large = peak_of_run(Path(name) / "large", asked.branches, each * 10)
        print(f"{each * asked.branches:>10,} rows: peak {small / _MB:.0f} MB")
        print(f"{each * asked.branches * 10:>10,} rows: peak {large / _MB:.0f} MB")
        print(f"ratio {large / small:.2f}")
        weights = asyncio.run(runs_in_one_engine(Path(name) / "small", 20))
    fifth, last = weights[4], weights[-1]
    print(f"after run 5: {fifth / _MB:.0f} MB, after run 20: {last / _MB:.0f} MB")
    print(f"ratio {last / fifth:.2f}; threads {threading.active_count()}")


if __name__ == "__main__":
    main()
