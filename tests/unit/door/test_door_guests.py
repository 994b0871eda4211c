"""Who may come in, and what becomes of clients that do not keep to the rules."""

import asyncio
import os
import socket
from dataclasses import replace

import pytest

from door_kit import SmallBus, until
from etltui.domain.errors import EtltuiError, StateError
from etltui.domain.events import LineDown, Overflow, RunQueued
from etltui.domain.job import Credential
from etltui.door import client, protocol, server
from etltui.door.client import NoDoorError, open_door
from etltui.door.protocol import HEAD, Answer, News, NoMoreNews, Refused
from etltui.door.visit import CALLS_AT_ONCE


async def test_the_socket_is_its_owners_alone(house):
    async with house.open_house():
        assert (house.state / "engine.sock").stat().st_mode & 0o777 == 0o600
        assert house.state.stat().st_mode & 0o777 == 0o700


async def test_the_socket_is_private_whatever_the_umask_says(house):
    before = os.umask(0)
    try:
        async with house.open_house():
            assert (house.state / "engine.sock").stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)


async def test_another_user_is_not_let_in(house):
    house.uids = {os.geteuid() + 1}
    async with house.open_house():
        with pytest.raises(NoDoorError, match="does not answer"):
            async with open_door(house.state):
                pass


async def test_there_is_room_for_so_many_and_for_the_next_when_one_leaves(house, monkeypatch):
    monkeypatch.setattr(server, "MOST_CLIENTS", 1)
    async with house.open_house() as door:
        async with open_door(house.state):
            with pytest.raises(NoDoorError):
                async with open_door(house.state):
                    pass
        await until(lambda: not door._visits)
        async with open_door(house.state) as remote:
            assert await remote.snapshot() == house.engine.snapshot()


async def test_what_a_dead_engine_left_is_replaced(house):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(house.state / "engine.sock"))
    with pytest.raises(NoDoorError):
        async with open_door(house.state):
            pass
    async with house.visited() as (_, remote):
        assert await remote.snapshot() == house.engine.snapshot()


async def test_a_folder_in_the_sockets_place_is_told(house):
    (house.state / "engine.sock").mkdir()
    with pytest.raises(StateError, match="no socket can be made"):
        async with house.open_house():
            pass


async def test_an_engine_of_another_version_is_told(house, monkeypatch):
    monkeypatch.setattr(client, "VERSION", 2)
    async with house.open_house():
        with pytest.raises(EtltuiError, match="speaks version 1 and this program 2"):
            async with open_door(house.state):
                pass


@pytest.mark.parametrize(
    ("said", "hangs_up"),
    [
        (HEAD.pack(protocol.MAX_CALL + 1), False),
        (HEAD.pack(3) + b"abc", False),
        (HEAD.pack(1) + b"\x80", False),
        (HEAD.pack(100) + b"half", True),
    ],
)
async def test_who_talks_nonsense_is_sent_away_and_nobody_else(house, said, hangs_up):
    async with house.visited() as (_, remote):
        async with house.stranger() as stranger:
            await stranger.hear()
            stranger.writer.write(said)
            if hangs_up:
                stranger.writer.write_eof()
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await stranger.hear()
        assert await remote.snapshot() == house.engine.snapshot()


async def test_a_call_that_cannot_be_understood_is_refused_and_the_next_is_answered(house):
    async with house.open_house(), house.stranger() as stranger:
        await stranger.hear()
        stranger.say("stop", reason="mine")
        assert "knows no call 'stop'" in (await stranger.hear())[1].text
        stranger.say("cancel", run=["x"])
        assert "cannot be understood" in (await stranger.hear())[1].text
        stranger.say("cancel")
        assert "see its log: TypeError" in (await stranger.hear())[1].text
        stranger.say("get_queue_metrics")
        assert isinstance((await stranger.hear())[1], Answer)


async def test_more_calls_than_are_served_at_once_wait(house):
    held = house.hold()
    async with house.open_house() as door, house.stranger() as stranger:
        await stranger.hear()
        stranger.say("submit", job="sales")
        _, submitted = await stranger.hear()
        await held.reached.wait()
        for number in range(50):
            stranger.say("wait", number, run=submitted.value)
        (visit,) = door._visits
        await until(lambda: len(visit._calls) == CALLS_AT_ONCE)
        for _ in range(100):
            await asyncio.sleep(0)
        assert len(visit._calls) == CALLS_AT_ONCE
        held.let_go()
        answers = [(await stranger.hear())[1] for _ in range(50)]
    assert sorted(answer.id for answer in answers) == list(range(50))


