"""Tells cheaply that a database lies as it was left: its size and checksum, written at its closing.

A seal that fits proves all of the file; one that is missing or does not fit proves nothing.
"""

import json
import zlib
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from etltui.store.folder import make_file

ENDING = ".seal"
_BLOCK = 1 << 20


class Seal(StrEnum):
    """What a seal says."""

    WHOLE = "whole"
    BROKEN = "broken"
    NONE = "none"


def put_seal(path: Path) -> None:
    """Seal a closed database; one that has a write-ahead log beside it is not whole by itself.

    Raises:
        OSError: It cannot be read or the seal not be written.
        StateError: The seal cannot be made.
    """
    if _has_log(path):
        return
    text = json.dumps({"size": path.stat().st_size, "crc": _crc(path)}).encode()
    with open(make_file(_seal_of(path)), "wb") as file:  # noqa: PTH123 - a descriptor has no path
        file.truncate()
        file.write(text)


def break_seal(path: Path) -> Seal:
    """What the seal says; it is gone then, for whoever asks is about to write."""
    seal = _seal_of(path)
    try:
        words = json.loads(seal.read_bytes())
        fits = (words["size"], words["crc"]) == (path.stat().st_size, _crc(path))
    except (OSError, ValueError, KeyError, TypeError):
        fits = None
    with suppress(OSError):
        seal.unlink()
    if fits is None:
        return Seal.NONE
    return Seal.WHOLE if fits and not _has_log(path) else Seal.BROKEN


def _seal_of(path: Path) -> Path:
    return path.with_name(path.name + ENDING)


def _has_log(path: Path) -> bool:
    """Whether something was written that is not merged yet; readers leave an empty log."""
    log = path.with_name(path.name + "-wal")
    return log.exists() and log.stat().st_size > 0


def _crc(path: Path) -> int:
    crc = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            crc = zlib.crc32(block, crc)
    return crc
