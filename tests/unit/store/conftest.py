"""A store on a folder of its own, closed after the test."""

import sys
from pathlib import Path

import pytest

from etltui.store.sqlite import SqliteStore

# The samples beside this file are found in whichever way pytest imports the tests.
sys.path.insert(0, str(Path(__file__).parent))

import store_samples as sample


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "state"


@pytest.fixture
def clock():
    return sample.StillClock()


@pytest.fixture
async def store(folder, clock):
    async with await SqliteStore.open(folder, clock=clock) as opened:
        yield opened


@pytest.fixture
async def running(store):
    """The store with one run of three connections under way."""
    await store.create_run(sample.plan(), sample.RunStatus.RUNNING)
    return store
