"""Targets after crashes, refusals and changed plans."""

import errno
from dataclasses import replace

import pytest

from engine_world import connection, csv
from etltui.domain.errors import ErrorClass, StateError
from etltui.domain.events import TargetPublished
from etltui.domain.job import Query
from etltui.domain.run import RunStatus
from etltui.domain.stored import PublicationState
from etltui.domain.targets import temporary_path
from etltui.engine import publish
from fakes import Crash, Held, Script, failure

CHANGED = False
"""Delivering says so of a temporary file that is not what was assembled."""
TARGET = failure(ErrorClass.TARGET, "somebody holds the file")


def calls(world):
    """Assemblies and deliveries of final targets."""
    return [kind for kind, path in world.record.of("assemble", "deliver") if ".partial" not in path]


def is_partial(args):
    """Whether these are the arguments of a call for a partial target."""
    return ".partial." in (args[0].temporary if len(args) == 1 else args[1])


class FinalOnly:
    """Lets an answer of the fake's script count for final targets only."""

    def __init__(self, parts, name):
        self._parts = parts
        self.call = getattr(parts, name)
        self.answers = Script()
        setattr(parts, name, self)

    async def __call__(self, *args):
        if not is_partial(args) and not await self.answers.next(default=True):
            return False
        return await self.call(*args)


@pytest.mark.parametrize("after", ["assemble", "deliver"])
async def test_a_crash_in_publishing_is_finished_by_the_next_start(world, after):
    final = FinalOnly(world.parts, after)
    done = final.call

    async def crash(*args):
        answer = await done(*args)
        if is_partial(args):
            return answer
        raise Crash

    final.call = crash
    handle = await world.submit()
    await world.crash(handle)
    final.call = done
    world.leases.read()
    await world.restart()
    row = await world.store.publication(handle.run, 0)
    wanted = {"assemble": PublicationState.ASSEMBLING, "deliver": PublicationState.ASSEMBLED}
    assert row.state is wanted[after]
    assert await world.stored(handle.run) is RunStatus.STOPPED
    result = await world.run(resume=True)
    assert (result.status, result.rows) == (RunStatus.COMPLETED, 6)
    assert world.leases.read() == []
    assert calls(world) == (["assemble", "deliver"] if after == "assemble" else ["deliver"])
    assert world.parts.files[world.target].rows == 6


async def test_a_crash_after_delivery_was_recorded_assembles_nothing_again(world):
    world.refuse("finish_run")
    first = await world.run()
    assert first.status is RunStatus.STOPPED
    world.leases.read()
    await world.restart()
    assert (await world.store.publication(first.run, 0)).state is PublicationState.DELIVERED
    result = await world.run(resume=True)
    assert (result.run, result.status) == (first.run, RunStatus.COMPLETED)
    assert (calls(world), world.leases.read()) == (["deliver"], [])
    assert result.outputs[0].rows == 6


async def test_a_target_that_somebody_changed_since_is_assembled_again(world):
    world.refuse("finish_run")
    await world.run()
    await world.restart()
    del world.parts.files[world.target]
    result = await world.run(resume=True)
    assert result.status is RunStatus.COMPLETED
    assert calls(world) == ["deliver", "assemble", "deliver"]


async def test_a_refused_target_stops_and_resume_publishes_without_reading(world):
    deliver = FinalOnly(world.parts, "deliver")
    deliver.answers = Script(TARGET)
    first = await world.run()
    assert first.status is RunStatus.STOPPED
    assert first.reason == "not published: somebody holds the file"
    assert not [e for e in world.happened(TargetPublished) if e.final]
    assert (await world.store.publication(first.run, 0)).state is PublicationState.ASSEMBLED
    world.leases.read()
    deliver.answers = Script()
    await world.restart()
    result = await world.run(resume=True)
    assert (result.status, result.skipped, world.leases.read()) == (RunStatus.COMPLETED, 3, [])
    assert calls(world) == ["deliver"]


