"""Makes a Parquet target from parts: behind each other under one footer, or a folder of them."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.job import ParquetOptions
from etltui.domain.naming import file_names
from etltui.domain.part import Published, Receipt
from etltui.domain.task import PublishTask
from etltui.writers.chain import Piece, chain, check_parts, corrupt
from etltui.writers.folder import Filed, make_folder
from etltui.writers.parquet_footer import MAGIC, TAIL, merged
from etltui.writers.parquet_part import open_file, schema_of
from etltui.writers.part import disk_errors
from etltui.writers.writer import one_query, variants

_ENDING = ".parquet"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Parts:
    """The parts of a target, in the order of its connections, all of one query."""

    folder: Path
    receipts: tuple[Receipt, ...]
    query: int

    @property
    def rows(self) -> int:
        return sum(receipt.rows for receipt in self.receipts)


def one_file(task: PublishTask, options: ParquetOptions) -> Published:
    """Write `task.temporary` from all parts.

    Raises:
        Failure: See `parquet.assemble`.
    """
    parts = _parts(task)
    temporary = Path(task.temporary)
    pieces: Sequence[Piece] = (
        (*parts.receipts, _footer(parts)) if parts.receipts else [_empty_file(task, options)]
    )
    made = chain(temporary, parts.folder, pieces)
    _check_rows(temporary, parts.rows)
    return Published(bytes=made.bytes, crc=made.crc, rows=parts.rows, members=made.members)


def one_folder(task: PublishTask) -> Published:
    """Write the folder `task.temporary` with a file for each connection that has a part.

    Raises:
        Failure: See `parquet.assemble`.
    """
    parts = _parts(task)
    wanted = [entry.connection for entry in task.entries]
    names = dict(zip(wanted, file_names(wanted), strict=True))
    return make_folder(
        Path(task.temporary),
        parts.folder,
        [Filed(name=names[r.connection] + _ENDING, receipt=r) for r in parts.receipts],
        missing=[e.connection for e in task.entries if not e.receipts],
    )


def _parts(task: PublishTask) -> _Parts:
    folder = Path(task.parts)
    receipts = tuple(r for entry in task.entries for r in variants(entry.receipts, ""))
    query = one_query(receipts, "Parquet")
    check_parts(folder, receipts)
    return _Parts(folder=folder, receipts=receipts, query=query)


def _footer(parts: _Parts) -> bytes:
    """What stands behind the parts: one footer for all of them."""
    footers = []
    offset = 0
    for receipt in parts.receipts:
        footers.append((_footer_of(parts.folder / receipt.path, receipt), offset))
        offset += receipt.bytes
    footer = merged(footers)
    return footer + TAIL.pack(len(footer), MAGIC)


def _footer_of(path: Path, receipt: Receipt) -> bytes:
    """The footer of a part, which ends where its payload does."""
    with disk_errors(path), path.open("rb") as file:
        file.seek(receipt.bytes - TAIL.size)
        length, magic = TAIL.unpack(file.read(TAIL.size))
        if magic != MAGIC or length > receipt.bytes:
            raise corrupt(receipt, "is no Parquet file")
        file.seek(-TAIL.size - length, os.SEEK_CUR)
        return file.read(length)


def _empty_file(task: PublishTask, options: ParquetOptions) -> bytes:
    """A file without rows: no connection has a part yet."""
    sink = pa.BufferOutputStream()
    columns = task.columns[0] if task.columns else ()
    open_file(sink, schema_of(columns, options), options).close()
    return sink.getvalue().to_pybytes()


def _check_rows(path: Path, rows: int) -> None:
    """Have Arrow read the footer as any reader would.

    Raises:
        Failure: Of class `target`; the file is removed.
    """
    try:
        found = parquet.read_metadata(path).num_rows
    except (OSError, pa.ArrowException) as error:
        path.unlink(missing_ok=True)
        raise Failure(ErrorClass.TARGET, f"{path} cannot be read: {error}") from error
    if found != rows:
        path.unlink(missing_ok=True)
        raise Failure(ErrorClass.TARGET, f"{path} has {found:,} rows instead of {rows:,}")
