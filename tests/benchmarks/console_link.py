"""How far a slow terminal holds up the console's loop: p50, p99 and most lag, and paints a second.

    python tests/benchmarks/console_link.py [BYTES_PER_SECOND] [SECONDS] [--unguarded]

A screen of 120x40 whose every line changes is painted ten times a second into a terminal whose
reader takes so many bytes a second (16,000 unless told). `--unguarded` paints without looking
whether the last picture has been taken. The exit code is 1 where a guarded loop's p99 is late.
"""

import asyncio
import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios
import time

from textual.widget import Widget

from etltui.console.base import Left, ScreenApp
from etltui.console.rate import next_interval
from etltui.console.terminal import Terminal

TICK_S = 0.002
GOAL_MS = 20
WARM_S = 1.0


class Changing(Widget):
    """Text that is another one at each paint."""

    DEFAULT_CSS = "Changing { width: 1fr; height: 1fr; }"
    paints = 0

    def render(self) -> str:
        type(self).paints += 1
        line = f"{self.paints:08d} " * 13
        return "\n".join(line for _ in range(self.size.height))


class Bench(ScreenApp):
    """Paints at a pace, and measures how late the loop is."""

    def __init__(self, seconds: float, *, guarded: bool) -> None:
        super().__init__(Terminal(kind="screen", colour="16", unicode=True))
        self.seconds = seconds
        self.guarded = guarded
        self.lags: list[float] = []
        self.painted = 0
        self.most = 0

    def compose(self):
        yield Changing()

    def on_mount(self) -> None:
        self.run_worker(self.paint())
        self.run_worker(self.measure())

    async def paint(self) -> None:
        while True:
            while self.guarded and self.waiting_bytes:  # noqa: ASYNC110 - as the console does
                await asyncio.sleep(0.02)
            self.query_one(Changing).refresh()
            self.painted += 1
            await asyncio.sleep(next_interval(0.1, self.drained_s) if self.guarded else 0.1)

    async def measure(self) -> None:
        began = time.monotonic()
        while (now := time.monotonic()) < began + self.seconds:
            await asyncio.sleep(TICK_S)
            if now > began + WARM_S:
                self.lags.append(time.monotonic() - now - TICK_S)
            self.most = max(self.most, self.waiting_bytes)
        self.exit(Left.QUIT)


def painted(seconds: float, *, guarded: bool, out: int) -> None:
    app = Bench(seconds, guarded=guarded)
    app.run()
    lags = sorted(app.lags)
    result = {
        "lag_p50_ms": round(1000 * lags[len(lags) // 2], 1),
        "lag_p99_ms": round(1000 * lags[len(lags) * 99 // 100], 1),
        "lag_most_ms": round(1000 * lags[-1], 1),
        "paints_s": round(app.painted / seconds, 1),
        "most_waiting": app.most,
    }
    os.write(out, json.dumps(result).encode())


def main() -> None:
    numbers = [float(each) for each in sys.argv[1:] if not each.startswith("-")]
    rate, seconds = (*numbers, 16_000, 10)[:2] if len(numbers) < 2 else numbers[:2]
    result, out = os.pipe()
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm"
        painted(seconds, guarded="--unguarded" not in sys.argv, out=out)
        os._exit(0)
    os.close(out)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    taken, allowed, last = 0, 0.0, time.monotonic()
    while not select.select([result], [], [], 0.01)[0]:
        now = time.monotonic()
        allowed, last = min(rate / 4, allowed + (now - last) * rate), now
        if allowed >= 64 and select.select([terminal], [], [], 0)[0]:
            some = os.read(terminal, int(allowed))
            allowed -= len(some)
            taken += len(some)
    found = json.loads(os.read(result, 4096))
    print(f"{found} taken {taken / seconds:,.0f} B/s; goal: p99 of lag at most {GOAL_MS} ms")
    while select.select([terminal], [], [], 0.5)[0]:
        try:
            os.read(terminal, 65536)
        except OSError:
            break
    os.waitpid(pid, 0)
    sys.exit(found["lag_p99_ms"] > GOAL_MS and "--unguarded" not in sys.argv)


if __name__ == "__main__":
    main()
