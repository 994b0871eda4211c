"""What an engine does as the console shows it: real queue, bus, door and store beneath a screen."""

import asyncio
import threading
from contextlib import asynccontextmanager
from zoneinfo import ZoneInfo

from textual.app import App

import console_world as cw
import fakes
from console_pools import pool
from door_kit import House, until
from engine_world import connection
from etltui.cli.link import Link
from etltui.console import bridge
from etltui.domain.errors import ErrorClass
from etltui.domain.events import RunProgress
from etltui.domain.pools import PoolMetrics
from etltui.domain.run import RunStatus, Step
from etltui.door.guest import Guest
from fakes import FakePools, Held, Script, failure


class Pools(FakePools):
    """Pools that answer as told."""

    def __init__(self, *stats):
        super().__init__()
        self.stats = stats

    def get_metrics(self):
        return PoolMetrics(
            total_pools=len(self.stats),
            active_pools=sum(each.open > 0 for each in self.stats),
            total_connections=sum(each.open for each in self.stats),
            places=sum(each.open for each in self.stats),
            max_connections=50,
            max_per_host=20,
            waiting=0,
            paused=False,
            acquires=12,
            served_by_open=6,
            leaked=0,
            places_by_server={each.server: each.open for each in self.stats},
            pools_by_server={each.server: 1 for each in self.stats},
        )

    def get_info(self):
        return self.stats

    def get_history(self):
        return ()


class Screen(House):
    """An engine in this process, and a console on it."""

    def __init__(self, folder):
        super().__init__(folder)
        self.resident = True
        self.pools = Pools()
        self.connections = (
            connection("A"),
            connection("B", contact="Branch B, +91 80 5550 0002"),
            connection("C"),
        )
        self.job(title="Daily sales", max_parallel=1, columns=("id",))
        self.shown = None

    @asynccontextmanager
    async def seen(self, *, linked=True):
        """The console; its engine is there from the start, or from `begin` on."""
        # As a configuration that names a zone has it read before there is a screen.
        await asyncio.to_thread(ZoneInfo, "UTC")
        await self.open()
        try:
            async with self.open_house() as door:
                with Guest(door) as guest:
                    link = Link()
                    self.begin = lambda: link.opened(guest)
                    if linked:
                        self.begin()
                    async with self.console(link) as self.shown:
                        yield self.shown
        finally:
            await self.close()

    def console(self, link):
        """A console on what a link leads to."""
        return cw.console(self.state, config=self.engine.config, engine=link, history=self.store)

    async def look(self):
        """The screen as it is after a look at the engine, a line each."""
        await self.shown.app.bridge.next(busy=True)
        self.shown.app.redraw()
        await self.shown.settle()
        return self.shown.lines

    async def row(self, name):
        """The words of the row that begins with a name."""
        lines = await self.look()
        [found] = [line for line in lines[2:] if line.split()[:1] == [name]]
        return " ".join(found.split())

    async def started(self):
        """Start the job as an operator does; its run."""
        await self.shown.press("2", "r")
        await until(lambda: "⏎ start" in self.shown.text)
        await self.shown.press("enter")
        await self.shown.worked()
        return self.engine.queue.handle(self.engine.get_all_progress()[-1].run)

    def hold_publishing(self):
        """Let the final target wait for the test, and no partial one before it."""
        held = Held()

        class Assembles:
            @staticmethod
            async def next():
                if self.happened(RunProgress)[-1].step == Step.SENDING:
                    await held.passed()

        self.parts.assembles = Assembles()
        return held

    def gate(self, connection, then):
        """Let the extract of a connection wait for the test, then end like this."""
        held = Held(then)
        self.leases.extracts[connection] = Script(held)
        return held


async def fails_on_screen(house, gates):
    """A connection fails, its run goes on and counts it."""
    gates[1].let_go()
    await gates[2].reached.wait()
    lines = await house.look()
    assert "1 failing" in lines[0]
    assert lines[2].endswith(" 67%")
    assert (await house.row("B")).startswith("B ✗ syntax – – 0.0s no such table")
    assert (await house.row("C")).startswith("C ◐ querying")


async def publishes_on_screen(house, gates, publishing):
    """A run's step, as the panel over any other view says it."""
    await house.shown.press("6")
    assert "│   fetching " in "\n".join(await house.look())
    gates[2].let_go()
    await publishing.reached.wait()
    assert "│   writing " in "\n".join(await house.look())
    assert "2/3 1 failed" in house.shown.text
    publishing.let_go()


