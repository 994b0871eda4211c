"""Damages the state database of a killed run, resumes it, and counts each row in the target.

    python tests/faults/state_damage.py --times 5

Each time the folder is as a kill in the midst of a run has left it. What is damaged has to be
found, set aside and made anew; the resumed run has to end with every row exactly once.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

JOB = "gst_sales"
TARGET = "gst_sales.csv"


def database(state: Path) -> Path:
    return state / "state.db"


def wal(state: Path) -> Path:
    return state / "state.db-wal"


def flip(
    path: Path, chance: random.Random, *, count: int, within: tuple[int, int] = (0, 0)
) -> None:
    """Turn some bits of a file over, of all of it or between two places."""
    content = bytearray(path.read_bytes())
    first, last = within if within != (0, 0) else (0, len(content))
    for _ in range(count if content else 0):
        place = chance.randrange(first, min(last, len(content)))
        content[place] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def overwrite(path: Path, chance: random.Random) -> None:
    """Write noise over one page."""
    content = bytearray(path.read_bytes())
    page = chance.randrange(max(1, len(content) // 4096)) * 4096
    content[page : page + 4096] = chance.randbytes(4096)
    path.write_bytes(content)


def cut(path: Path, chance: random.Random) -> None:
    """Cut a file off somewhere."""
    content = path.read_bytes()
    path.write_bytes(content[: chance.randrange(max(1, len(content)))])


def merge(state: Path) -> None:
    """Have what lies in the write-ahead log in the database, so that its pages can be damaged."""
    script = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); "
        "c.execute('PRAGMA wal_checkpoint(TRUNCATE)'); c.close()"
    )
    subprocess.run([sys.executable, "-c", script, str(database(state))], check=True)


def merged(damage: Callable[[Path, random.Random], None]) -> Callable[[Path, random.Random], None]:
    """Damage the database after its log was merged."""

    def done(state: Path, chance: random.Random) -> None:
        merge(state)
        damage(database(state), chance)

    return done


def all_marks(state: Path, chance: random.Random) -> None:
    """Nothing of the database is left, and its marks are damaged, too."""
    database(state).write_bytes(b"")
    for path in (state / "marks").iterdir():
        flip(path, chance, count=5)


def gone(state: Path, _: random.Random) -> None:
    for path in state.glob("state.db*"):
        path.unlink()


FAULTS: dict[str, Callable[[Path, random.Random], None]] = {
    "header": merged(lambda path, chance: flip(path, chance, count=1, within=(0, 100))),
    "one bit": merged(lambda path, chance: flip(path, chance, count=1)),
    "64 bits": merged(lambda path, chance: flip(path, chance, count=64)),
    "page of noise": merged(overwrite),
    "cut off": merged(cut),
    "empty": merged(lambda path, _: path.write_bytes(b"")),
    "gone": gone,
    "log: bits": lambda state, chance: flip(wal(state), chance, count=3),
    "log: cut off": lambda state, chance: cut(wal(state), chance),
    "log: gone": lambda state, _: wal(state).unlink(),
    "marks too": all_marks,
}


@dataclass
class Row:
    """What became of one fault."""

    tried: int = 0
    survived: int = 0
    found: int = 0
    reread: int = 0
    lost: int = 0
    doubled: int = 0
    seconds: float = 0.0


class Trial:
    """One demo folder, as a kill has left it."""

    def __init__(self, folder: Path, *, branches: int, rows: int) -> None:
        self.folder = folder
        size = ["--branches", str(branches), "--rows", str(rows)]
        words = ["demo", "--headless", "--dir", str(folder), *size]
        subprocess.run([sys.executable, "-m", "etltui", *words], check=True, capture_output=True)
        self.output, self.state = folder / "output", folder / "state"
        self.expected = Counter((self.output / TARGET).read_bytes().splitlines())
        shutil.rmtree(self.state)
        self._empty()
        self.done = self._killed(branches // 2)
        self.left = folder / "left"
        shutil.copytree(self.state, self.left, ignore=shutil.ignore_patterns("*.sock", "door*"))

    def _empty(self) -> None:
        shutil.rmtree(self.output)
        self.output.mkdir()

    def _command(self, *words: str) -> list[str]:
        config = str(self.folder / "config.toml")
        return [sys.executable, "-m", "etltui", "run", JOB, "--config", config, "--json", *words]

    def _killed(self, after: int) -> set[str]:
        """Run until some connections are done, then kill; which they were."""
        done: set[str] = set()
        with subprocess.Popen(
            self._command(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as process:
            for line in process.stdout or ():
                event = json.loads(line)
                if event["type"] == "connection_completed":
                    done.add(event["connection"])
                if len(done) >= after:
                    process.kill()
                    break
        return done

    def once(self, fault: str, seed: str, row: Row) -> None:
        """Damage, resume, count."""
        shutil.rmtree(self.state)
        shutil.copytree(self.left, self.state)
        self._empty()
        FAULTS[fault](self.state, random.Random(seed))
        began = time.monotonic()
        ended = subprocess.run(
            self._command("--resume"), capture_output=True, text=True, check=False
        )
        row.seconds += time.monotonic() - began
        row.tried += 1
        row.found += "state database was damaged" in ended.stderr
        started = [
            event["connection"]
            for event in map(json.loads, ended.stdout.splitlines())
            if event["type"] == "connection_started"
        ]
        row.reread += len(self.done & {*started})
        target = self.output / TARGET
        there = Counter(target.read_bytes().splitlines() if target.exists() else ())
        lost, doubled = self.expected - there, there - self.expected
        row.lost += lost.total()
        row.doubled += doubled.total()
        good = ended.returncode == 0 and not lost and not doubled
        row.survived += good
        if not good:
            print(f"{fault}, {seed}: exit code {ended.returncode}: {ended.stderr[-2000:]}")


def damage_and_resume(
    folder: Path,
    *,
    times: int,
    faults: list[str],
    branches: int = 8,
    rows: int = 500,
    seed: int = 1,
) -> dict[str, Row]:
    """Each fault so many times."""
    trial = Trial(folder, branches=branches, rows=rows)
    table = {fault: Row() for fault in faults}
    for number in range(times):
        for fault in faults:
            trial.once(fault, f"{seed} {fault} {number}", table[fault])
    return table


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--branches", type=int, default=8)
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--fault", action="append", choices=list(FAULTS))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        table = damage_and_resume(
            Path(folder) / "demo",
            times=asked.times,
            faults=asked.fault or list(FAULTS),
            branches=asked.branches,
            rows=asked.rows,
            seed=asked.seed,
        )
    print("fault          | tried | survived | lost | doubled | found | read again | time")
    for fault, row in table.items():
        print(
            f"{fault:<14} | {row.tried:>5} | {row.survived:>8} | {row.lost:>4} | "
            f"{row.doubled:>7} | {row.found:>5} | {row.reread:>10} | "
            f"{row.seconds / max(row.tried, 1):.1f} s",
        )
    return int(any(row.survived < row.tried for row in table.values()))


if __name__ == "__main__":
    sys.exit(main())
