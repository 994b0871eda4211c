"""A process that records checkpoints, says each that was acknowledged, and is killed."""

import asyncio
import os
import signal
import sys
from functools import partial
from pathlib import Path

import store_samples as sample

from etltui.store import parts
from etltui.store.sqlite import SqliteStore

COUNT = 400


async def record(store, name):
    await store.checkpoint(sample.RUN, sample.completed(name), sample.receipts(name))
    print(name, flush=True)


async def die_before_commit(names, statements):
    """Write more checkpoints and end before they are committed."""
    checkpoints = [
        parts.checkpoint(sample.RUN, sample.completed(name), sample.receipts(name), at=0.0)
        for name in names
    ]
    await parts.record(statements, checkpoints)
    os.kill(os.getpid(), signal.SIGKILL)


async def main(folder, how):
    store = await SqliteStore.open(Path(folder), clock=sample.StillClock())
    await store.create_run(sample.plan(COUNT), sample.RunStatus.RUNNING)
    names = [f"B{n:03d}" for n in range(COUNT)]
    if how == "midway":
        await asyncio.gather(*(record(store, name) for name in names[:100]))
        await store._writer.transact(partial(die_before_commit, names[100:]))
    # As many at once as there are: some wait, some are being committed, some are acknowledged.
    queue = iter(names)

    async def worker():
        for name in queue:
            await record(store, name)

    await asyncio.gather(*(worker() for _ in range(7)))
    signal.pause()


asyncio.run(main(*sys.argv[1:]))