async def completes_on_screen(house):
    """A run's result in the monitor, in passing, and in its own view."""
    screen = house.shown
    await screen.press("1")
    lines = await house.look()
    assert lines[0].startswith(" Monitor  0 running")
    assert "! with errors" in lines[2]
    assert "705" in lines[2].split()
    assert screen.told[-1].split("\n") == [
        "Daily sales completed with errors",
        "2 of 3 done, 1 failed, 705 rows, 0.0s",
        house.target,
    ]
    await screen.press("4")
    await until(lambda: "no such table" in screen.text)
    rows = [line.split() for line in await house.look()]
    assert ["1", "A", "✓", "completed", "700", "0.5s"] in rows
    assert ["3", "C", "✓", "completed", "5", "0.5s"] in rows


async def test_s0_52_a_run_with_its_connections_is_followed_from_its_start_to_its_end(tmp_path):
    """S0-55…S0-59, S0-61…S0-63, S0-66…S0-68, S0-70…S0-72, S0-128; M-1.

    Each event and what the documents call a method is a change of the screen: startJob with its
    total, updateJobStep, startConnection with its name, completeConnection with its rows,
    failConnection, and completeJob with its result.
    """
    house = Screen(tmp_path)
    answers = (700, failure(ErrorClass.SYNTAX, "no such table: sales"), 5)
    gates = [house.gate(name, answer) for name, answer in zip("ABC", answers, strict=True)]
    publishing = house.hold_publishing()
    async with house.seen() as screen:
        assert isinstance(screen.app, App)
        await house.engine.queue.pause("", paused=True)
        handle = await house.started()
        await screen.press("1")
        assert "1 queued" in (await house.look())[0]
        assert "Daily sales" in screen.lines[2]
        assert "· queued" in screen.lines[2]
        await house.engine.queue.pause("", paused=False)
        await gates[0].reached.wait()
        lines = await house.look()
        assert lines[0].startswith(" Monitor  1 running")
        assert lines[2].startswith(" ▾ Daily sales (3)")
        assert "◐ running" in lines[2]
        assert lines[2].endswith(" 0%")
        assert await house.row("A") == "A ◐ querying – – 0.0s"
        assert screen.told == ["Daily sales started, 3 connections"]
        gates[0].let_go()
        await gates[1].reached.wait()
        lines = await house.look()
        assert "700" in lines[2].split()
        assert lines[2].endswith(" 33%")
        assert "1/3 done" in lines[-2]
        assert "✓ 1 completed · 1 waiting" in screen.text
        assert (await house.row("B")).startswith("B ◐ querying")
        await fails_on_screen(house, gates)
        await publishes_on_screen(house, gates, publishing)
        assert (await handle.wait()).status is RunStatus.COMPLETED_WITH_ERRORS
        await completes_on_screen(house)


async def test_s0_60_what_a_connection_has_read_is_shown_while_it_reads(tmp_path, monkeypatch):
    """S0-69: updateConnectionProgress, with its step and its rows."""
    house = Screen(tmp_path)
    querying = house.gate("A", 700)
    writing, written = threading.Event(), fakes._written

    def slow(task, rows):
        writing.wait(30)
        return written(task, rows)

    monkeypatch.setattr(fakes, "_written", slow)
    try:
        async with house.seen() as screen:
            handle = await house.started()
            await screen.press("1")
            await querying.reached.wait()
            assert (await house.row("A")).startswith("A ◐ querying – ")
            querying.let_go()
            await until(lambda: house.engine.get_job_progress(handle.run).connections["A"].rows)
            assert (await house.row("A")).startswith("A ◐ fetching 700 ")
            writing.set()
            await handle.wait()
    finally:
        writing.set()


async def test_s0_64_a_run_that_fails_says_why_on_the_screen(tmp_path):
    """S0-73: failJob; S0-56: the errors of its connections stay with them."""
    house = Screen(tmp_path)
    house.job(connections=("B", "C"))
    house.leases.extracts["B"] = Script(failure(ErrorClass.TLS, "no certificate of B"))
    held = house.gate("C", failure(ErrorClass.TLS, "no certificate of C"))
    async with house.seen() as screen:
        handle = await house.started()
        await screen.press("1")
        await held.reached.wait()
        await house.look()
        held.let_go()
        assert (await handle.wait()).status is RunStatus.FAILED
        lines = await house.look()
        assert "✗ failed" in lines[2]
        assert screen.told[-1].startswith("Daily sales failed")
        for name in "BC":
            assert "✗ tls – – 0.0s no certificate" in await house.row(name)


