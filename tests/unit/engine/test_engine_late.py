"""Branches that were out of reach are tried on after the run, and patched in: N-1."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from engine_world import connection, csv
from etltui.domain.errors import ErrorClass, NoSuchRunError
from etltui.domain.events import ConnectionFailed, RunFinished, RunStarted, TargetPublished
from etltui.domain.job import OnFinish, RetryPolicy
from etltui.domain.progress import LateView
from etltui.domain.queue import Ask
from etltui.domain.run import RunStatus
from etltui.domain.stored import PublicationState
from etltui.engine.late import LateWindows
from fakes import Held, Script, failure

AWAY = failure()
ELEVEN = datetime(2026, 11, 22, 5, 30, tzinfo=UTC).timestamp()
"""11:00 in Asia/Kolkata, 6 h and 25 min after the clock begins."""
MINUTE = 60


def away(world, *names):
    """Let connections be out of reach."""
    for name in names:
        world.leases.reaches[name] = Script(AWAY)
        world.leases.opens[name] = Script(AWAY)


def back(world, *names):
    for name in names:
        world.leases.reaches.pop(name)
        world.leases.opens.pop(name)


@pytest.fixture
async def late(world):
    """A world whose run has ended without B and C."""
    world.settings = replace(world.settings, timezone="Asia/Kolkata")
    world.resident = True
    world.job(late_until="11:00")
    world.renew()
    away(world, "B", "C")
    world.first = await world.run()
    world.bus.events.clear()
    world.leases.read()
    world.record.clear()
    return world


def views(world):
    return world.engine.snapshot().late


def gap(world):
    """Minutes until the next look."""
    return round((views(world)[0].next_at - world.clock.now().timestamp()) / MINUTE)


async def look(world):
    """Turn to the next look and wait until what it brings is done."""
    [view] = views(world)
    window, clock = world.engine.late._windows[view.run], world.clock
    clock.turn(view.next_at - clock.now().timestamp() + 0.001)
    over = asyncio.ensure_future(window.over.wait())
    while not over.done() and window.next_at <= clock.now().timestamp():
        clock._changed.clear()
        sleeps = asyncio.ensure_future(clock._changed.wait())
        await asyncio.wait({over, sleeps}, return_when=asyncio.FIRST_COMPLETED)
        sleeps.cancel()
    over.cancel()


async def reached(world, name, *answers):
    """Let a connection come back and be held while it is read; who holds it, and the look."""
    back(world, name)
    held = Held(2)
    world.leases.extracts[name] = Script(held, *answers)
    looking = asyncio.ensure_future(look(world))
    await held.reached.wait()
    return held, looking


async def test_n_1_it_opens_where_a_run_ends_without_some(late):
    assert late.first.status is RunStatus.COMPLETED_WITH_ERRORS
    [view] = views(late)
    assert view == LateView(
        run=late.first.run,
        job="sales",
        connections=("B", "C"),
        until=ELEVEN,
        next_at=view.next_at,
    )
    assert gap(late) == 1


async def test_n_1_who_answers_is_patched_in_and_nobody_else_is_read(late):
    back(late, "C")
    await look(late)
    assert late.leases.read() == ["C"]
    [view] = views(late)
    assert view.connections == ("B",)
    assert [entry.rows for entry in late.parts.tasks[-1].entries] == [2, 0, 2]
    assert late.parts.files[late.target].rows == 4
    back(late, "B")
    await look(late)
    assert late.leases.read() == ["B"]
    assert await late.stored(late.first.run) is RunStatus.COMPLETED
    assert views(late) == ()
    assert late.parts.files[late.target].rows == 6


async def test_n_1_the_gaps_widen_and_nothing_is_done_while_nobody_answers(late):
    seen = []
    for _ in range(7):
        seen.append(gap(late))
        await look(late)
    assert all(
        wanted <= was <= wanted * 1.1 + 1
        for was, wanted in zip(seen, (1, 2, 4, 8, 15, 15, 15), strict=True)
    )
    assert late.leases.read() == []
    assert not late.happened(RunStarted, RunFinished, TargetPublished)
    assert late.record.of("assemble", "deliver") == []
    assert (await late.store.run(late.first.run)).attempt == 1


async def test_n_1_it_closes_at_its_time(late):
    while views(late):
        await look(late)
    assert late.clock.now().timestamp() == pytest.approx(ELEVEN, abs=MINUTE)
    assert late.clock.now().timestamp() >= ELEVEN
    back(late, "B")
    assert late.clock.asleep == 0
    assert await late.engine.late.wait(late.first) is late.first


async def test_it_waits_for_whoever_asks_and_says_how_it_stands(late):
    waiting = asyncio.ensure_future(late.engine.late.wait(late.first))
    back(late, "C")
    await look(late)
    assert not waiting.done()
    back(late, "B")
    await look(late)
    assert (await waiting).status is RunStatus.COMPLETED


async def test_a_session_is_what_answers_not_a_port(late):
    late.leases.reaches.clear()
    await look(late)
    assert not late.happened(RunStarted)
    late.leases.opens.clear()
    late.leases.describes["B"] = Script(failure(ErrorClass.BUSY))
    await look(late)
    assert late.leases.read() == ["C"]


async def test_who_answers_and_refuses_is_read_once_and_says_so(late):
    late.leases.reaches.clear()
    late.leases.opens |= {name: Script(failure(ErrorClass.LOGIN)) for name in "BC"}
    await look(late)
    found = {row.connection: row.result for row in await late.store.connections(late.first.run)}
    assert found["B"].trouble.error_class is ErrorClass.LOGIN
    assert views(late) == ()


async def told(world):
    """How many connections had come at the ends that the job's command was told of."""
    await world.engine._finisher.aclose()
    path = world.folder / "told"
    lines = await asyncio.to_thread(path.read_text) if path.exists() else ""
    return [json.loads(line)["connections"]["completed"] for line in lines.splitlines()]


