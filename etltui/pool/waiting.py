"""Waiting for a task, for so long at most by a clock that a test can turn."""

import asyncio
from typing import Any

from etltui.domain.ports import Clock


async def finished(task: asyncio.Task[Any], clock: Clock, seconds: float) -> bool:
    """Whether a task ended in time; it is never cancelled, nor its result looked at."""
    alarm = asyncio.create_task(clock.sleep(seconds), name="time limit")
    try:
        await asyncio.wait({task, alarm}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        alarm.cancel()
    return task.done()
