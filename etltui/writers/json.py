"""JSON: lines of objects, or one array of them; a target is made of parts by copying.

Where the target's name ends in `.gz` each piece of it is one gzip member.
"""

from collections.abc import Sequence
from pathlib import Path

from etltui.domain.job import JsonOptions
from etltui.domain.part import Published, Receipt
from etltui.domain.task import PublishTask
from etltui.domain.variants import text_variant
from etltui.writers.chain import Piece, chain, check_parts
from etltui.writers.gzip_member import stored_member
from etltui.writers.json_part import JsonPart
from etltui.writers.writer import PartTask, PartWriter, one_query, variants

LINES = "jsonl"
_BEGIN, _BETWEEN, _END = b"[\n", b",\n", b"\n]\n"
"""Of an array."""


def part_writer(task: PartTask) -> PartWriter:
    """A writer for one query of one extract; its part file exists when this returns.

    Raises:
        Failure: Of class `disk`.
    """
    options = JsonOptions(**task.writer.options)
    if task.writer.type == LINES:
        return JsonPart(task, options, end=b"\n")
    return JsonPart(task, options, between=_BETWEEN)


def assemble(task: PublishTask) -> Published:
    """Write `task.temporary` from the parts in the order of the entries.

    The file and its name are durable, and every part in it has been read back, when this returns;
    where it fails nothing is left. The parts must be of one query.

    Raises:
        Failure: Of class `disk` or `target`; `corrupt` where a part is not what its receipt says;
            `value` where there are parts of more than one query.
    """
    variant = text_variant(task.target)
    receipts = [r for entry in task.entries for r in variants(entry.receipts, variant)]
    one_query(receipts, "JSON")
    folder = Path(task.parts)
    check_parts(folder, receipts)
    pieces = receipts if task.type == LINES else _array(receipts)
    made = chain(Path(task.temporary), folder, _literals(pieces, compressed=bool(variant)))
    return Published(
        bytes=made.bytes,
        crc=made.crc,
        rows=sum(receipt.rows for receipt in receipts),
        members=made.members,
    )


def _array(receipts: Sequence[Receipt]) -> list[Piece]:
    """An array of the parts; empty ones need nothing between them."""
    pieces: list[Piece] = [_BEGIN]
    rows = 0
    for receipt in receipts:
        if rows and receipt.rows:
            pieces.append(_BETWEEN)
        pieces.append(receipt)
        rows += receipt.rows
    return [*pieces, _END if rows else _END.lstrip()]


def _literals(pieces: Sequence[Piece], *, compressed: bool) -> list[Piece]:
    """The pieces with those that are no parts compressed like them; never without a piece."""
    if not compressed:
        return list(pieces)
    made: list[Piece] = [stored_member(p) if isinstance(p, bytes) else p for p in pieces]
    return made or [stored_member(b"")]