async def test_a_temporary_file_that_changed_is_never_renamed(world):
    deliver = FinalOnly(world.parts, "deliver")
    deliver.answers = Script(CHANGED)
    result = await world.run()
    assert result.status is RunStatus.STOPPED
    assert "changed before it could be renamed" in result.reason


async def test_an_assembly_whose_process_dies_is_tried_again(world):
    assemble = FinalOnly(world.parts, "assemble")
    died = failure(ErrorClass.DRIVER_CRASH, "the reading process died")
    assemble.answers = Script(died, died, None)
    assert (await world.run()).status is RunStatus.COMPLETED
    assemble.answers = Script(died)
    world.clock.turn(1)
    result = await world.run()
    assert (result.status, result.reason) == (
        RunStatus.STOPPED,
        "not published: the reading process died",
    )


async def test_an_assembly_that_cannot_succeed_is_not_tried_again(world):
    assemble = FinalOnly(world.parts, "assemble")
    tries = []

    async def count(task):
        if not is_partial([task]):
            tries.append(task)
        raise TARGET

    assemble.call = count
    assert (await world.run()).status is RunStatus.STOPPED
    assert len(tries) == 1


@pytest.fixture
async def assembled(world):
    """A run of A, B and C, all done and assembled, that could not be delivered."""
    deliver = FinalOnly(world.parts, "deliver")
    deliver.answers = Script(TARGET)
    first = await world.run()
    deliver.answers = Script()
    world.leases.read()
    await world.restart()
    return first


@pytest.mark.parametrize("names", ["AB", "CBA", "ABCD"])
async def test_a_target_of_other_connections_is_assembled_again(world, assembled, names):
    world.connections = tuple(map(connection, names))
    world.renew()
    result = await world.run(resume=True)
    assert result.run == assembled.run
    assert calls(world) == ["assemble", "deliver"]
    assert [e.connection for e in world.parts.tasks[-1].entries] == list(names)
    assert world.parts.files[world.target].rows == 2 * len(names) == result.rows


async def test_rows_that_fail_to_be_read_again_are_not_in_the_target(world, assembled):
    del assembled
    world.parts.bad = {"B"}
    world.leases.extracts["B"] = Script(failure())
    result = await world.run(resume=True)
    assert (result.status, result.rows) == (RunStatus.COMPLETED_WITH_ERRORS, 4)
    assert world.parts.files[world.target].rows == 4


async def test_a_crash_between_reading_more_and_publishing_delivers_no_old_target(world, assembled):
    world.connections = tuple(map(connection, "ABCD"))
    world.renew()
    # First where the target is to be set back, then where it is to be assembled again.
    world.refuse("move_publication")
    with pytest.raises(StateError, match="disk is full"):
        await world.prepare()
    await world.restart()
    held = Held(2)
    world.leases.extracts["D"] = Script(held)
    handle = await world.submit(resume=True)
    await held.reached.wait()
    world.refuse("move_publication")
    held.let_go()
    assert (await handle.wait()).status is RunStatus.STOPPED
    await world.restart()
    result = await world.run(resume=True)
    assert (result.run, result.skipped) == (assembled.run, 4)
    assert world.parts.files[world.target].rows == 8


async def test_a_second_target_that_fails_leaves_the_first_delivered(world):
    world.job(destinations=(csv("out/sales.csv"), csv("out/second.csv")))
    world.renew()
    deliver = FinalOnly(world.parts, "deliver")
    deliver.answers = Script(None, TARGET)
    first = await world.run()
    assert first.status is RunStatus.STOPPED
    states = [(await world.store.publication(first.run, n)).state for n in (0, 1)]
    assert states == [PublicationState.DELIVERED, PublicationState.ASSEMBLED]
    deliver.answers = Script()
    await world.restart()
    result = await world.run(resume=True)
    assert (result.status, len(result.outputs)) == (RunStatus.COMPLETED, 2)
    assert calls(world) == ["deliver", "deliver"]


