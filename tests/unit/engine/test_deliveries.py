"""Targets that somebody holds: in sight beside their places, and in them as soon as that can be."""

import asyncio
import os
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from engine_world import csv
from etltui.domain.errors import ErrorClass, Failure, RefusedError, StateError
from etltui.domain.events import RunFinished, TargetPublished
from etltui.domain.run import RunStatus
from etltui.domain.stored import PublicationState
from etltui.domain.targets import lock_path, temporary_path
from etltui.engine import claims, deliveries, delivery, held, preflight, target_lock
from etltui.engine.held import FORGOTTEN_S
from fakes import Crash, Script, failure
from owner_kit import excel

BESIDE = "sales (held by Anna, 2026-11-22 04.35).csv"
REFUSED = failure(ErrorClass.TARGET, "Text file busy")


@pytest.fixture
def out(world):
    world.folder.joinpath("out").mkdir()
    return world.folder / "out"


def opened(out, name="sales.csv", who="Anna", age=0.0, now=None):
    """Somebody has the target open."""
    path = out / f"~${name}"
    path.write_bytes(excel(who))
    at = (now or 1795302300.0) - age
    os.utime(path, (at, at))
    return path


def there(world):
    """What was published, but for partial targets: the fakes remove none."""
    return {path for path in world.parts.files if ".partial" not in path}


async def look(world):
    await deliveries.Deliveries(
        world.engine._tools,
        world.engine._submissions.taking_in,
        world.engine.queue,
        world.engine._finisher,
    ).look()


async def test_a_target_that_somebody_holds_waits_beside_it(world, out):
    opened(out, now=world.clock.now().timestamp())
    result = await world.run()
    assert result.status is RunStatus.STOPPED
    beside = str(out / BESIDE)
    assert result.reason.startswith(f"not published: {world.target} is held by Anna since 2026-11-")
    assert result.reason.endswith(
        f"~$sales.csv says so. Its rows are in {beside} and are put in their place as soon as "
        "that can be"
    )
    (output,) = result.outputs
    assert (output.path, output.final, output.rows) == (beside, False, 6)
    assert [e.final for e in world.happened(TargetPublished) if e.path == beside] == [False]
    assert there(world) == {beside}
    row = await world.store.publication(result.run, 0)
    assert (row.state, row.temporary) == (PublicationState.ASSEMBLED, beside)


async def test_it_has_its_place_as_soon_as_nobody_holds_it(world, out):
    path = opened(out, now=world.clock.now().timestamp())
    first = await world.run()
    await look(world)
    assert await world.stored(first.run) is RunStatus.STOPPED
    path.unlink()
    world.leases.read()
    await look(world)
    assert there(world) == {world.target}
    assert await world.stored(first.run) is RunStatus.COMPLETED
    ended = world.happened(RunFinished)[-1].result
    assert (ended.run, ended.reason, ended.rows) == (first.run, "", 6)
    assert [(o.path, o.final) for o in ended.outputs] == [(world.target, True)]
    assert len(ended.connections) == 3
    assert world.leases.read() == []
    assert not (world.parts_folder / first.run).exists()
    assert (await world.store.publication(first.run, 0)).state is PublicationState.CLEANED
    assert [path.name for path in out.iterdir()] == []


async def test_a_run_with_errors_ends_with_errors_and_keeps_its_parts(world, out):
    world.leases.extracts["B"] = Script(failure(ErrorClass.PERMISSION))
    path = opened(out, now=world.clock.now().timestamp())
    first = await world.run()
    assert first.completed == 2
    path.unlink()
    await look(world)
    assert await world.stored(first.run) is RunStatus.COMPLETED_WITH_ERRORS
    assert (world.parts_folder / first.run).exists()


async def test_resume_puts_it_there_without_reading(world, out):
    path = opened(out, now=world.clock.now().timestamp())
    first = await world.run()
    path.unlink()
    world.leases.read()
    result = await world.run(resume=True)
    assert (result.run, result.status) == (first.run, RunStatus.COMPLETED)
    assert world.leases.read() == []
    assert there(world) == {world.target}


async def test_held_again_it_stays_where_it_is(world, out):
    opened(out, now=world.clock.now().timestamp())
    first = await world.run()
    world.clock.turn(3600)
    again = await world.run(resume=True)
    assert (again.run, again.status) == (first.run, RunStatus.STOPPED)
    assert there(world) == {str(out / BESIDE)}


