"""A run from its start to its end: events, percentages, and what comes after what."""

import pytest

from etltui.domain.errors import ConfigError, ErrorClass
from etltui.domain.events import (
    ConnectionCompleted,
    ConnectionFailed,
    ConnectionProgress,
    ConnectionStarted,
    RunFinished,
    RunProgress,
    RunQueued,
    RunStarted,
    TargetPublished,
)
from etltui.domain.job import Connection, CsvOptions, Destination, ExcelOptions, Query, RetryPolicy
from etltui.domain.run import ConnectionStatus, RunStatus, Step
from etltui.domain.targets import partial_path
from fakes import Held, Script, failure


async def test_s0_57_to_63_events_of_one_connection_exactly(world):
    world.connections = world.connections[:1]
    world.renew()
    await world.run()
    assert [
        type(event).__name__
        for event in world.bus.events
        if not (isinstance(event, TargetPublished) and not event.final)
    ] == [
        "RunQueued",
        "RunStarted",
        "RunProgress",
        "ConnectionStarted",
        "ConnectionProgress",
        "ConnectionProgress",
        "ConnectionProgress",
        "RunProgress",
        "ConnectionCompleted",
        "RunProgress",
        "TargetPublished",
        "RunFinished",
    ]


async def test_s0_57_to_63_events_of_many_in_number(world):
    result = await world.run()
    assert result.status is RunStatus.COMPLETED
    assert len(world.happened(RunStarted)) == len(world.happened(RunFinished)) == 1
    for kind in (ConnectionStarted, ConnectionCompleted):
        assert sorted(event.connection for event in world.happened(kind)) == ["A", "B", "C"]
    assert not world.happened(ConnectionFailed)
    assert isinstance(world.bus.events[0], RunQueued)
    assert isinstance(world.bus.events[1], RunStarted)
    assert isinstance(world.bus.events[-1], RunFinished)
    assert {event.run for event in world.bus.events} == {result.run}
    assert {event.at for event in world.bus.events} == {world.clock.now().timestamp()}


async def test_s0_76_to_80_steps(world):
    await world.run()
    mine = [e.step for e in world.happened(ConnectionProgress) if e.connection == "B"]
    assert mine == ["Connecting to database", "Executing query", "Processing results"]
    steps = list(dict.fromkeys(e.step for e in world.happened(RunProgress)))
    assert steps == ["Connecting to database", "Processing results", "Sending to destinations"]
    assert {*mine, *steps} == {str(step) for step in Step}


async def test_s0_81_percent_by_connections_never_falls_and_ends_at_100(world):
    """S0-142: progress is accurate."""
    world.leases.extracts["B"] = Script(failure())
    await world.run()
    assert world.percents == [0, 33, 66, 100, 100]


async def test_s0_82_one_failing_of_many(world):
    world.leases.extracts["B"] = Script(failure(ErrorClass.SYNTAX, "no such table"))
    result = await world.run()
    assert result.status is RunStatus.COMPLETED_WITH_ERRORS
    assert (result.total, result.completed, result.failed, result.rows) == (3, 2, 1, 4)
    (failed,) = world.happened(ConnectionFailed)
    assert (failed.connection, failed.will_retry) == ("B", False)
    assert failed.trouble.error_class is ErrorClass.SYNTAX
    assert [c.status for c in result.connections] == [
        ConnectionStatus.COMPLETED,
        ConnectionStatus.FAILED,
        ConnectionStatus.COMPLETED,
    ]
    # Parts stay for a later re-run; the checkpoint's mirror too.
    assert (world.parts_folder / result.run).is_dir()
    assert world.mirror.written["sales"] == (("A", "C"), ("B",), 3)


async def test_the_log_says_how_a_run_ended(world, caplog):
    caplog.set_level("INFO")
    done = await world.run()
    assert f"Run {done.run}: completed" in caplog.messages


async def test_s0_64_all_failing_fails_and_leaves_the_target(world):
    for name in "ABC":
        world.leases.extracts[name] = Script(failure())
    result = await world.run()
    assert result.status is RunStatus.FAILED
    assert "targets were left" in result.reason
    assert world.percents[-1] == 100
    assert not world.record.of("assemble", "deliver", "publication")
    assert await world.stored(result.run) is RunStatus.FAILED


async def test_a_run_without_connections_is_refused(world):
    world.job(connections=())
    world.renew()
    with pytest.raises(ConfigError, match="all of its connections are closed or not yet open"):
        await world.submit()
    assert not await world.store.runs()


async def test_data_then_mark_then_mirror_then_news_for_every_connection(world):
    world.leases.extracts["C"] = Script(failure())
    await world.run()
    for name in "AB":
        order = [
            world.record.index(entry)
            for entry in (
                ("data", name),
                ("mark", name, "completed"),
                ("news", "ConnectionCompleted", name),
            )
        ]
        assert order == sorted(order)
        assert ("mirror", "sales") in world.record[order[1] : order[2]]
    assert world.record.index(("mark", "C", "failed")) < world.record.index(
        ("news", "ConnectionFailed", "C"),
    )


