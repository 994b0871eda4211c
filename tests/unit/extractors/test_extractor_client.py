"""The client against a peer that the test plays itself."""

import asyncio
import logging
import socket

import pytest

import extractor_kit as kit
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.task import Progress
from etltui.extractors import protocol as p
from etltui.extractors.client import ExtractorClient, LateFailure


class Body:
    """A body that only counts."""

    def __init__(self, *, ends=True):
        self.kills = 0
        self.ends = ends

    def kill(self):
        self.kills += 1

    def join(self, _timeout):
        return self.ends


class Owner:
    """An owner that only remembers."""

    def __init__(self):
        self.gone_ = []
        self.stuck_ = []

    def gone(self, client):
        self.gone_.append(client)
        client.kill()

    def stuck(self, client):
        self.stuck_.append(client)


class Peer:
    """The other end of a client's socket."""

    def __init__(self):
        self.owner, self.body = Owner(), Body()
        self.client = ExtractorClient(self.owner, self.body)

    async def connect(self):
        ours, theirs = socket.socketpair()
        await self.client.connect(ours)
        self.reader, self.writer = await asyncio.open_connection(sock=theirs)
        return self

    def say(self, message):
        self.writer.write(p.frame(message))

    async def hear(self):
        async with asyncio.timeout(kit.LONG):
            length = p.body_length(await self.reader.readexactly(p.HEAD.size))
            return p.down(await self.reader.readexactly(length))

    def ask(self, progress=None):
        """A request under way and its id."""
        message = p.Ping(id=self.client.number(), session=1)
        return asyncio.create_task(self.client.request(message, progress)), message.id

    async def hang_up(self):
        self.writer.close()
        await self.writer.wait_closed()


@pytest.fixture
async def peer():
    made = await Peer().connect()
    yield made
    await made.hang_up()
    await made.client.aclose()


async def test_an_answer_finds_its_request_whatever_the_order(peer):
    (one, first), (two, second) = peer.ask(), peer.ask()
    assert [(await peer.hear()).id, (await peer.hear()).id] == [first, second]
    peer.say(p.Done(id=second, delivered=True))
    peer.say(p.Failed(id=first, error_class="busy", message="locked", facts={"by": "me"}))
    assert (await two).delivered
    with pytest.raises(Failure, match="locked") as caught:
        await one
    assert (caught.value.error_class, caught.value.facts) == (ErrorClass.BUSY, {"by": "me"})
    assert not peer.client.busy


async def test_unknown_ids_second_answers_and_late_progress_are_ignored(peer):
    heard = []
    work, number = peer.ask(heard.append)
    beat = p.Beat(progress=(Progress(request=number, step="s", rows=1, bytes=1),), pss=7)
    peer.say(p.Done(id=999))
    peer.say(p.Failed(id=998, error_class="internal", message=""))
    peer.say(beat)
    peer.say(p.Done(id=number))
    peer.say(p.Failed(id=number, error_class="internal", message="twice"))
    await work
    peer.say(beat)
    again, number = peer.ask()
    peer.say(p.Done(id=number))
    await again
    assert len(heard) == 1
    assert peer.client.pss == 7
    assert peer.client.alive


async def test_a_listener_that_fails_costs_nobody_anything(peer, caplog):
    def fail(_):
        raise ZeroDivisionError

    work, number = peer.ask(fail)
    peer.say(p.Beat(progress=(Progress(request=number, step="s", rows=1, bytes=1),)))
    peer.say(p.Done(id=number))
    await work
    assert peer.client.alive
    assert "listener" in caplog.text


@pytest.mark.parametrize(
    "noise",
    [p.HEAD.pack(p.MAX_MESSAGE + 1), p.HEAD.pack(3) + b"\xff\xff\xff", p.HEAD.pack(0)],
)
async def test_a_peer_that_breaks_the_protocol_is_ended(peer, noise, caplog):
    work, _ = peer.ask()
    peer.writer.write(noise)
    with pytest.raises(Failure) as caught:
        await work
    assert caught.value.error_class == ErrorClass.DRIVER_CRASH
    assert peer.body.kills
    assert "protocol" in caplog.text


async def test_a_death_fails_all_that_wait_and_what_comes_after(peer):
    works = [peer.ask()[0] for _ in range(3)]
    await peer.hear()
    await peer.hang_up()
    for work in works:
        with pytest.raises(Failure, match="died"):
            await work
    with pytest.raises(Failure, match="died"):
        await peer.ask()[0]
    assert peer.owner.gone_ == [peer.client]
    assert not peer.client._answers
    await peer.client.close_session(1)
    peer.client.forget_session(1)


