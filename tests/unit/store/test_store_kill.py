"""After a kill at any moment, what was acknowledged is there and nothing is there by half."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import store_samples as sample
from store_samples import RUN

from etltui.domain.run import RunStatus
from etltui.store.sqlite import SqliteStore

CHILD = Path(__file__).with_name("store_child.py")


def killed(folder, how, after):
    """Names that a child said were recorded; it is killed after some of them."""
    with subprocess.Popen(
        [sys.executable, str(CHILD), str(folder), how],
        stdout=subprocess.PIPE,
        env=sample.ENVIRONMENT,
        text=True,
    ) as process:
        names = [process.stdout.readline().strip() for _ in range(after)]
        if how == "random":
            process.kill()
        names += process.stdout.read().split()
        assert process.wait() == -signal.SIGKILL
    return set(names)


async def recorded(folder, clock):
    """Names that are done, each with all its parts, in a run that is resumable."""
    async with await SqliteStore.open(folder, clock=clock) as store:
        assert (await store.unfinished("gst_sales")).status is RunStatus.STOPPED
        done = {row.connection for row in await store.connections(RUN) if row.done}
        receipts = await store.receipts(RUN)
        assert store.damaged == 0
    assert sorted(receipts, key=lambda r: (r.connection, r.destination)) == [
        receipt for name in sorted(done) for receipt in sample.receipts(name)
    ]
    return done


async def test_what_was_not_committed_is_not_there(folder, clock):
    names = killed(folder, "midway", 100)
    assert len(names) == 100
    assert await recorded(folder, clock) == names


@pytest.mark.parametrize("after", [1, 40, 150])
async def test_what_was_acknowledged_is_there(folder, clock, after):
    names = killed(folder, "random", after)
    assert len(names) >= after
    done = await recorded(folder, clock)
    # A few more may be there: committed, but killed before the word was said.
    assert names <= done
    assert len(done - names) <= 7