async def test_target_assembled_marked_delivered_marked_then_told(world):
    await world.run()
    partial = str(partial_path(world.folder / "out" / "sales.csv"))
    final = [
        entry
        for entry in world.record
        if entry[0] in {"assemble", "publication", "deliver", "finished"}
        and not entry[1].startswith((partial, str(world.folder / "out" / ".sales.partial")))
    ]
    assert final == [
        ("publication", "assembling", "sales.csv"),
        ("assemble", str(world.folder / "out" / ".sales.csv.etltui-tmp")),
        ("publication", "assembled", "sales.csv"),
        ("deliver", world.target),
        ("publication", "delivered", "sales.csv"),
        ("finished", "completed"),
        ("publication", "cleaned", "sales.csv"),
    ]
    told = len(world.record) - 1 - world.record[::-1].index(("news", "TargetPublished", ""))
    assert world.record.index(("publication", "delivered", "sales.csv")) < told
    assert told < world.record.index(("finished", "completed"))
    assert world.record.index(("finished", "completed")) < world.record.index(
        ("news", "RunFinished", ""),
    )


async def test_parts_go_when_the_run_has_completed(world):
    result = await world.run()
    assert not (world.parts_folder / result.run).exists()
    assert not world.mirror.written


async def test_parts_stay_until_the_end_is_recorded(world):
    world.refuse("finish_run")
    result = await world.run()
    assert result.status is RunStatus.STOPPED
    assert "its end could not be recorded: the disk is full" in result.reason
    assert world.happened(RunFinished)[0].result == result
    assert len(list((world.parts_folder / result.run).glob("*/*.part"))) == 3


async def test_max_parallel_is_honoured(world):
    world.job(max_parallel=2)
    world.renew()
    gates = {name: Held(2) for name in "ABC"}
    for name, gate in gates.items():
        world.leases.extracts[name] = Script(gate)
    handle = await world.submit()
    await gates["A"].reached.wait()
    await gates["B"].reached.wait()
    assert not gates["C"].reached.is_set()
    gates["B"].let_go()
    await gates["C"].reached.wait()
    gates["A"].let_go()
    gates["C"].let_go()
    assert (await handle.wait()).completed == 3
    assert world.leases.most == 2


async def test_what_an_extractor_is_asked(world):
    world.job(
        queries=(Query(name="one", sql="select 1"), Query(name="two", sql="select 2")),
        destinations=(
            Destination(type="excel", path="out/a.xlsx", options=ExcelOptions(layout="both")),
            Destination(type="csv", path="out/b.csv.gz", options=CsvOptions(delimiter=";")),
        ),
        overrides={"B": {"two": "select 22"}},
        query_timeout_s=7,
    )
    world.renew()
    result = await world.run(only=["B"])
    (task,) = world.leases.tasks
    assert [(q.name, q.sql) for q in task.queries] == [("one", "select 1"), ("two", "select 22")]
    assert [(w.destination, w.type, w.variant) for w in task.writers] == [
        (0, "excel", "sheets"),
        (0, "excel", "single"),
        (1, "csv", "gzip"),
    ]
    assert task.writers[2].options["delimiter"] == ";"
    assert task.writers[0].folder == str(world.parts_folder / result.run / "0-sheets")
    assert (task.query_timeout_s, task.stall_timeout_s) == (7, 120)
    final = world.parts.tasks[-1]
    assert final.queries == ("one", "two")
    assert len(final.entries[0].receipts) == 2
    assert dict(final.facts)["Operator"] == "asha@desk"
    assert dict(final.facts)["Started"] == "2026-11-22 04:35:00 +0530"


async def test_partial_targets_on_the_way_and_none_at_the_end(world):
    """S3-25."""
    second, third, assembled = Held(2), Held(2), Held()
    world.leases.extracts["B"] = Script(second)
    world.leases.extracts["C"] = Script(third)
    world.parts.assembles = Script(assembled, None)
    handle = await world.submit()
    await assembled.reached.wait()
    # A view that costs 1 s is not made again for 20 s.
    world.clock.turn(1)
    assembled.let_go()
    second.let_go()
    await world.clock.until_asleep()
    # … besides the patience with those who describe their columns.
    assert [slept for slept in world.clock.slept if slept != 0.5] == [20]
    world.clock.turn(20)
    third.let_go()
    await handle.wait()
    published = world.happened(TargetPublished)
    assert [event.final for event in published][-1] is True
    assert not any(event.final for event in published[:-1])
    assert published[0].path.endswith("sales.partial.csv")


async def test_a_partial_target_under_way_is_finished_before_the_final_one(world):
    last, assembled = Held(2), Held()
    world.leases.extracts["C"] = Script(last)
    world.parts.assembles = Script(assembled, None)
    with world.engine.events() as events:
        handle = await world.submit()
        await assembled.reached.wait()
        last.let_go()
        async for event in events:
            if isinstance(event, ConnectionCompleted) and event.connection == "C":
                break
    assembled.let_go()
    await handle.wait()
    assert [event.final for event in world.happened(TargetPublished)] == [False, True]


