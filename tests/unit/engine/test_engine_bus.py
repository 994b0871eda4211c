"""What a subscriber reads: everything in order, but of progress only the newest."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etltui.domain.events import (
    ConnectionProgress,
    ConnectionStarted,
    Overflow,
    RunProgress,
    Topic,
)
from etltui.engine.bus import BACKLOG, Backlog, Bus


def progress(rows, connection="A", run="r"):
    return ConnectionProgress(
        at=1.0,
        run=run,
        job="j",
        connection=connection,
        step="Executing query",
        rows=rows,
    )


def percent(value, run="r"):
    return RunProgress(
        at=1.0,
        run=run,
        job="j",
        step="s",
        percent=value,
        completed=0,
        failed=0,
        total=1,
        rows=0,
    )


def started(tries, connection="A"):
    return ConnectionStarted(at=1.0, run="r", job="j", connection=connection, tries=tries)


async def read(backlog):
    backlog.end()
    return [event async for event in backlog]


async def test_newer_progress_replaces_older_of_the_same_run_connection():
    backlog = Backlog()
    for event in (progress(1), progress(5, "B"), progress(2), progress(3, run="other"), percent(1)):
        backlog.put(event)
    backlog.put(percent(2))
    assert await read(backlog) == [
        progress(5, "B"),
        progress(2),
        progress(3, run="other"),
        percent(2),
    ]


async def test_progress_is_never_read_before_a_status_that_came_earlier():
    backlog = Backlog()
    for event in (started(1), progress(90), started(2), progress(5)):
        backlog.put(event)
    assert await read(backlog) == [started(1), started(2), progress(5)]


EVENTS = st.lists(
    st.one_of(
        st.builds(progress, st.integers(0, 9), st.sampled_from("AB"), st.sampled_from("rs")),
        st.builds(percent, st.integers(0, 100), st.sampled_from("rs")),
        st.builds(started, st.integers(1, 9), st.sampled_from("AB")),
    ),
)


@given(EVENTS)
def test_what_is_read_is_what_was_published_less_older_progress(events):
    async def through():
        backlog = Backlog()
        for event in events:
            backlog.put(event)
        return await read(backlog)

    seen = asyncio.run(through())
    rest = iter(map(id, events))
    assert all(id(event) in rest for event in seen), "in order"
    statuses = [event for event in events if isinstance(event, ConnectionStarted)]
    assert [event for event in seen if isinstance(event, ConnectionStarted)] == statuses
    newest = {
        (type(event), event.run, getattr(event, "connection", "")): event
        for event in events
        if event not in statuses
    }
    assert sorted(map(repr, newest.values())) == sorted(
        repr(event) for event in seen if event not in statuses
    )


async def test_a_slow_reader_costs_bounded_memory():
    backlog = Backlog(limit=10)
    for rows in range(10_000):
        backlog.put(progress(rows))
    assert len(backlog._events) == 1
    for tries in range(1_000):
        backlog.put(started(tries))
        assert len(backlog._events) <= 10


async def test_no_status_is_dropped_under_the_limit():
    backlog = Backlog(limit=3)
    for event in (started(1), progress(1), started(2), progress(2)):
        backlog.put(event)
    assert await read(backlog) == [started(1), started(2), progress(2)]


async def test_an_overflow_is_told_with_how_many_were_lost():
    backlog = Backlog(limit=2)
    for tries in range(1, 6):
        backlog.put(started(tries))
    overflow, *rest = await read(backlog)
    assert isinstance(overflow, Overflow)
    assert (overflow.lost, overflow.topic, overflow.run) == (4, Topic.QUEUE, "")
    assert rest == [started(5)]


async def test_a_reader_waits_and_goes_on():
    bus = Bus()
    with bus.subscribe() as backlog:
        events = aiter(backlog)
        waiting = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        assert not waiting.done()
        bus.publish(started(1))
        assert await waiting == started(1)
        bus.end()
        with pytest.raises(StopAsyncIteration):
            await anext(events)


async def test_every_subscriber_gets_everything_for_the_time_of_its_block():
    """S0-29, S0-53."""
    bus = Bus()
    bus.publish(started(0))
    with bus.subscribe() as one, bus.subscribe(limit=1) as two:
        bus.publish(started(1))
    bus.publish(started(2))
    assert await read(one) == await read(two) == [started(1)]


def test_the_backlog_holds_a_run_of_500_connections_many_times():
    assert BACKLOG >= 20 * 500 * 2 * 4
