"""Deadlines of runs: what they mean for a run, and the warnings before it is too late."""

import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from etltui.domain.events import RunStarted
from etltui.domain.progress import Eta, RunView, Snapshot
from etltui.domain.queue import Ask, Mode
from etltui.domain.run import RunStatus
from etltui.engine.deadlines import DeadlineWatch
from fakes import NOW, Held, Script, failure

DUE = NOW + timedelta(hours=1)


@pytest.fixture
def warnings(caplog):
    caplog.set_level(logging.WARNING, "etltui.engine.deadlines")
    return lambda: [each.message for each in caplog.records if "deadline" in each.message]


def due_in_an_hour(world, **changes):
    world.settings = replace(world.settings, timezone="Asia/Kolkata")
    world.job(deadline="05:35", **changes)
    world.renew()


async def test_n_26_a_run_that_is_late_is_warned_of_once_by_the_clock(world, warnings):
    """N-26: warn when the deadline is at risk."""
    due_in_an_hour(world, max_parallel=1)
    await world.run()
    held = {name: Held(2) for name in "ABC"}
    for name, each in held.items():
        world.leases.extracts[name] = Script(each)
    handle = await world.submit()
    await held["A"].reached.wait()
    live = world.engine._live
    await live.write()
    assert warnings() == []
    assert world.engine.get_job_progress("sales").due == DUE.timestamp()
    # A branch takes half a second.
    world.clock.turn(3600 - 0.1)
    for name in "AB":
        held[name].let_go()
    await held["C"].reached.wait()
    for _ in range(3):
        await live.write()
    risk = warnings()
    assert risk == ["sales may miss its deadline 05:35: it finishes 05:35"]
    world.clock.turn(2)
    for _ in range(3):
        await live.write()
    assert warnings()[1:] == ["sales has missed its deadline 05:35: it finishes 05:35"]
    held["C"].let_go()
    await handle.wait()
    await live.write()
    assert len(warnings()) == 2


async def test_a_run_that_is_taken_up_keeps_the_deadline_of_its_beginning(world):
    due_in_an_hour(world)
    world.leases.extracts["A"] = Script(failure())
    first = Held(2)
    world.leases.extracts["B"] = Script(first)
    handle = await world.submit()
    await first.reached.wait()
    await world.engine.cancel(handle.run, resumable=True)
    await handle.wait()
    world.clock.turn(5000)
    world.leases.extracts["B"] = Script()
    await world.run(resume=True)
    assert [event.due for event in world.happened(RunStarted)] == [DUE.timestamp()] * 2
    # What is patched later was published in time, or was not.
    again = await world.engine.retry(handle.run, Ask(mode=Mode.RETRY))
    await again.wait()
    assert world.happened(RunStarted)[-1].due == 0


VIEW = RunView(run="R", job="sales", status=RunStatus.RUNNING, due=1000.0, total=3, completed=1)


def told(watch, *runs, at):
    shown = Snapshot(
        at=at,
        holder="",
        runs=runs,
        pending=(),
        queue=None,
        pools=None,
        pool_info=(),
        memory=0,
        threshold=0,
    )
    watch.look(shown)


def test_what_is_too_late_is_not_said_to_be_at_risk_afterwards(warnings):
    watch = DeadlineWatch(lambda: "UTC")
    told(watch, VIEW, at=500)
    assert warnings() == []
    told(watch, VIEW, at=1001)
    told(watch, replace(VIEW, eta=Eta(left_s=10, band_s=0)), at=1002)
    told(watch, replace(VIEW, eta=Eta(left_s=900, band_s=0)), at=900)
    assert warnings() == [
        "sales has missed its deadline 00:16: 1 of 3 connections are read",
    ]


def test_a_chance_that_comes_and_goes_is_told_once(warnings):
    watch = DeadlineWatch(lambda: "UTC")
    for left_s in (900, 10, 900, 10, 900):
        told(watch, replace(VIEW, eta=Eta(left_s=left_s, band_s=0)), at=500)
    assert warnings() == ["sales may miss its deadline 00:16: it finishes 00:23"]


def test_another_attempt_is_told_of_again_and_an_ended_run_is_forgotten(warnings):
    watch = DeadlineWatch(lambda: "UTC")
    late = replace(VIEW, eta=Eta(left_s=900, band_s=60))
    told(watch, late, at=500)
    told(watch, replace(late, attempt=2), at=500)
    told(watch, replace(late, due=0.0), at=500)
    told(watch, replace(late, status=RunStatus.STOPPED), at=500)
    assert watch._said == {}
    assert warnings() == ["sales may miss its deadline 00:16: it finishes 00:23 ± 1 min"] * 2
