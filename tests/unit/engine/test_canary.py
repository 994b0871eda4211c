"""Runs that begin with few connections, and stop where one of the first fails."""

import pytest

from engine_world import connection
from etltui.domain.errors import ErrorClass
from etltui.domain.events import RunProgress
from etltui.domain.job import RetryPolicy
from etltui.domain.queue import Ask, Mode
from etltui.domain.run import ConnectionResult, ConnectionStatus, RunStatus
from etltui.domain.usual import Usual
from etltui.engine import canary
from fakes import Held, Script, failure

NAMES = [f"N{n:02d}" for n in range(12)]
WRONG = failure(ErrorClass.SYNTAX, "no such column: bill")


def many(world, **changes):
    world.connections = tuple(map(connection, NAMES))
    world.job(**changes)
    world.renew()


def steps(world):
    return list(dict.fromkeys(event.step for event in world.happened(RunProgress)))


async def test_n_25_one_then_five_then_all(world):
    """N-25: canary 1 -> 5 -> all."""
    many(world)
    held = {name: Held(2) for name in NAMES[:6]}
    for name, each in held.items():
        world.leases.extracts[name] = Script(each)
    handle = await world.submit(canary=True)
    await held["N00"].reached.wait()
    assert world.leases.read() == ["N00"]
    assert world.engine.get_job_progress("sales").step == "Canary 1 of 12"
    held["N00"].let_go()
    for name in NAMES[1:6]:
        await held[name].reached.wait()
    assert sorted(world.leases.read()) == NAMES[1:6]
    assert world.engine.get_job_progress("sales").step == "Canary 5 of 12"
    for name in NAMES[1:6]:
        held[name].let_go()
    result = await handle.wait()
    assert result.status is RunStatus.COMPLETED
    assert sorted(world.leases.read()) == NAMES[6:]
    assert [name for _, name in world.record.of("describe")] == ["N00"]
    assert steps(world)[1:] == [
        "Canary 1 of 12",
        "Canary 5 of 12",
        "Processing results",
        "Sending to destinations",
    ]


async def test_n_25_a_wrong_query_meets_one_branch_alone(world):
    """N-25: the stop rule."""
    many(world, canary=True)
    world.leases.extracts["N00"] = Script(WRONG)
    result = await world.run()
    assert result.status is RunStatus.STOPPED
    assert result.reason == "canary: N00 failed: no such column: bill; nothing was read"
    assert world.leases.read() == ["N00"]
    assert not world.parts.files


async def test_one_that_fails_among_five_stops_behind_the_other_four_and_resumes(world):
    many(world)
    world.leases.extracts["N03"] = Script(WRONG)
    result = await world.run(canary=True)
    assert result.status is RunStatus.STOPPED
    reason = "canary: N03 failed: no such column: bill; only 5 of 12 connections were read"
    assert (result.reason, result.completed, result.failed) == (reason, 5, 1)
    assert sorted(world.leases.read()) == NAMES[:6]
    world.leases.extracts["N03"] = Script()
    world.bus.events.clear()
    again = await world.run(canary=True, resume=True)
    assert (again.run, again.status, again.completed) == (result.run, RunStatus.COMPLETED, 12)
    # Something had completed: no stages any more.
    assert sorted(world.leases.read()) == ["N03", *NAMES[6:]]
    assert not [step for step in steps(world) if "Canary" in step]


async def test_stopped_at_the_first_it_begins_with_few_again(world):
    many(world, canary=True)
    world.leases.extracts["N00"] = Script(WRONG)
    await world.run()
    await world.run(resume=True)
    assert world.leases.read() == ["N00", "N00"]
    result = await world.run(resume=True, canary=False)
    assert result.status is RunStatus.COMPLETED_WITH_ERRORS
    assert sorted(world.leases.read()) == NAMES


async def test_the_jobs_own_columns_hold_from_the_first_on(world):
    many(world, canary=True, columns=("id",))
    assert (await world.run()).status is RunStatus.COMPLETED
    assert not world.record.of("describe")


async def test_a_try_that_is_repeated_is_no_failure(world):
    many(world, canary=True, retry=RetryPolicy(retries=1, delay_s=20))
    world.leases.extracts["N00"] = Script(failure(), 2)
    handle = await world.submit()
    await world.clock.until_asleep()
    assert world.leases.read() == ["N00"]
    world.clock.turn(30)
    assert (await handle.wait()).status is RunStatus.COMPLETED


async def test_those_that_completed_before_go_first(world):
    many(world)
    world.leases.extracts["N00"] = Script(failure())
    await world.run()
    world.leases.read()
    await world.run(canary=True)
    assert sorted(world.leases.read()[:6]) == NAMES[1:7]


async def test_a_disk_that_is_full_stops_it_as_any_run(world):
    many(world, canary=True)
    world.free = 0
    world.leases.extracts["N00"] = Script(failure(ErrorClass.DISK, "the disk is full"))
    result = await world.run()
    assert result.status is RunStatus.STOPPED
    assert not result.reason.startswith("canary")


async def test_one_that_is_held_proves_nothing(world):
    many(world)
    await world.engine.start()
    await world.engine.records.hold(["N00"], "moving house")
    result = await world.run(canary=True)
    assert (result.held, result.completed) == (1, 11)
    assert world.leases.read()[0] == "N01"
    assert [name for _, name in world.record.of("describe")] == ["N01"]
    assert steps(world).count("Canary 1 of 12") == 1


async def test_a_retry_reads_what_failed_all_at_once(world):
    many(world, canary=True)
    world.leases.extracts["N00"] = Script(WRONG)
    stopped = await world.run()
    world.leases.read()
    handle = await world.engine.retry(stopped.run, Ask(mode=Mode.RETRY))
    assert (await handle.wait()).status is RunStatus.COMPLETED_WITH_ERRORS
    assert sorted(world.leases.read()) == NAMES


async def test_a_start_that_waits_remembers_it_over_a_restart(world):
    world.resident = True
    many(world)
    await world.engine.start()
    await world.submit(canary=True, delay_s=600)
    await world.restart()
    (entry,) = world.engine.get_pending_jobs()
    assert entry.ask.canary is True


def result(status, name="A"):
    return ConnectionResult(connection=name, status=status)


@pytest.mark.parametrize(
    ("statuses", "passes", "stops"),
    [
        ([ConnectionStatus.COMPLETED], True, False),
        ([ConnectionStatus.SKIPPED], False, False),
        ([ConnectionStatus.SKIPPED, ConnectionStatus.COMPLETED], True, False),
        ([ConnectionStatus.COMPLETED, ConnectionStatus.FAILED], True, True),
        ([], False, False),
    ],
)
def test_what_a_stage_decides(statuses, passes, stops):
    results = [result(status) for status in statuses]
    assert canary.passed(results) is passes
    assert bool(canary.why_stopped(results, completed=1, total=3)) is stops


def test_a_failure_without_a_story_has_a_reason_too():
    failed = [result(ConnectionStatus.FAILED)]
    said = canary.why_stopped(failed, completed=0, total=3)
    assert said == "canary: A failed: it did not complete; nothing was read"


def test_the_jobs_order_holds_among_equals(world):
    many(world)
    planned = [type("Planned", (), {"name": name}) for name in "CAB"]
    found = canary.in_order(planned, {"B": Usual(rows=1), "C": Usual(rows=1)})
    assert [each.name for each in found] == ["C", "B", "A"]
