"""The types of SQL Server: how each is described and each of its values is sent (MS-TDS 2.2.5)."""

import re
import struct
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

LATIN = b"\x09\x04\xd0\x00\x34"
"""SQL_Latin1_General_CP1_CI_AS."""
_COLLATIONS = {
    "cp1252": LATIN,
    "cp1251": b"\x19\x04\xd0\x00\x00",  # Cyrillic_General_CI_AS
    "utf-8": b"\x09\x04\xd0\x24\x00",  # Latin1_General_100_CI_AS_SC_UTF8
}
_SPOKEN = re.compile(
    r"(?P<name>\w+)\s*(?:\(\s*(?P<size>\w+)\s*(?:,\s*(?P<scale>\d+)\s*)?\))?"
    r"(?:\s+collate\s+(?P<collation>\w+))?",
    re.IGNORECASE,
)
_SIZED = {"char", "varchar", "nchar", "nvarchar", "binary", "varbinary"}
_SCALED = {"time", "datetime2", "datetimeoffset"}
MAX = 0
"""As the size of a type: up to 2 GB."""
_SYNONYMS = {"integer": "int", "double": "float", "numeric": "decimal", "boolean": "bit"}


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A type as a column has it.

    Attributes:
        size: Characters or bytes of a text or binary type; the precision of a decimal.
        charset: Of a char or varchar.
    """

    name: str
    size: int = 0
    scale: int = 0
    charset: str = "cp1252"

    @property
    def spoken(self) -> str:
        """As `system_type_name` has it."""
        if self.name == "decimal":
            return f"decimal({self.size},{self.scale})"
        if self.name in _SIZED:
            return f"{self.name}({self.size or 'max'})"
        return f"{self.name}({self.scale})" if self.name in _SCALED else self.name


def kind(spoken: str) -> Kind:
    """A type as DDL says it, such as `varchar(20) collate Cyrillic_General_CI_AS`."""
    found = _SPOKEN.fullmatch(spoken.strip())
    assert found, spoken
    name = found["name"].lower()
    name = _SYNONYMS.get(name, name)
    size, scale = (found["size"] or "").lower(), int(found["scale"] or 0)
    charset = _charset(found["collation"] or "")
    if name == "decimal":
        return Kind(name=name, size=int(size or 18), scale=scale)
    if name in _SCALED:
        return Kind(name=name, scale=int(size or 7))
    if name in _SIZED:
        return Kind(name=name, size=MAX if size == "max" else int(size or 1), charset=charset)
    return Kind(name=name)


def _charset(collation: str) -> str:
    lower = collation.lower()
    if "utf8" in lower:
        return "utf-8"
    return "cp1251" if "cyrillic" in lower else "cp1252"


_FIXED = {
    "bit": b"\x68\x01",
    "tinyint": b"\x26\x01",
    "smallint": b"\x26\x02",
    "int": b"\x26\x04",
    "bigint": b"\x26\x08",
    "real": b"\x6d\x04",
    "float": b"\x6d\x08",
    "smallmoney": b"\x6e\x04",
    "money": b"\x6e\x08",
    "smalldatetime": b"\x6f\x04",
    "datetime": b"\x6f\x08",
    "date": b"\x28",
    "uniqueidentifier": b"\x24\x10",
    "xml": b"\xf1\x00",
    "sql_variant": b"\x62" + struct.pack("<I", 8009),
}
_TAGS = {
    "char": 0xAF,
    "varchar": 0xA7,
    "nchar": 0xEF,
    "nvarchar": 0xE7,
    "binary": 0xAD,
    "varbinary": 0xA5,
    "time": 0x29,
    "datetime2": 0x2A,
    "datetimeoffset": 0x2B,
}


def described(of: Kind) -> bytes:
    """TYPE_INFO."""
    if of.name in _FIXED:
        return _FIXED[of.name]
    if of.name == "decimal":
        return bytes([0x6A, 1 + _digits_size(of.size), of.size, of.scale])
    tag = bytes([_TAGS[of.name]])
    if of.name in _SCALED:
        return tag + bytes([of.scale])
    width = 2 if of.name.startswith("n") else 1
    out = tag + struct.pack("<H", of.size * width or 0xFFFF)
    if of.name.endswith("binary"):
        return out
    return out + (LATIN if width == 2 else _COLLATIONS[of.charset])


def _digits_size(precision: int) -> int:
    return 4 if precision <= 9 else 8 if precision <= 19 else 12 if precision <= 28 else 16


def null(of: Kind) -> bytes:
    """NULL of a type."""
    if of.name == "xml" or (of.name in _SIZED and of.size == MAX):
        return b"\xff" * 8
    if of.name in _SIZED:
        return b"\xff\xff"
    return b"\0\0\0\0" if of.name == "sql_variant" else b"\0"


def coder(of: Kind) -> Callable[[object], bytes]:
    """What sends a value that is not NULL; takes what SQLite holds for it."""
    if of.name in _INTEGERS:
        return _integer(_INTEGERS[of.name])
    if of.name in _SIZED or of.name == "xml":
        return _text(of)
    if of.name == "decimal":
        return _decimal(of)
    if of.name in _SCALED:
        return _scaled(of)
    return _OTHERS[of.name]


_INTEGERS = {"bit": "<B", "tinyint": "<B", "smallint": "<h", "int": "<i", "bigint": "<q"}


def _integer(form: str) -> Callable[[object], bytes]:
    packed = struct.Struct(form)
    size = bytes([packed.size])
    return lambda value: size + packed.pack(int(value))


def _text(of: Kind) -> Callable[[object], bytes]:
    charset = "utf-16-le" if of.name.startswith("n") or of.name == "xml" else of.charset

    def put(value: object) -> bytes:
        data = _padded(of, value if isinstance(value, bytes) else _said(value, charset))
        if of.size == MAX:
            return struct.pack("<Q", len(data)) + _pieces(data)
        return struct.pack("<H", len(data)) + data

    return put


def _said(value: object, charset: str) -> bytes:
    return str(value).encode(charset, "surrogatepass" if charset != "cp1252" else "replace")


def _padded(of: Kind, data: bytes) -> bytes:
    if of.name == "binary":
        return data.ljust(of.size, b"\0")
    if of.name == "char":
        return data.ljust(of.size, b" ")
    if of.name == "nchar":
        return data + b" \0" * (of.size - len(data) // 2)
    return data


def _pieces(data: bytes, step: int = 8000) -> bytes:
    out = bytearray()
    for start in range(0, len(data), step):
        piece = data[start : start + step]
        out += struct.pack("<I", len(piece)) + piece
    return bytes(out) + b"\0\0\0\0"


def _decimal(of: Kind) -> Callable[[object], bytes]:
    size = _digits_size(of.size)

    def put(value: object) -> bytes:
        sign, digits = _scaled_digits(value, of.scale)
        return bytes([size + 1, sign]) + digits.to_bytes(size, "little")

    return put


def _scaled_digits(value: object, scale: int) -> tuple[int, int]:
    """The sign as TDS has it, and the digits without their point."""
    number = Decimal(str(value))
    sign, digits, exponent = number.as_tuple()
    whole = int("".join(map(str, digits)))
    shift = scale + int(exponent)
    whole = whole * 10**shift if shift >= 0 else round(whole / 10**-shift)
    return 1 - sign, whole


def _money(value: object, size: int) -> bytes:
    sign, digits = _scaled_digits(value, 4)
    number = digits if sign else -digits
    if size == 4:
        return b"\x04" + struct.pack("<i", number)
    return b"\x08" + struct.pack("<iI", number >> 32, number & 0xFFFFFFFF)


_MOMENT = re.compile(
    r"(?:(\d{4})-(\d\d)-(\d\d))?[ T]?(?:(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,7}))?)?)?"
    r"\s*(?:([+-])(\d\d):(\d\d))?",
)


def moment(value: object) -> tuple[int, int, int]:
    """Days since 0001-01-01, units of 100 ns of that day, minutes ahead of UTC."""
    found = _MOMENT.fullmatch(str(value).strip())
    assert found, value
    year, month, day, hour, minute, second, part, sign, ahead, more = found.groups()
    days = date(int(year), int(month), int(day)).toordinal() - 1 if year else 0
    seconds = int(hour or 0) * 3600 + int(minute or 0) * 60 + int(second or 0)
    units = seconds * 10_000_000 + int((part or "0").ljust(7, "0"))
    offset = (int(ahead or 0) * 60 + int(more or 0)) * (-1 if sign == "-" else 1)
    return days, units, offset


_DAY = 864_000_000_000
_1900 = date(1900, 1, 1).toordinal() - 1


def _scaled(of: Kind) -> Callable[[object], bytes]:
    size = 3 if of.scale <= 2 else 4 if of.scale <= 4 else 5

    def put(value: object) -> bytes:
        days, units, offset = moment(value)
        if of.name == "datetimeoffset":
            shifted = days * _DAY + units - offset * 600_000_000
            days, units = divmod(shifted, _DAY)
        out = (units // 10 ** (7 - of.scale)).to_bytes(size, "little")
        if of.name != "time":
            out += (days & 0xFFFFFF).to_bytes(3, "little")
        if of.name == "datetimeoffset":
            out += struct.pack("<h", offset)
        return bytes([len(out)]) + out

    return put


def _datetime(value: object) -> bytes:
    days, units, _ = moment(value)
    return b"\x08" + struct.pack("<iI", days - _1900, round(units * 300 / 10_000_000))


def _smalldatetime(value: object) -> bytes:
    days, units, _ = moment(value)
    return b"\x04" + struct.pack("<HH", days - _1900, units // 600_000_000)


def _variant(value: object) -> bytes:
    """An int, a float, or a text of the right length."""
    if isinstance(value, int):
        body = b"\x7f\x00" + struct.pack("<q", value)
    elif isinstance(value, float):
        body = b"\x3e\x00" + struct.pack("<d", value)
    else:
        text = str(value).encode("utf-16-le")
        body = b"\xe7\x07" + LATIN + struct.pack("<H", 8000) + text
    return struct.pack("<I", len(body)) + body


_OTHERS: dict[str, Callable[[object], bytes]] = {
    "real": lambda value: b"\x04" + struct.pack("<f", value),
    "float": lambda value: b"\x08" + struct.pack("<d", value),
    "money": lambda value: _money(value, 8),
    "smallmoney": lambda value: _money(value, 4),
    "date": lambda value: b"\x03" + moment(value)[0].to_bytes(3, "little"),
    "datetime": _datetime,
    "smalldatetime": _smalldatetime,
    "uniqueidentifier": lambda value: b"\x10" + uuid.UUID(str(value)).bytes_le,
    "sql_variant": _variant,
}


def header(names: list[str], kinds: list[Kind]) -> bytes:
    """COLMETADATA."""
    out = b"\x81" + struct.pack("<H", len(names))
    for name, each in zip(names, kinds, strict=True):
        out += struct.pack("<IH", 0, 9) + described(each)
        out += bytes([len(name)]) + name.encode("utf-16-le")
    return out


def row_coder(kinds: list[Kind], *, short: bool) -> Callable[[tuple], bytes]:
    """What sends a row: ROW, or NBCROW where it has NULLs and the client knows such."""
    coders = [coder(each) for each in kinds]
    nulls = [null(each) for each in kinds]

    def put(row: tuple) -> bytes:
        if short and None in row:
            bits = sum(1 << n for n, value in enumerate(row) if value is None)
            out = b"\xd2" + bits.to_bytes((len(row) + 7) // 8, "little")
            said = [c(v) for c, v in zip(coders, row, strict=True) if v is not None]
            return out + b"".join(said)
        said = [n if v is None else c(v) for c, v, n in zip(coders, row, nulls, strict=True)]
        return b"\xd1" + b"".join(said)

    return put
