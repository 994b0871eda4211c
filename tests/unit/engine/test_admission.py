"""Room in memory: what past runs make one expect, smaller batches, and who waits for whom."""

import asyncio

import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.limits import BATCH_LEAST, BATCH_MOST, BUDGET_BYTES
from etltui.domain.run import RunStatus
from etltui.domain.usual import Usual
from etltui.engine.admission import SIZES, WEIGHT, Load, Place, Weights, admitted, growth
from etltui.engine.memory import Memory

MB = 1024 * 1024
UNKNOWN = Load()
WIDE = Load(rows=10, row_bytes=50 * MB)
SMALL = Load(rows=1000, row_bytes=100)


def weights(**changes):
    known = {"used": 100 * MB, "idle": 100 * MB, "threshold": 512 * MB, "budget": BUDGET_BYTES}
    return Weights(**{**known, **changes})


@pytest.mark.parametrize(
    ("usual", "load"),
    [
        (None, UNKNOWN),
        (Usual(rows=5), UNKNOWN),
        (Usual(rows=0, bytes=0), UNKNOWN),
        (Usual(rows=0, bytes=8), UNKNOWN),
        (Usual(rows=3, bytes=10), Load(rows=3, row_bytes=4)),
    ],
)
def test_n_30_bytes_per_row_are_learned_from_past_runs(usual, load):
    assert Load.of(usual) == load


@pytest.mark.parametrize(
    ("load", "shared", "wide"),
    [
        (UNKNOWN, 3 * MB, 0),
        (SMALL, 100_000, 0),
        (Load(rows=10**9, row_bytes=100), 3 * MB, 0),
        (WIDE, 3 * MB, 147 * MB),
        (Load(rows=2, row_bytes=50 * MB), 3 * MB, 97 * MB),
        (Load(rows=0, row_bytes=0), 0, 0),
    ],
)
def test_an_extract_holds_three_batches_and_no_more_than_its_rows(load, shared, wide):
    assert load.placed(MB) == Place(batch_bytes=MB, shared=shared, wide=wide)


def test_the_budget_bounds_what_many_hold_but_wide_rows_and_the_least_batches():
    place = UNKNOWN.placed(BATCH_MOST)
    assert growth([], BUDGET_BYTES) == 0
    assert growth([place], BUDGET_BYTES) == WEIGHT * 6 * MB
    assert growth([place] * 8, BUDGET_BYTES) == WEIGHT * 9 * MB
    assert growth([place] * 100, BUDGET_BYTES) == WEIGHT * 100 * 3 * BATCH_LEAST
    assert growth([WIDE.placed(MB)] * 2, BUDGET_BYTES) == WEIGHT * (6 + 2 * 147) * MB


def test_n_30_batches_shrink_before_anybody_waits():
    found = [
        admitted(UNKNOWN, [UNKNOWN.placed(BATCH_LEAST)], weights(threshold=int(threshold * MB)))
        for threshold in (120.25, 120, 111, 106.5, 104)
    ]
    assert [place and place.batch_bytes for place in found] == [*SIZES, None]


def test_what_is_at_work_counts_although_it_weighs_nothing_yet():
    working = [WIDE.placed(BATCH_LEAST)]
    room = weights(threshold=100 * MB + growth(working, BUDGET_BYTES))
    assert admitted(UNKNOWN, working, room) is None
    assert admitted(UNKNOWN, working, weights(threshold=room.threshold + 19 * MB)) is not None


def test_what_weighs_more_than_expected_counts_too():
    working = [SMALL.placed(BATCH_MOST)]
    assert admitted(SMALL, working, weights(used=400 * MB)) is not None
    assert admitted(SMALL, working, weights(used=512 * MB)) is None


def test_alone_an_extract_begins_in_any_case_with_the_smallest_batches_if_need_be():
    assert admitted(WIDE, [], weights()) == WIDE.placed(BATCH_LEAST)
    assert admitted(UNKNOWN, [], weights(used=512 * MB)) == UNKNOWN.placed(BATCH_LEAST)


class Tree:
    """A memory gate over a tree that weighs what a test says, and who works in it."""

    def __init__(self, threshold_mb=512):
        self.mb = 100
        self.memory = Memory(lambda: 0, threshold_mb=threshold_mb, own=lambda: self.mb * MB)
        self.began = []
        self.unwanted = False

    async def work(self, name, load, ends):
        async with self.memory.room(load, unwanted=lambda: self.unwanted) as place:
            self.began.append((name, place and place.batch_bytes))
            await ends.wait()

    def task(self, name, load, ends=None):
        return asyncio.create_task(self.work(name, load, ends or asyncio.Event()))


