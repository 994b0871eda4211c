"""A console without a terminal: an engine that answers as told, a store that answers as told."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from etltui.config.load import load
from etltui.config.schema import Config
from etltui.console.app import ConsoleApp, Options
from etltui.console.look import CurrentLook
from etltui.console.terminal import Terminal
from etltui.domain.events import Event
from etltui.domain.pools import PoolMetrics, PoolStats
from etltui.domain.progress import ConnectionView, RunView, Snapshot
from etltui.domain.queue import QueueEntry, QueueMetrics
from etltui.domain.run import ConnectionStatus, RunStatus

AT = 1_795_000_000.0
"""The moment that everything is shown at: 2026-11-18T11:06:40Z."""

SMALL, LARGE = (80, 24), (120, 40)

TRUECOLOR = Terminal(kind="screen", colour="truecolor", unicode=True)
SIXTEEN = Terminal(kind="screen", colour="16", unicode=True)
PLAIN = Terminal(kind="screen", colour="none", unicode=True)
ASCII = Terminal(kind="screen", colour="16", unicode=False)

_TOML = """\
[settings]
timezone = "UTC"

[jobs.gst_sales]
title = "GST sales"
connections = ["branch_*"]
query = "SELECT * FROM sales"

[[jobs.gst_sales.destinations]]
type = "csv"
path = "out/{job}.csv"

[jobs.stock]
title = "Stock snapshot"
connections = ["tag:north"]
query = "SELECT * FROM stock"

[[jobs.stock.destinations]]
type = "excel"
path = "out/{job}.xlsx"
"""


def configured(folder: Path, *, branches: int = 8, more: str = "") -> Config:
    """A configuration of two jobs over so many branches."""
    path = folder / "etltui.toml"
    connections = "".join(
        f"""
[connections.branch_{n:03d}]
url = "sqlite:///branch_{n:03d}.db"
tags = ["{"north" if n % 2 else "south"}"]
contact = "Branch {n:03d}, +91 80 5550 {n:04d}"
"""
        for n in range(1, branches + 1)
    )
    path.write_text(_TOML + connections + more, encoding="utf-8")
    return load(path, environ={})


def connection(number: int, status: ConnectionStatus, **facts: Any) -> ConnectionView:
    """A run connection of branch `number`."""
    return ConnectionView(connection=f"branch_{number:03d}", status=status, **facts)


def run(
    name: str = "20261118T090000Z-AAAA",
    *,
    job: str = "gst_sales",
    status: RunStatus = RunStatus.RUNNING,
    connections: Sequence[ConnectionView] = (),
    **facts: Any,
) -> RunView:
    """A run; what is not said of it follows from its connections."""
    done = sum(view.status is ConnectionStatus.COMPLETED for view in connections)
    failed = sum(view.status is ConnectionStatus.FAILED for view in connections)
    facts.setdefault("total", max(len(connections), 1))
    facts.setdefault("completed", done)
    facts.setdefault("failed", failed)
    facts.setdefault("rows", sum(view.rows for view in connections))
    facts.setdefault("started", AT - 60)
    facts.setdefault("changed", AT - 1)
    by_name = {view.connection: view for view in connections}
    return RunView(run=name, job=job, status=status, connections=by_name, **facts)


def snapshot(
    runs: Sequence[RunView] = (),
    *,
    pending: Sequence[QueueEntry] = (),
    pools: Sequence[PoolStats] = (),
    at: float = AT,
    **facts: Any,
) -> Snapshot:
    """How an engine stands."""
    working = sum(each.status in (RunStatus.RUNNING, RunStatus.PUBLISHING) for each in runs)
    facts.setdefault("queue", QueueMetrics(pending=len(pending), running=working))
    facts.setdefault(
        "pools",
        PoolMetrics(
            total_pools=len(pools),
            active_pools=sum(pool.open > 0 for pool in pools),
            total_connections=sum(pool.open for pool in pools),
            places=sum(pool.open for pool in pools),
            max_connections=50,
            max_per_host=20,
            waiting=sum(pool.waiting for pool in pools),
            paused=False,
            acquires=100,
            served_by_open=90,
            leaked=0,
        ),
    )
    return Snapshot(
        at=at,
        holder="op@server",
        runs=tuple(runs),
        pending=tuple(pending),
        pool_info=tuple(pools),
        memory=400 << 20,
        threshold=1 << 30,
        **facts,
    )


class FakeEngine:
    """An engine that shows what it is told and remembers what it is asked.

    Attributes:
        now: What a snapshot shows.
        answers: From a call's name to its result, or to an error to raise, or to a function of the
            arguments.
        calls: Names and arguments of all calls but snapshots.
    """

    def __init__(self, now: Snapshot | None = None) -> None:
        self.now = now or snapshot()
        self.answers: dict[str, Any] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()

    async def call(self, name: str, /, **arguments: Any) -> Any:
        """Answer as told."""
        if name == "snapshot":
            return self.now
        self.calls.append((name, arguments))
        answer = self.answers.get(name)
        if isinstance(answer, Exception):
            raise answer
        return answer(**arguments) if callable(answer) else answer

    async def collect(self) -> Snapshot:
        """How it stands."""
        return self.now

    async def events(self, runs: Sequence[str] = ()) -> AsyncIterator[Event]:
        """What the test lets happen."""
        del runs
        while (event := await self._events.get()) is not None:
            yield event

    def happen(self, event: Event | None) -> None:
        """Let something happen; None ends the engine."""
        self._events.put_nowait(event)


class FakeHistory:
    """A store that answers as told: from a method's name to its answer or a function of its
    arguments; what it is not told of is an empty list."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)

        async def answered(*args: Any, **named: Any) -> Any:
            answer = self.answers.get(name, [])
            return answer(*args, **named) if callable(answer) else answer

        return answered