async def test_a_folder_that_cannot_be_made_is_a_refused_target(world):
    held = Held(2)
    world.leases.extracts["A"] = Script(held)
    handle = await world.submit()
    await held.reached.wait()
    (world.folder / "out").write_text("a file in the way")
    held.let_go()
    result = await handle.wait()
    assert result.status is RunStatus.STOPPED
    assert "out cannot be made: File exists" in result.reason


async def test_partial_targets_that_cannot_be_removed_stop_nothing(world, caplog, monkeypatch):
    def held(path):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    # Root may remove everything, so what refuses it is played.
    monkeypatch.setattr(publish, "remove", held)
    assert (await world.run()).status is RunStatus.COMPLETED
    assert "sales.partial.csv was not removed" in caplog.text


async def test_left_over_temporaries_go_with_the_next_new_run(world, assembled):
    del assembled
    left = temporary_path(world.folder / "out" / "sales.csv")
    left.write_text("assembled, never delivered")
    held = Held(2)
    world.leases.extracts["A"] = Script(held)
    handle = await world.submit(resume=False)
    await held.reached.wait()
    assert not left.exists()
    held.let_go()
    await handle.wait()


async def test_left_over_temporaries_that_cannot_go_stop_nothing(world, assembled):
    del assembled
    temporary_path(world.folder / "out" / "sales.csv").mkdir()
    world.clock.turn(1)
    assert (await world.run(resume=False)).status is RunStatus.COMPLETED


def usual(world):
    """From the last target that was assembled, what is usual for each connection."""
    return {entry.connection: entry.usual for entry in world.parts.tasks[-1].entries}


async def test_a_target_is_told_what_past_runs_read(world):
    asked, real = [], world.store.usual

    async def usual_(job, **besides):
        asked.append(job)
        return await real(job, **besides)

    world.store.usual = usual_
    world.leases.extracts["A"] = Script(5, 9, 7)
    world.job(destinations=(csv("out/one.csv"), csv("out/two.csv")))
    await world.run()
    assert usual(world) == dict.fromkeys("ABC")
    asked.clear()
    await world.run()
    assert usual(world) == {"A": 5, "B": 2, "C": 2}
    # Once, however many targets there are, partial ones among them.
    assert asked == ["sales"]
    await world.run(only=["A"])
    assert usual(world) == {"A": 9, "B": 2, "C": 2}


async def test_a_target_of_one_query_counts_that_query_s_rows_alone(world):
    """Nothing of what is usual is said there: that is known of all queries together."""
    world.job(
        queries=(Query(name="one", sql="1"), Query(name="two", sql="2")),
        destinations=(csv("all.csv"), replace(csv("two.csv"), query="two")),
    )
    world.renew()
    for _ in range(2):
        await world.run()
    # The fake's rows are all of the first query.
    every, two = world.parts.tasks[-2:]
    assert (every.query, two.query) == (None, 1)
    assert [(each.rows, each.usual) for each in every.entries] == [(2, 2)] * 3
    assert [(each.rows, each.usual) for each in two.entries] == [(0, None)] * 3


async def test_a_result_says_what_is_far_from_usual(world):
    for name, answers in {"A": (4, 1), "B": (4, 0), "C": (4, failure())}.items():
        world.leases.extracts[name] = Script(*answers)
    assert (await world.run()).unusual == {}
    result = await world.run()
    far = {"A": "less than half the usual 4", "B": "empty, usually 4"}
    assert result.unusual == far
    assert (await world.store.run(result.run)).result.unusual == far


async def test_a_target_is_made_though_nobody_knows_what_is_usual(world, caplog):
    async def usual_(*_, **__):
        raise StateError("a row is damaged")

    world.store.usual = usual_
    assert (await world.run()).status is RunStatus.COMPLETED
    assert usual(world) == dict.fromkeys("ABC")
    assert "What is usual for sales is not known: a row is damaged" in caplog.text