async def test_what_is_refused_without_an_owner_file_waits_beside_it_too(world, out):
    end, busy = world.parts.deliver, True

    async def deliver(temporary, target, published):
        if busy and target == world.target:
            raise REFUSED
        return await end(temporary, target, published)

    world.parts.deliver = deliver
    result = await world.run()
    assert result.reason.startswith("not published: Text file busy. Its rows are in ")
    assert result.outputs[0].path == str(out / BESIDE.replace("held by Anna", "not replaced"))
    await look(world)
    assert await world.stored(result.run) is RunStatus.STOPPED
    busy = False
    await look(world)
    assert await world.stored(result.run) is RunStatus.COMPLETED


@pytest.mark.usefixtures("out")
async def test_where_nothing_can_be_renamed_it_stays_hidden_and_is_tried_again(world):
    end, refused = world.parts.deliver, True

    async def deliver(temporary, target, published):
        if refused and ".partial" not in target:
            raise Failure(ErrorClass.TARGET, "Stale file handle")
        return await end(temporary, target, published)

    world.parts.deliver = deliver
    result = await world.run()
    assert (result.reason, result.outputs) == ("not published: Stale file handle", ())
    row = await world.store.publication(result.run, 0)
    assert row.temporary == str(temporary_path(Path(world.target)))
    await look(world)
    assert await world.stored(result.run) is RunStatus.STOPPED
    refused = False
    await look(world)
    assert await world.stored(result.run) is RunStatus.COMPLETED


async def test_whoever_changes_what_lies_beside_keeps_it(world, out):
    path = opened(out, now=world.clock.now().timestamp())
    first = await world.run()
    path.unlink()
    beside = str(out / BESIDE)
    changed = world.parts.files.pop(beside)
    await look(world)
    row = await world.store.publication(first.run, 0)
    assert row.state is PublicationState.ASSEMBLING
    assert row.temporary == str(temporary_path(Path(world.target)))
    result = await world.run(resume=True)
    assert result.status is RunStatus.COMPLETED
    assert world.parts.files[world.target].rows == changed.rows


async def test_the_others_are_published_though_one_is_held(world, out):
    world.job(destinations=(csv("out/sales.csv"), csv("out/b.csv"), csv("out/c.csv")))
    holding = [opened(out, n, now=world.clock.now().timestamp()) for n in ("sales.csv", "b.csv")]
    result = await world.run()
    assert [o.final for o in result.outputs] == [False, False, True]
    assert "sales.csv is held by Anna" in result.reason
    holding[0].unlink()
    await look(world)
    assert await world.stored(result.run) is RunStatus.STOPPED
    assert world.target in world.parts.files
    holding[1].unlink()
    await look(world)
    assert await world.stored(result.run) is RunStatus.COMPLETED


async def test_a_later_run_has_the_place_and_what_lies_beside_stays(world, out):
    path = opened(out, now=world.clock.now().timestamp())
    first = await world.run()
    path.unlink()
    world.clock.turn(60)
    second = await world.run()
    assert second.status is RunStatus.COMPLETED
    await look(world)
    assert await world.stored(first.run) is RunStatus.STOPPED
    assert there(world) == {world.target, str(out / BESIDE)}


async def test_replace_replaces(world, out):
    opened(out, now=world.clock.now().timestamp())
    world.tools(on_held="replace")
    result = await world.run()
    assert result.status is RunStatus.COMPLETED


async def test_an_owner_file_that_a_crash_left_holds_nothing_for_ever(world, out):
    opened(out, now=world.clock.now().timestamp(), age=FORGOTTEN_S + 1)
    assert (await world.run()).status is RunStatus.COMPLETED


@pytest.mark.usefixtures("out")
async def test_a_read_only_target_is_not_replaced(world):
    target = Path(world.target)
    await asyncio.to_thread(target.touch, 0o444)
    result = await world.run()
    assert result.reason.startswith(f"not published: {world.target} is read-only. Its rows are in ")
    await asyncio.to_thread(target.chmod, 0o644)
    await look(world)
    assert await world.stored(result.run) is RunStatus.COMPLETED