async def test_a_cancel_is_sent_and_its_answer_awaited(peer):
    work, number = peer.ask()
    await peer.hear()
    work.cancel()
    assert await peer.hear() == p.Cancel(id=number)
    assert not work.done()
    peer.say(p.Failed(id=number, error_class="cancelled", message="cancelled"))
    with pytest.raises(asyncio.CancelledError):
        await work
    assert not peer.owner.stuck_


async def test_an_answer_that_overtakes_the_cancel_does_not_count(peer):
    work, number = peer.ask()
    await peer.hear()
    peer.client._take(p.Done(id=number))
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert not peer.owner.stuck_
    assert not peer.client._answers


async def test_no_answer_to_a_cancel_is_stuck_also_for_who_stopped_waiting(peer):
    work, _ = peer.ask()
    await peer.hear()
    work.cancel()
    await peer.hear()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert peer.client.busy
    assert not peer.owner.stuck_
    await kit.until(lambda: peer.owner.stuck_)
    assert not peer.client.busy


async def test_a_death_during_the_grace_is_no_stuck(peer):
    work, _ = peer.ask()
    await peer.hear()
    work.cancel()
    await peer.hear()
    await peer.hang_up()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert not peer.owner.stuck_


async def test_a_loop_that_was_held_up_is_not_the_extractors_fault(peer, monkeypatch):
    work, number = peer.ask()
    await peer.hear()
    work.cancel()
    await peer.hear()
    loop = asyncio.get_running_loop()
    now = loop.time
    # The answer is on its way while the loop does something else for an hour.
    monkeypatch.setattr(loop, "time", lambda: now() + 3600)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    peer.say(p.Done(id=number))
    with pytest.raises(asyncio.CancelledError):
        await work
    assert not peer.owner.stuck_


async def test_a_late_answer_fails_its_request_and_says_that_it_is_late(peer):
    work, number = peer.ask()
    peer.say(p.Failed(id=number, error_class="timeout", message="too long", late=True))
    with pytest.raises(LateFailure, match="too long"):
        await work
    assert not peer.owner.stuck_


async def test_what_cannot_be_sent_is_a_failure_and_leaves_nothing(peer):
    for folder in ("\udce9", "x" * p.MAX_MESSAGE):
        with pytest.raises(Failure, match="cannot be sent") as caught:
            await peer.client.request(p.Verify(id=1, folder=folder, receipts=()))
        assert caught.value.error_class == ErrorClass.INTERNAL
    assert not peer.client._answers


async def test_closing_a_session_never_raises(peer):
    closing = asyncio.create_task(peer.client.close_session(5))
    asked = await peer.hear()
    assert asked.session == 5
    peer.say(p.Failed(id=asked.id, error_class="internal", message="no such session"))
    await closing


async def test_aclose_says_quit_and_is_bounded_when_nobody_reads():
    peer = await Peer().connect()
    peer.writer.transport.pause_reading()
    flood = p.Verify(id=peer.client.number(), folder="x" * 8_000_000, receipts=())
    work = asyncio.create_task(peer.client.request(flood))
    await asyncio.sleep(0)
    await asyncio.wait_for(peer.client.aclose(), 2 + kit.SLACK)
    with pytest.raises(Failure):
        await work
    assert peer.body.kills
    await peer.hang_up()


async def test_aclose_tells_of_a_body_that_stays(caplog):
    peer = await Peer().connect()
    peer.body.ends = False
    closing = asyncio.create_task(peer.client.aclose())
    assert isinstance(await peer.hear(), p.Quit)
    await peer.hang_up()
    with caplog.at_level(logging.WARNING):
        await closing
    assert "not ended" in caplog.text


async def test_a_client_that_was_never_connected_closes():
    client = ExtractorClient(Owner(), Body())
    await client.aclose()
    assert not client.alive


async def test_a_connect_that_is_cancelled_leaves_no_socket():
    for pause in range(1, 6):
        ours, theirs = socket.socketpair()
        client = ExtractorClient(Owner(), Body())
        connecting = asyncio.create_task(client.connect(ours))
        for _ in range(pause):
            await asyncio.sleep(0)
        connecting.cancel()
        await asyncio.wait({connecting})
        theirs.close()
        await client.aclose()
        assert ours.fileno() == -1
