"""S4-2: connections that read the state database: one to begin with, more on demand, a limit."""

import asyncio

import pytest

from etltui.domain.errors import StateError
from etltui.store.database import Database
from etltui.store.readers import Readers


@pytest.fixture
async def readers(tmp_path):
    path = tmp_path / "state.db"
    path.touch()
    await (await Database.writer(path)).aclose()
    made = await Readers.open(path, most=3)
    yield made
    await made.aclose()


async def run(statements):
    return await statements.rows("runs", job="", statuses="", since=0, limit=1)


async def test_one_serves_who_read_one_after_the_other(readers):
    for _ in range(5):
        assert await readers.transact(run) == []
    assert readers.count == 1


async def test_more_are_opened_for_who_read_at_once_and_the_rest_waits(readers):
    at_work, most, gate = 0, 0, asyncio.Event()

    async def slow(statements):
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        if at_work == 3:
            gate.set()
        await gate.wait()
        at_work -= 1
        return await run(statements)

    results = await asyncio.gather(*(readers.transact(slow) for _ in range(8)))
    assert results == [[]] * 8
    assert (readers.count, most) == (3, 3)


async def test_work_that_fails_gives_its_connection_back(readers):
    async def mistaken(_):
        raise ZeroDivisionError

    for _ in range(4):
        with pytest.raises(ZeroDivisionError):
            await readers.transact(mistaken)
    assert await readers.transact(run) == []
    assert readers.count == 1


async def test_after_the_end_nobody_reads(readers):
    await readers.aclose()
    with pytest.raises(StateError, match="is closed"):
        await readers.transact(run)
