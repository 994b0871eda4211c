"""A finished target that is patched becomes a revision, which it tells and the run remembers."""

import re

import pytest

from engine_world import connection
from etltui.domain.errors import ErrorClass
from etltui.domain.queue import Ask
from fakes import Crash, Script, failure

LOGIN = failure(ErrorClass.LOGIN, "password expired")


@pytest.fixture
async def errors(world):
    """A run of A, B and C in which B and C failed; both answer since."""
    world.connections = tuple(map(connection, "ABC"))
    world.job(max_parallel=1)
    world.renew()
    for name in "BC":
        world.leases.extracts[name] = Script(LOGIN)
    run = (await world.run()).run
    for name in "BC":
        world.leases.extracts[name] = Script(5)
    world.clock.turn(60)
    return run


async def retry(world, run, owner="", **ask):
    handle = await world.engine.retry(run, Ask(**ask), owner=owner)
    return await handle.wait()


async def revisions(world, run):
    plan = await world.store.plan(run)
    return [(each.number, each.who, each.told) for each in plan.revisions]


async def test_a_target_that_its_run_finished_tells_of_no_revision(world, errors):
    assert await revisions(world, errors) == []
    assert world.parts.tasks[-1].revisions == ()


async def test_each_patch_is_a_revision_with_what_changed_who_asked_and_when(world, errors):
    await retry(world, errors, only=("B",), owner="ravi@desk")
    world.clock.turn(60)
    await retry(world, errors)
    assert await revisions(world, errors) == [
        (2, "ravi@desk", "B added, 5 rows"),
        (3, "asha@desk", "C added, 5 rows"),
    ]
    first, second = world.parts.tasks[-1].revisions
    assert (first[0], first[2], second[0]) == ("2", "B added, 5 rows", "3")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0530 by ravi@desk", first[1])


@pytest.mark.parametrize(
    ("call", "counted"),
    [
        ("assemble", ["B added, 5 rows; C added, 5 rows"]),
        ("deliver", ["B added, 5 rows", "C added, 5 rows"]),
    ],
)
async def test_one_that_a_crash_cut_off_counts_if_it_was_made(world, errors, call, counted):
    world.parts.after[call] = Crash()
    handle = await world.engine.retry(errors, Ask(only=("B",)))
    await world.crash(handle)
    await world.restart()
    await retry(world, errors)
    found = await revisions(world, errors)
    assert [number for number, _, _ in found] == list(range(2, 2 + len(counted)))
    assert [told for _, _, told in found] == counted
    assert world.parts.files[world.target].rows == 12


async def test_nothing_new_is_no_revision(world, errors):
    for name in "BC":
        world.leases.extracts[name] = Script(LOGIN)
    await retry(world, errors)
    assert await revisions(world, errors) == []
