"""The doctor asks the engine that runs, and does without one that is not there or hangs."""

import asyncio

from etltui.cli.doctor import _told_by_the_engine


async def test_it_hears_what_the_engine_says_now(house):
    async with house.open_house():
        told = await _told_by_the_engine(house.state)
    assert told == house.engine.snapshot()


async def test_without_an_engine_it_hears_nothing(house):
    assert await _told_by_the_engine(house.state) is None


async def test_an_engine_that_does_not_answer_is_left_alone(house, monkeypatch):
    monkeypatch.setattr("etltui.cli.doctor._ANSWER_S", 0.0)
    async with house.open_house():
        assert await asyncio.wait_for(_told_by_the_engine(house.state), 5) is None
