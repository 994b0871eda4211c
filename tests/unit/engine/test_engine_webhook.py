"""Destinations that are sent over a network: when they are, and what of them is no file."""

from dataclasses import replace
from pathlib import Path

import pytest

from engine_world import csv
from etltui.domain.errors import ErrorClass
from etltui.domain.events import TargetPublished
from etltui.domain.job import Destination, WebhookOptions
from etltui.domain.part import acks_name
from etltui.domain.plan import differences, plan_hash
from etltui.domain.run import RunStatus
from etltui.engine.prepare import remove_orphans
from fakes import Held, Script, failure


def hook(*, progressive=False, **options):
    return Destination(
        type="webhook",
        path="out/record.jsonl",
        options=WebhookOptions(**{"url": "https://hq/rows", **options}, progressive=progressive),
    )


def sent(world):
    """The connections with rows in each assembly of the record."""
    return [
        [entry.connection for entry in task.entries if entry.receipts]
        for task in world.parts.tasks
        if task.type == "webhook"
    ]


def one_at_a_time(world, *destinations):
    world.job(destinations=destinations, max_parallel=1)
    world.renew()


async def test_a_batch_destination_is_sent_once_and_never_in_part(world):
    one_at_a_time(world, hook(), csv("out/sales.csv"))
    result = await world.run()
    assert result.status is RunStatus.COMPLETED
    assert sent(world) == [["A", "B", "C"]]
    assert {Path(path).name for _, path in world.record.of("deliver") if "record" in path} == {
        "record.jsonl"
    }


async def test_s3_29_a_progressive_one_is_sent_while_others_are_read(world, caplog):
    """S3-29: the rows of A are on their way before B has given any."""
    caplog.set_level("INFO")
    reading, sending = Held(), Held()
    world.leases.extracts["B"] = Script(reading)
    world.parts.assembles = Script(sending, None)
    one_at_a_time(world, hook(progressive=True))
    handle = await world.submit()
    await sending.reached.wait()
    assert sent(world) == [["A"]]
    assert not world.record.of("data")[1:]
    sending.let_go()
    reading.let_go()
    result = await handle.wait()
    assert result.status is RunStatus.COMPLETED
    assert sent(world)[-1] == ["A", "B", "C"]
    assert "Rows sent so far: 2" in caplog.messages
    assert world.record.of("deliver") == [("deliver", str(world.folder / "out/record.jsonl"))]
    assert [event.final for event in world.happened(TargetPublished)] == [True]


async def test_what_cannot_be_sent_yet_is_sent_at_the_end(world, caplog):
    reading, sending = Held(), Held(failure(ErrorClass.TARGET, "status 500"))
    world.leases.extracts["B"] = Script(reading)
    world.parts.assembles = Script(sending, None)
    one_at_a_time(world, hook(progressive=True))
    handle = await world.submit()
    await sending.reached.wait()
    sending.let_go()
    reading.let_go()
    result = await handle.wait()
    assert result.status is RunStatus.COMPLETED
    assert "Rows were not sent yet: status 500" in caplog.messages
    assert sent(world)[-1] == ["A", "B", "C"]


@pytest.mark.parametrize(
    ("error_class", "tries"),
    [(ErrorClass.DRIVER_CRASH, 3), (ErrorClass.TIMEOUT, 1), (ErrorClass.TARGET, 1)],
)
async def test_who_sends_tries_again_by_itself_unless_it_dies(world, error_class, tries):
    world.parts.assembles = Script(failure(error_class, "no answer"))
    one_at_a_time(world, hook())
    result = await world.run()
    assert (result.status, result.reason) == (RunStatus.STOPPED, "not published: no answer")
    assert len(world.parts.tasks) == tries
    world.parts.assembles = Script()
    world.leases.read()
    again = await world.run(resume=True)
    assert again.status is RunStatus.COMPLETED
    assert world.leases.read() == []


async def test_who_assembles_is_told_run_job_and_numbers(world):
    one_at_a_time(world, hook())
    result = await world.run()
    (task,) = world.parts.tasks
    assert (task.run, task.job, task.folder) == (result.run, "sales", str(world.folder))
    assert [(entry.connection, entry.number) for entry in task.entries] == [
        ("A", 1),
        ("B", 2),
        ("C", 3),
    ]


def test_how_rows_are_sent_may_be_mended_between_attempts(world):
    one = replace(world.jobs["sales"], destinations=(hook(),))
    other = replace(
        one,
        destinations=(
            hook(
                progressive=True,
                url="http://hq/other",
                headers={"X": "env:Y"},
                method="PUT",
                timeout_s=5,
                insecure=True,
                ca_file="x",
            ),
        ),
    )
    assert plan_hash(one) == plan_hash(other)
    cut = replace(one, destinations=(hook(batch_rows=7),))
    assert differences(one, cut) == ("destinations",)


def test_acknowledgements_are_no_orphans(tmp_path):
    folder = tmp_path / "0"
    folder.mkdir()
    for name in ("0001-0-0.1.part", "0002-0-0.1.part", acks_name(1)):
        (folder / name).touch()
    remove_orphans(tmp_path, {"0/0001-0-0.1.part"})
    assert sorted(path.name for path in folder.iterdir()) == ["0001-0-0.1.part", "0001.acks"]
