"""The console and all that works beneath it in one process: the real engine, pools and store."""

import asyncio
import os
import re
from contextlib import aclosing, asynccontextmanager

import psutil
import pytest
import tomli_w
from textual.app import App

import console_world as cw
from etltui.bootstrap import open_history
from etltui.cli import demo
from etltui.cli.demo_data import Demo
from etltui.cli.link import Link
from etltui.cli.request import own_engine
from etltui.config.load import load
from etltui.door.guest import Guest
from functional.cli_kit import locked

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
async def folder(tmp_path):
    """The demo's folder; branch 2 answers nobody."""
    made = tmp_path / "demo"
    await asyncio.to_thread(demo.prepare, made, Demo(seed=3, branches=6, rows=50))
    with locked(made, 2):
        yield made


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    """What a test writes there is gone after it."""
    monkeypatch.setattr(os, "environ", dict(os.environ))


@asynccontextmanager
async def console(folder):
    """An engine, and a console on it, in this process."""
    config = await asyncio.to_thread(load, folder / "config.toml", environ={})
    state = folder / "state"
    async with own_engine(config, state, resident=True) as (engine, door):
        with Guest(door) as guest:
            link = Link()
            link.opened(guest)
            history = await open_history(state)
            made = cw.console(state, config=config, engine=link, history=history, size=cw.LARGE)
            async with aclosing(history), made as screen:
                yield engine, screen


async def shown(screen, pattern):
    """Look at the engine until the screen has what fits; that."""
    while not (found := re.search(pattern, screen.text)):
        await screen.app.bridge.next(busy=True)
        screen.app.redraw()
        await screen.settle()
    return found


def listening(process):
    """Where a process waits for whoever comes over a network."""
    return [each.laddr for each in process.net_connections("inet") if each.status == "LISTEN"]


async def test_m_2_the_screen_the_queue_and_the_pools_are_one_process(folder):
    """M-1…M-3, S0-94…S0-97: a Textual application with live trees, bars, gauges and charts."""
    own = psutil.Process()
    before = own.children(), listening(own)
    async with console(folder) as (engine, screen):
        assert isinstance(screen.app, App)
        await engine.submit("gst_sales")
        await shown(screen, "✓ 5 completed")
        assert re.search(r"▾ GST sales, all branches \(6\) +◐ running .* █+\S* +83%", screen.text)
        assert re.search(r"branch_002 +[◐↻] ", screen.text)
        (run,) = engine.get_running_jobs()
        assert run.job == "gst_sales"
        await screen.press("5")
        await shown(screen, r"▸ sqlite \(6 files\)")
        found = await shown(screen, r"all +(\d+) █\S* +(\d+)/50 (\d+) pools")
        numbers = engine.get_pool_metrics()
        assert (int(found[1]), int(found[3])) == (numbers.max_connections, numbers.total_pools)
        assert len(engine.get_pool_info()) == 6
        await screen.press("6")
        await shown(screen, "1 running · 0 waiting")
        assert engine.get_queue_metrics().running == 1
        # No server: its children are extractors, and no port is listened to.
        begun = set(own.children()) - set(before[0])
        assert begun
        assert all(each.name().startswith("python") for each in begun)
        assert listening(own) == before[1]


async def test_m_5_memory_and_processor_on_the_screen_are_those_of_the_processes(folder):
    """M-5 (psutil), S0-137."""
    async with console(folder) as (engine, screen):
        await engine.submit("gst_sales")
        await screen.press("7")
        found = await shown(screen, r"cpu +(\d+) ?% .*memory +(\d+)M")
        await shown(screen, r"mem [1-9]\d*M/")
        assert int(found[2]) > 0


async def test_s0_101_settings_that_are_applied_on_the_screen_hold_everywhere(folder, monkeypatch):
    """S0-85…S0-88, S0-91…S0-93, S0-130, M-3, M-5 (tomli-w): pools, queue, environment and file."""
    written = []
    dumps = tomli_w.dumps
    monkeypatch.setattr(tomli_w, "dumps", lambda *args: written.append(args) or dumps(*args))
    changes = {"connection_timeout_s": 25, "pool_size": 15, "max_connections": 40, "max_jobs": 3}
    async with console(folder) as (engine, screen):
        await screen.press("comma")
        await shown(screen, "  pool_size +20")
        for name, value in changes.items():
            screen.app.view.table.go_to(name)
            await screen.press("enter", "ctrl+u", *str(value), "enter")
            await screen.worked()
        await shown(screen, "4 changed, not applied")
        assert engine.get_pool_metrics().max_connections == 50
        await screen.press("a")
        await shown(screen, "4 settings hold now|Apply 4 changes")
        if "Apply 4 changes" in screen.text:
            await screen.press("enter")
        await screen.worked()
        for name, value in changes.items():
            await shown(screen, f"  {name} +{value} +\\d+–\\d+ +local")
            assert getattr(engine.config.settings, name) == value
        assert engine.get_pool_metrics().max_connections == 40
        assert engine.queue.queue.limit == 3
    assert os.environ["DB_POOL_MAX"] == "15"
    assert os.environ["DB_CONNECTION_TIMEOUT"] == "25000"
    assert os.environ["MAX_CONCURRENT_CONNECTIONS"] == "40"
    assert os.environ["JOB_QUEUE_MAX_CONCURRENT"] == "3"
    assert written[-1][0]["settings"] == changes
