"""What is done to the engine is written down: once, with who asked, and what came of it."""

import inspect
from dataclasses import astuple

import pytest

from etltui.domain.errors import ConfigError, NoSuchRunError, StateError
from etltui.domain.logbook import Action
from etltui.domain.queue import Ask, Mode
from etltui.engine import journal
from etltui.engine.acts import MOST_TEXT, Acts, Levers, acted, outcome, told
from fakes import FakePools, Held, Script, failure


async def done(world):
    """What is written down, the oldest first."""
    await world.engine.records.journal.flush()
    return (await world.store.actions())[::-1]


async def calls(world):
    return [each.what for each in await done(world)]


async def test_a_start_is_written_down_with_who_asked_for_it(world):
    handle = await world.submit(only=["A*"], priority=3, owner="ravi@desk", delay_s=0.0)
    await handle.wait()
    at = world.clock.now().timestamp()
    assert await done(world) == [
        Action(
            at=at,
            who="ravi@desk",
            what="submit",
            target="sales",
            detail="only=A*, priority=3",
            outcome=handle.run,
        ),
    ]


async def test_whoever_does_not_say_who_they_are_runs_the_engine(world):
    await world.run()
    assert [each.who for each in await done(world)] == ["asha@desk"]


async def test_each_call_that_changes_something_is_written_down_once(world):
    world.leases.extracts["A"] = Script(failure(), 2)
    run = (await world.run()).run
    await (await world.engine.retry(run, Ask(only=("A",), only_failed=True))).wait()
    await world.engine.queue.pause("sales", paused=True)
    await world.engine.queue.pause("", paused=False)
    assert not await world.engine.queue.reprioritise("nobody", 5)
    assert await world.engine.queue.clear() == 0
    await world.engine.update_settings({"max_jobs": 7})
    await world.engine.records.hold(["B"], "line is cut")
    await world.engine.records.release(["B", "C"])
    found = [astuple(each)[2:] for each in await done(world)]
    assert found == [
        ("submit", "sales", "", run),
        ("retry", run, "only=A, only_failed=True", run),
        ("queue.pause", "sales", "paused=True", "done"),
        ("queue.pause", "", "paused=False", "done"),
        ("queue.reprioritise", "nobody", "priority=5", "nothing to do"),
        ("queue.clear", "", "", "0"),
        ("update_settings", "max_jobs=7", "", "done"),
        ("records.hold", "B", "reason=line is cut", "done"),
        ("records.release", "B, C", "", "B"),
    ]


async def test_a_cancel_is_written_down_with_its_reason(world):
    held = Held(2)
    world.leases.extracts["A"] = Script(held)
    handle = await world.submit()
    await held.reached.wait()
    await world.engine.cancel(handle.run, reason="too late")
    held.let_go()
    await handle.wait()
    last = (await done(world))[-1]
    assert (last.what, last.target, last.detail, last.outcome) == (
        "cancel",
        handle.run,
        "reason=too late",
        "done",
    )


async def test_what_was_refused_is_written_down_with_the_reason(world):
    with pytest.raises(ConfigError):
        await world.submit("slaes")
    with pytest.raises(NoSuchRunError):
        await world.engine.cancel("nobody")
    first, second = await done(world)
    assert (first.target, first.outcome[:31]) == ("slaes", "refused: " + str(world.folder)[:22])
    assert "there is no job 'slaes'" in first.outcome
    assert second.outcome.startswith("refused: nobody: no such run waits or is at work")


async def test_a_value_that_was_refused_is_not_written_down(world):
    """It may be a password in the wrong place."""
    with pytest.raises(ConfigError):
        await world.engine.update_settings({"password": "hunter2"})
    (action,) = await done(world)
    assert action.target == "password"
    assert "hunter2" not in repr(action)


class SteeredPools(FakePools):
    """Pools with levers that say whether they moved something."""

    def drain(self, key_text):
        return key_text == "there"

    def pause(self, key_text=""):
        return not key_text

    def close_idle(self):
        return 2

    def reconnect_all(self):
        pass


