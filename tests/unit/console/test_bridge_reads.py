"""Moments, answers of the store, and orders, without a screen."""

import asyncio

import console_world as cw
from etltui.console.bridge import Bridge
from etltui.console.commands import Command, completed, nearest_word, parsed
from etltui.console.orders import Undo, told, why_not
from etltui.console.reads import KEPT, Reads
from etltui.domain.errors import ConfigError, EtltuiError, Mistake, StateError
from etltui.domain.events import ConnectionProgress, RunQueued
from etltui.domain.run import RunStatus


async def settled():
    for _ in range(5):
        await asyncio.sleep(0)


def queued(run="r"):
    return RunQueued(at=cw.AT, run=run, job="j", priority=100)


async def test_a_moment_comes_at_once_while_times_go_on_by_themselves():
    engine = cw.FakeEngine()
    bridge = Bridge(engine, lambda _: None, clock=lambda: 0.0)
    assert (await bridge.open()).at_work == ()
    engine.now = cw.snapshot([cw.run("r"), cw.run("old", status=RunStatus.COMPLETED)])
    moment = await bridge.next(busy=True)
    assert [run.run for run in moment.at_work] == ["r"]
    assert moment.run("r").run == "r"
    assert moment.run("no") is None
    assert moment.newest("gst_sales").run == "old"
    assert moment.newest("no") is None
    assert moment.at == cw.AT


async def test_an_idle_engine_is_looked_at_when_something_happens():
    engine = cw.FakeEngine()
    told_of = []
    bridge = Bridge(engine, told_of.append, clock=lambda: 0.0)
    await bridge.open()
    listening = asyncio.create_task(bridge.listen())
    waiting = asyncio.create_task(bridge.next(busy=False))
    await settled()
    assert not waiting.done()
    engine.happen(queued())
    engine.happen(ConnectionProgress(at=cw.AT, run="r", job="j", connection="c", step="s", rows=1))
    await settled()
    assert waiting.done()
    assert told_of == [queued()]
    bridge.hurry()
    assert not (await bridge.next(busy=False)).gone
    engine.happen(None)
    await listening
    assert (await bridge.next(busy=False)).gone


async def test_an_answer_of_the_store_is_there_a_moment_later():
    arrived, failed = [], []
    history = cw.FakeHistory(runs=["one"])
    reads = Reads(history, lambda: arrived.append(1), failed.append)
    assert reads.get("runs", limit=5) is None
    assert not reads.known("runs", limit=5)
    await settled()
    assert reads.get("runs", limit=5) == ["one"]
    assert reads.known("runs", limit=5)
    assert arrived == [1]


async def test_a_stale_answer_is_given_until_the_fresh_one_comes_and_the_same_one_tells_nobody():
    arrived = []
    history = cw.FakeHistory(runs=["one"])
    reads = Reads(history, lambda: arrived.append(1), lambda _: None)
    reads.get("runs")
    await settled()
    reads.stale("runs")
    assert reads.get("runs") == ["one"]
    await settled()
    assert arrived == [1]
    history.answers["runs"] = ["two"]
    reads.stale("others")
    reads.get("runs")
    await settled()
    assert reads.get("runs") == ["one"]
    reads.stale()
    assert reads.get("runs") == ["one"]
    await settled()
    assert reads.get("runs") == ["two"]
    assert arrived == [1, 1]


async def test_what_the_store_cannot_answer_is_told_and_asked_for_again_when_stale():
    failed = []

    def runs():
        raise StateError("the disk is away")

    history = cw.FakeHistory(runs=runs)
    reads = Reads(history, lambda: None, failed.append)
    reads.get("runs")
    await settled()
    assert [str(each) for each in failed] == ["the disk is away"]
    assert reads.get("runs") is None


async def test_answers_that_nobody_asks_for_any_more_are_forgotten():
    reads = Reads(cw.FakeHistory(run=lambda name: name), lambda: None, lambda _: None)
    for number in range(KEPT + 1):
        reads.get("run", str(number))
    await settled()
    assert not reads.known("run", "0")
    assert reads.known("run", str(KEPT))


async def test_reading_ends_with_the_console():
    never = asyncio.Event()

    class Slow:
        async def runs(self):
            await never.wait()

    reads = Reads(Slow(), lambda: None, lambda _: None)
    reads.get("runs")
    await settled()
    await reads.aclose()
    await reads.aclose()


async def test_a_deletion_waits_and_can_be_undone():
    turn, done = asyncio.Event(), []

    async def wait(_):
        await turn.wait()

    undo = Undo(wait)

    async def delete():
        done.append(1)

    assert undo.undo() == ""
    undo.later("delete a", delete)
    await settled()
    assert undo.undo() == "delete a"
    undo.later("delete b", delete)
    await settled()
    assert done == []
    turn.set()
    await settled()
    assert done == [1]
    assert undo.undo() == ""


async def test_what_was_to_be_deleted_is_deleted_when_the_console_ends():
    async def wait(_):
        await asyncio.Event().wait()

    done = []

    async def delete():
        done.append(1)

    undo = Undo(wait)
    undo.later("delete a", delete)
    await settled()
    await undo.aclose()
    assert done == [1]
    await undo.aclose()


CHANGES = Command(id="jobs.run", keys="r", title="run", help="", changes=True)


def test_who_only_looks_changes_nothing():
    assert "only shows" in why_not(CHANGES, read_only=True, enabled=True)
    assert "nothing here" in why_not(CHANGES, read_only=False, enabled=False)
    assert why_not(CHANGES, read_only=False, enabled=True) == ""


def test_all_mistakes_of_a_configuration_are_told():
    mistake = Mistake(where="f", key="settings.max_jobs", problem="99 is too many", way_out="1-50")
    assert told(ConfigError([mistake])) == "settings.max_jobs: 99 is too many. 1-50"
    assert told(EtltuiError("no")) == "no"


def test_a_word_is_completed_from_its_beginning_or_from_any_part():
    known = ["monitor", "jobs"]
    assert completed("mo", known) == ["monitor"]
    assert set(completed("o", known)) == set(known)
    assert completed("nito", known) == ["monitor"]
    assert completed("x", known) == []


def test_a_line_is_a_word_and_the_rest():
    assert parsed("  run gst_sales now ") == ("run", "gst_sales now")
    assert nearest_word("montor", ["monitor", "jobs"]) == "monitor"
    assert nearest_word("xyz", ["monitor"]) == ""
    assert Command(id="run.retry_failed", keys="", title="", help="").word == "retry-failed"
    assert Command(id="run.retry_failed", keys="", title="", help="").method == "do_retry_failed"
