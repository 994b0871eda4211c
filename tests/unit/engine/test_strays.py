"""What the engine's process holds although its work is over is told once, and nothing else is."""

import asyncio
import gc
import logging
import os
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack, suppress
from itertools import zip_longest

import pytest

from etltui.domain.strays import Stray
from etltui.engine import holdings
from etltui.engine.holdings import Holding, Holdings
from etltui.engine.strays import MOST_SHOWN, StrayWatch
from fakes import TurnedClock
from unit.pool.pool_kit import Room, connection

PATIENCE_S = 60


@pytest.fixture
def clock():
    return TurnedClock()


@pytest.fixture
def told(caplog):
    def lines():
        return [each.message for each in caplog.records if each.message.startswith("Leak")]

    caplog.set_level(logging.WARNING)
    return lines


class Process:
    """One whose holdings a test says, and the watch over it."""

    def __init__(self, clock):
        self.clock = clock
        self.held = {}
        self.watch = StrayWatch(self.look, clock)

    async def look(self):
        return list(self.held.values())

    def hold(self, name, **more):
        self.held[name] = Holding(kind="thread", key=name, name=name, **more)

    async def beat(self, seconds):
        for _ in range(seconds):
            await self.watch.look(PATIENCE_S)
            self.clock.turn(1)
        await self.watch.look(PATIENCE_S)

    @property
    def names(self):
        return [each.name for each in self.watch.strays]


@pytest.fixture
def process(clock):
    return Process(clock)


async def test_what_was_there_from_the_start_stays(process):
    process.hold("pulse")
    await process.beat(2 * PATIENCE_S)
    assert process.names == []


async def test_what_nothing_at_work_accounts_for_is_told_once_and_as_long_as_it_is_held(
    process, told
):
    await process.beat(1)
    process.hold("lost")
    await process.beat(PATIENCE_S - 1)
    assert process.names == []
    await process.beat(1)
    assert process.watch.strays == (Stray(kind="thread", name="lost", seconds=PATIENCE_S),)
    await process.beat(10)
    said = "Leak: thread lost is held for 60 s, and what it was made for has ended"
    assert told() == [said]
    process.held.clear()
    await process.beat(1)
    assert process.names == []


async def test_what_is_younger_than_work_may_be_its_own(process):
    await process.beat(1)
    process.hold("run A", works=True)
    await process.beat(1)
    process.hold("of A")
    await process.beat(3 * PATIENCE_S)
    assert process.names == []
    process.hold("run B", works=True)
    del process.held["run A"]
    await process.beat(1)
    # Run B began after it: it is nobody's.
    assert process.names == ["of A"]


async def test_a_patience_of_nothing_is_a_short_one(process):
    await process.watch.look(0)
    process.hold("about to end")
    await process.watch.look(0)
    assert process.names == []


async def test_the_longest_held_are_shown_first_and_not_all_of_very_many(process):
    await process.beat(1)
    for number in range(MOST_SHOWN + 5):
        process.hold(f"{number}")
        await process.watch.look(PATIENCE_S)
        process.clock.turn(1)
    await process.beat(PATIENCE_S)
    assert process.names == [f"{number}" for number in range(MOST_SHOWN)]


class Real:
    """This very process, with a watch over it."""

    def __init__(self, clock, folder):
        self.clock = clock
        self.state = folder / "state"
        (self.state / "parts").mkdir(parents=True)
        self.pids, self.lines = set(), set()
        ends = (self.pids, self.lines)
        self.holdings = Holdings(self.state, lambda: zip_longest(*ends, fillvalue=-1))
        self.watch = StrayWatch(self.holdings, clock)

    async def names(self):
        return [f"{each.kind} {each.name}" for each in await self.holdings()]

    async def has(self, word):
        return any(word in name for name in await self.names())


@pytest.fixture
def real(clock, tmp_path):
    return Real(clock, tmp_path)


def descriptor(stack, folder):
    stack.enter_context((folder / "rows.csv").open("w"))
    return "descriptor", "rows.csv"


def part(stack, folder):
    stack.enter_context((folder / "state" / "parts" / "7.part").open("w"))
    return "descriptor", "7.part"


def pipe(stack, _):
    for end in os.pipe():
        stack.callback(os.close, end)
    return "descriptor", "pipe:"


def sockets(stack, _):
    server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    port = server.getsockname()[1]
    stack.enter_context(socket.create_connection(("127.0.0.1", port)))
    return "descriptor", f"to 127.0.0.1:{port}"


def thread(stack, _):
    end = threading.Event()
    made = threading.Thread(target=end.wait, name="forgotten", daemon=True)
    made.start()
    stack.callback(made.join)
    stack.callback(end.set)
    return "thread", "forgotten, wait"


def task(stack, _):
    async def forgotten():
        await asyncio.Event().wait()

    made = asyncio.create_task(forgotten(), name="lease of nobody")
    stack.callback(made.cancel)
    return "task", "lease of nobody, task.<locals>.forgotten at "


