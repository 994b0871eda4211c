"""Checkpoints and publications: what is durable, what replaces what."""

from dataclasses import replace

import pytest
import store_samples as sample
from store_samples import BEGUN, MEMBER, PUBLISHED, RUN

from etltui.domain.errors import StateError, StatusError
from etltui.domain.run import RunStatus
from etltui.domain.stored import PublicationState


async def test_a_checkpoint_records_result_and_parts(running):
    await running.checkpoint(RUN, sample.completed("B001"), sample.receipts("B001"))
    await running.checkpoint(RUN, sample.completed("B000"), sample.receipts("B000"))
    await running.checkpoint(RUN, sample.failed("B002"))
    assert [row.result for row in await running.connections(RUN)] == [
        sample.completed("B000"),
        sample.completed("B001"),
        sample.failed("B002"),
    ]
    assert [row.done for row in await running.connections(RUN)] == [True, True, False]
    assert await running.receipts(RUN) == [*sample.receipts("B000"), *sample.receipts("B001")]


async def test_receipts_replace_those_of_an_earlier_try(running):
    await running.checkpoint(RUN, sample.completed(), sample.receipts(segment=1, attempt=1))
    await running.checkpoint(RUN, sample.completed(), sample.receipts(attempt=2)[:1])
    assert await running.receipts(RUN) == [sample.receipt(attempt=2)]
    assert (await running.connections(RUN))[0].done


async def test_a_result_without_receipts_leaves_the_recorded_parts(running):
    await running.checkpoint(RUN, sample.completed(), sample.receipts())
    await running.checkpoint(RUN, replace(sample.completed(), tries=4))
    assert (await running.connections(RUN))[0].result.tries == 4
    assert len(await running.receipts(RUN)) == 2


@pytest.mark.parametrize(
    ("receipts", "message"),
    [
        ([sample.receipt("B001")], "of another connection or run"),
        ([sample.receipt(run="other")], "of another connection or run"),
        ([sample.receipt(), sample.receipt(attempt=2)], "of the same part"),
    ],
)
async def test_a_wrong_receipt_is_refused(running, receipts, message):
    with pytest.raises(StateError, match=message):
        await running.checkpoint(RUN, sample.completed(), receipts)
    assert not (await running.connections(RUN))[0].done


async def test_a_connection_that_the_run_lacks_is_refused(running):
    with pytest.raises(StateError, match="has no connection 'nobody'"):
        await running.checkpoint(RUN, sample.completed("nobody"))


async def test_forgotten_parts_take_their_connection_with_them(running):
    for name in ("B000", "B001"):
        await running.checkpoint(RUN, sample.completed(name), sample.receipts(name))
    await running.forget_parts(RUN, ["B000"])
    assert [row.done for row in await running.connections(RUN)] == [False, True, False]
    assert [receipt.connection for receipt in await running.receipts(RUN)] == ["B001", "B001"]


async def test_when_all_parts_are_forgotten_the_results_of_a_finished_run_stay(running):
    await running.checkpoint(RUN, sample.completed(), sample.receipts())
    await running.move_run(RUN, RunStatus.PUBLISHING)
    await running.finish_run(sample.ended())
    await running.forget_parts(RUN)
    assert (await running.connections(RUN))[0].done
    assert await running.receipts(RUN) == []


async def test_when_all_parts_are_forgotten_nothing_of_a_resumable_run_is_done(running):
    await running.checkpoint(RUN, sample.completed(), sample.receipts())
    await running.move_run(RUN, RunStatus.STOPPED)
    await running.forget_parts(RUN)
    assert not (await running.connections(RUN))[0].done


async def test_nothing_is_forgotten_of_a_run_that_is_not_there(running):
    await running.forget_parts("nobody")


async def test_a_publication_goes_its_way(running):
    assert await running.publication(RUN, 0) is None
    assert await running.members(RUN, 0) == []
    row = await running.move_publication(BEGUN, PublicationState.ASSEMBLING)
    assert row == BEGUN == await running.publication(RUN, 0)
    row = await running.move_publication(row, PublicationState.ASSEMBLED, PUBLISHED)
    assert (row.bytes, row.crc, row.rows) == (4_000, 4_000_000_000, 12)
    assert await running.members(RUN, 0) == [MEMBER]
    for state in (PublicationState.DELIVERED, PublicationState.CLEANED):
        row = await running.move_publication(row, state)
        assert row == await running.publication(RUN, 0)
        assert row.state is state


async def test_what_lies_in_a_target_is_known_until_its_successor_is_assembled(running):
    await running.move_publication(BEGUN, PublicationState.ASSEMBLING)
    await running.move_publication(BEGUN, PublicationState.ASSEMBLED, PUBLISHED)
    again = replace(BEGUN, temporary="/out/.b.tmp")
    row = await running.move_publication(again, PublicationState.ASSEMBLING)
    assert (row.state, row.temporary, row.crc) == (again.state, again.temporary, PUBLISHED.crc)
    assert await running.members(RUN, 0) == [MEMBER]


@pytest.mark.parametrize("state", [s for s in PublicationState if s != "assembling"])
async def test_a_publication_begins_with_assembling(running, state):
    with pytest.raises(StatusError, match="not begun and cannot become"):
        await running.move_publication(BEGUN, state, PUBLISHED)


async def test_a_step_may_not_be_left_out(running):
    row = await running.move_publication(BEGUN, PublicationState.ASSEMBLING)
    # What is recorded counts, not what the caller believes.
    row = replace(row, state=PublicationState.ASSEMBLED)
    with pytest.raises(StatusError, match="assembling and cannot become delivered"):
        await running.move_publication(row, PublicationState.DELIVERED)


async def test_assembled_needs_what_was_assembled(running):
    await running.move_publication(BEGUN, PublicationState.ASSEMBLING)
    with pytest.raises(ValueError, match="needs what was assembled"):
        await running.move_publication(BEGUN, PublicationState.ASSEMBLED)


async def test_publications_of_a_run_or_of_all_that_have_work_left(running):
    second = replace(BEGUN, destination=1)
    await running.create_run(sample.plan(run="other"), RunStatus.QUEUED)
    other = await running.move_publication(replace(BEGUN, run="other"), BEGUN.state)
    for row in (second, BEGUN):
        await running.move_publication(row, BEGUN.state)
    row = await running.move_publication(BEGUN, PublicationState.ASSEMBLED, PUBLISHED)
    assert await running.publications(RUN) == [row, second]
    row = await running.move_publication(row, PublicationState.DELIVERED)
    row = await running.move_publication(row, PublicationState.CLEANED)
    assert await running.publications(RUN) == [row, second]
    assert await running.publications() == [other, second]