async def still(tree, *names):
    """Those that have begun, once everybody has come as far as possible."""
    for _ in range(3):
        await asyncio.to_thread(int)
        for _ in range(10):
            await asyncio.sleep(0)
    assert [name for name, _ in tree.began] == list(names)


async def ended(*tasks):
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_n_30_what_would_not_fit_waits_for_those_at_work_and_first_come_is_first_served():
    tree, ends = Tree(threshold_mb=560), asyncio.Event()
    first = tree.task("first", WIDE, ends)
    await still(tree, "first")
    others = [tree.task("second", WIDE), tree.task("small", SMALL)]
    # The small one would fit, but it would keep the large one waiting for ever.
    await still(tree, "first")
    ends.set()
    await first
    await still(tree, "first", "second", "small")
    assert tree.began[1:] == [("second", BATCH_MOST), ("small", BATCH_MOST)]
    await ended(*others)
    async with tree.memory.room(SMALL) as place:
        assert place.batch_bytes == BATCH_MOST


async def test_who_waits_begins_when_the_tree_is_found_lighter():
    tree = Tree(threshold_mb=200)
    tasks = [tree.task("first", SMALL)]
    await still(tree, "first")
    tree.mb = 199
    await tree.memory.weigh()
    tasks.append(tree.task("second", UNKNOWN))
    await still(tree, "first")
    tree.mb = 150
    await tree.memory.weigh()
    await still(tree, "first", "second")
    await ended(*tasks)


async def test_who_waits_begins_when_the_threshold_is_raised():
    tree = Tree(threshold_mb=300)
    tasks = [tree.task("first", WIDE)]
    await still(tree, "first")
    tasks.append(tree.task("second", WIDE))
    await still(tree, "first")
    tree.memory.resize(2000)
    await still(tree, "first", "second")
    await ended(*tasks)


async def test_who_has_become_unwanted_waits_no_longer():
    tree, ends = Tree(), asyncio.Event()
    first = tree.task("first", WIDE, ends)
    await still(tree, "first")
    ends.set()
    waiting = [tree.task(name, WIDE, ends) for name in ("second", "third")]
    tree.unwanted = True
    tree.memory.wake()
    await asyncio.gather(first, *waiting)
    assert tree.began[1:] == [("second", None), ("third", None)]


async def test_a_tree_that_stays_over_the_threshold_with_nobody_at_work_stops_the_run():
    tree, ends = Tree(), asyncio.Event()
    first = tree.task("first", WIDE, ends)
    await still(tree, "first")
    second = tree.task("second", WIDE)
    await still(tree, "first")
    tree.mb = 600
    await tree.memory.weigh()
    ends.set()
    await first
    with pytest.raises(Failure) as stopped:
        await second
    assert stopped.value.error_class is ErrorClass.MEMORY
    tree.mb = 100
    await tree.memory.weigh()
    async with tree.memory.room(WIDE) as place:
        assert place is not None


async def test_n_30_over_the_threshold_nobody_begins_while_others_are_at_work_and_nothing_stops():
    tree, ends = Tree(), asyncio.Event()
    first = tree.task("first", SMALL, ends)
    await still(tree, "first")
    tree.mb = 600
    await tree.memory.weigh()
    second = tree.task("second", SMALL)
    await still(tree, "first")
    tree.mb = 400
    await tree.memory.weigh()
    await still(tree, "first", "second")
    await ended(first, second)


async def test_extractors_get_the_time_to_say_what_they_have_given_back():
    tree = Tree()

    async def settle():
        tree.mb = 512

    tree.mb = 600
    tree.memory = Memory(lambda: 0, threshold_mb=512, own=lambda: tree.mb * MB, settle=settle)
    await ended(tree.task("first", SMALL))
    async with tree.memory.room(SMALL) as place:
        assert place == SMALL.placed(BATCH_LEAST)


async def test_who_is_cancelled_while_waiting_leaves_nothing_behind():
    tree, ends = Tree(), asyncio.Event()
    first = tree.task("first", WIDE, ends)
    await still(tree, "first")
    await ended(tree.task("second", WIDE), tree.task("third", WIDE))
    ends.set()
    await first
    async with tree.memory.room(WIDE) as place:
        assert place is not None
    assert growth(tree.memory._working, BUDGET_BYTES) == 0


async def test_n_30_a_run_knows_from_the_last_one_what_its_connections_hold(world):
    world.leases.row_bytes = 100 * MB
    assert (await world.run()).status is RunStatus.COMPLETED
    assert [task.batch_bytes for task in world.leases.tasks] == [BATCH_MOST] * 3
    world.leases.tasks.clear()
    world.leases.most = 0
    assert (await world.run()).status is RunStatus.COMPLETED
    assert world.leases.most == 1
    assert [task.batch_bytes for task in world.leases.tasks] == [BATCH_LEAST] * 3
