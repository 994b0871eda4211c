"""Spreads trials over a few processes, each with a world of its own, and counts what they come to.

The workers are forked from a process that has loaded everything and runs no thread.
"""

import gc
import json
import os
import select
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from faults.crashes import Trial
from faults.forks import die_with_parent, quiet_end
from faults.shim import Shim
from faults.subject import World, load_all

Item = Callable[[World], Trial | None]
"""One trial, on whichever world is free."""


@dataclass
class Line:
    """One line of the table."""

    tried: int = 0
    survived: int = 0
    lost: int = 0
    doubled: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def add(self, trial: Trial, seconds: float) -> None:
        """Count a trial."""
        self.tried += 1
        self.seconds += seconds
        if not trial.wrong:
            self.survived += 1
            return
        self.lost += "lost" in trial.wrong
        self.doubled += "doubled" in trial.wrong
        self.wrong.append(f"{trial.what} ({trial.place}): {trial.wrong}")

    def join(self, other: "Line") -> None:
        """Add up."""
        for name in ("tried", "survived", "lost", "doubled", "seconds", "wrong"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


class Team:
    """A few workers, from `with` to its end."""

    def __init__(self, size: int) -> None:
        self.size = size
        # Memory: what is durable is the model's business.
        disk = Path("/dev/shm")
        self._folder = Path(
            tempfile.mkdtemp(prefix="etltui-faults-", dir=disk if disk.is_dir() else None)
        )

    def __enter__(self) -> Self:
        load_all()
        gc.freeze()
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def try_all(
        self,
        plan: Callable[[World], Iterator[Item]],
        *,
        until: float = float("inf"),
        stop_early: bool = False,
    ) -> dict[str, Line]:
        """Do all trials of a plan, and count them by their kind.

        Args:
            plan: All trials, the same in each worker, from a world that is made.
            until: Unix time at which no further trial begins.
            stop_early: Whether the first trial that fails is enough.
        """
        pipes = []
        for number in range(self.size):
            reader, writer = os.pipe()
            pid = os.fork()
            if pid == 0:
                with quiet_end():
                    signal.signal(signal.SIGTERM, signal.SIG_DFL)
                    die_with_parent()
                    os.close(reader)
                    self._work(number, plan, until, writer)
            os.close(writer)
            pipes.append((reader, pid))
        return _gathered(pipes, stop_early=stop_early)

    def _work(
        self, number: int, plan: Callable[[World], Iterator[Item]], until: float, writer: int
    ) -> None:
        world = World(self._folder / str(number), Shim())
        shutil.rmtree(world.root, ignore_errors=True)
        world.make()
        for place, item in enumerate(plan(world)):
            if time.time() > until:
                return
            if place % self.size != number:
                continue
            begun = time.monotonic()
            trial = item(world)
            if trial is not None:
                told = {**asdict(trial), "seconds": time.monotonic() - begun}
                os.write(writer, json.dumps(told).encode() + b"\n")


def _gathered(pipes: Sequence[tuple[int, int]], *, stop_early: bool) -> dict[str, Line]:
    lines: dict[str, Line] = {}
    rest = {reader: b"" for reader, _ in pipes}
    stopped = False
    while rest:
        for reader in select.select(list(rest), [], [])[0]:
            block = os.read(reader, 1 << 16)
            if not block:
                del rest[reader]
                continue
            *whole, rest[reader] = (rest[reader] + block).split(b"\n")
            for said in whole:
                told = json.loads(said)
                seconds = told.pop("seconds")
                lines.setdefault(told["kind"], Line()).add(Trial(**told), seconds)
                if told["wrong"] and stop_early and not stopped:
                    stopped = True
                    for _, pid in pipes:
                        os.kill(pid, signal.SIGTERM)
    codes = [os.waitpid(pid, 0)[1] for _, pid in pipes]
    if any(codes) and not stopped:
        lines.setdefault("workers", Line()).wrong.append(f"workers ended with {codes}")
    return lines
