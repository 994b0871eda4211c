"""Targets that were to be made again, and hold all there is nevertheless: nothing new has come."""

from etltui.domain.part import Published
from etltui.domain.ports import Store
from etltui.domain.stored import PublicationState


async def leave(store: Store, run: str) -> None:
    """Take what lies at the run's targets as published; whoever delivers it proves that it is.

    Raises:
        StateError: It cannot be recorded.
    """
    for row in await store.publications(run):
        if row.state is PublicationState.ASSEMBLING:
            members = tuple(await store.members(row.run, row.destination))
            before = Published(bytes=row.bytes, crc=row.crc, rows=row.rows, members=members)
            await store.move_publication(row, PublicationState.ASSEMBLED, before)
