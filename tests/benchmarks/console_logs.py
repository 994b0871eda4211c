"""How long the picture takes while the log grows: bursts of 10,000 lines, then 5,000 a second.

Run by hand: `python tests/benchmarks/console_logs.py`.
"""

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import console_world as cw

BURST, RATE = 10_000, 5_000


def lines(count: int, begin: int = 0) -> bytes:
    made = (
        json.dumps(
            {
                "time": "2026-11-22T19:40:54.811+00:00",
                "level": "error" if n % 50 == 0 else "info",
                "run": "20261122T194054Z-32W7",
                "connection": f"branch_{n % 56:03d}",
                "message": f"Processing results: {n:,} rows fetched so far, 82,400 rows a second",
            }
        )
        for n in range(begin, begin + count)
    )
    return "".join(line + "\n" for line in made).encode()


async def gaps(found: list[float]) -> None:
    """How late the loop was, every 5 ms: a frame cannot be quicker than that."""
    while True:
        before = time.perf_counter()
        await asyncio.sleep(0.005)
        found.append(time.perf_counter() - before - 0.005)


async def arrived(view, count: int) -> float:
    before = time.perf_counter()
    while view.ring.end < count:  # noqa: ASYNC110 - what is measured knows of no event
        await asyncio.sleep(0.005)
    return time.perf_counter() - before


def told(what: str, found: list[float], took: float) -> None:
    found.sort()
    p99 = found[int(len(found) * 0.99)] * 1000
    print(f"{what:<34} worst {found[-1] * 1000:6.1f} ms  p99 {p99:5.1f} ms  took {took:.2f} s")
    found.clear()


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        logs = Path(folder) / "logs"
        logs.mkdir()
        log = (logs / "etltui.jsonl").open("ab", buffering=0)
        log.write(lines(50_000))
        async with cw.console(Path(folder), size=cw.LARGE) as world:
            late: list[float] = []
            bursts = [lines(BURST, 50_000), lines(BURST, 70_000)]
            watch = asyncio.create_task(gaps(late))
            await asyncio.sleep(0.5)
            late.clear()
            await world.press("0")
            view = world.app.view
            told("50,000 lines to begin with", late, await arrived(view, 50_000))
            log.write(bursts[0])
            told("burst of 10,000", late, await arrived(view, 60_000))
            before = time.perf_counter()
            for n in range(20):
                log.write(lines(RATE // 10, 60_000 + n * RATE // 10))
                await asyncio.sleep(0.1)
            told("5,000 a second", late, time.perf_counter() - before)
            await arrived(view, 70_000)
            late.clear()
            before = time.perf_counter()
            await world.press("l")
            await asyncio.sleep(0.5)
            told("50,000 sifted, all pass", late, time.perf_counter() - before)
            await world.press("l")
            while view.ring.hits > 2000:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            told("50,000 sifted by level", late, time.perf_counter() - before)
            before = time.perf_counter()
            await world.press("A", "slash", "9", "9", "enter")
            await asyncio.sleep(0.5)
            told("50,000 sifted by words", late, time.perf_counter() - before)
            log.write(bursts[1])
            told("burst of 10,000, sifted", late, await arrived(view, 80_000))
            watch.cancel()
        log.close()


asyncio.run(main())
