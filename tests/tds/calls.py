"""Remote procedure calls: their name and the values of their parameters (MS-TDS 2.2.6.6)."""

import struct
import uuid
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

_NUMBERED = {
    10: "sp_executesql",
    11: "sp_prepare",
    12: "sp_execute",
    13: "sp_prepexec",
    15: "sp_unprepare",
}
_FIXED = {0x30: "<B", 0x32: "<B", 0x34: "<h", 0x38: "<i", 0x7F: "<q", 0x3B: "<f", 0x3E: "<d"}


@dataclass
class Call:
    """A call: values in order, with their names where the client says them."""

    name: str
    values: list = field(default_factory=list)
    names: list[str] = field(default_factory=list)


class UnknownTypeError(Exception):
    """A parameter of a type that the double does not know."""


class _Body:
    def __init__(self, body: bytes) -> None:
        self.body = body
        self.at = 0

    def take(self, count: int) -> bytes:
        self.at += count
        return self.body[self.at - count : self.at]

    def number(self, form: str) -> int:
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    @property
    def ends(self) -> bool:
        return self.at >= len(self.body)


def decoded(body: bytes) -> Call:
    """The call of a message."""
    read = _Body(body)
    read.at = struct.unpack_from("<I", body)[0]
    length = read.number("<H")
    if length == 0xFFFF:
        number = read.number("<H")
        name = _NUMBERED.get(number, f"procedure {number}")
    else:
        name = read.take(2 * length).decode("utf-16-le").lower().rpartition(".")[2]
    read.number("<H")
    call = Call(name=name)
    while not read.ends:
        call.names.append(read.take(2 * read.number("<B")).decode("utf-16-le"))
        read.take(1)
        call.values.append(_value(read))
    return call


def _value(read: _Body) -> object:
    tag = read.number("<B")
    if tag in _FIXED:
        return read.number(_FIXED[tag])
    if tag in {0x26, 0x68, 0x6D, 0x24}:
        read.take(1)
        return _sized(tag, read.take(read.number("<B")))
    if tag in {0x6A, 0x6C}:
        return _decimal(read)
    if tag in {0xE7, 0xEF, 0xA7, 0xAF, 0xA5, 0xAD}:
        return _text(tag, read)
    if tag in {0x28, 0x29, 0x2A, 0x2B}:
        return _moment(tag, read)
    if tag == 0x63:
        read.take(9)
        length = read.number("<i")
        return None if length < 0 else read.take(length).decode("utf-16-le")
    raise UnknownTypeError(f"{tag:#x}")


def _sized(tag: int, raw: bytes) -> object:
    if not raw:
        return None
    if tag == 0x6D:
        return struct.unpack("<d" if len(raw) == 8 else "<f", raw)[0]
    if tag == 0x24:
        return str(uuid.UUID(bytes_le=raw))
    return int.from_bytes(raw, "little", signed=len(raw) > 1)


def _decimal(read: _Body) -> object:
    _, _, scale = read.take(3)
    raw = read.take(read.number("<B"))
    if not raw:
        return None
    whole = int.from_bytes(raw[1:], "little")
    return str(Decimal(whole if raw[0] else -whole).scaleb(-scale))


def _text(tag: int, read: _Body) -> object:
    largest = read.number("<H")
    if tag not in {0xA5, 0xAD}:
        read.take(5)
    raw = _long(read) if largest == 0xFFFF else _short(read)
    if raw is None or tag in {0xA5, 0xAD}:
        return raw
    return raw.decode("utf-16-le" if tag in {0xE7, 0xEF} else "cp1252")


def _short(read: _Body) -> bytes | None:
    length = read.number("<H")
    return None if length == 0xFFFF else read.take(length)


def _long(read: _Body) -> bytes | None:
    if read.number("<Q") == 2**64 - 1:
        return None
    out = b""
    while length := read.number("<I"):
        out += read.take(length)
    return out


def _moment(tag: int, read: _Body) -> object:
    scale = read.number("<B") if tag != 0x28 else 0
    raw = read.take(read.number("<B"))
    if not raw:
        return None
    if tag == 0x2B:
        raw = raw[:-2]
    clock, days = (raw, b"") if tag == 0x29 else (raw[:-3], raw[-3:])
    out = []
    if days:
        out.append(str(date(1, 1, 1) + timedelta(int.from_bytes(days, "little"))))
    if clock:
        units = int.from_bytes(clock, "little") * 10 ** (7 - scale)
        seconds, part = divmod(units, 10_000_000)
        text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
        out.append(f"{text}.{part:07d}".rstrip("0").rstrip("."))
    return " ".join(out)
