"""Takes parts back out of a published target, byte for byte, so that it can be patched."""

from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

import msgspec

from etltui.domain.errors import Failure
from etltui.domain.part import Member, Receipt
from etltui.writers.folder import file_of
from etltui.writers.part import PartFile, crc_of, verified

_BLOCK = 1 << 20


def restore(
    folder: str,
    target: str,
    members: Sequence[Member],
    receipts: Sequence[Receipt],
) -> tuple[bool, ...]:
    """Make the parts of one destination that are gone from where they lie in its target.

    Args:
        folder: Of the run's parts; a part that is there and sound is left alone.
        target: What was published from these parts.
        members: Where each part lies in it.
        receipts: The parts.

    Returns:
        For each receipt whether its part is there now. Bytes that somebody changed in the target
        are not taken.
    """
    places = {(m.connection, m.query, m.segment, m.variant): m for m in members}
    return tuple(
        _restored(
            Path(folder),
            Path(target),
            places.get((each.connection, each.query, each.segment, each.variant)),
            each,
        )
        for each in receipts
    )


def _restored(folder: Path, target: Path, member: Member | None, receipt: Receipt) -> bool:
    if verified(folder, receipt):
        return True
    if member is None or (member.length, member.crc) != (receipt.bytes, receipt.crc):
        return False
    try:
        source = file_of(target, member)
        if crc_of(source, offset=member.offset, length=member.length) != receipt.crc:
            return False
        path = folder / receipt.path
        path.unlink(missing_ok=True)
        _copy(source, member, path, receipt)
    except (OSError, LookupError, msgspec.DecodeError, Failure):
        # It is read from its database again instead.
        return False
    return verified(folder, receipt)


def _copy(source: Path, member: Member, path: Path, receipt: Receipt) -> None:
    part = PartFile(path)
    left = member.length
    try:
        with closing(source.open("rb")) as file:
            file.seek(member.offset)
            while left and (block := file.read(min(left, _BLOCK))):
                part.write(block)
                left -= len(block)
        part.seal(receipt)
    except BaseException:
        with suppress(OSError):
            part.discard()
        raise
