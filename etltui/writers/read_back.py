"""Reads a target back, cell by cell, and holds it against what was written into it.

A part lies in its target byte for byte, so its bytes there have the checksum that they had when
they were written; their content, decompressed, has the checksum that it had before; and each of
its rows is read, with each of its cells. Where the bytes of a part are not there any more, also
not further ahead or behind, what lies between its neighbours is read instead, so that the one
connection is named whose rows somebody has changed.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from etltui.domain.part import Member, Receipt
from etltui.domain.read_back import ReadBack, ReadTask, TargetRead
from etltui.domain.words import number
from etltui.writers.content import BrokenError, Range
from etltui.writers.excel_part import SINGLE
from etltui.writers.folder import file_of, is_published
from etltui.writers.part import crc_of, disk_errors
from etltui.writers.read_foreign import Key, foreign_rows, key_of
from etltui.writers.read_rows import counting
from etltui.writers.zip_parts import crc_combine

_CHANGED = "its bytes are not those that were written"
_NOT_IN = "the target was published without them"
_RENEWED = "and read again since this target was published; it holds the former ones"
_IN_PLACE = {"csv", "jsonl", "json", "parquet"}
"""Types in which a part that has grown or shrunk moves what is behind it, and no more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Piece:
    """A part's place in the target.

    Attributes:
        range: None where its bytes are not found.
        between: Where they should be, if whatever lies there can only be its own.
        problem: Known before anything is read.
    """

    receipt: Receipt
    range: Range | None
    between: Range | None = None
    problem: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Read:
    """What became of a part."""

    receipt: Receipt
    rows: int | None
    cells: int = 0
    problem: str = ""


def read_back(task: ReadTask) -> TargetRead:
    """Read every cell of a target that is there.

    Raises:
        Failure: Of class `disk`; its bytes cannot be read.
    """
    path = Path(task.target)
    with disk_errors(path):
        pieces = list(_places(task, path))
        reads = [_read(task, piece) for piece in pieces]
        anew = bool(pieces) and all(piece.range is None for piece in pieces)
        problem = _whole(task, path)
        elsewhere = _elsewhere(task) if anew and problem and not path.is_dir() else {}
    return TargetRead(connections=tuple(_told(task, reads, elsewhere)), problem=problem)


def _places(task: ReadTask, path: Path) -> Iterator[_Piece]:
    """Where each part is, in the order of the target; one that has no place is not there."""
    members = {(m.connection, m.query, m.segment, m.variant): m for m in task.published.members}
    receipts = {(r.connection, r.query, r.segment, r.variant): r for r in task.receipts}
    for key, receipt in receipts.items():
        if key not in members:
            yield _Piece(receipt=receipt, range=None, problem=_NOT_IN)
    placed = [(receipts[key], member) for key, member in members.items() if key in receipts]
    if path.is_dir():
        yield from (_in_folder(path, receipt, member) for receipt, member in placed)
    else:
        yield from _in_file(task, path, placed)


def _in_folder(path: Path, receipt: Receipt, member: Member) -> _Piece:
    try:
        found = _found(file_of(path, member), member, 0)
    except (OSError, LookupError, msgspec.DecodeError):
        found = None
    return _Piece(receipt=receipt, range=found, problem=_renewed(receipt, member))


def _in_file(
    task: ReadTask, path: Path, placed: Sequence[tuple[Receipt, Member]]
) -> Iterator[_Piece]:
    """Parts at their place, or moved by as much as the file has grown; then what is between."""
    placed = sorted(placed, key=lambda pair: pair[1].offset)
    grown = path.stat().st_size - task.published.bytes
    found = [
        _found(path, member, 0) or (_found(path, member, grown) if grown else None)
        for _, member in placed
    ]
    for place, (receipt, member) in enumerate(placed):
        between = None
        if found[place] is None and (not grown or task.type in _IN_PLACE):
            neighbours = found[place - 1 : place] + found[place + 1 : place + 2]
            if all(neighbours):
                between = Range(
                    path=path, offset=member.offset, length=max(0, member.length + grown)
                )
        yield _Piece(
            receipt=receipt,
            range=found[place],
            between=between,
            problem=_renewed(receipt, member),
        )


