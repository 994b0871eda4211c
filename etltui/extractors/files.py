"""Has extractors work on part files and targets."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.part import Member, Published, Receipt
from etltui.domain.read_back import ReadTask, TargetRead
from etltui.domain.task import PublishTask
from etltui.extractors import protocol as p
from etltui.extractors.client import ExtractorClient

TRIES = 3
"""Of work that leaves the same behind however often it is begun, where its extractor dies."""


class ExtractorFiles:
    """Work on files in whichever extractor is free; implements `domain.ports.Parts`.

    An extractor that dies over work that can be repeated is no reason to give that up.

    Args:
        borrowed: An extractor for the time of a block.
    """

    def __init__(
        self,
        borrowed: Callable[[], AbstractAsyncContextManager[ExtractorClient]],
    ) -> None:
        self._borrowed = borrowed

    async def verify(self, folder: str, receipts: Sequence[Receipt]) -> tuple[bool, ...]:
        """See `domain.ports.Parts`."""
        done = await self._repeated(
            lambda number: p.Verify(id=number, folder=folder, receipts=tuple(receipts)),
        )
        return done.verified

    async def restore(
        self,
        folder: str,
        target: str,
        members: Sequence[Member],
        receipts: Sequence[Receipt],
    ) -> tuple[bool, ...]:
        """See `domain.ports.Parts`."""
        done = await self._repeated(
            lambda number: p.Restore(
                id=number,
                folder=folder,
                target=target,
                members=tuple(members),
                receipts=tuple(receipts),
            ),
        )
        return done.verified

    async def assemble(self, task: PublishTask) -> Published:
        """See `domain.ports.Parts`."""
        async with self._borrowed() as client:
            done = await client.request(p.Assemble(id=client.number(), task=task))
        if done.published is None:
            raise Failure(ErrorClass.INTERNAL, "an assembly was answered without its result")
        return done.published

    async def deliver(self, temporary: str, target: str, published: Published | None) -> bool:
        """See `domain.ports.Parts`."""

        def deliver(number: int) -> p.Deliver:
            return p.Deliver(id=number, temporary=temporary, target=target, published=published)

        if published is None:
            # What was delivered already could not be told from what is lost.
            async with self._borrowed() as client:
                done = await client.request(deliver(client.number()))
        else:
            done = await self._repeated(deliver)
        return done.delivered

    async def read_back(self, task: ReadTask) -> TargetRead:
        """See `domain.ports.Parts`."""
        done = await self._repeated(lambda number: p.ReadBack(id=number, task=task))
        if done.read is None:
            raise Failure(ErrorClass.INTERNAL, "a target was read back without an answer")
        return done.read

    async def _repeated(self, message: Callable[[int], Any]) -> p.Done:
        """Ask for work that may be begun again, of another extractor where one dies over it.

        Args:
            message: Makes the request from its number.
        """
        tries = TRIES
        while True:
            tries -= 1
            try:
                async with self._borrowed() as client:
                    return await client.request(message(client.number()))
            except Failure as failure:
                if failure.error_class is not ErrorClass.DRIVER_CRASH or not tries:
                    raise
