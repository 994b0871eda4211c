"""Runs a command where something is short, and weighs its process tree all the while.

    python tests/faults/resources.py

A slow disk is one on which each write of an extractor takes as long as its bytes do at so many a
second. A full one is a file system in memory that exists for the command alone. Memory is limited
by a control group where this machine lets one be made.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))

from functional.cli_kit import Ended, end, start

MB = 1024 * 1024
_SAMPLE_S = 0.05
_SLOW = """
import os, sys, time
if "etltui.extractors.child" in " ".join(sys.orig_argv):
    _write = os.write
    def _slowly(fd, data):
        some = memoryview(data)[:65536]
        if not os.path.basename(os.readlink(f"/proc/self/fd/{fd}")).endswith(".part"):
            return _write(fd, data)
        time.sleep(len(some) / %d)
        return _write(fd, some)
    os.write = _slowly
"""
_CONFIG = """
[settings]
state_dir = "state"
extractors = 2
memory_threshold_mb = 400
disk_reserve_mb = 0
{settings}

[connections.north]
url = "sqlite:///north.db"

[connections.south]
url = "sqlite:///south.db"

[jobs.gather]
connections = ["*"]
query = "{query}"
resume = true
retry = {{ retries = 0 }}
{job}

[[jobs.gather.destinations]]
type = "csv"
path = "out/gather.csv"
"""
_ROWS = (
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT {rows}) "
    "SELECT x, {words} AS words FROM n"
)


def rows(count: int) -> str:
    """A query of so many small rows, made as it is read."""
    return _ROWS.format(rows=count, words="'row number ' || x")


def cells(count: int, size: int = MB) -> str:
    """A query of so many rows with a text of so many bytes each."""
    return _ROWS.format(rows=count, words=f"hex(zeroblob({size // 2}))")


def prepare(folder: Path, query: str, *, job: str = "", settings: str = "") -> Path:
    """A job that reads the query from two branches; its configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("north", "south"):
        (folder / f"{name}.db").touch()
    config = folder / "etltui.toml"
    config.write_text(_CONFIG.format(query=query, job=job, settings=settings))
    return config


@dataclass(frozen=True)
class Weighed:
    """How a command ended, and the most that its process tree weighed, in bytes."""

    ended: Ended
    most: int
    seconds: float


def weighed(config: Path, *words: str, limits: str = "true", **environ: str) -> Weighed:
    """Run the job under limits that are said as the shell says them."""
    begun = time.monotonic()
    command = ("run", "gather", *words, "--json", "--config", config)
    process = start(*command, limits=limits, **environ)
    most = [0]
    over = threading.Event()

    def look() -> None:
        while not over.wait(_SAMPLE_S):
            most[0] = max(most[0], _tree(process.pid))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        ended = end(process)
    finally:
        over.set()
        looking.join()
    return Weighed(ended=ended, most=most[0], seconds=time.monotonic() - begun)


def _tree(pid: int) -> int:
    total = 0
    with suppress(psutil.Error):
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            with suppress(psutil.Error):
                total += process.memory_full_info().pss
    return total


def slow_disk(folder: Path, bytes_per_s: int) -> dict[str, str]:
    """Variables with which an extractor's parts are written so slowly."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sitecustomize.py").write_text(_SLOW % bytes_per_s)
    return {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}


@contextmanager
def little_memory(size: int) -> Iterator[tuple[str, Path] | None]:
    """Limits under which a command and its children have so many bytes, and where they are told.

    None where no control group can be made.
    """
    name = f"etltui_{uuid.uuid4().hex[:12]}"
    for root, limit in (
        (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"),
        (Path("/sys/fs/cgroup"), "memory.max"),
    ):
        group = root / name
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            (group / limit).write_text(str(size))
        except OSError:
            group.rmdir()
            continue
        try:
            yield f"echo $$ > {group}/cgroup.procs", group
        finally:
            until = time.monotonic() + 20
            while time.monotonic() < until:
                with suppress(OSError):
                    group.rmdir()
                    break
                time.sleep(0.05)
        return
    yield None


def killed_for_memory(group: Path) -> int:
    """How many processes of the group the kernel has killed."""
    for name in ("memory.oom_control", "memory.events"):
        with suppress(OSError):
            for line in (group / name).read_text().splitlines():
                word, _, count = line.partition(" ")
                if word == "oom_kill":
                    return int(count)
    return 0


def on_a_small_disk(folder: Path, size: str, *commands: str) -> subprocess.CompletedProcess:
    """Shell commands in the folder, on which a file system of that size is mounted for them."""
    mount = f"mount -t tmpfs -o size={size} none {folder} && cd {folder}"
    return subprocess.run(
        ["unshare", "--mount", "bash", "-c", " && ".join([mount, *commands])],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def can_mount(folder: Path) -> bool:
    """Whether a file system can be mounted here."""
    try:
        return on_a_small_disk(folder, "1m", "true").returncode == 0
    except OSError:
        return False


def main() -> None:
    """Weigh a source of 200 million rows, and one of wide cells, in 512 MiB."""
    with tempfile.TemporaryDirectory() as name, little_memory(512 * MB) as limited:
        limits = limited[0] if limited else "true"
        trials = {
            "200 M rows": prepare(Path(name) / "rows", rows(200_000_000), job="query_timeout_s=60"),
            "cells of 1 MiB": prepare(Path(name) / "cells", cells(400)),
        }
        for what, config in trials.items():
            found = weighed(config, limits=limits)
            print(f"{what}: code {found.ended.code}, {found.most / MB:.0f} MiB of 400")
        print(f"killed: {killed_for_memory(limited[1]) if limited else 'no control group here'}")


if __name__ == "__main__":
    sys.exit(main())
