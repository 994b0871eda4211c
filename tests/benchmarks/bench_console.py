"""What the console costs on the wire and on the processor, in a pseudo-terminal.

    python tests/benchmarks/bench_console.py [--seconds 10] [CASE …]

Each case runs a console over an engine that only pretends: 500 connections, each of which changes
ten times a second. The parent reads the terminal, as fast as it can or at a link's rate, and counts
bytes and processor time of the console's process; the child measures how late its loop is.
"""

import argparse
import asyncio
import fcntl
import json
import os
import pty
import select
import struct
import sys
import tempfile
import termios
import time
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

CONNECTIONS = 500
CHANGES_HZ = 10.0
WARM_S = 3.0


@dataclass(frozen=True, kw_only=True)
class Case:
    """One way to look at a console."""

    name: str
    size: tuple[int, int] = (120, 40)
    colour: str = "truecolor"
    view: str = "monitor"
    busy: bool = True
    rate: int = 0
    goal: str = ""


CASES = (
    Case(name="truecolor", goal="20 kB/s, 5 % CPU"),
    Case(name="16 colours", colour="16", goal="11 kB/s"),
    Case(name="80x24", size=(80, 24)),
    Case(name="run view", view="run"),
    Case(name="idle", busy=False, goal="0 B/s"),
    Case(name="16 kB/s link", rate=16_000, goal="lag p99 20 ms"),
)


def main() -> None:
    """Run the cases and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--child", default="")
    chosen = parser.parse_args()
    if chosen.child:
        facts = json.loads(chosen.child)
        case = Case(**{**facts["case"], "size": tuple(facts["case"]["size"])})
        asyncio.run(_child(case, Path(facts["out"])))
        return
    print(
        f"{'case':<14}{'B/s':>9}{'CPU':>7}{'lag p50':>9}{'p99':>7}{'frames/s':>10}{'start':>9}{'bytes':>8}  goal"
    )
    for case in CASES:
        if not chosen.cases or case.name in chosen.cases:
            _report(case, _measure(case, chosen.seconds))


def _report(case: Case, found: dict[str, float]) -> None:
    print(
        f"{case.name:<14}{found['bytes_s']:>9,.0f}{found['cpu']:>6.1f}%{found['p50']:>7.1f}ms"
        f"{found['p99']:>5.0f}ms{found['frames']:>10.1f}{found['paint']:>8.2f}s"
        f"{found['start_bytes']:>8,.0f}  {case.goal}",
        flush=True,
    )


def _measure(case: Case, seconds: float) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        facts = {"case": {**vars_of(case)}, "out": str(out)}
        command = [sys.executable, __file__, "--child", json.dumps(facts)]
        pid, terminal = pty.fork()
        if pid == 0:
            os.environ |= {"TERM": "xterm-256color", "LANG": "C.UTF-8"}
            time.sleep(0.1)
            os.execv(command[0], command)  # noqa: S606 - a fresh interpreter, no shell
        columns, rows = case.size
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        found = _watch(pid, terminal, case, seconds)
        os.waitpid(pid, 0)
        os.close(terminal)
        return found | json.loads(out.read_text())


def vars_of(case: Case) -> dict[str, object]:
    """The case as plain values."""
    return {name: getattr(case, name) for name in Case.__dataclass_fields__}


def _watch(pid: int, terminal: int, case: Case, seconds: float) -> dict[str, float]:
    process = psutil.Process(pid)
    began = last = time.monotonic()
    total = start_bytes = counted = 0
    first_paint = allowed = 0.0
    cpu_then, counting = 0.0, False
    while (now := time.monotonic()) - began < WARM_S + seconds:
        if case.rate:
            allowed = min(case.rate / 4, allowed + (now - last) * case.rate)
            last = now
            if allowed < 256:
                time.sleep(0.005)
                continue
        if not counting and now - began >= WARM_S:
            counting, start_bytes = True, total
            cpu_then = sum(process.cpu_times()[:2])
        if not select.select([terminal], [], [], 0.02)[0]:
            continue
        some = os.read(terminal, int(min(65536, allowed)) if case.rate else 65536)
        allowed -= len(some)
        total += len(some)
        counted += len(some) if counting else 0
        if not first_paint and total > 1500:
            first_paint = now - began - 0.1
    cpu = (sum(process.cpu_times()[:2]) - cpu_then) / seconds * 100
    os.write(terminal, b"\x11")
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                os.read(terminal, 65536)
            except OSError:
                break
    return {
        "bytes_s": counted / seconds,
        "cpu": cpu,
        "paint": first_paint,
        "start_bytes": float(start_bytes),
    }


async def _child(case: Case, out: Path) -> None:
    import console_world as cw

    from etltui.console.app import ConsoleApp, Options
    from etltui.console.look import CurrentLook
    from etltui.domain.run import ConnectionStatus, Step

    engine = cw.FakeEngine()
    folder = Path(tempfile.mkdtemp())
    config = cw.configured(folder, branches=CONNECTIONS)
    terminal = replace(cw.TRUECOLOR, colour=case.colour)
    look = CurrentLook(config.console, terminal, config=config.path, timezone="UTC")
    started = time.time()

    def stand() -> None:
        tick = int((time.time() - started) * CHANGES_HZ)
        views = [
            cw.connection(
                n,
                ConnectionStatus.RUNNING,
                rows=tick * (50 + n % 17),
                usual_rows=200_000,
                since=started,
                tries=1,
                step=Step.PROCESSING,
            )
            for n in range(1, CONNECTIONS + 1)
        ]
        run = cw.run(connections=views, started=started)
        engine.now = cw.snapshot([run], at=time.time()) if case.busy else cw.snapshot()

    async def answer(name: str, **arguments: object) -> object:
        if name == "snapshot":
            # As often as it is looked at: between two looks nobody can tell.
            stand()
        return await engine_call(name, **arguments)

    engine_call = engine.call
    engine.call = answer
    stand()
    app = ConsoleApp(
        engine,
        cw.FakeHistory(),
        config,
        look=look,
        state=folder,
        options=Options(start=case.view, embedded=False),
    )
    late: list[float] = []

    async def probe() -> None:
        await asyncio.sleep(WARM_S)
        while True:
            asked = time.monotonic()
            await asyncio.sleep(0.01)
            late.append((time.monotonic() - asked - 0.01) * 1000)

    painted = 0
    redraw = app.redraw

    def counting() -> None:
        nonlocal painted
        painted += 1
        redraw()

    app.redraw = counting
    probing = asyncio.create_task(probe())
    await app.run_async()
    probing.cancel()
    late.sort()
    seconds = time.time() - started
    out.write_text(
        json.dumps(
            {
                "p50": late[len(late) // 2],
                "p99": late[int(len(late) * 0.99)],
                "frames": painted / seconds,
            }
        )
    )


if __name__ == "__main__":
    main()