async def test_s0_53_what_happens_reaches_the_screen_by_itself(tmp_path, monkeypatch):
    """S0-65: the console subscribes to the bus, and an event wakes what paints."""
    monkeypatch.setattr(bridge, "IDLE_S", 3600)
    house = Screen(tmp_path)
    async with house.seen() as screen:
        await screen.settle()
        assert "Nothing runs" in screen.text
        held = house.gate("A", 2)
        handle = await house.submit()
        # Nobody draws here but the console.
        await until(lambda: "Daily sales" in screen.text)
        await held.reached.wait()
        held.let_go()
        await handle.wait()


async def test_s0_54_after_five_minutes_the_engine_forgets_and_the_screen_asks_the_store(tmp_path):
    """S0-108: what completed without errors leaves the panel after 5 s and the engine after 300."""
    house = Screen(tmp_path)
    held = house.gate("A", 2)
    async with house.seen() as screen:
        handle = await house.started()
        await held.reached.wait()
        await house.look()
        held.let_go()
        await handle.wait()
        await house.look()
        assert "│ ▸ Daily sales" in screen.text
        house.clock.turn(5)
        await house.look()
        assert "│ ▸ Daily sales" not in screen.text
        await screen.press("4")
        assert "✓ completed  3/3" in (await house.look())[1]
        house.clock.turn(295)
        assert house.engine.get_all_progress() == ()
        await screen.press("1")
        await house.look()
        await until(lambda: "✓ completed" in screen.text)
        assert "3/3 at 23:05" in screen.lines[2]
        await screen.press("8")
        await house.look()
        await until(lambda: handle.run[-4:] in screen.text)


async def test_s0_102_views_come_when_the_engine_is_there(tmp_path):
    """What a view asks for is there when it is asked for, however late the engine comes."""
    house = Screen(tmp_path)
    async with house.seen(linked=False) as screen:
        assert "starting the engine" in screen.text
        await screen.press("5", "r")
        assert screen.app.view is None
        house.begin()
        await until(lambda: screen.app.view is not None)
        await screen.settle()
        assert "Nothing runs" in screen.text
        assert house.engine.get_all_progress() == ()


async def test_s0_94_to_s0_100_what_the_engine_answers_stands_in_the_views(tmp_path):
    """S0-74, S0-75, S0-94…S0-100, S0-120: pools, queue, runs that work and wait, and how far."""
    house = Screen(tmp_path)
    house.pools = Pools(
        pool(lent=4, idle=3, open=7), pool("postgresql n@10.0.0.6:5432/stock", "10.0.0.6:5432")
    )
    house.job(connections=("A",))
    house.job("stock", title="Stock of today", connections=("B",))
    held = house.gate("A", 700)
    async with house.seen() as screen:
        await (await house.submit("stock")).wait()
        first = await house.submit()
        await held.reached.wait()
        late = await house.submit("stock", delay_s=60)
        await screen.press("5")
        lines = await house.look()
        assert lines[0].startswith(" Pools  7 lent · 5 idle")
        assert (await house.row("10.0.0.5:1433/sales")).split()[1:3] == ["4", "3"]
        assert (await house.row("10.0.0.6:5432/stock")).split()[1:3] == ["3", "2"]
        await screen.press("6")
        lines = await house.look()
        assert "1 running · 1 waiting (1 delayed) · 1 completed · 0 failed" in lines[0]
        assert (await house.row(first.run[-4:])).split()[1:5] == ["Daily", "sales", "◐", "running"]
        assert "· delayed at 23:06" in await house.row(late.run[-4:])
        await screen.press("1")
        await house.look()
        for view in house.engine.get_all_progress():
            title = screen.app.desk.title_of(view.job)
            assert any(title in line for line in screen.lines)
        await screen.press("4")
        lines = await house.look()
        assert lines[0].startswith(f" Daily sales ▸ run {first.run[-4:]}")
        assert "◐ running  0/1 done" in lines[1]
        held.let_go()
        await first.wait()
