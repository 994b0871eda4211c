"""Servers are reached before sessions are opened; those that are down are nobody else's burden."""

import asyncio
import socket
import threading
from contextlib import ExitStack, contextmanager

import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.job import Connection
from etltui.domain.pools import PoolSettings
from etltui.engine.clock import SystemClock
from etltui.extractors import probe as module
from etltui.extractors.probe import Probe, ProbedSessions, place_of
from etltui.pool.manager import PoolManager
from unit.pool.pool_kit import Door

HOLES = 500


@contextmanager
def black_hole():
    """A port at which nothing is refused and nothing answers, on all of 127.x.y.z."""
    with ExitStack() as stack:
        deaf = stack.enter_context(socket.create_server(("0.0.0.0", 0), backlog=0))
        port = deaf.getsockname()[1]
        for _ in range(3):
            caller = stack.enter_context(socket.socket())
            caller.settimeout(0)
            caller.connect_ex(("127.0.0.1", port))
        yield port


@pytest.fixture
def hole():
    with black_hole() as port:
        yield port


@pytest.fixture
def healthy():
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        yield server.getsockname()[1]


def connection(name, host, port, **changes):
    made = {"name": name, "kind": "postgresql", "url": "", "host": host, "port": port}
    return Connection(**{**made, "database": name, **changes})


async def caught(work):
    with pytest.raises(Failure) as found:
        await work
    return found.value


async def test_a_server_that_listens_is_reached_and_left_again(healthy):
    reached = await Probe().reach("127.0.0.1", healthy)
    assert reached.resolve_s >= 0
    assert 0 <= reached.connect_s < 3


async def test_n_1_each_way_to_fail_is_told_from_the_others(hole):
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = server.getsockname()[1]
    refused = await caught(Probe().reach("127.0.0.1", closed))
    silent = await caught(Probe(0.05).reach("127.0.0.1", hole))
    unknown = await caught(Probe().reach("no-such-branch.invalid", 5432))
    no_route = await caught(Probe().reach("255.255.255.255", 5432))

    found = [(each.error_class, each.message) for each in (refused, silent, unknown, no_route)]
    assert found[0] == (ErrorClass.REFUSED, f"nothing listens at 127.0.0.1:{closed}")
    text = f"127.0.0.1:{hole} did not answer within 0.05 s"
    assert found[1] == (ErrorClass.UNREACHABLE, text)
    assert found[2][0] is ErrorClass.UNREACHABLE
    assert found[2][1].startswith("the name of no-such-branch.invalid:5432 is not known: ")
    assert found[3][0] is ErrorClass.UNREACHABLE
    assert found[3][1].startswith("255.255.255.255:5432 cannot be reached: ")


async def test_n_1_a_name_server_that_hangs_costs_the_limit_and_says_so(monkeypatch):
    let_go = threading.Event()
    monkeypatch.setattr(module.socket, "getaddrinfo", lambda *_, **__: let_go.wait(30) and [])
    try:
        failure = await caught(Probe(0.05).reach("branch.example", 5432))
    finally:
        let_go.set()
    assert failure.error_class is ErrorClass.UNREACHABLE
    assert "no name server answered" in failure.message


async def test_a_name_is_reached_at_the_first_of_its_addresses_that_answers(healthy, monkeypatch):
    infos = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, healthy))
        for address in ("127.0.0.2", "127.0.0.1")
    ]
    monkeypatch.setattr(module.socket, "getaddrinfo", lambda *_, **__: infos)
    await Probe().reach("branch.example", healthy)


async def test_a_server_is_reached_once_for_all_who_ask_together(healthy):
    probe, made = Probe(), []
    first = module._first

    async def counted(*arguments):
        made.append(arguments)
        await first(*arguments)

    module._first = counted
    try:
        await asyncio.gather(*(probe.reach("127.0.0.1", healthy) for _ in range(20)))
        await probe.reach("127.0.0.1", healthy)
    finally:
        module._first = first
    assert len(made) == 2


async def test_who_gives_up_does_not_end_it_for_the_others(hole):
    probe = Probe(0.2)
    one, other = (asyncio.create_task(probe.reach("127.0.0.1", hole)) for _ in range(2))
    await asyncio.sleep(0)
    one.cancel()
    assert (await caught(other)).error_class is ErrorClass.UNREACHABLE


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({}, ("h", 5432)),
        ({"host": ""}, None),
        ({"port": 0}, None),
        ({"host": "/run/postgresql"}, None),
        ({"options": {"instance": "SQLEXPRESS"}}, None),
    ],
)
def test_only_what_says_where_it_listens_is_reached(changes, place):
    made = {"host": "h", "port": 5432, **changes}
    assert place_of(connection("A", **made)) == place


async def test_n_1_hundreds_that_are_down_delay_nobody_who_is_up(hole, healthy):
    """More black holes than places, all of one credential, asked before the one that is up."""
    door = Door()
    manager = PoolManager(
        ProbedSessions(door, Probe()),
        clock=SystemClock(),
        settings=PoolSettings(max_connections=4, max_per_host=2),
    )

    async def ask(wanted):
        async with manager.lease(wanted) as session:
            return session.number

    down = [
        connection(f"D{n}", f"127.0.{1 + n // 250}.{1 + n % 250}", hole, credential="etl")
        for n in range(HOLES)
    ]
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(caught(ask(each))) for each in down]
        await asyncio.sleep(0)
        up = connection("UP", "127.0.0.1", healthy, credential="etl")
        assert await ask(up) == 1
        assert not any(task.done() for task in asked)
    assert {task.result().error_class for task in asked} == {ErrorClass.UNREACHABLE}
    assert door.tried == ["UP"]
    await manager.aclose()