async def test_n_1_nothing_is_published_again_where_nothing_came(late):
    late.job(on_finish=OnFinish(command=("/bin/sh", "-c", "cat >> told")))
    await late.restart()
    back(late, "B")
    late.leases.extracts["B"] = Script(failure(ErrorClass.LOST))
    await look(late)
    assert late.leases.read() == ["B"]
    assert late.record.of("assemble") == []
    assert await told(late) == []
    row = await late.store.run(late.first.run)
    assert (row.status, row.result.outputs[0].rows) == (RunStatus.COMPLETED_WITH_ERRORS, 2)
    publication = await late.store.publication(row.run, 0)
    assert publication.state is PublicationState.DELIVERED
    assert {m.connection for m in await late.store.members(row.run, 0)} == {"A"}
    assert views(late)[0].connections == ("B", "C")
    late.leases.extracts["B"] = Script(2)
    await look(late)
    assert await told(late) == [1]
    assert late.parts.files[late.target].rows == 4


async def test_a_target_that_somebody_changed_meanwhile_is_made_again(late):
    back(late, "B")
    late.leases.extracts["B"] = Script(failure(ErrorClass.LOST))
    late.parts.files.pop(late.target)
    await look(late)
    assert late.parts.files[late.target].rows == 2


async def test_one_try_each_and_no_other_turn(late):
    late.job(retry=RetryPolicy(retries=3, delay_s=1))
    await late.restart()
    back(late, "B")
    late.leases.extracts["B"] = Script(failure(ErrorClass.LOST))
    await look(late)
    assert late.leases.read() == ["B"]
    assert await late.store.queued() == []


async def test_a_run_of_which_nothing_came_is_tried_on_too(world):
    world.settings = replace(world.settings, timezone="Asia/Kolkata")
    world.job(late_until="11:00", columns=("id",))
    world.renew()
    away(world, *"ABC")
    first = await world.run()
    assert first.status is RunStatus.FAILED
    # Its own turns are over: late connections get no others beside their gaps.
    world.job(retry=RetryPolicy(retries=3, delay_s=1))
    world.resident = True
    await world.restart()
    world.leases.read()
    back(world, "A")
    world.leases.extracts["A"] = Script(failure(ErrorClass.LOST), 2)
    await look(world)
    assert await world.stored(first.run) is RunStatus.FAILED
    await look(world)
    assert await world.stored(first.run) is RunStatus.COMPLETED_WITH_ERRORS
    assert world.parts.files[world.target].rows == 2


@pytest.mark.parametrize(
    "change",
    [{"late_until": ""}, {"late_until": "11:00", "connections": ("A",)}],
    ids=["not said", "all came"],
)
async def test_no_window_opens_where_none_is_wanted_or_needed(world, change):
    world.job(**change)
    world.renew()
    away(world, "B")
    await world.run()
    assert views(world) == ()