class World:
    """A console that runs, and what it runs with."""

    def __init__(
        self, app: ConsoleApp, pilot: Pilot[str], engine: FakeEngine, told: list[str]
    ) -> None:
        self.app = app
        self.pilot = pilot
        self.engine = engine
        self.told = told
        """What was said in passing, the oldest first."""

    @property
    def lines(self) -> list[str]:
        """The screen as text, without what is blank at the right."""
        strips = self.app.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip).rstrip() for strip in strips]

    @property
    def text(self) -> str:
        """The screen as text."""
        return "\n".join(self.lines)

    async def settle(self) -> None:
        """Let the console do what it has to do."""
        for _ in range(3):
            await self.pilot.pause()

    async def worked(self) -> None:
        """Let the commands that were given be done, also what they do in threads."""
        at_work = [each for each in self.app.workers if each.group == "commands"]
        if at_work:
            await self.app.workers.wait_for_complete(at_work)
        await self.settle()

    async def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        await self.pilot.press(*keys)
        await self.settle()

    async def type(self, text: str) -> None:
        """Type text into the line that asks."""
        names = {
            " ": "space",
            "/": "slash",
            "-": "minus",
            ".": "full_stop",
            ">": "greater_than_sign",
        }
        await self.press(*(names.get(each, each) for each in text))

    async def now(self, shown: Snapshot) -> None:
        """Let the engine stand like this, and the screen show it."""
        self.engine.now = shown
        await self.app.bridge.next(busy=True)
        self.app.redraw()
        await self.settle()

    def asked(self, name: str) -> list[dict[str, Any]]:
        """The arguments of every call of a name."""
        return [arguments for called, arguments in self.engine.calls if called == name]


async def _never(_: float) -> None:
    """The clock of the painter stands still: tests say when to paint."""
    await asyncio.Event().wait()


@asynccontextmanager
async def console(
    folder: Path,
    *,
    config: Config | None = None,
    engine: FakeEngine | None = None,
    history: Any = None,
    size: tuple[int, int] = SMALL,
    terminal: Terminal = TRUECOLOR,
    toasts: bool = False,
    **options: Any,
) -> AsyncIterator[World]:
    """A console at work, of a size, for the time of the block.

    Nothing paints by itself: `World.now` does. Toasts are heard, and shown where `toasts` says so.
    """
    made = engine or FakeEngine()
    config = config or await asyncio.to_thread(configured, folder)
    look = await asyncio.to_thread(
        CurrentLook, config.console, terminal, config=config.path, timezone="UTC"
    )
    app = ConsoleApp(
        made,
        history or FakeHistory(),
        config,
        look=look,
        state=folder,
        options=replace(Options(), **options),
        wait=_never,
    )
    told: list[str] = []
    # Before it runs: something may be said before the first picture.
    app.notify = lambda message, **_: told.append(message)  # type: ignore[method-assign]
    async with app.run_test(size=size, notifications=toasts) as pilot:
        world = World(app, pilot, made, told)
        await world.settle()
        yield world