def test_a_file_of_a_folder_counts_and_nobody_need_be_named(tmp_path, monkeypatch):
    now = datetime(2026, 11, 22, tzinfo=UTC)
    (tmp_path / "a").mkdir()
    assert held.holder(tmp_path / "a", now) is None
    path = tmp_path / "a" / ".~lock.b.csv#"
    path.write_bytes(b"")
    os.utime(path, (now.timestamp(), now.timestamp()))
    assert held.holder(tmp_path / "a", now).why == "held by somebody"

    def refused(*_, **__):
        raise PermissionError

    monkeypatch.setattr(Path, "open", refused)
    assert held.holder(tmp_path / "a", now).why == "held by somebody"


@pytest.mark.usefixtures("out")
async def test_a_share_that_cannot_say_who_holds_it_is_asked_to_rename(world, monkeypatch):
    def away(*_):
        raise OSError(116, "Stale file handle")

    monkeypatch.setattr(delivery, "holder", away)
    assert (await world.run()).status is RunStatus.COMPLETED


@pytest.mark.usefixtures("out")
async def test_another_engines_target_is_not_begun(world, monkeypatch):
    take = partial(target_lock.take, state=Path("/other"), job="sales", run="R-1", now=0.0)
    await asyncio.to_thread(take, Path(world.target))
    # As if another process had it, and lived.
    monkeypatch.setattr(target_lock, "_ours", set())
    monkeypatch.setattr(target_lock, "_is_dead", lambda *_: False)
    with pytest.raises(RefusedError, match=r"sales\.csv is being written by process"):
        await world.submit()
    # It comes between the look and the turn.
    monkeypatch.setattr(preflight, "taken_by", lambda *_: "")
    result = await world.run()
    assert result.status is RunStatus.STOPPED
    assert result.reason.startswith(f"nothing was read: {world.target} is being written by ")
    assert world.leases.read() == []


async def test_the_lock_is_there_while_it_is_written_and_gone_at_the_end(world, out):
    seen = []
    end = world.parts.assemble

    async def assemble(task):
        seen.append(await asyncio.to_thread(lock_path(Path(world.target)).exists))
        return await end(task)

    world.parts.assemble = assemble
    assert (await world.run()).status is RunStatus.COMPLETED
    assert set(seen) == {True}
    assert list(out.iterdir()) == []


class Beats:
    """Lets a holder beat when a test says so."""

    def __init__(self):
        self._go = asyncio.Queue()
        self._idle = asyncio.Event()

    async def wait(self, _):
        self._idle.set()
        await self._go.get()

    async def once(self):
        """One beat, from its begin to its end."""
        await self._idle.wait()
        self._idle.clear()
        self._go.put_nowait(None)
        await self._idle.wait()


@pytest.fixture
async def holding(world, out):
    """The claims of a run, and its beats."""
    plan = await world.store.plan((await world.run()).run)
    beats = Beats()
    mine = claims.Claims(world.engine._tools, plan, beats.wait)
    await mine.begin()
    assert [path.name for path in out.iterdir()] == [".sales.csv.etltui-lock"]
    yield mine, beats
    await mine.release()


async def test_a_holder_shows_that_it_lives(world, holding):
    path = lock_path(Path(world.target))
    await asyncio.to_thread(os.utime, path, (0, 0))
    await holding[1].once()
    assert (await asyncio.to_thread(path.stat)).st_mtime > 0


async def test_a_lock_that_was_taken_away_is_told_and_taken_again(world, holding, caplog):
    mine, beats = holding
    path = lock_path(Path(world.target))
    await asyncio.to_thread(path.unlink)
    await beats.once()
    assert "was taken away" in caplog.text
    await mine.hold(world.target)
    assert await asyncio.to_thread(path.exists)


async def test_a_lock_that_cannot_be_reached_stops_nobody(world, holding, caplog, monkeypatch):
    mine, beats = holding
    monkeypatch.setattr(target_lock, "_read", refused_read)
    await beats.once()
    assert "was not touched: Stale file handle" in caplog.text
    with pytest.raises(Failure, match="nobody can tell who writes"):
        await mine.hold(world.target)
    await mine.release()
    assert "was not removed: Stale file handle" in caplog.text