async def test_no_window_opens_for_who_refuses(world):
    world.job(late_until="11:00")
    world.renew()
    world.leases.opens["B"] = Script(failure(ErrorClass.LOGIN))
    await world.run()
    assert views(world) == ()


async def test_n_1_a_newer_run_ends_it(late):
    late.clock.turn(1)
    newer = await late.run()
    [view] = views(late)
    assert view.run == newer.run
    late.leases.read()
    back(late, "B", "C")
    await look(late)
    assert await late.stored(newer.run) is RunStatus.COMPLETED
    assert await late.stored(late.first.run) is RunStatus.COMPLETED_WITH_ERRORS


async def test_n_1_a_newer_run_that_is_at_work_is_not_disturbed(late):
    held = Held(2)
    late.leases.extracts["A"] = Script(held)
    late.clock.turn(1)
    with late.engine.events() as events:
        newer = await late.submit()
        await held.reached.wait()
        failed = 0
        async for event in events:
            failed += isinstance(event, ConnectionFailed)
            if failed == 2:
                break
    back(late, "B", "C")
    await look(late)
    assert views(late) == ()
    assert late.leases.read() == ["A"]
    held.let_go()
    await newer.wait()
    assert [view.run for view in views(late)] == [newer.run]


async def test_a_retry_by_hand_goes_first_and_ends_it(late):
    back(late, "B", "C")
    held = Held(2)
    late.leases.extracts["B"] = Script(held)
    handle = await late.engine.retry(late.first.run, Ask(only_failed=True))
    await held.reached.wait()
    await look(late)
    assert len(views(late)) == 1
    held.let_go()
    assert (await handle.wait()).status is RunStatus.COMPLETED
    assert views(late) == ()


async def test_whoever_wants_a_new_run_is_not_given_the_patching(late):
    held, looking = await reached(late, "B")
    other = await late.submit()
    assert other.run != late.first.run
    held.let_go()
    await other.wait()
    await looking


@pytest.mark.parametrize("paused", ["", "sales"])
async def test_a_paused_job_is_not_patched_meanwhile(late, paused):
    await late.engine.queue.pause(paused, paused=True)
    back(late, "B", "C")
    await look(late)
    assert late.leases.read() == []
    await late.engine.queue.pause(paused, paused=False)
    await look(late)
    assert views(late) == ()


async def test_a_disabled_job_is_not_patched(late):
    late.job(enabled=False)
    await late.restart()
    back(late, "B", "C")
    await look(late)
    assert late.leases.read() == []
    assert len(views(late)) == 1


async def test_a_job_that_is_gone_is_patched_as_it_was(late):
    late.jobs.clear()
    await late.restart()
    back(late, "B", "C")
    await look(late)
    assert await late.stored(late.first.run) is RunStatus.COMPLETED


async def test_who_is_held_or_outside_its_hours_is_not_asked(late):
    late.connections = (
        connection("A"),
        connection("B", hours="12:00-13:00"),
        connection("C", hours="00:00-23:59"),
    )
    await late.restart()
    back(late, "B", "C")
    await look(late)
    assert late.leases.read() == ["C"]


@pytest.mark.parametrize("name", ["sales", "run", "end"])
@pytest.mark.parametrize("resumable", [False, True])
async def test_n_1_cancel_ends_it_for_good(late, name, resumable):
    run = late.first.run
    await late.engine.cancel(
        {"sales": name, "run": run, "end": run[-4:]}[name], resumable=resumable
    )
    assert views(late) == ()
    assert await late.stored(run) is RunStatus.COMPLETED_WITH_ERRORS
    await late.restart()
    assert views(late) == ()
    with pytest.raises(NoSuchRunError, match="no such run waits"):
        await late.engine.cancel(run)


@pytest.mark.parametrize("resumable", [False, True])
async def test_cancel_in_the_middle_of_a_patch_ends_both(late, resumable):
    _, looking = await reached(late, "B")
    handle = late.engine.queue.handle(late.first.run)
    await late.engine.cancel(late.first.run, resumable=resumable)
    ended = await handle.wait()
    assert ended.status is (RunStatus.STOPPED if resumable else RunStatus.CANCELLED)
    await looking
    assert views(late) == ()


