"""A foreign driver that reads a connection a second time does so in another extractor."""

import pytest

import extractor_kit as kit
from etltui.extractors import supervisor as supervising


@pytest.fixture
async def world(tmp_path, monkeypatch):
    monkeypatch.setattr(supervising, "APART", frozenset({"sqlite"}))
    made = kit.World(tmp_path, "thread")
    yield made
    await made.close()


async def test_n_2_what_is_read_twice_at_once_is_read_in_two_extractors(world, monkeypatch):
    supervisor = world.supervisor
    async with world.session() as first, world.session(world.connection("B")) as other:
        with supervisor.watching(first._client, "A"), supervisor.watching(other._client, "A"):
            async with world.session() as second:
                assert second._client not in {first._client, other._client}
            monkeypatch.setattr(supervising, "MOST_APART", 1)
            async with world.session() as third:
                assert third._client in supervisor._clients
        assert supervisor.count == 3


async def test_others_share_extractors_as_before(world):
    async with world.session() as first, world.session(world.connection("B")) as second:
        with world.supervisor.watching(first._client, "A"):
            async with world.session(world.connection("C")) as third:
                assert third._client in {first._client, second._client}
