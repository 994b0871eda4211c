"""The door: what a client gets of an engine in another place, and who may come in."""


import pytest

from etltui.domain.errors import NoSuchRunError
from etltui.domain.events import RunFinished, RunStarted
from etltui.domain.run import RunStatus
from etltui.door.client import NoDoorError, open_door


async def test_a_client_submits_follows_and_has_the_engines_own_result(house):
    async with house.visited() as (_, remote):
        snapshot = await remote.collect()
        assert snapshot == house.engine.snapshot()
        run = await remote.submit("sales")
        events = remote.events([run])
        result = await remote.wait(run)
        await remote.enough()
        seen = [event async for event in events]
    assert result.status is RunStatus.COMPLETED
    ours = [event for event in house.bus.events if event.run == run]
    kinds = [type(event) for event in seen]
    assert RunStarted in kinds
    assert seen[-1] == ours[-1] == RunFinished(at=seen[-1].at, run=run, job="sales", result=result)
    assert [event for event in seen if "Progress" not in type(event).__name__] == [
        event for event in ours if "Progress" not in type(event).__name__
    ]


async def test_nobody_serves(house):
    with pytest.raises(NoDoorError, match="etltui serve"):
        async with open_door(house.state):
            pass


async def test_an_error_is_the_engines_own(house):
    async with house.visited() as (_, remote):
        with pytest.raises(NoSuchRunError) as told:
            await remote.cancel("nothing")
    with pytest.raises(NoSuchRunError) as ours:
        await house.engine.cancel("nothing")
    assert (str(told.value), vars(told.value)) == (str(ours.value), vars(ours.value))