async def test_n_1_the_next_engine_goes_on(late):
    await late.restart()
    [view] = views(late)
    assert (view.run, view.connections, view.until) == (late.first.run, ("B", "C"), ELEVEN)
    back(late, "C")
    await look(late)
    assert late.leases.read() == ["C"]
    assert late.parts.files[late.target].rows == 4


async def test_n_1_a_kill_in_the_middle_of_a_patch_loses_nothing(late):
    _, looking = await reached(late, "B", 2)
    looking.cancel()
    await late.restart()
    assert await late.stored(late.first.run) is RunStatus.STOPPED
    assert views(late)[0].connections == ("B", "C")
    await look(late)
    assert late.parts.files[late.target].rows == 4
    assert await late.stored(late.first.run) is RunStatus.COMPLETED_WITH_ERRORS
    assert views(late)[0].connections == ("C",)


async def test_n_1_what_was_read_and_not_published_is_published_later(late):
    back(late, "B")
    late.parts.assembles = Script(failure(ErrorClass.TARGET, "the share is away"), None)
    await look(late)
    assert await late.stored(late.first.run) is RunStatus.STOPPED
    assert views(late)[0].connections == ("C",)
    late.leases.read()
    await look(late)
    assert late.leases.read() == []
    assert await late.stored(late.first.run) is RunStatus.COMPLETED_WITH_ERRORS
    assert late.parts.files[late.target].rows == 4
    assert views(late)[0].connections == ("C",)


async def test_an_engine_that_ends_with_its_runs_takes_up_no_windows(late):
    late.resident = False
    await late.restart()
    assert views(late) == ()


async def test_n_1_an_engine_that_stops_leaves_it_to_the_next(late):
    waiting = asyncio.ensure_future(late.engine.late.wait(late.first))
    await late.engine.stop("stopped by SIGINT")
    assert (await waiting).status is RunStatus.COMPLETED_WITH_ERRORS
    await late.restart()
    assert len(views(late)) == 1


async def test_a_patch_that_a_stop_breaks_off_is_left_to_the_next(late):
    _, looking = await reached(late, "B", 2)
    await late.engine.stop("stopped by SIGTERM")
    await looking
    assert await late.stored(late.first.run) is RunStatus.STOPPED
    await late.restart()
    await look(late)
    assert late.parts.files[late.target].rows == 4


async def test_what_cannot_be_looked_at_now_is_looked_at_later(late, caplog):
    late.refuse("plan")
    await look(late)
    assert "were not looked at: the disk is full" in caplog.text
    late.failing.clear()
    back(late, "B", "C")
    await look(late)
    assert views(late) == ()


async def test_an_engine_starts_although_a_plan_cannot_be_read(late, caplog):
    await late.engine.late.aclose()
    late.refuse("plan")
    late.renew()
    await late.engine.late.start()
    assert "are not tried on: the disk is full" in caplog.text
    late.failing.clear()


async def test_targets_that_a_later_run_has_taken_end_it(late, caplog):
    caplog.set_level("INFO")
    late.job("other", destinations=(csv("out/sales.csv"),))
    await late.restart()
    late.clock.turn(1)
    away(late, "B", "C")
    await late.run("other")
    back(late, "B", "C")
    await look(late)
    assert views(late) == ()
    assert "holds the later run" in caplog.text


async def test_the_engine_reads_nothing_of_a_run_that_never_began(late):
    late.engine.late.ended(replace(late.first, status=RunStatus.FAILED, connections=()), None)
    assert len(views(late)) == 1


async def test_chance_keeps_windows_apart(late):
    windows = LateWindows(
        late.engine._tools,
        late.engine._starts,
        late.engine._submissions,
        over=late.engine._finisher.start,
        chance=lambda: 0.5,
    )
    await windows.start()
    [view] = windows.views()
    assert view.next_at - late.clock.now().timestamp() == pytest.approx(63)
    await windows.aclose()


async def test_a_name_that_means_none_ends_none(late):
    assert await late.engine.late.close("") == ""
    assert await late.engine.late.close("other") == ""
    assert len(views(late)) == 1


async def test_a_run_that_never_began_is_nobodys_window(late):
    late.job("other", late_until="11:00")
    await late.engine.queue.pause("other", paused=True)
    never = await late.submit("other")
    await late.engine.cancel(never.run)
    await late.restart()
    assert [view.job for view in views(late)] == ["sales"]
