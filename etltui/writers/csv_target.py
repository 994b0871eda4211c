"""Makes a CSV file from parts: the header once, then every part's bytes as they are."""

from dataclasses import dataclass
from pathlib import Path

from etltui.domain.job import CsvOptions
from etltui.domain.part import Published
from etltui.domain.task import PublishTask
from etltui.domain.variants import text_variant
from etltui.writers.chain import chain, check_parts
from etltui.writers.csv_rows import Lines
from etltui.writers.gzip_member import stored_member
from etltui.writers.writer import one_query, variants


@dataclass(frozen=True, kw_only=True, slots=True)
class _Head:
    """What stands before the first part."""

    content: bytes
    notes: dict[str, int]


def assemble(task: PublishTask) -> Published:
    """Write `task.temporary` from the header and the parts in the order of the entries.

    The file and its name are durable, and every part in it has been read back, when this returns;
    where it fails nothing is left. The parts must be of one query.

    Raises:
        Failure: Of class `disk` or `target`; `corrupt` where a part is not what its receipt says;
            `value` where a header cannot be written, or there are parts of more than one query.
    """
    variant = text_variant(task.target)
    receipts = [r for entry in task.entries for r in variants(entry.receipts, variant)]
    head = _head(task, one_query(receipts, "CSV"), compressed=bool(variant))
    folder = Path(task.parts)
    check_parts(folder, receipts)
    made = chain(Path(task.temporary), folder, [head.content, *receipts])
    return Published(
        bytes=made.bytes,
        crc=made.crc,
        rows=sum(receipt.rows for receipt in receipts),
        members=made.members,
        notes=head.notes,
    )


def _head(task: PublishTask, query: int, *, compressed: bool) -> _Head:
    """Byte order mark and column names; a gzip member of its own, also where both are left out."""
    options = CsvOptions(**task.options)
    names = [column.name for column in task.columns[query]] if task.columns else []
    lines = Lines(options, connection=task.title, names=names)
    content = lines.encoding.mark
    if options.include_headers and names:
        content += lines.header()
    if compressed:
        content = stored_member(content)
    return _Head(content=content, notes=lines.notes)
