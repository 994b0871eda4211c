"""A run taken over from another program: what it gathered is left out by every attempt (row 10)."""

from dataclasses import replace

import pytest

from etltui.domain.errors import ErrorClass
from etltui.domain.plan import Plan, plan_connection, plan_hash
from etltui.domain.run import ConnectionStatus, RunStatus
from fakes import Script, failure


@pytest.fixture
async def taken_over(world):
    """A stopped run in which A's rows are elsewhere."""
    job = world.jobs["sales"]
    _, *left = world.connections
    plan = Plan(
        run="20261120T203000Z-OLD7",
        job=job,
        started=world.clock.now(),
        connections=tuple(plan_connection(n, c, job) for n, c in enumerate(left, start=1)),
        targets=(world.target,),
        hash=plan_hash(job),
        left_out=("A",),
        elsewhere=("A",),
    )
    await world.store.create_run(plan, RunStatus.STOPPED)
    return plan.run


def entries(world):
    return [(each.connection, each.status) for each in world.parts.tasks[-1].entries]


async def test_a_resumed_run_leaves_out_what_is_elsewhere(world, taken_over):
    result = await world.run(resume=True)
    assert (result.run, result.status) == (taken_over, RunStatus.COMPLETED)
    assert sorted(world.leases.read()) == ["B", "C"]
    assert (result.total, result.completed, result.left_out) == (2, 2, 1)
    assert entries(world) == [
        ("B", ConnectionStatus.COMPLETED),
        ("C", ConnectionStatus.COMPLETED),
        ("A", ConnectionStatus.SKIPPED),
    ]


async def test_a_further_attempt_leaves_it_out_again_and_a_new_run_does_not(world, taken_over):
    world.leases.extracts["C"] = Script(failure(ErrorClass.DISK), 2)
    first = await world.run(resume=True)
    assert first.status is RunStatus.STOPPED
    assert "A" not in world.leases.read()
    world.leases.extracts["C"] = Script(2)
    await world.restart()
    second = await world.run(resume=True)
    assert (second.run, second.status) == (taken_over, RunStatus.COMPLETED)
    assert "A" not in world.leases.read()
    assert (await world.store.plan(taken_over)).elsewhere == ("A",)
    world.clock.turn(1)
    assert (await world.run(resume=False)).completed == 3


async def test_a_branch_that_was_added_since_is_read(world, taken_over):
    world.connections = (*world.connections, replace(world.connections[0], name="D", database="D"))
    world.renew()
    result = await world.run(resume=True)
    assert sorted(world.leases.read()) == ["B", "C", "D"]
    assert (result.run, result.left_out) == (taken_over, 1)
