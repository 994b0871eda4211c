"""What the rows of past runs were: the median for each connection."""

from dataclasses import replace

import pytest
import store_samples as sample

from etltui.domain.run import RunStatus


@pytest.fixture
async def past(store):
    """Records runs of the job with so many rows of connections 0, 1, …; None: it failed."""

    async def record(run, *rows, status=RunStatus.COMPLETED):
        await store.create_run(sample.plan(run=run), RunStatus.RUNNING)
        for number, count in enumerate(rows):
            name = f"B{number:03d}"
            if count is None:
                await store.checkpoint(run, sample.failed(name))
            else:
                result = replace(sample.completed(name), rows=count)
                await store.checkpoint(run, result, sample.receipts(name, run=run))
        if status in {RunStatus.COMPLETED, RunStatus.COMPLETED_WITH_ERRORS}:
            await store.move_run(run, RunStatus.PUBLISHING)
        await store.finish_run(sample.ended(status, run=run))

    return record


async def test_of_each_connection_the_median_of_the_runs_before(store, past):
    await past("R1", 1, 10)
    await past("R2", 3, None, status=RunStatus.COMPLETED_WITH_ERRORS)
    await past("R3", 900, 20)
    await past("R4", 2, 5)
    assert await store.usual_rows("gst_sales", besides="R4") == {"B000": 3, "B001": 20}
    assert await store.usual_rows("gst_sales", besides="R2") == {"B000": 1, "B001": 10}
    assert await store.usual_rows("gst_sales", besides="R1") == {}
    # A run that nobody knows yet comes after all others.
    assert await store.usual_rows("gst_sales", besides="") == {"B000": 3, "B001": 10}
    assert await store.usual_rows("gst_sales", besides="R9", runs=1) == {"B000": 2, "B001": 5}
    assert await store.usual_rows("other", besides="R9") == {}


@pytest.mark.parametrize("status", [RunStatus.STOPPED, RunStatus.CANCELLED, RunStatus.FAILED])
async def test_a_run_that_did_not_complete_says_nothing_of_what_is_usual(store, past, status):
    await past("R1", 7, status=status)
    assert await store.usual_rows("gst_sales", besides="R2") == {}