async def test_the_levers_of_the_pools_are_written_down(world):
    world.pools = SteeredPools()
    world.renew()
    pools = world.engine.pools
    assert pools.drain("there")
    assert not pools.drain("gone")
    assert pools.pause()
    assert pools.close_idle() == 2
    assert pools.reconnect_all() is None
    # What only looks is no act.
    assert pools.get_info() == ()
    assert [astuple(each)[2:] for each in await done(world)] == [
        ("pools.drain", "there", "", "done"),
        ("pools.drain", "gone", "", "nothing to do"),
        ("pools.pause", "", "", "done"),
        ("pools.close_idle", "", "", "2"),
        ("pools.reconnect_all", "", "", "done"),
    ]


async def test_a_surface_may_write_down_what_is_no_call(world):
    await world.engine.records.act("alert seen", "Branch_1", "low rows", who="ravi@desk")
    await world.engine.records.act("looked at plan")
    at = world.clock.now().timestamp()
    assert await world.store.actions() == [
        Action(at=at, who="asha@desk", what="looked at plan", outcome="done"),
        Action(
            at=at,
            who="ravi@desk",
            what="alert seen",
            target="Branch_1",
            detail="low rows",
            outcome="done",
        ),
    ]


async def test_acts_that_come_together_share_a_commit(world):
    before = world.store.commits
    for number in range(50):
        world.engine.acts.note("pools.drain", {"key_text": str(number)}, "done")
    await world.engine.records.journal.flush()
    assert world.store.commits - before <= 2
    assert len(await world.store.actions()) == 50


async def test_what_cannot_be_written_down_stops_nothing_and_is_tried_again(
    world, caplog, monkeypatch
):
    async def refuse(actions):
        raise StateError(f"the disk is full for {len(actions)}")

    monkeypatch.setattr(journal, "MOST_WAITING", 3)
    put, world.store.put_actions = world.store.put_actions, refuse
    for number in range(5):
        world.engine.acts.note("queue.pause", {"job": str(number)}, "done")
        await world.engine.records.journal.flush()
    assert "What was done was not written down" in caplog.text
    world.store.put_actions = put
    assert [each.target for each in await done(world)] == ["2", "3", "4"]


async def test_what_was_done_last_is_written_down_when_the_engine_ends(world):
    world.engine.acts.note("pools.drain", {"key_text": "x"}, "done")
    await world.engine.aclose()
    assert [each.what for each in await world.store.actions()] == ["pools.drain"]


async def test_nobody_needs_to_listen():
    Acts().note("submit", {}, "done")


async def test_a_mistake_in_the_program_is_no_act():
    """Its story is in the log."""

    class Thing:
        acts = Acts()

        @acted("fall")
        async def fall(self):
            raise ZeroDivisionError

    heard = []
    Thing.acts.listen(lambda *words: heard.append(words))
    with pytest.raises(ZeroDivisionError):
        await Thing().fall()
    assert heard == []


async def test_a_noted_call_keeps_its_name_types_and_words():
    found = inspect.signature(Levers.__init__)
    assert "acts" in found.parameters

    class Thing:
        acts = Acts()

        @acted("go")
        async def go(self, far: int = 1) -> int:
            """Go."""
            return far

    assert Thing.go.__doc__ == "Go."
    assert inspect.signature(Thing.go).parameters["far"].annotation is int
    assert await Thing().go(3) == 3


def test_words_are_cut_and_what_says_nothing_is_left_out():
    target, detail = told({"names": ["a"] * 900, "owner": "me", "none": None, "zero": 0})
    assert len(target) == MOST_TEXT
    assert target.endswith("…")
    assert detail == "zero=0"
    assert told({}) == ("", "")
    assert told({"ask": Ask(mode=Mode.RETRY)}) == ("mode=retry", "")


def test_what_came_of_a_call():
    assert [outcome(each) for each in (None, True, False, 0, 3, (), ("a", "b"))] == [
        "done",
        "done",
        "nothing to do",
        "0",
        "3",
        "nothing to do",
        "a, b",
    ]
