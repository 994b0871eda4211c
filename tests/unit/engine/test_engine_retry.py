"""What follows a failed try, by a clock that the test turns."""

import asyncio

import pytest

from engine_world import connection
from etltui.domain.errors import ADVICE, ErrorClass, Failure
from etltui.domain.events import ConnectionCompleted, ConnectionFailed, ConnectionStarted
from etltui.domain.job import RetryPolicy
from etltui.domain.run import RunStatus
from fakes import Held, Script, failure

THREE = RetryPolicy(retries=3, delay_s=5, multiplier=2)


def only(world, *names, **job):
    world.connections = tuple(c for c in world.connections if c.name in names)
    world.job(retry=THREE, columns=("id",), **job)
    world.renew()


async def test_four_tries_with_waits_of_5_10_and_20_seconds(world):
    """S0-28, S0-142: retries are those of the policy."""
    only(world, "A", "B")
    world.leases.extracts["A"] = Script(failure())
    handle = await world.submit()
    for _ in range(3):
        await world.clock.turn_to_next()
    result = await handle.wait()
    assert result.status is RunStatus.COMPLETED_WITH_ERRORS
    assert len(world.leases.tasks) == 5
    for slept, wanted in zip(world.clock.slept, (5, 10, 20), strict=True):
        assert wanted <= slept <= wanted * 1.1
    failed = world.happened(ConnectionFailed)
    assert {event.connection for event in failed} == {"A"}
    assert [event.will_retry for event in failed] == [True, True, True, False]
    assert [event.wait_s for event in failed] == [*world.clock.slept, 0]
    started = [event for event in world.happened(ConnectionStarted) if event.connection == "A"]
    assert [event.tries for event in started] == [1, 2, 3, 4]
    # Only the last one is an end.
    assert sorted(world.record.of("mark")) == [("mark", "A", "failed"), ("mark", "B", "completed")]
    assert result.connections[0].tries == 4


async def test_a_later_try_completes(world):
    """S3-30."""
    only(world, "A")
    world.leases.extracts["A"] = Script(failure(), 9)
    handle = await world.submit()
    await world.clock.turn_to_next()
    result = await handle.wait()
    assert (result.status, result.rows, result.connections[0].tries) == (RunStatus.COMPLETED, 9, 2)
    assert result.connections[0].seconds == {"wait": 0, "connect": 0, "query": 0.5}
    # No attempt number is used twice, so that an orphan cannot write a current part.
    assert [task.attempt for task in world.leases.tasks] == [1001, 1002]


@pytest.mark.parametrize(
    "error_class",
    [c for c, advice in ADVICE.items() if not advice.transient and not advice.stops_run],
)
async def test_what_is_permanent_is_not_tried_again(world, error_class):
    only(world, "A")
    world.leases.extracts["A"] = Script(failure(error_class))
    await world.run()
    assert len(world.leases.tasks) == 1
    assert world.clock.slept == []


async def test_a_connection_that_waits_for_its_next_try_holds_no_place(world):
    only(world, "A", "B", max_parallel=1)
    world.leases.extracts["A"] = Script(failure(), 1)
    held = Held(1)
    world.leases.extracts["B"] = Script(held)
    handle = await world.submit()
    await world.clock.until_asleep()
    await held.reached.wait()
    # The next try waits for the place that B holds now.
    world.clock.turn(6)
    await asyncio.sleep(0)
    assert world.leases.working == 1
    held.let_go()
    assert (await handle.wait()).completed == 2
    assert [e.connection for e in world.happened(ConnectionCompleted)] == ["B", "A"]
    assert world.leases.most == 1


@pytest.mark.parametrize("error_class", [ErrorClass.DISK, ErrorClass.MEMORY, ErrorClass.ENGINE])
async def test_what_the_next_connection_would_meet_too_stops_the_run_resumably(world, error_class):
    only(world, "A", "B", "C", max_parallel=1)
    world.leases.extracts["B"] = Script(failure(error_class, "no more of it"))
    result = await world.run()
    assert (result.status, result.reason) == (RunStatus.STOPPED, "no more of it")
    assert world.leases.read() == ["A", "B"]
    assert not world.happened(ConnectionFailed)
    assert not world.record.of("publication")
    world.leases.extracts["B"] = Script(1)
    result = await world.run(resume=True)
    assert (result.status, result.skipped) == (RunStatus.COMPLETED, 1)
    assert world.leases.read() == ["B", "C"]


async def test_n_38_a_machine_that_cannot_read_is_found_out_before_every_branch_is_asked(world):
    world.connections = tuple(connection(f"B{number:02}") for number in range(20))
    world.renew()
    said = "an extractor process could not be started: No module named 'msgspec'"
    for each in world.connections:
        world.leases.opens[each.name] = Script(failure(ErrorClass.ENGINE, said))
    result = await world.run()
    assert (result.status, result.reason) == (RunStatus.STOPPED, said)
    assert (world.leases.asked, world.happened(ConnectionStarted)) == (8, [])


async def test_a_run_that_stops_does_not_wait_for_retries(world):
    only(world, "A", "B", max_parallel=2)
    held = Held(failure(ErrorClass.DISK, "full"))
    world.leases.extracts["A"] = Script(failure())
    world.leases.extracts["B"] = Script(held)
    handle = await world.submit()
    await world.clock.until_asleep()
    held.let_go()
    assert (await handle.wait()).status is RunStatus.STOPPED
    assert len(world.leases.tasks) == 2


async def test_a_failed_write_is_logged_in_the_specifications_words(world, caplog):
    only(world, "A")
    refused = Failure(ErrorClass.VALUE, "'x' is no date", {"destination": "0"})
    world.leases.extracts["A"] = Script(refused)
    await world.run()
    assert "Failed to write CSV progressively for A: 'x' is no date" in caplog.messages