async def test_a_client_that_does_not_read_holds_nobody_up_and_is_told_what_it_lost(house):
    house.bus = SmallBus(house.record)
    house.renew()
    async with house.visited() as (door, remote), house.stranger() as slow:
        await slow.hear()
        slow.say("follow")
        await slow.hear()
        (visit,) = [each for each in door._visits if each._events]
        for number in range(20_000):
            news = RunQueued(at=0.0, run=f"r{number}", job="sales", priority=1, owner="x" * 99)
            house.bus.publish(news)
            await asyncio.sleep(0)
        buffered = visit._writer.transport.get_write_buffer_size()
        assert buffered < 1024 * 1024
        assert await remote.snapshot() == house.engine.snapshot()
        heard = 0
        while True:
            _, message = await slow.hear()
            assert isinstance(message, News)
            heard += 1
            if message.kind == "Overflow":
                break
        assert 0 < message.event["lost"] < 20_000
        assert heard + message.event["lost"] <= 20_001


async def test_who_follows_one_run_is_told_what_it_lost_too(house):
    house.bus = SmallBus(house.record)
    house.renew()
    async with house.visited() as (_, remote):
        await remote.collect()
        for number in range(60):
            house.bus.publish(RunQueued(at=0.0, run=f"r{number}", job="sales", priority=1))
        await remote.enough()
        (lost,) = [event async for event in remote.events(["r7"])]
    assert lost == Overflow(at=0.0, lost=50)


async def test_n_3_who_follows_one_run_hears_of_lines_that_are_down_too(house):
    down = LineDown(at=0.0, line="gateway north", connections=("b",), error="no answer")
    async with house.visited() as (_, remote):
        await remote.collect()
        house.bus.publish(RunQueued(at=0.0, run="r1", job="sales", priority=1))
        house.bus.publish(down)
        await remote.enough()
        assert [event async for event in remote.events(["r7"])] == [down]


async def test_who_only_follows_is_told_that_nothing_more_comes(house):
    async with house.open_house() as door, house.stranger() as stranger:
        await stranger.hear()
        stranger.say("follow")
        await stranger.hear()
        await door.aclose()
        assert isinstance((await stranger.hear())[1], NoMoreNews)
        with pytest.raises(asyncio.IncompleteReadError):
            await stranger.hear()


async def test_a_client_that_never_reads_does_not_keep_the_door_open(house, monkeypatch):
    monkeypatch.setattr(server, "LEAVING_S", 0.01)
    async with house.open_house() as door, house.stranger() as slow:
        await slow.hear()
        slow.say("follow")
        await slow.hear()
        for number in range(5_000):
            house.bus.publish(RunQueued(at=0.0, run=f"{number}", job="sales", priority=1))
        await door.aclose()
        assert not door._visits


async def test_a_client_that_hangs_up_takes_its_calls_along_and_leaves_its_run(house):
    held = house.hold()
    async with house.open_house() as door:
        async with house.stranger() as stranger:
            await stranger.hear()
            stranger.say("submit", job="sales")
            _, submitted = await stranger.hear()
            await held.reached.wait()
            stranger.say("wait", run=submitted.value)
        await until(lambda: not door._visits)
        await until(lambda: not any("call" in each.get_name() for each in asyncio.all_tasks()))
        assert [entry.run for entry in house.engine.get_running_jobs()] == [submitted.value]
        ending = house.engine.queue.handle(submitted.value)
        held.let_go()
        assert (await ending.wait()).completed == 3


async def test_no_secret_crosses_the_socket(house):
    """N-21."""
    canary = "canary-5f3a"
    config = house.engine.config
    login = Credential(name="tills", user="reader", password=f"cmd:echo {canary}")
    await house.engine.reload(replace(config, credentials={"tills": login}))
    heard = b""
    async with house.open_house(), house.stranger() as stranger:
        heard += (await stranger.hear())[0]
        stranger.say("submit", job="sales")
        body, submitted = await stranger.hear()
        heard += body
        calls = {"wait": {"run": submitted.value}, "check": {"job": "sales"}}
        plain = [name for name in protocol.CALLS if name.startswith("get_") and "job_p" not in name]
        for name in (*calls, *plain, "snapshot", "collect", "follow", "enough"):
            stranger.say(name, **calls.get(name, {}))
            message = None
            while not isinstance(message, Answer | Refused):
                body, message = await stranger.hear()
                heard += body
            assert isinstance(message, Answer), message
    assert b"sales" in heard
    assert canary.encode() not in heard
