"""S3: with `verify = "full"` no target gets its name before every cell of it was read back."""

from engine_world import csv
from etltui.domain.job import Destination, WebhookOptions
from etltui.domain.read_back import ReadBack, TargetRead
from etltui.domain.run import RunStatus
from etltui.domain.stored import PublicationState
from etltui.domain.targets import temporary_path
from etltui.engine.read_back import candidates
from fakes import Script


def read(connection="A", written=2, back=2, **more):
    return ReadBack(
        connection=connection,
        query=0,
        variant="",
        written=written,
        read=back,
        cells=2,
        checksum="0",
        **more,
    )


SHORT = TargetRead(connections=(read(back=1, problem="its bytes are others"), read("B")))


async def test_nothing_is_read_back_unless_the_job_says_so(world):
    await world.run()
    assert world.record.of("read back") == []
    assert not any(fact[0] == "Read back" for fact in world.parts.tasks[-1].facts)


async def test_a_target_is_read_back_between_its_assembly_and_its_name(world):
    world.job(verify="full")
    result = await world.run()
    assert result.status is RunStatus.COMPLETED
    temporary = str(temporary_path(world.folder / "out/sales.csv"))
    kinds = [
        kind
        for kind, path in world.record.of("assemble", "read back", "deliver")
        if ".partial" not in path
    ]
    assert kinds == ["assemble", "read back", "deliver"]
    assert world.record.of("read back") == [("read back", temporary)]
    assert world.parts.tasks[-1].facts[-1] == (
        "Read back",
        "every cell, before this file got its name",
    )


async def test_a_difference_keeps_the_former_target_and_a_later_start_makes_it_anew(world):
    former = await world.run()
    before = world.parts.files[world.target]
    world.job(verify="full")
    world.parts.reads_back = Script(SHORT)
    failed = await world.run()
    assert failed.status is RunStatus.STOPPED
    assert failed.reason.endswith(
        "so the former one stays: A: 2 rows written, 1 read back; its bytes are others"
    )
    assert world.parts.files[world.target] is before
    assert (await world.store.publication(failed.run, 0)).state is PublicationState.ASSEMBLING
    world.parts.reads_back = Script()
    world.leases.read()
    again = await world.run(resume=True)
    assert (again.run, again.status) == (failed.run, RunStatus.COMPLETED)
    assert world.leases.read() == [], "what was read is still there"
    assert former.run != again.run


async def test_of_many_differences_the_first_are_named(world):
    world.job(verify="full")
    many = tuple(read(f"C{number}", problem="lost") for number in range(5))
    world.parts.reads_back = Script(TargetRead(connections=many))
    result = await world.run()
    assert "C2: 2 rows written; lost; and 2 more" in result.reason
    assert "C3" not in result.reason


async def test_what_is_left_of_a_run_is_read_back_and_what_is_not_says_why(world):
    first = await world.run()
    (found,) = await candidates(world.store, first.run)
    assert (found.task.target, found.gone) == (world.target, "")
    assert {r.connection for r in found.task.receipts} == set(found.task.connections)
    assert len(found.task.published.members) == len(found.task.receipts)
    second = await world.run()
    (found,) = await candidates(world.store, first.run)
    assert (found.task, found.gone) == (None, f"was replaced by the run {second.run}")
    (found,) = await candidates(world.store, second.run)
    assert found.gone == ""


async def test_a_later_run_that_came_to_no_target_has_replaced_nothing(world):
    first = await world.run()
    world.job(verify="full")
    world.parts.reads_back = Script(SHORT)
    failed = await world.run()
    (found,) = await candidates(world.store, first.run)
    assert (found.task.target, found.gone) == (world.target, "")
    world.parts.reads_back = Script()
    assert (await world.run(resume=True)).run == failed.run
    (found,) = await candidates(world.store, first.run)
    assert found.gone == f"was replaced by the run {failed.run}"


async def test_a_target_that_was_never_published_says_so(world):
    world.parts.reads_back = Script(SHORT)
    world.job(verify="full", destinations=(csv("out/sales.csv"), csv("out/other.csv")))
    failed = await world.run()
    gone = [each.gone for each in await candidates(world.store, failed.run)]
    assert gone == ["is not published yet (assembling)", "was never published"]


async def test_what_was_sent_is_not_read_back(world):
    options = WebhookOptions(url="http://127.0.0.1:9/")
    sent = Destination(type="webhook", path="out/sent.json", options=options)
    world.job(verify="full", destinations=(sent,))
    result = await world.run()
    assert world.record.of("read back") == []
    (found,) = await candidates(world.store, result.run)
    assert found.task is None
    assert "nobody can read it back" in found.gone