async def test_no_partial_target_after_the_last_connection(world):
    world.connections = world.connections[:1]
    world.renew()
    await world.run()
    assert len(world.record.of("assemble")) == 1


async def test_a_partial_target_that_cannot_be_made_only_warns(world, caplog):
    gate = Held(2)
    held = Held(failure(ErrorClass.TARGET, "no such share"))
    world.leases.extracts["C"] = Script(gate)
    world.parts.assembles = Script(held, None)
    handle = await world.submit()
    await held.reached.wait()
    held.let_go()
    gate.let_go()
    assert (await handle.wait()).status is RunStatus.COMPLETED
    assert "was not made: no such share" in caplog.text


async def test_a_mistake_in_partial_targets_is_logged_and_stops_nothing(world, caplog):
    gate = Held(2)
    held = Held(RuntimeError("our mistake"))
    world.leases.extracts["C"] = Script(gate)
    world.parts.assembles = Script(held, None)
    handle = await world.submit()
    await held.reached.wait()
    held.let_go()
    gate.let_go()
    assert (await handle.wait()).status is RunStatus.COMPLETED
    assert "our mistake" in caplog.text


async def test_a_mistake_in_the_program_fails_the_run_and_the_engine_goes_on(world, caplog):
    world.leases.extracts["B"] = Script(RuntimeError("our mistake"))
    result = await world.run()
    assert result.status is RunStatus.FAILED
    assert result.reason == "RuntimeError: our mistake"
    assert await world.stored(result.run) is RunStatus.FAILED
    assert "Traceback" in caplog.text
    assert "our mistake" in caplog.text
    assert not world.record.of("publication")
    world.leases.extracts["B"] = Script(2)
    again = await world.run(resume=True)
    assert (again.run, again.status) == (result.run, RunStatus.COMPLETED)


async def test_a_mistake_while_publishing_fails_the_run(world):
    world.job(columns=("id",))
    world.renew()
    world.parts.assembles = Script(ZeroDivisionError("by zero"))
    result = await world.run()
    assert (result.status, result.reason) == (RunStatus.FAILED, "ZeroDivisionError: by zero")


async def test_the_jobs_own_columns_need_no_describe(world):
    world.job(columns=("id",))
    world.renew()
    await world.run()
    assert not world.record.of("describe")
    assert [column.name for column in world.leases.tasks[0].queries[0].columns] == ["id"]


async def test_the_first_connection_in_the_jobs_order_fixes_the_columns(world):
    world.leases.describes["A"] = Script(failure())
    held = Held()
    world.leases.describes["B"] = Script(held)
    handle = await world.submit()
    await held.reached.wait()
    held.let_go()
    result = await handle.wait()
    assert [c.name for c in (await world.store.plan(result.run)).columns[0]] == ["id", "name"]


async def test_columns_that_nobody_told_at_the_start_are_fixed_by_whoever_answers_later(world):
    for name in "ABC":
        world.leases.opens[name] = Script(failure(), failure(), None)
    world.job(retry=RetryPolicy(retries=1, delay_s=1))
    world.renew()
    handle = await world.submit()
    await world.clock.until_asleep(3)
    world.clock.turn(1.1)
    result = await handle.wait()
    assert result.status is RunStatus.COMPLETED
    assert all(len(task.queries[0].columns) == 2 for task in world.leases.tasks)
    assert [c.name for c in (await world.store.plan(result.run)).columns[0]] == ["id", "name"]


async def test_of_two_that_tell_their_columns_at_once_the_first_one_fixes_them(world):
    world.connections = world.connections[:2]
    world.job(retry=RetryPolicy(retries=1, delay_s=1))
    world.renew()
    held = {name: Held() for name in "AB"}
    for name in "AB":
        world.leases.opens[name] = Script(failure(), failure(), None)
        world.leases.describes[name] = Script(held[name])
    handle = await world.submit()
    await world.clock.until_asleep(2)
    world.clock.turn(1.1)
    for one in held.values():
        await one.reached.wait()
    for one in held.values():
        one.let_go()
    assert (await handle.wait()).status is RunStatus.COMPLETED
    assert len({task.queries[0].columns for task in world.leases.tasks}) == 1


async def test_more_than_a_few_are_asked_when_the_first_are_down(world):
    world.connections = tuple(
        Connection(name=f"N{n:02d}", kind="sqlite", url="") for n in range(10)
    )
    world.renew()
    for n in range(9):
        world.leases.describes[f"N{n:02d}"] = Script(failure())
    await world.run()
    assert [entry[1] for entry in world.record.of("describe")] == [f"N{n:02d}" for n in range(10)]


async def test_a_slow_one_is_asked_for_its_columns_no_longer_than_patience_lasts(world):
    """S4-46: who answers in time keeps its session; who does not holds up nobody."""
    slow = Held()
    world.leases.describes["C"] = Script(slow)
    handle = await world.submit()
    await slow.reached.wait()
    assert not world.leases.tasks
    await world.clock.until_asleep()
    world.clock.turn(0.5)
    assert (await handle.wait()).status is RunStatus.COMPLETED
