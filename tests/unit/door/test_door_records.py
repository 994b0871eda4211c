"""What a client may write into the records of an engine in another process."""

import pytest

from door_kit import until
from etltui.domain.errors import ConfigError, NoSuchRunError
from etltui.domain.run import RunStatus
from etltui.door.client import open_door
from etltui.door.protocol import CALLS, Call, call_of, frame
from etltui.engine.engine import POOL_LEVERS


async def written(house):
    await house.engine.records.journal.flush()
    return [(each.who, each.what, each.target) for each in await house.store.actions()][::-1]


async def test_a_client_holds_and_releases_connections(house):
    async with house.visited() as (_, remote):
        await remote.call("records.hold", connections=["B"], reason="line is cut")
        result = await remote.wait(await remote.submit("sales"))
        assert (result.status, result.held) == (RunStatus.COMPLETED_WITH_ERRORS, 1)
        assert await remote.call("records.release", connections=["B", "A"]) == ("B",)
        with pytest.raises(ConfigError, match="no connection 'D'"):
            await remote.call("records.hold", connections=["D"], reason="x")
        with pytest.raises(NoSuchRunError):
            await remote.call("records.discard", run=result.run)
        await remote.call("records.act", what="alert seen", target="B")
    assert {each[1] for each in await written(house)} == {
        "records.hold",
        "submit",
        "records.release",
        "records.discard",
        "alert seen",
    }


async def test_what_a_client_does_is_written_down_once_and_as_its_own(house):
    async with house.open_house(), open_door(house.state, who="ravi@desk") as remote:
        await remote.call("queue.pause", job="sales", paused=True)
        await remote.call("queue.pause", job="sales", paused=False)
        await remote.wait(await remote.submit("sales", owner="cron@desk"))
    assert await written(house) == [
        ("ravi@desk", "queue.pause", "sales"),
        ("ravi@desk", "queue.pause", "sales"),
        ("cron@desk", "submit", "sales"),
    ]


async def test_a_client_that_does_not_say_who_it_is_stands_for_whoever_runs_the_engine(house):
    async with house.visited() as (_, remote):
        await remote.call("queue.clear")
    assert await written(house) == [("asha@desk", "queue.clear", "")]


async def test_one_client_does_not_speak_for_another(house):
    async with (
        house.open_house(),
        open_door(house.state, who="ravi@desk") as one,
        open_door(house.state) as other,
    ):
        await one.call("queue.clear")
        await other.call("queue.clear")
        await house.engine.queue.clear()
    assert [who for who, _, _ in await written(house)] == ["ravi@desk", "asha@desk", "asha@desk"]


async def test_a_hold_of_a_client_is_its_own(house):
    async with house.open_house(), open_door(house.state, who="ravi@desk") as remote:
        await remote.call("records.hold", connections=["B"], reason="line is cut")
    (hold,) = await house.store.holds()
    assert hold.who == "ravi@desk"


async def test_a_client_of_before_says_nothing_of_who_it_is(house):
    sent = frame(Call(id=1, name="snapshot"))
    assert call_of(sent[4:]).who == ""
    async with house.open_house(), house.stranger() as stranger:
        await stranger.hear()
        stranger.say("queue.clear")
        await stranger.hear()
        await until(lambda: True)
    assert await written(house) == [("asha@desk", "queue.clear", "")]


def test_every_call_either_looks_or_is_written_down():
    """A call that is added says which."""
    looks = {name for name in CALLS if name.rpartition(".")[2].startswith("get_")}
    looks |= {name for name in CALLS if name.startswith("inquiries.")}
    looks |= {"collect", "follow", "enough", "wait", "check", "snapshot"}
    looks |= {"options.list", "options.profiles", "options.check"}
    # It opens sessions ahead of need and changes nothing that lasts; the other writes itself.
    looks |= {"warm_up", "records.act"}
    noted = {name for name, call in CALLS.items() if call.__code__.co_name == "noted"}
    levers = {f"pools.{name}" for name in POOL_LEVERS}
    assert set(CALLS) == looks | noted | levers
    assert not looks & (noted | levers)