def refused_read(_):
    raise OSError(116, "Stale file handle")


@pytest.mark.usefixtures("out")
async def test_a_folder_that_takes_no_lock_is_told_when_it_is_written(world, monkeypatch):
    monkeypatch.setattr(target_lock, "_made", lambda *_: refused_read(None))
    result = await world.run()
    assert result.status is RunStatus.STOPPED
    wanted = f"not published: nobody can tell who writes {world.target}: Stale file handle"
    assert result.reason == wanted


async def test_an_engine_that_stays_looks_again_and_again(world, out):
    path = opened(out, now=world.clock.now().timestamp())
    first = await world.run()
    waits = asyncio.Queue()
    looked = asyncio.Event()

    async def wait(seconds):
        assert seconds == deliveries.LOOK_S
        looked.set()
        await waits.get()

    engine = world.engine
    stays = deliveries.Deliveries(
        engine._tools, engine._submissions.taking_in, engine.queue, engine._finisher, wait
    )
    stays.start()
    await looked.wait()
    assert await world.stored(first.run) is RunStatus.STOPPED
    path.unlink()
    looked.clear()
    waits.put_nowait(None)
    await looked.wait()
    assert await world.stored(first.run) is RunStatus.COMPLETED
    await stays.aclose()


async def test_an_engine_that_does_not_stay_looks_at_its_end(world, out):
    path = opened(out, now=world.clock.now().timestamp())
    await world.run()
    path.unlink()
    await world.restart()
    assert there(world) == {str(out / BESIDE)}
    await world.engine.aclose()
    assert there(world) == {world.target}


async def test_one_that_is_taken_up_by_hand_is_left_to_whoever_did(world, out, monkeypatch):
    path = opened(out, now=world.clock.now().timestamp())
    await world.run()
    path.unlink()
    monkeypatch.setattr(world.engine.queue, "handle", lambda _: object())
    await look(world)
    assert there(world) == {str(out / BESIDE)}


async def test_a_store_that_cannot_be_read_stops_no_look_for_ever(world, caplog, monkeypatch):
    async def refused():
        raise StateError("the disk is full")

    monkeypatch.setattr(world.store, "publications", refused)
    await look(world)
    assert "were not looked at: the disk is full" in caplog.text


@pytest.mark.usefixtures("out")
async def test_a_full_disk_is_no_reason_to_wait_beside(world):
    end = world.parts.deliver

    async def deliver(temporary, target, published):
        if target == world.target:
            raise failure(ErrorClass.DISK, "no space left")
        return await end(temporary, target, published)

    world.parts.deliver = deliver
    result = await world.run()
    assert (result.reason, result.outputs) == ("not published: no space left", ())


async def test_a_held_target_that_has_its_place_already_is_left_there(world, out):
    world.refuse("finish_run")
    first = await world.run()
    await world.restart()
    row = await world.store.publication(first.run, 0)
    assert row.state is PublicationState.DELIVERED
    opened(out, now=world.clock.now().timestamp())
    result = await world.run(resume=True)
    assert (result.run, result.status) == (first.run, RunStatus.COMPLETED)


@pytest.mark.usefixtures("out")
async def test_what_is_delivered_and_cannot_be_looked_at_stays_delivered(world):
    world.refuse("finish_run")
    first = await world.run()
    await world.restart()
    world.parts.delivers = Script(REFUSED)
    result = await world.run(resume=True)
    assert result.reason == "not published: Text file busy"
    row = await world.store.publication(first.run, 0)
    assert row.state is PublicationState.DELIVERED


async def test_renamed_before_a_crash_and_held_since_it_is_not_put_beside(world, out):
    end = world.parts.deliver

    async def crash(temporary, target, published):
        done = await end(temporary, target, published)
        if target == world.target:
            raise Crash
        return done

    world.parts.deliver = crash
    handle = await world.submit()
    await world.crash(handle)
    world.parts.deliver = end
    await world.restart()
    opened(out, now=world.clock.now().timestamp())
    await look(world)
    # It was not stopped because of its target: whoever resumes it decides.
    assert await world.stored(handle.run) is RunStatus.STOPPED
    result = await world.run(resume=True)
    assert (result.run, result.status) == (handle.run, RunStatus.COMPLETED)
    assert there(world) == {world.target}
