"""The console over an engine that only pretends; started by `bench_console`, on its terminal.

500 connections, each of which changes ten times a second. At its end it writes how late its loop
was.
"""

import asyncio
import json
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from console_pty import lateness

import console_world as cw
from etltui.console.app import ConsoleApp, Options
from etltui.console.look import CurrentLook
from etltui.domain.run import ConnectionStatus, Step

CONNECTIONS = 500
CHANGES_HZ = 10.0


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is to be shown.

    Attributes:
        out: Where the findings go.
        busy: Whether a run is at work.
    """

    colour: str
    view: str
    busy: bool
    out: str


class Engine(cw.FakeEngine):
    """Stands as the time says, as often as it is looked at: between two looks nobody can tell."""

    def __init__(self, *, busy: bool) -> None:
        super().__init__()
        self.busy = busy
        self.started = time.time()
        self.stand()

    def stand(self) -> None:
        tick = int((time.time() - self.started) * CHANGES_HZ)
        views = [
            cw.connection(
                number,
                ConnectionStatus.RUNNING,
                rows=tick * (50 + number % 17),
                usual_rows=200_000,
                since=self.started,
                tries=1,
                step=Step.PROCESSING,
            )
            for number in range(1, CONNECTIONS + 1)
        ]
        run = cw.run(connections=views, started=self.started)
        self.now = cw.snapshot([run], at=time.time()) if self.busy else cw.snapshot()

    async def call(self, name: str, /, **arguments: object) -> object:
        if name == "snapshot":
            self.stand()
        return await super().call(name, **arguments)


class Counting(ConsoleApp):
    """Counts its pictures."""

    painted = 0

    def redraw(self) -> None:
        type(self).painted += 1
        super().redraw()


async def shown(wanted: Wanted, folder: Path) -> None:
    engine = Engine(busy=wanted.busy)
    config = cw.configured(folder, branches=CONNECTIONS)
    terminal = replace(cw.TRUECOLOR, colour=wanted.colour)
    look = CurrentLook(config.console, terminal, config=config.path, timezone="UTC")
    options = Options(start=wanted.view, embedded=False)
    app = Counting(engine, cw.FakeHistory(), config, look=look, state=folder, options=options)
    late: list[float] = []
    noting = asyncio.create_task(lateness(late))
    await app.run_async()
    noting.cancel()
    found = {"late": late, "frames": Counting.painted / (time.time() - engine.started)}
    Path(wanted.out).write_text(json.dumps(found))  # noqa: ASYNC240 - all has ended


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        asyncio.run(shown(Wanted(**json.loads(sys.argv[1])), Path(made)))
