"""A run closes at its job's cut-off: what waits is given up, what is being read carries on: N-1."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from engine_world import connection
from etltui.domain.errors import ErrorClass
from etltui.domain.events import ConnectionFailed, ConnectionStarted, RunRetrying
from etltui.domain.job import RetryPolicy
from etltui.domain.queue import Ask
from etltui.domain.run import RunStatus
from fakes import NOW, Held, Script, failure

CLOSED = "; not tried any more: the run closed at 05:00"
LEFT_S = (datetime(2026, 11, 21, 23, 30, tzinfo=UTC) - NOW).total_seconds()
"""Until 05:00 in Asia/Kolkata."""


SLOW = RetryPolicy(retries=9, delay_s=600, max_delay_s=3600)


@pytest.fixture
def night(world):
    """A world whose runs close 25 minutes after the clock begins."""
    world.settings = replace(world.settings, timezone="Asia/Kolkata")
    world.job(cut_off="05:00", columns=("id",), retry=SLOW)
    world.renew()
    return world


async def ends(world, handle):
    """Turn the clock to whatever is next until the run has ended; how it did."""
    ended = asyncio.ensure_future(handle.wait())
    while not ended.done():
        turning = asyncio.ensure_future(world.clock.turn_to_next())
        await asyncio.wait({ended, turning}, return_when=asyncio.FIRST_COMPLETED)
        turning.cancel()
    return ended.result()


def troubles(result):
    return {each.connection: each.trouble for each in result.connections if each.trouble}


async def test_n_1_no_try_begins_behind_it_and_the_run_is_published(night):
    night.leases.extracts["B"] = Script(failure())
    result = await ends(night, await night.submit())
    assert result.status is RunStatus.COMPLETED_WITH_ERRORS
    assert night.parts.files[night.target].rows == 4
    trouble = troubles(result)["B"]
    assert trouble.error_class is ErrorClass.UNREACHABLE
    assert trouble.message == f"no route to the branch{CLOSED}"
    # A second try after 10 minutes; a third would come behind the cut-off, so nobody waits for it.
    assert night.leases.read().count("B") == 2
    assert night.clock.monotonic() < LEFT_S
    assert [event.will_retry for event in night.happened(ConnectionFailed)] == [True, False]


async def test_n_1_who_is_being_read_carries_on(night):
    night.job(connections=("B",))
    night.renew()
    held = Held(2)
    night.leases.extracts["B"] = Script(held)
    handle = await night.submit()
    await held.reached.wait()
    night.clock.turn(LEFT_S + 3600)
    held.let_go()
    assert (await handle.wait()).status is RunStatus.COMPLETED


async def test_who_fails_behind_it_is_not_tried_again(night):
    held = Held(failure(ErrorClass.LOST, "the line broke"))
    night.leases.extracts["B"] = Script(held)
    handle = await night.submit()
    await held.reached.wait()
    night.clock.turn(LEFT_S)
    held.let_go()
    assert troubles(await handle.wait())["B"].message == f"the line broke{CLOSED}"


async def test_n_1_whose_turn_had_not_come_is_not_begun(night):
    night.job(max_parallel=1)
    night.renew()
    held = Held(2)
    night.leases.extracts["A"] = Script(held)
    handle = await night.submit()
    await held.reached.wait()
    night.clock.turn(LEFT_S)
    held.let_go()
    result = await handle.wait()
    assert night.leases.read() == ["A"]
    found = troubles(result)
    assert {each.error_class for each in found.values()} == {ErrorClass.TIMEOUT}
    assert found["C"].message == "not read: the run closed at 05:00 before its turn came"
    assert [each.tries for each in result.connections] == [1, 0, 0]


async def test_n_1_who_waits_for_a_line_is_given_up(night):
    names = "ABCDE"
    night.connections = tuple(connection(name, gateway="VPN") for name in names)
    night.job(retry=RetryPolicy(retries=20, delay_s=300, max_delay_s=300))
    night.renew()
    night.leases.opens = {name: Script(failure()) for name in names}
    night.leases.opens["A"] = Script(2)
    night.job(connections=(*names,), max_parallel=4)
    night.renew()
    result = await ends(night, await night.submit())
    assert result.status is RunStatus.COMPLETED_WITH_ERRORS
    begun = [event.at for event in night.happened(ConnectionStarted)]
    assert max(begun) < NOW.timestamp() + LEFT_S
    assert all("the run closed at 05:00" in each.message for each in troubles(result).values())


async def test_who_never_tried_says_what_others_met_at_its_line(night):
    night.connections = tuple(connection(name, gateway="VPN") for name in "ABCD")
    night.job(connections=("D",))
    night.renew()
    night.clock.turn(LEFT_S - 0.5)
    for each in night.connections[:3]:
        night.leases.breakers.failed(each, failure(), begun=night.clock.monotonic())
    handle = await night.submit()
    await night.clock.until_asleep()
    night.clock.turn(0.5)
    found = troubles(await handle.wait())
    assert found["D"].message == (
        "the gateway VPN is down, and the last try there met C: unreachable: no route to the "
        f"branch{CLOSED}"
    )


@pytest.mark.parametrize(("hours", "waits"), [("04:50-06:00", True), ("05:10-06:00", False)])
async def test_n_1_hours_that_begin_behind_it_are_not_waited_for(night, hours, waits):
    night.connections = (connection("A"), connection("B", hours=hours))
    night.job(outside_hours="wait")
    night.renew()
    result = await ends(night, await night.submit())
    found = troubles(result)
    assert ("B" in found) is not waits
    assert night.leases.read() == (["A", "B"] if waits else ["A"])


@pytest.mark.parametrize(("delay", "turns"), [(600, 2), (1800, 0)])
async def test_n_1_a_turn_behind_it_is_not_given(night, delay, turns):
    night.job(retry=RetryPolicy(retries=3, delay_s=delay))
    night.renew()
    for name in "ABC":
        # Of a class that gets no try of its own again within the run.
        night.leases.extracts[name] = Script(failure())
    result = await ends(night, await night.submit())
    assert result.status is RunStatus.FAILED
    assert len(night.happened(RunRetrying)) <= turns
    assert night.clock.monotonic() < LEFT_S
    assert await night.store.queued() == []


async def test_n_1_what_is_asked_for_behind_it_does_not_close(night):
    night.leases.extracts["B"] = Script(failure(), failure(), failure(), 2)
    first = await ends(night, await night.submit())
    assert first.status is RunStatus.COMPLETED_WITH_ERRORS
    night.clock.turn(LEFT_S)
    again = await night.engine.retry(first.run, Ask(only_failed=True))
    assert (await ends(night, again)).status is RunStatus.COMPLETED
