"""Which connection of a run is read when: N-2."""

import asyncio

import pytest

from etltui.domain.usual import Usual
from etltui.engine.lanes import _Places, in_turn
from fakes import Held, Script

USUAL = {"A": 5.0, "B": 90.0, "C": None, "D": 25.0}
"""C has never completed: it counts as the mean of the others, 40."""


def turns(lanes, usual=None):
    planned = [type("Planned", (), {"name": name}) for name in "ABCD"]
    known = USUAL if usual is None else usual
    past = {name: Usual(rows=1, seconds=took) for name, took in known.items()}
    return "".join(each.name for each in in_turn(planned, past, lanes=lanes))


def test_n_2_what_takes_longest_begins_first():
    assert turns(2) == "BCDA"


def test_among_equals_and_in_a_single_lane_the_jobs_order_holds():
    assert turns(1) == "ABCD"
    assert turns(2, {}) == "ABCD"
    assert turns(2, dict.fromkeys("ABCD", 1.0)) == "ABCD"


async def test_n_2_a_run_begins_with_the_slowest_of_the_last_one(world):
    world.job(max_parallel=1, columns=("id",))
    world.renew()
    slow = Held(2)
    world.leases.extracts["C"] = Script(slow, 2)
    handle = await world.submit()
    await slow.reached.wait()
    world.clock.turn(60)
    slow.let_go()
    await handle.wait()
    assert world.leases.read() == ["A", "B", "C"]
    world.job(max_parallel=2)
    world.renew()
    await world.run()
    assert world.leases.read() == ["C", "A", "B"]


async def begun(places, rank, told):
    """A task that waits for a place, holds it until its event is set, and tells when."""
    let_go = asyncio.Event()

    async def hold():
        async with places.place(rank):
            told.append(rank[1])
            await let_go.wait()

    task = asyncio.create_task(hold())
    await asyncio.sleep(0)
    return task, let_go


async def test_a_free_place_is_given_by_rank():
    places, told = _Places(1), []
    held = [await begun(places, (0, number), told) for number in (7, 3, 5, 1)]
    for _, let_go in held:
        let_go.set()
    await asyncio.gather(*(task for task, _ in held))
    assert told == [7, 1, 3, 5]


@pytest.mark.parametrize("handed", [False, True])
async def test_whoever_leaves_keeps_no_place(handed):
    """Neither while it waits nor when its turn has just come."""
    places, told = _Places(1), []
    async with places.place((0, 0)):
        leaving, _ = await begun(places, (0, 1), told)
        last, let_go = await begun(places, (0, 2), told)
        if not handed:
            leaving.cancel()
    leaving.cancel()
    let_go.set()
    await asyncio.wait({leaving, last})
    assert leaving.cancelled()
    assert told == [2]
    async with places.place((0, 9)):
        pass
