"""Every fault that can be made, one table: `fault | tried | survived | lost | doubled | time`.

    python tests/faults/suite.py --quick      a sample, three minutes
    python tests/faults/suite.py --all        every operation in every way; some hours
    python tests/faults/suite.py --soak 8     random faults for eight hours

Exits with 1 where something did not survive, or a rule was broken on purpose and nobody noticed.
"""

import argparse
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[1]))

from faults import crashes, errors, power, shim
from faults.mutations import ERROR, KILL, MUTATIONS, Mutation
from faults.subject import World
from faults.team import Item, Line, Team


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much of everything; 0 for all there is.

    Attributes:
        kills: Of the points at which a process can be killed.
        errors: Of the calls that can fail.
        cuts: What `power.plan` is told.
        mutations: Of the rules that can be broken.
    """

    kills: int = 0
    errors: int = 0
    cuts: dict[str, int]
    mutations: int = 0


SIZES = {
    "ci": Size(
        kills=8,
        errors=6,
        cuts={"states": 1, "killed": 1, "failed": 1, "resume_every": 40, "every": 29},
        mutations=2,
    ),
    "quick": Size(
        kills=60,
        errors=50,
        cuts={"states": 1, "killed": 2, "failed": 1, "resume_every": 40, "every": 5},
        mutations=5,
    ),
    "all": Size(cuts={"states": 6, "killed": 4, "failed": 4, "resume_every": 40}),
}


def kills(world: World, some: int, seed: int) -> Iterator[Item]:
    """The points at which a process is killed, once or twice."""
    for fault, second in _some(list(crashes.points(world.counts)), some, seed):
        yield partial(crashes.trial, fault=fault, second=second)


def failing(world: World, some: int, seed: int) -> Iterator[Item]:
    """The calls that fail."""
    for fault in _some(list(errors.points(world.counts)), some, seed):
        yield partial(errors.trial, fault=fault)


def _some(points: list, some: int, seed: int) -> Sequence:
    random.Random(seed).shuffle(points)
    return points[:some] if some else points


def hunted(mutation: Mutation, world: World) -> Iterator[Item]:
    """Trials that must notice a mutation, those of its own kind."""
    if mutation.hunt == KILL:
        points = [fault for fault, second in crashes.points(world.counts) if not second]
        # Publishing comes last, and has most to lose.
        for fault in sorted(_some(points, 0, 3), key=lambda f: f.nth < world.counts[f.role] * 0.8):
            yield partial(crashes.trial, fault=fault, second=False, change=mutation.change)
    elif mutation.hunt == ERROR:
        for fault in _some(list(errors.points(world.counts)), 0, 3):
            yield partial(errors.trial, fault=fault, change=mutation.change)
    else:
        yield from power.plan(
            world,
            states=1,
            killed=6,
            failed=0,
            resume_every=1_000_000,
            every=3,
            change=mutation.change,
        )


class Table:
    """Prints lines as they come and knows whether all is well."""

    def __init__(self, *, quiet: bool) -> None:
        self.lines: dict[str, Line] = {}
        self.bad: list[str] = []
        self._quiet = quiet
        self._say(
            f"{'fault':<34} {'tried':>7} {'survived':>9} {'lost':>6} {'doubled':>8} {'time':>8}"
        )

    def _say(self, text: str) -> None:
        if not self._quiet:
            print(text, flush=True)

    def add(self, lines: dict[str, Line]) -> None:
        """The lines of one kind of fault."""
        for name, line in sorted(lines.items()):
            self.lines[name] = line
            self._say(
                f"{name:<34} {line.tried:>7,} {line.survived:>9,} {line.lost:>6,} "
                f"{line.doubled:>8,} {line.seconds:>7,.0f}s",
            )
            self.bad += [f"{name}: {wrong}" for wrong in line.wrong]

    def mutation(self, name: str, lines: dict[str, Line], seconds: float) -> None:
        """Whether a broken rule was noticed."""
        wrong = [each for line in lines.values() for each in line.wrong]
        tried = sum(line.tried for line in lines.values())
        said = wrong[0] if wrong else "NOT NOTICED"
        self.lines[f"broken: {name}"] = Line(tried=tried, seconds=seconds, wrong=wrong[:1])
        self._say(f"broken: {name:<36} {tried:>5,} {seconds:>5,.0f}s  {said[:140]}")
        if not wrong:
            self.bad.append(f"nobody noticed: {name}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    which = parser.add_mutually_exclusive_group()
    for name in SIZES:
        which.add_argument(f"--{name}", action="store_const", const=name, dest="size")
    which.add_argument("--soak", type=float, metavar="HOURS")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", choices=["kills", "errors", "cuts", "mutations"], action="append")
    parser.add_argument("--mutation", metavar="WORDS", help="only those whose name has them")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--minutes", type=float, default=1e6, help="at most, for each kind of fault"
    )
    parser.add_argument("--json", action="store_true", help="the table as one line of JSON")
    asked = parser.parse_args()
    # So that nothing is left in memory.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    table = Table(quiet=asked.json)
    with Team(asked.workers) as team:
        if asked.soak is None:
            _once(team, table, SIZES[asked.size or "quick"], asked)
        else:
            _soak(team, table, asked.soak)
    if asked.json:
        lines = {name: asdict(line) for name, line in table.lines.items()}
        print(json.dumps({"lines": lines, "bad": table.bad}))
    else:
        print("\n".join(table.bad[:200]))
    return 1 if table.bad else 0


def _once(team: Team, table: Table, size: Size, asked: argparse.Namespace) -> None:
    def wanted(name: str) -> bool:
        return not asked.only or name in asked.only

    plans: dict[str, Callable[[World], Iterator[Item]]] = {
        "kills": partial(kills, some=size.kills, seed=asked.seed),
        "errors": partial(failing, some=size.errors, seed=asked.seed),
        "cuts": partial(power.plan, seed=asked.seed, **size.cuts),
    }
    for name, plan in plans.items():
        if wanted(name):
            table.add(team.try_all(plan, until=time.time() + 60 * asked.minutes))
    if wanted("mutations"):
        broken = [each for each in MUTATIONS if (asked.mutation or "") in each.name]
        for mutation in _some(broken, size.mutations, asked.seed):
            begun = time.monotonic()
            lines = team.try_all(partial(hunted, mutation), stop_early=True)
            table.mutation(mutation.name, lines, time.monotonic() - begun)


def _soak(team: Team, table: Table, hours: float) -> None:
    until = time.time() + 3600 * hours
    total: dict[str, Line] = {}
    seed = int(time.time())
    print(f"first seed: {seed}", flush=True)
    while time.time() < until:
        seed += 1
        cuts = {"states": 1, "killed": 2, "failed": 2, "resume_every": 20, "every": 5}
        plans: list[Callable[[World], Iterator[Item]]] = [
            partial(kills, some=200, seed=seed),
            partial(failing, some=200, seed=seed),
            partial(power.plan, seed=seed, **cuts),
        ]
        for plan in plans:
            for name, line in team.try_all(plan, until=until).items():
                total.setdefault(name, Line()).join(line)
    table.add(total)


if __name__ == "__main__":
    if why := shim.missing():
        sys.exit(f"skipped: {why}")
    if not shim.loaded():
        os.execve(sys.executable, [sys.executable, *sys.argv], shim.environment())
    sys.exit(main())
