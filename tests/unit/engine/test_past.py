"""What a run knows of its job's past, and what it leaves for the next one to know."""

from dataclasses import replace
from pathlib import Path

from engine_world import csv
from etltui.domain.errors import StateError
from etltui.domain.events import ConnectionFailed, RunQueued, RunStarted, TargetPublished
from etltui.domain.queue import Ask
from etltui.domain.run import ConnectionStatus
from etltui.domain.targets import temporary_path
from etltui.domain.usual import Past, Usual
from etltui.engine.past import past_of
from fakes import Script, failure


async def test_the_past_is_told_once_when_a_run_begins(world):
    world.leases.extracts["A"] = Script(5, 9)
    await world.run()
    await world.run()
    first, second = world.happened(RunStarted)
    assert first.past == Past()
    assert (first.title, first.parallel, first.waiting) == ("Sales", 8, ("A", "B", "C"))
    # The fake reads for half a second; of one run nobody knows how far the next is from it.
    usual = Usual(rows=5, seconds=0.5, spread=0.125, longest_s=0.5, timed=1)
    assert second.past.usual == {
        "A": usual,
        "B": replace(usual, rows=2),
        "C": replace(usual, rows=2),
    }
    views = world.engine.get_job_progress("sales").connections
    assert [view.usual_rows for view in views.values()] == [5, 2, 2]


async def publishing(world, seconds):
    """Run the job while its targets take so long to be made."""
    real = world.parts.assemble

    async def slow(task):
        # Partial targets are made on the way: they are not what is waited for at the end.
        if task.temporary == str(temporary_path(Path(task.target))):
            world.clock.turn(seconds)
        return await real(task)

    world.parts.assemble = slow
    result = await world.run(resume=False)
    world.parts.assemble = real
    return result


async def test_how_long_the_targets_took_is_known_afterwards(world):
    world.job(destinations=(csv("out/one.csv"),))
    assert await past_of(world.store, "sales") == Past()
    for seconds in (3.0, 9.0, 4.0):
        result = await publishing(world, seconds)
        assert result.publish_s == seconds
    assert (await past_of(world.store, "sales")).publish_s == 4.0
    assert (await past_of(world.store, "sales", besides=result.run)).publish_s == 6.0


async def test_a_run_that_published_nothing_says_nothing_of_it(world):
    for name in "ABC":
        world.leases.extracts[name] = Script(failure())
    result = await world.run()
    assert result.publish_s == 0.0
    assert (await past_of(world.store, "sales")).publish_s is None


async def test_a_past_that_cannot_be_read_stops_nobody(world, caplog):
    async def usual(*_, **__):
        raise StateError("a row is damaged")

    world.store.usual = usual
    assert await past_of(world.store, "sales") == Past()
    assert "What is usual for sales is not known: a row is damaged" in caplog.text


async def test_a_further_attempt_says_what_it_leaves_as_it_is_and_what_it_reads(world):
    world.leases.extracts["B"] = Script(failure(), 7)
    result = await world.run()
    handle = await world.engine.retry(result.run, Ask())
    await handle.wait()
    started = world.happened(RunStarted)[-1]
    assert [each.connection for each in started.before] == ["A", "C"]
    assert started.waiting == ("B",)
    views = world.engine.get_job_progress(result.run).connections
    assert {(view.connection, view.status, view.tries) for view in views.values()} == {
        ("A", ConnectionStatus.COMPLETED, 0),
        ("B", ConnectionStatus.COMPLETED, 1),
        ("C", ConnectionStatus.COMPLETED, 0),
    }


async def test_what_is_left_out_is_not_about_to_be_read(world):
    await world.run(only=["B"])
    assert world.happened(RunStarted)[-1].waiting == ("B",)


async def test_events_say_title_seconds_and_which_target(world):
    world.job(destinations=(csv("out/one.csv"), csv("out/two.csv")))
    world.leases.extracts["B"] = Script(failure())
    await world.run()
    assert world.happened(RunQueued)[0].title == "Sales"
    assert world.happened(ConnectionFailed)[0].seconds == {"wait": 0, "connect": 0, "query": 0}
    final = [event for event in world.happened(TargetPublished) if event.final]
    assert [(event.type, event.destination) for event in final] == [("csv", 0), ("csv", 1)]
    outputs = world.engine.get_job_progress("sales").outputs
    assert [(o.path, o.final) for o in outputs] == [(event.path, True) for event in final]
