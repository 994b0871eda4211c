"""Has an extractor say whether queries only read: the parser is heavy, and knows no engine."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.task import GuardTask
from etltui.extractors import protocol as p
from etltui.extractors.client import ExtractorClient

_REMEMBERED = 10_000
"""Answers; 500 branches with a query of their own in each of 20 jobs."""


class ExtractorGuard:
    """Asks whichever extractor is free; implements `domain.ports.Guard`.

    Args:
        borrowed: An extractor for the time of a block.
    """

    def __init__(
        self,
        borrowed: Callable[[], AbstractAsyncContextManager[ExtractorClient]],
    ) -> None:
        self._borrowed = borrowed
        self._known: dict[GuardTask, str] = {}

    async def refusals(self, tasks: Sequence[GuardTask]) -> tuple[str, ...]:
        """See `domain.ports.Guard`; an answer is asked for once."""
        asked = tuple(dict.fromkeys(task for task in tasks if task not in self._known))
        known = dict(self._known)
        if asked:
            answers = dict(zip(asked, await self._ask(asked), strict=True))
            known |= answers
            if len(self._known) + len(answers) > _REMEMBERED:
                self._known.clear()
            self._known |= answers
        return tuple(known[task] for task in tasks)

    async def _ask(self, tasks: tuple[GuardTask, ...]) -> tuple[str, ...]:
        try:
            return await self._answers(tasks)
        except Failure as failure:
            if failure.error_class is not ErrorClass.DRIVER_CRASH:
                raise
            # It may have died of what somebody else had it read.
            return await self._answers(tasks)

    async def _answers(self, tasks: tuple[GuardTask, ...]) -> tuple[str, ...]:
        async with self._borrowed() as client:
            done = await client.request(p.Guard(id=client.number(), tasks=tasks))
        return done.refusals