def _renewed(receipt: Receipt, member: Member) -> str:
    """Why a part is none of those that the target was made from; empty where it is one."""
    same = (member.length, member.crc) == (receipt.bytes, receipt.crc)
    return "" if same else _RENEWED


def _found(path: Path, member: Member, moved: int) -> Range | None:
    """Where a part's bytes are, if they are as they were written."""
    offset = member.offset + moved
    if offset < 0 or crc_of(path, offset=offset, length=member.length) != member.crc:
        return None
    return Range(path=path, offset=offset, length=member.length)


def _read(task: ReadTask, piece: _Piece) -> _Read:
    """Read a part's rows where they are, or what lies in their place."""
    receipt, where = piece.receipt, piece.range or piece.between
    if where is not None and piece.problem:
        return _Read(receipt=receipt, rows=None, problem=piece.problem)
    if where is None:
        return _Read(receipt=receipt, rows=None, problem=piece.problem or _CHANGED)
    problem = "" if piece.range else _CHANGED
    try:
        found = counting(task, receipt)(where)
    except BrokenError as error:
        return _Read(receipt=receipt, rows=None, problem=str(error))
    raw = (receipt.raw_bytes, receipt.raw_crc)
    if not problem and found.raw not in {None, raw}:
        problem = "their content does not have the checksum with which it was written"
    if not problem and found.rows != receipt.rows:
        problem = "its part holds other rows than its receipt says"
    return _Read(receipt=receipt, rows=found.rows, cells=found.cells, problem=problem)


def _whole(task: ReadTask, path: Path) -> str:
    """What is wrong with the target as a whole; empty where it is what was published."""
    published = task.published
    if path.is_dir():
        right = is_published(path, published)
        return "" if right else "its files are not those that were published"
    facts = path.stat()
    if facts.st_size != published.bytes:
        what = f"{number(published.bytes)} bytes were written, {number(facts.st_size)} are there"
    elif crc_of(path, offset=0, length=facts.st_size) != published.crc:
        what = "it has as many bytes as were written, but not the same"
    else:
        return ""
    when = datetime.fromtimestamp(facts.st_mtime, UTC)
    return f"{what}; last changed {when:%Y-%m-%d %H:%M:%S} UTC"


def _elsewhere(task: ReadTask) -> Mapping[Key, int]:
    """Rows of a target that was written anew, as any reader finds them; none where it cannot."""
    try:
        return foreign_rows(task)
    except BrokenError:
        return {}


def _told(
    task: ReadTask, reads: Sequence[_Read], elsewhere: Mapping[Key, int]
) -> Iterator[ReadBack]:
    """What was read of each connection, query and variant: all of its segments together.

    In a target that was written anew no part can be found: a connection differs where its rows
    are not as many as they were, and of the rest the target as a whole says so.
    """
    groups: defaultdict[Key, list[_Read]] = defaultdict(list)
    for read in sorted(reads, key=lambda each: each.receipt.segment):
        groups[key_of(read.receipt)].append(read)
    for key, parts in groups.items():
        known = [part.rows for part in parts if part.rows is not None]
        rows = sum(known) if len(known) == len(parts) else elsewhere.get(key)
        written = sum(part.receipt.rows for part in parts)
        problem = next((part.problem for part in parts if part.problem), "")
        if elsewhere.get(key) == written:
            problem = ""
        yield ReadBack(
            connection=key[0],
            query=key[1],
            variant=key[2],
            written=written,
            read=rows,
            cells=sum(part.cells for part in parts),
            checksum=_checksum(parts),
            problem=problem,
            place=_place(task, key),
        )


def _place(task: ReadTask, key: Key) -> str:
    """Which of a connection's rows, where it has several queries or stands on two sheets."""
    query = task.queries[key[1]] if len(task.queries) > 1 and task.query is None else ""
    stacked = "stacked sheet" if key[2] == SINGLE else ""
    return ", ".join(each for each in (query, stacked) if each)


def _checksum(parts: Sequence[_Read]) -> str:
    """CRC-32 of the rows before compression, over the segments in order."""
    crc = 0
    for part in parts:
        crc = crc_combine(crc, part.receipt.raw_crc, part.receipt.raw_bytes)
    return f"{crc:08x}"
