"""Writes down what a command does where no engine runs, as an engine would."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from etltui.bootstrap import open_records, operator
from etltui.cli.listening import listening
from etltui.domain.audit import Act, recorded, recording
from etltui.domain.logbook import Action
from etltui.domain.ports import Store
from etltui.engine.caller import own_caller


@asynccontextmanager
async def noted(
    store: Store, what: str, target: str, detail: str = "", outcome: str = ""
) -> AsyncIterator[None]:
    """Write down what is done in the block: in the audit with its first change, then as a note.

    Args:
        store: Its folder is held.
        what: The call that an engine would have had, such as `queue.pause`.
        target: The run, job or connections that it was done to.
        detail: What else was asked for.
        outcome: What came of it; empty: it was done.

    Raises:
        StateError: It could not be recorded.
    """
    now = datetime.now(UTC).timestamp()
    outcome = outcome or "done"
    said = {"detail": detail, "outcome": outcome}
    caller = await asyncio.to_thread(own_caller, os.environ)
    async with recording(store, Act(at=now, caller=caller, what=what, target=target, details=said)):
        yield
    done = Action(at=now, who=operator(), what=what, target=target, detail=detail, outcome=outcome)
    await store.put_actions([done])


@asynccontextmanager
async def changing(state: Path, what: str, target: str, detail: str) -> AsyncIterator[None]:
    """Record a change that the block makes in a file, before it does, with or without an engine.

    Raises:
        StateHeldError: An engine holds the folder, and nobody can reach it.
        StateError: It could not be recorded; nothing is to be changed.
    """
    async with listening(state) as remote:
        if remote is not None:
            await remote.call("records.act", what=what, target=target, detail=detail)
            yield
            return
    async with open_records(state) as (store, _), noted(store, what, target, detail):
        await recorded(store)
        yield