def child(stack, _, *words):
    made = subprocess.Popen([sys.executable, "-c", "input()", *words], stdin=subprocess.PIPE)
    stack.enter_context(made)
    stack.callback(made.kill)
    return "process", f"{made.pid}: {sys.executable} -c input()"


def zombie(stack, _):
    made = subprocess.Popen(["true"])
    os.waitid(os.P_PID, made.pid, os.WEXITED | os.WNOWAIT)
    stack.callback(made.wait)
    return "process", f"{made.pid}: ended, and never asked how"


@pytest.mark.parametrize("leak", [descriptor, part, pipe, sockets, thread, task, child, zombie])
async def test_s4_30_a_leak_is_caught_with_its_holder(real, leak, tmp_path, told):
    await real.watch.look(PATIENCE_S)
    with ExitStack() as stack:
        kind, name = leak(stack, tmp_path)
        for _ in range(PATIENCE_S):
            await real.watch.look(PATIENCE_S)
            real.clock.turn(1)
        found = [each for each in real.watch.strays if each.kind == kind]
        assert not found
        await real.watch.look(PATIENCE_S)
        found = [each.name for each in real.watch.strays if each.kind == kind]
        assert any(name in each for each in found), real.watch.strays
        assert any(name in line for line in told())
    await asyncio.sleep(0)
    await real.watch.look(PATIENCE_S)
    assert not [each for each in real.watch.strays if name in each.name]


def test_what_ends_while_it_is_looked_at_still_has_a_key():
    thread = threading.Thread()
    key = holdings._key(thread)
    del thread
    gc.collect()
    assert key() is None
    assert hash(key) == hash(key)  # a dead object gives none: it was taken before


async def test_what_stays_by_design_is_no_leak(real):
    with ExitStack() as stack:
        stack.enter_context((real.state / "state.db").open("w"))
        stack.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        ours, theirs = socket.socketpair()
        stack.enter_context(ours)
        stack.enter_context(theirs)
        real.lines |= {ours.fileno(), theirs.fileno()}
        end = threading.Event()
        stack.callback(end.set)
        for name in ("asyncio_3", "session 4"):
            threading.Thread(target=end.wait, name=name, daemon=True).start()
        pulse = asyncio.create_task(asyncio.Event().wait(), name="pulse")
        stack.callback(pulse.cancel)
        _, command = child(stack, None)
        real.pids.add(int(command.partition(":")[0]))
        assert await real.has("pipe:")
        # The loop has a pair of sockets of its own, which was there from the start.
        numbers = [f"descriptor {number}:" for number in real.lines]
        for word in (
            str(real.state),
            "null",
            "asyncio_3",
            "session 4",
            "pulse",
            "input()",
            *numbers,
        ):
            assert not await real.has(word), word


async def test_who_called_is_no_leak_and_a_line_that_nobody_serves_is(real, tmp_path):
    with ExitStack() as stack:
        server = stack.enter_context(socket.socket(socket.AF_UNIX))
        server.bind(str(tmp_path / "engine.sock"))
        server.listen()
        caller = stack.enter_context(socket.socket(socket.AF_UNIX))
        caller.connect(str(tmp_path / "engine.sock"))
        stack.enter_context(server.accept()[0])
        number = caller.fileno()
        named = [name for name in await real.names() if "engine.sock" in name]
        assert named == [f"descriptor {number}: socket {_key(number)} to {tmp_path}/engine.sock"]
        server.close()
        assert len([name for name in await real.names() if "engine.sock" in name]) == 2


def _key(number):
    return f"socket {os.fstat(number).st_ino}"


async def test_a_browsers_tab_is_no_leak_and_a_screens_task_neither(real):
    with ExitStack() as stack:
        child(stack, None, "etltui", "console")
        assert not await real.has("console")
    drawn = compile("async def drawn(): await wait()", "/x/etltui/console/app.py", "exec")
    names = {"wait": asyncio.Event().wait}
    exec(drawn, names)
    drawing = asyncio.create_task(names["drawn"](), name="drawing")
    assert not await real.has("drawing")
    drawing.cancel()
    with suppress(asyncio.CancelledError):
        await drawing


@pytest.mark.parametrize(
    "leases", [6000, pytest.param(120_000, marks=[pytest.mark.slow, pytest.mark.timeout(300)])]
)
async def test_s4_30_leases_by_the_thousand_are_no_leak(real, leases):
    room = Room(max_connections=20)
    room.manager.start()

    async def borrow():
        async with room.manager.lease(connection("one", host="h")):
            await asyncio.sleep(0)

    each = leases // (2 * PATIENCE_S)
    for _ in range(2 * PATIENCE_S):
        await asyncio.gather(*(asyncio.create_task(borrow()) for _ in range(each)))
        room.clock.turn(1)
        real.clock.turn(1)
        await real.watch.look(PATIENCE_S)
    assert real.watch.strays == ()
    assert (room.metrics.leaked, room.metrics.leaks) == (0, ())
    await room.manager.aclose()
