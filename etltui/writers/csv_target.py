"""Makes a CSV file from parts: the header once, then every part's bytes as they are."""

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.job import CsvOptions
from etltui.domain.part import Member, Published, Receipt
from etltui.domain.task import PublishTask
from etltui.domain.variants import csv_variant
from etltui.writers.copy import copy_range
from etltui.writers.csv_gzip import stored_member
from etltui.writers.csv_rows import Lines
from etltui.writers.part import crc_of, disk_errors, read_receipt, sync_folder, write_all
from etltui.writers.writer import variants
from etltui.writers.zip_parts import crc_combine


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
    variant = csv_variant(task.target)
    receipts = [r for entry in task.entries for r in variants(entry.receipts, variant)]
    head = _head(task, _query(receipts), compressed=bool(variant))
    folder, temporary = Path(task.parts), Path(task.temporary)
    for receipt in receipts:
        if read_receipt(folder / receipt.path) != receipt:
            raise _corrupt(receipt, "is missing or not what was recorded")
    members = tuple(_members(receipts, start=len(head.content)))
    with disk_errors(temporary, ErrorClass.TARGET), _removed_on_failure(temporary):
        _write(temporary, folder, head.content, receipts)
        sync_folder(temporary.parent)
        crc = _proven(temporary, head.content, members)
    return Published(
        bytes=len(head.content) + sum(member.length for member in members),
        crc=crc,
        rows=sum(receipt.rows for receipt in receipts),
        members=members,
        notes=head.notes,
    )


def _query(receipts: list[Receipt]) -> int:
    queries = sorted({receipt.query for receipt in receipts})
    if len(queries) > 1:
        raise Failure(
            ErrorClass.VALUE,
            "a CSV destination takes one query; give each query a job or use a workbook",
            {"queries": ", ".join(str(query) for query in queries)},
        )
    return queries[0] if queries else 0


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


def _members(receipts: list[Receipt], start: int) -> Iterator[Member]:
    for receipt in receipts:
        yield Member(
            connection=receipt.connection,
            query=receipt.query,
            segment=receipt.segment,
            variant=receipt.variant,
            offset=start,
            length=receipt.bytes,
            crc=receipt.crc,
        )
        start += receipt.bytes


def _write(temporary: Path, folder: Path, head: bytes, receipts: list[Receipt]) -> None:
    # never through a link that somebody has put there
    temporary.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    target = os.open(temporary, flags, 0o666)
    try:
        write_all(target, head)
        for receipt in receipts:
            source = os.open(folder / receipt.path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                copy_range(source, target, offset=0, length=receipt.bytes)
            finally:
                os.close(source)
        os.fsync(target)
    finally:
        os.close(target)


def _proven(temporary: Path, head: bytes, members: tuple[Member, ...]) -> int:
    """CRC-32 of the whole file, read back and held against the receipts part by part."""
    crc = crc_of(temporary, offset=0, length=len(head))
    if crc != zlib.crc32(head):
        raise Failure(ErrorClass.TARGET, f"the header in {temporary} is not what was written")
    end = len(head)
    for member in members:
        if crc_of(temporary, offset=member.offset, length=member.length) != member.crc:
            raise _corrupt(member, "does not have the checksum that was recorded")
        crc = crc_combine(crc, member.crc, member.length)
        end = member.offset + member.length
    size = temporary.stat().st_size
    if size != end:
        raise Failure(
            ErrorClass.TARGET,
            f"{temporary} has {size:,} bytes instead of {end:,}",
            {"path": str(temporary)},
        )
    return crc


@contextmanager
def _removed_on_failure(path: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise


def _corrupt(part: Receipt | Member, what: str) -> Failure:
    return Failure(
        ErrorClass.CORRUPT,
        f"{part.connection}: its part {what}; run again to read it anew",
        {"connection": part.connection, "segment": str(part.segment)},
    )
