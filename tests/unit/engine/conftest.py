"""The engine's world as a fixture."""

import pytest

from engine_world import World


@pytest.fixture
async def world(tmp_path):
    made = await World(tmp_path).open()
    yield made
    await made.close()
