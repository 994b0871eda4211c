"""Has what is done to an engine recorded in the audit, with who did it."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

from etltui.domain.audit import Act, Caller, Doing, Recorder, recorded, recording
from etltui.domain.errors import StateError
from etltui.domain.ports import Clock
from etltui.engine.acts import asker, facts
from etltui.engine.caller import CALLER

_log = logging.getLogger(__name__)


class Auditor:
    """Makes acts of calls, and has them recorded.

    Args:
        recorder: Keeps the records.
        clock: Says when.
        own: Who runs the engine.
    """

    def __init__(self, recorder: Recorder, clock: Clock, own: Caller) -> None:
        self._recorder = recorder
        self._clock = clock
        self._own = own
        self._soon: set[asyncio.Task[None]] = set()

    def recording(self, what: str, given: Mapping[str, Any]) -> AbstractAsyncContextManager[Doing]:
        """Record a call with the first change that the block makes, or else at its end."""
        return recording(self._recorder, self._act(what, given))

    async def recorded(self) -> None:
        """Record now what is being done.

        Raises:
            StateError: It could not be recorded.
        """
        await recorded(self._recorder)

    def soon(self, what: str, given: Mapping[str, Any], outcome: str) -> None:
        """Record a call that has ended and could not wait."""
        doing = Doing(self._act(what, given))
        doing.add(outcome=outcome)
        task = asyncio.create_task(self._record(doing), name="audit")
        self._soon.add(task)
        task.add_done_callback(self._soon.discard)

    async def _record(self, doing: Doing) -> None:
        try:
            await self._recorder.put_audit(doing)
        except StateError as error:
            act = doing.act
            _log.error("%s of %s is not in the audit: %s", act.what, act.target or "all", error)

    async def flush(self) -> None:
        """Return when all that was done is recorded, or cannot be."""
        while self._soon:
            await asyncio.wait(set(self._soon))

    def _act(self, what: str, given: Mapping[str, Any]) -> Act:
        caller = CALLER.get() or self._own
        here = f"{caller.user}@{caller.host}"
        said = asker(given, here)
        target, details = facts(given)
        return Act(
            at=self._clock.now().timestamp(),
            caller=caller if said == here else replace(caller, said=said),
            what=what,
            target=target,
            details=details,
        )
