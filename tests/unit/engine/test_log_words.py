"""The words that the specification gives log lines (S3-14), each with its run and connection."""

import json
import logging

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.job import Destination, ExcelOptions
from etltui.engine.log import logging_to
from fakes import Script, failure


async def logged(world, tmp_path, **asked):
    """The lines of a run, as (connection, message)."""
    folder = tmp_path / "logs"
    (folder / "etltui.jsonl").unlink(missing_ok=True)
    with logging_to(folder, "info"):
        result = await world.run(**asked)
    lines = [json.loads(line) for line in (folder / "etltui.jsonl").read_text("utf-8").splitlines()]
    lines = [line for line in lines if not line["message"].startswith("Audit record")]
    assert [line["message"] for line in lines if line.get("run") != result.run] == []
    return [(line.get("connection", ""), line["message"]) for line in lines]


async def test_s3_14_a_resumed_run_says_what_it_skips(world, tmp_path):
    world.job(max_parallel=1)
    world.renew()
    world.leases.extracts["C"] = Script(failure(ErrorClass.DISK), 2)
    await world.run()
    told = await logged(world, tmp_path, resume=True)
    assert ("", "Resuming job: Skipping 2 already-completed connections") in told
    assert [m for _, m in told if m.startswith("Skipping already")] == [
        "Skipping already-completed connection: A",
        "Skipping already-completed connection: B",
    ]
    assert [each for each in told if each[1].startswith("Executing connection")] == [
        ("C", "Executing connection: C"),
    ]


async def test_s3_14_a_failed_write_is_told_for_each_format(world, tmp_path):
    excel = Destination(type="excel", path="out/a.xlsx", options=ExcelOptions())
    world.job(destinations=(*world.jobs["sales"].destinations, excel))
    world.renew()
    world.leases.extracts["B"] = Script(failure(ErrorClass.DISK, "No space left on device"))
    told = await logged(world, tmp_path)
    assert [each for each in told if "Failed to write" in each[1]] == [
        ("B", "Failed to write CSV progressively for B: No space left on device"),
        ("B", "Failed to write Excel progressively for B: No space left on device"),
    ]


async def test_s3_14_only_the_destination_that_refused_a_value_is_told(world, tmp_path):
    excel = Destination(type="excel", path="out/a.xlsx", options=ExcelOptions())
    world.job(destinations=(*world.jobs["sales"].destinations, excel))
    world.renew()
    world.leases.extracts["A"] = Script(failure(ErrorClass.VALUE, "division by zero"))
    world.leases.extracts["B"] = Script(Failure(ErrorClass.VALUE, "no", {"destination": "1"}))
    told = await logged(world, tmp_path)
    assert [each for each in told if "Failed to write" in each[1]] == [
        ("B", "Failed to write Excel progressively for B: no"),
    ]


async def test_s0_136_a_connection_that_does_not_describe_itself_is_named_on_the_line(
    world,
    tmp_path,
):
    world.leases.describes["A"] = Script(failure())
    told = await logged(world, tmp_path)
    assert [name for name, message in told if "did not describe" in message] == ["A"]
    assert logging.getLogger("etltui").handlers == []


async def test_a_class_of_failure_is_said_in_words(world, tmp_path):
    world.leases.extracts["A"] = Script(failure(ErrorClass.NO_DATABASE, "no file a.db"))
    told = await logged(world, tmp_path)
    assert ("A", "Connection failed: A: no database: no file a.db") in told
