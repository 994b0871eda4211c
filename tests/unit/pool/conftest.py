"""Rooms with a pool manager, closed in the end."""

import asyncio

import pytest

from unit.pool.pool_kit import Room, steps


@pytest.fixture
async def rooms():
    """Makes rooms with settings; all are closed in the end, and nothing may be left over."""
    made = []

    def make(**settings):
        made.append(Room(**settings))
        return made[-1]

    yield make
    for room in made:
        await room.close()
    await steps()
    assert asyncio.all_tasks() == {asyncio.current_task()}
