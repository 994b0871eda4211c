"""What the first bytes of a database and of its write-ahead log say (SQLite's file format 3)."""

import struct
from pathlib import Path
from typing import BinaryIO

_MAGIC = b"SQLite format 3\0"
_WAL_MAGICS = {0x377F0682: "<", 0x377F0683: ">"}
_WAL_HEADER = 32
_FRAME_HEADER = 24


def header_problem(path: Path) -> str:
    """Why a database's own header cannot be right; empty where it may be."""
    with path.open("rb") as file:
        head = file.read(100)
    if not head:
        return "it is empty"
    if len(head) < 100 or head[:16] != _MAGIC:
        return "it does not begin as a database does"
    size = int.from_bytes(head[16:18], "big")
    page = 65536 if size == 1 else size
    # A kill may tear the last page that is merged from the log; there it is still whole.
    torn = path.stat().st_size % page and not _has_pages(path.with_name(f"{path.name}-wal"))
    if page < 512 or page & (page - 1) or torn:
        return "its size is no number of whole pages"
    if not {*head[18:20]} <= {1, 2} or (head[20], *head[21:24]) != (0, 64, 32, 32):
        return "its header is of no version that there is"
    # 0 before anything was written into it.
    if int.from_bytes(head[44:48], "big") > 4 or int.from_bytes(head[56:60], "big") > 1:
        return "its header names another encoding or format"
    return ""


def _has_pages(log: Path) -> bool:
    return log.exists() and log.stat().st_size > _WAL_HEADER


def committed_frames(path: Path) -> int | None:
    """How many pages of a write-ahead log must be committed by what their headers say.

    SQLite takes fewer where a page among them is damaged, and says nothing. The last transaction
    does not count: a kill or a power cut may have torn it before anybody was told of it. Those
    before it were durable when it began.

    Args:
        path: Of the log; it need not be there.

    Returns:
        None where the log's own header is damaged.
    """
    try:
        content = path.open("rb")
    except FileNotFoundError:
        return 0
    with content as file:
        head = file.read(_WAL_HEADER)
        if not _at(file, _WAL_HEADER):
            # The header is durable before the first page is written.
            return 0
        if _sum_of(head[:24]) != struct.unpack(">2I", head[24:]):
            return None
        step = int.from_bytes(head[8:12], "big") + _FRAME_HEADER
        found = last = number = 0
        # A log is begun anew without being cut: what follows carries other salts.
        while frame := _at(file, _WAL_HEADER + number * step):
            number += 1
            if frame[8:16] == head[16:24]:
                found = last
                last = number if any(frame[4:8]) else last
        return found


def _at(file: BinaryIO, offset: int) -> bytes:
    file.seek(offset)
    frame = file.read(_FRAME_HEADER)
    return frame if len(frame) == _FRAME_HEADER else b""


def _sum_of(head: bytes) -> tuple[int, int] | None:
    order = _WAL_MAGICS.get(int.from_bytes(head[:4], "big"))
    if order is None:
        return None
    first = second = 0
    words = struct.unpack(f"{order}6I", head)
    for one, other in zip(words[::2], words[1::2], strict=True):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + other + first) & 0xFFFFFFFF
    return first, second
