"""A limit that tasks wait at: order, room, cancels in every moment."""

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etltui.pool.limits import Limiter


async def steps(count=1):
    """Let every task that can go on go on, so many times."""
    for _ in range(count):
        await asyncio.sleep(0)


def taking(limiter, priority=0):
    return asyncio.create_task(limiter.acquire(priority))


async def test_places_are_lent_up_to_the_limit():
    limiter = Limiter(2)
    first, second, third = (taking(limiter) for _ in range(3))
    await steps()
    assert (first.done(), second.done(), third.done()) == (True, True, False)
    assert (limiter.lent, limiter.waiting, limiter.limit) == (2, 1, 2)
    limiter.release()
    await third
    assert (limiter.lent, limiter.waiting) == (2, 0)


async def test_the_lowest_priority_number_first_and_within_one_the_first_to_come():
    limiter = Limiter(1)
    await limiter.acquire()
    served = []

    async def serve(name, priority):
        await limiter.acquire(priority)
        served.append(name)
        limiter.release()

    tasks = [
        asyncio.create_task(serve(name, priority))
        for name, priority in (("c", 5), ("a", 1), ("d", 5), ("b", 1))
    ]
    await steps()
    limiter.release()
    await asyncio.gather(*tasks)
    assert served == ["a", "b", "c", "d"]


async def test_nobody_overtakes_those_who_wait():
    limiter = Limiter(1)
    await limiter.acquire()
    waiting = taking(limiter, priority=9)
    await steps()
    limiter.release()
    # The place is the waiter's, although it has not run yet.
    late = taking(limiter)
    await steps()
    assert (waiting.done(), late.done()) == (True, False)
    late.cancel()
    await asyncio.wait({late})


async def test_a_place_handed_over_in_the_moment_of_a_cancel_is_passed_on():
    limiter = Limiter(1)
    await limiter.acquire()
    first, second = taking(limiter), taking(limiter)
    await steps()
    limiter.release()
    first.cancel()
    await asyncio.wait({first, second})
    assert first.cancelled()
    assert not second.cancelled()
    assert (limiter.lent, limiter.waiting) == (1, 0)


async def test_who_comes_when_only_cancelled_ones_wait_is_served():
    limiter = Limiter(1)
    await limiter.acquire()
    gone = taking(limiter)
    await steps()
    gone.cancel()
    await asyncio.wait({gone})
    limiter.resize(2)
    await limiter.acquire()
    assert (limiter.lent, limiter.waiting) == (2, 0)


async def test_a_larger_limit_lets_waiters_in_at_once_a_smaller_one_takes_nothing_away():
    limiter = Limiter(1)
    tasks = [taking(limiter) for _ in range(4)]
    await steps()
    limiter.resize(3)
    await steps()
    assert [task.done() for task in tasks] == [True, True, True, False]
    limiter.resize(1)
    assert (limiter.lent, limiter.limit) == (3, 1)
    limiter.release()
    limiter.release()
    await steps()
    assert not tasks[3].done()
    limiter.release()
    await tasks[3]
    assert limiter.lent == 1


@given(st.integers(0, 2**32), st.integers(1, 4))
def test_whatever_is_cancelled_whenever_nothing_leaks(seed, limit):
    asyncio.run(storm(random.Random(seed), limit))


async def storm(chance, limit):
    limiter = Limiter(limit)
    most = 0

    async def borrow():
        nonlocal most
        await limiter.acquire(chance.randrange(3))
        try:
            most = max(most, limiter.lent)
            await steps(chance.randrange(3))
        finally:
            limiter.release()

    tasks = []
    for _ in range(20):
        tasks.append(asyncio.create_task(borrow()))
        if chance.random() < 0.5:
            chance.choice(tasks).cancel()
        await steps(chance.randrange(2))
    await asyncio.gather(*tasks, return_exceptions=True)
    assert most <= limit
    assert (limiter.lent, limiter.waiting) == (0, 0)
    for _ in range(limit):
        async with asyncio.timeout(0):
            await limiter.acquire()


async def test_a_full_limiter_waits():
    limiter = Limiter(1)
    await limiter.acquire()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await limiter.acquire()
