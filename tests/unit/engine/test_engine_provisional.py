"""Days that were not closed are read again and patched, whatever comes in between: N-9."""

from dataclasses import replace
from datetime import date

import pytest

from engine_world import csv
from etltui.domain.job import Destination, WebhookOptions
from etltui.domain.run import RunStatus
from etltui.engine.provisional import Before
from fakes import FakeSession, Held, Script, failure

OLD = date(2026, 11, 20)


@pytest.fixture
async def open_day(world, monkeypatch):
    """A world in which B has not closed the day of the first run; `world.open` says who."""
    world.open = {"B"}
    extract = FakeSession.extract

    async def told(self, task, progress):
        done = await extract(self, task, progress)
        why = "the day is not closed" if task.connection in world.open else ""
        return replace(done, provisional=why)

    monkeypatch.setattr(FakeSession, "extract", told)
    world.job(day_closed="select 1", destinations=(csv("out/{day}.csv"),))
    world.renew()
    world.first = await world.run(day=OLD)
    world.clock.turn(1)
    world.leases.tasks.clear()
    return world


async def night(world):
    """The next night's run, and the patches that it brought."""
    result = await world.run()
    patches = [await handle.wait() for handle in world.engine.patches]
    world.engine.patches.clear()
    world.clock.turn(1)
    return result, patches


async def rows(world, run):
    found = await world.store.connections(run)
    return {row.connection: (row.result.rows, row.result.provisional) for row in found}


async def test_n_9_only_what_was_open_is_read_again_and_asked_for_its_own_day(open_day):
    open_day.leases.extracts["B"] = Script(2, 5)
    _, [patch] = await night(open_day)
    assert (patch.run, patch.status) == (open_day.first.run, RunStatus.COMPLETED)
    last = open_day.leases.tasks[-1]
    assert (last.connection, last.run) == ("B", patch.run)
    assert last.closing is not None
    assert await rows(open_day, patch.run) == {
        "A": (2, ""),
        "B": (5, "the day is not closed"),
        "C": (2, ""),
    }
    assert open_day.parts.tasks[-1].entries[1].rows == 5


async def test_what_cannot_be_read_again_stays_as_it_was(open_day):
    open_day.leases.extracts["B"] = Script(2, failure())
    _, [patch] = await night(open_day)
    assert patch.status is RunStatus.COMPLETED
    assert (await rows(open_day, patch.run))["B"] == (2, "the day is not closed")
    assert open_day.parts.tasks[-1].entries[1].receipts


async def test_a_patch_that_was_broken_off_is_finished_the_next_night(open_day):
    open_day.open = set()
    open_day.leases.extracts["B"] = Script(2, 5)
    # The night's own target first, then that of the old day.
    open_day.parts.assembles = Script(None, failure(message="the share is away"))
    _, [patch] = await night(open_day)
    assert patch.status is RunStatus.STOPPED
    assert (await rows(open_day, patch.run))["B"] == (5, "")
    open_day.parts.assembles = Script()
    _, [again] = await night(open_day)
    assert (again.run, again.status) == (patch.run, RunStatus.COMPLETED)
    assert open_day.parts.tasks[-1].entries[1].rows == 5
    assert (await night(open_day))[1] == []


async def test_a_patch_of_an_earlier_day_is_not_joined_by_who_wants_a_new_run(open_day):
    held = Held(3)
    open_day.leases.extracts["B"] = Script(2, held)
    new = await (await open_day.submit()).wait()
    [patch] = open_day.engine.patches
    await held.reached.wait()
    open_day.clock.turn(1)
    other = await open_day.submit()
    assert other.run not in {new.run, patch.run}
    held.let_go()
    await patch.wait()
    await other.wait()


async def test_a_patch_that_still_waits_is_not_asked_for_twice(open_day):
    await open_day.run(day=date(2026, 11, 19))
    open_day.clock.turn(1)
    held = Held(3)
    open_day.leases.extracts["B"] = Script(2, held)
    new = await (await open_day.submit()).wait()
    at_work, waiting = open_day.engine.patches
    await held.reached.wait()
    other = await open_day.submit()
    queued = [entry.run for entry in open_day.engine.queue.queue.of("sales")]
    assert sorted(queued) == sorted([at_work.run, waiting.run, other.run])
    assert len(open_day.engine.patches) == 2
    held.let_go()
    ended = [await handle.wait() for handle in (at_work, waiting, other)]
    assert {each.status for each in ended} == {RunStatus.COMPLETED}
    assert new.run not in queued


async def test_a_target_that_a_later_day_has_taken_is_not_patched_by_an_earlier_one(
    open_day, caplog
):
    open_day.job(provisional_days=60, destinations=(csv("{day:%Y-%m}.csv"),))
    open_day.renew()
    first = await open_day.run(day=date(2026, 10, 30))
    open_day.clock.turn(1)
    second = await open_day.run(day=date(2026, 10, 31))
    open_day.clock.turn(1)
    caplog.set_level("INFO")
    open_day.open = set()
    _, patches = await night(open_day)
    assert [each.run for each in patches] == [second.run, open_day.first.run]
    assert f"holds the later run {second.run}" in caplog.text
    assert "Provisional rows are not read again" in caplog.text
    assert (await rows(open_day, first.run))["B"] == (2, "the day is not closed")
    assert (await rows(open_day, second.run))["B"] == (2, "")


async def test_an_engine_that_stays_patches_too_and_has_nobody_wait(open_day):
    open_day.resident = True
    open_day.renew()
    open_day.leases.extracts["B"] = Script(2, 5)
    open_day.open = set()
    await open_day.run()
    assert not open_day.engine.patches
    await open_day.ended(open_day.first.run)
    assert (await rows(open_day, open_day.first.run))["B"] == (5, "")


async def test_a_run_of_few_or_of_another_day_patches_nothing(open_day):
    await open_day.run(only=["A"])
    open_day.clock.turn(1)
    await open_day.run(day=date(2026, 11, 19))
    assert not open_day.engine.patches


async def test_rows_that_were_sent_are_not_sent_again(open_day):
    hook = Destination(
        type="webhook", path="sent_{day}.jsonl", options=WebhookOptions(url="https://x.example/")
    )
    open_day.job(destinations=(csv("out/{day}.csv"), hook))
    open_day.renew()
    await open_day.run()
    assert not open_day.engine.patches


async def test_the_same_rows_twice_end_it(open_day):
    [receipt] = [
        each for each in await open_day.store.receipts(open_day.first.run) if each.connection == "B"
    ]
    [row] = [
        each
        for each in await open_day.store.connections(open_day.first.run)
        if each.connection == "B"
    ]
    before = Before(result=row.result, receipts=(receipt,))
    other = replace(receipt, attempt=9, path="0/9.part")
    assert before.after(row.result, (other,)).provisional == ""
    assert before.after(row.result, (replace(other, raw_crc=1),)).provisional
