"""The house as a fixture."""

import sys
from pathlib import Path

import pytest

# The kit beside this file is found in whichever way pytest imports the tests.
sys.path.insert(0, str(Path(__file__).parent))

from door_kit import House


@pytest.fixture
async def house(tmp_path):
    made = await House(tmp_path).open()
    yield made
    await made.close()
