"""Has extractors work on part files and targets."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.part import Member, Published, Receipt
from etltui.domain.read_back import ReadTask, TargetRead
from etltui.domain.task import PublishTask
from etltui.extractors import protocol as p
from etltui.extractors.client import ExtractorClient


class ExtractorFiles:
    """Work on files in whichever extractor is free; implements `domain.ports.Parts`.

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
        async with self._borrowed() as client:
            done = await client.request(
                p.Verify(id=client.number(), folder=folder, receipts=tuple(receipts)),
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
        async with self._borrowed() as client:
            done = await client.request(
                p.Restore(
                    id=client.number(),
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
        async with self._borrowed() as client:
            done = await client.request(
                p.Deliver(
                    id=client.number(),
                    temporary=temporary,
                    target=target,
                    published=published,
                ),
            )
        return done.delivered

    async def read_back(self, task: ReadTask) -> TargetRead:
        """See `domain.ports.Parts`."""
        async with self._borrowed() as client:
            done = await client.request(p.ReadBack(id=client.number(), task=task))
        if done.read is None:
            raise Failure(ErrorClass.INTERNAL, "a target was read back without an answer")
        return done.read
