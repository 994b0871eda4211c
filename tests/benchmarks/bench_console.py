"""What the console costs on the wire and on the processor, in a pseudo-terminal.

    python tests/benchmarks/bench_console.py [--seconds 10] [CASE …]

The cases of the table run a console over an engine that only pretends: 500 connections, each of
which changes ten times a second. The terminal is read as fast as can be, or at a link's rate; the
console's process measures how late its loop is. `start` and `keys` run the program itself: how soon
there is a picture, and how soon a key is answered while two extractors take all they can get.
"""

import argparse
import json
import random
import sqlite3
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from console_pty import WARM_S, Watched, quantile, seconds, watched

from etltui.cli import demo
from etltui.cli.demo_data import Demo

HERE = Path(__file__).parent
PRESSES = 200


@dataclass(frozen=True, kw_only=True)
class Case:
    """One way to look at a console.

    Attributes:
        keys: Pressed before it is measured; `t` has the monitor show connection after connection,
            so that each line of the screen changes at each picture.
    """

    name: str
    size: tuple[int, int] = (120, 40)
    colour: str = "truecolor"
    view: str = "monitor"
    keys: str = "t"
    busy: bool = True
    rate: int = 0
    least_s: float = 0
    goal: str = ""


CASES = (
    Case(name="truecolor", goal="20 kB/s, 5 % CPU"),
    Case(name="16 colours", colour="16", goal="11 kB/s"),
    Case(name="80x24", size=(80, 24)),
    Case(name="by urgency", keys=""),
    Case(name="run view", view="run", keys=""),
    Case(name="idle", busy=False, keys="", least_s=30, goal="0 B/s"),
    Case(name="16 kB/s link", rate=16_000, goal="lag p99 20 ms"),
)
OWN = ("start", "keys")


def main() -> None:
    """Run the cases and print what they found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE")
    parser.add_argument("--seconds", type=float, default=10.0)
    chosen = parser.parse_args()
    wanted = chosen.cases or [*(case.name for case in CASES), *OWN]
    if any(case.name in wanted for case in CASES):
        print(f"{'case':<14}{'B/s':>9}{'CPU':>7}{'lag p50':>9}{'p99':>7}{'frames/s':>10}  goal")
    for case in CASES:
        if case.name in wanted:
            _report(case, _measure(case, max(chosen.seconds, case.least_s)))
    with tempfile.TemporaryDirectory() as folder:
        if "start" in wanted:
            _start(Path(folder) / "start")
        if "keys" in wanted:
            _keys(Path(folder) / "keys")


def _measure(case: Case, span: float) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        told = {"colour": case.colour, "view": case.view, "busy": case.busy, "out": str(out)}
        child = (HERE / "console_child.py", json.dumps(told))
        with watched(*child, size=case.size, rate=case.rate) as console:
            console.until(lambda: console.first)
            console.type(case.keys.encode())
            console.watch(WARM_S)
            total, processes = console.total, console.processes()
            took, since = seconds(processes), time.monotonic()
            console.watch(span)
            span = time.monotonic() - since
            took = seconds(processes) - took
            total = console.total - total
        found = json.loads(out.read_text())
    return {
        "bytes": total / span,
        "cpu": took / span,
        "p50": quantile(found["late"], 0.5),
        "p99": quantile(found["late"], 0.99),
        "frames": found["frames"],
    }


def _report(case: Case, found: dict[str, float]) -> None:
    print(
        f"{case.name:<14}{found['bytes']:>9,.0f}{found['cpu']:>7.1%}{1000 * found['p50']:>7.1f}ms"
        f"{1000 * found['p99']:>5.0f}ms{found['frames']:>10.1f}  {case.goal}",
        flush=True,
    )


def _start(folder: Path) -> None:
    """Until the first picture, and what it takes on the wire: the best of five."""
    demo.prepare(folder, Demo(seed=1, branches=56, rows=10))
    times, sizes = [], []
    for _ in range(5):
        with watched("-m", "etltui", "--config", folder / "config.toml") as console:
            console.until(lambda: console.first)
            console.watch(1)
            times.append(console.first)
            sizes.append(console.total)
    print(
        f"start: {min(times):.2f} s to the first picture (of {max(times):.2f} s at most), "
        f"{max(sizes):,} B until a second after; goal: 1 s, 35,000 B at 80x24"
    )


def _saturated(folder: Path) -> Path:
    """A demo of two branches that never end, read by two extractors; its configuration."""
    made = Demo(seed=1, branches=2, rows=2000)
    demo.prepare(folder, made)
    for number in (1, 2):
        database = sqlite3.connect(folder / "data" / f"branch_{number:03d}.db")
        database.execute("ALTER TABLE sales RENAME TO kept")
        database.execute(
            "CREATE VIEW sales AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "
            "SELECT kept.* FROM n CROSS JOIN kept"
        )
        database.commit()
        database.close()
    config = folder / "config.toml"
    text = config.read_text().replace("[settings]", "[settings]\nextractors = 2", 1)
    config.write_text(text)
    return config


def _keys(folder: Path) -> None:
    """Until a key is answered while two extractors are at work as hard as they can."""
    config, out = _saturated(folder), folder / "out.json"
    probe = (HERE / "console_probe.py", out, "--config", config)
    with watched(*probe) as console:
        console.until(lambda: console.first)
        console.type(b"2")
        console.until(lambda: b"LAST RUN" in console.seen)
        console.type(b"r")
        console.watch(1)
        console.type(b"\r")
        console.watch(WARM_S)
        processes = console.processes()
        took, since = seconds(processes[2:]), time.monotonic()
        pressed = _pressed(console)
        busy = (seconds(processes[2:]) - took) / (time.monotonic() - since)
    late = json.loads(out.read_text())["late"]
    half, most = quantile(pressed, 0.5), quantile(pressed, 0.95)
    print(
        f"keys: {1000 * half:.0f} ms from a key to its echo, p95 {1000 * most:.0f} ms; "
        f"lag p99 {1000 * quantile(late, 0.99):.0f} ms; extractors at {busy:.0%} of a core; "
        "goal: p95 100 ms, lag 30 ms"
    )


def _pressed(console: Watched) -> list[float]:
    """Letters into the prompt, each taken back; seconds until each is seen."""
    chance = random.Random(1)
    console.type(b":")
    console.watch(0.5)
    found = []
    for _ in range(PRESSES):
        found.append(console.echo(b"~", b"~"))
        console.type(b"\x7f")
        console.watch(chance.uniform(0.05, 0.15))
    console.type(b"\x1b")
    console.watch(0.5)
    return found


if __name__ == "__main__":
    main()
