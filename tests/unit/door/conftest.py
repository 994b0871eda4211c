"""The house as a fixture."""

import pytest

from door_kit import House


@pytest.fixture
async def house(tmp_path):
    made = await House(tmp_path).open()
    yield made
    await made.close()
