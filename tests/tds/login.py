"""What a client says before it is let in: PRELOGIN and LOGIN7 (MS-TDS 2.2.6.4 and 2.2.6.5)."""

import struct
from dataclasses import dataclass

_VERSION, _ENCRYPTION, _INSTANCE, _THREAD, _MARS, _FEDERATED = 0, 1, 2, 3, 4, 6
OFF, ON, NONE, REQUIRED = 0, 1, 2, 3
"""Encryption: of the login only, of all, of nothing, of all or there is no session."""
_READ_ONLY = 0x20
_UTF8_FEATURE = 0x0A
_EXTENSIONS = 0x10


def asked(body: bytes) -> dict[int, bytes]:
    """The options of a PRELOGIN."""
    found, position = {}, 0
    while body[position] != 0xFF:
        option, start, length = struct.unpack_from(">BHH", body, position)
        found[option] = body[start : start + length]
        position += 5
    return found


def agreed(encryption: int, *, federated: bool) -> bytes:
    """The answer to a PRELOGIN."""
    options = [
        (_VERSION, struct.pack(">BBHH", 16, 0, 1000, 0)),
        (_ENCRYPTION, bytes([encryption])),
        (_INSTANCE, b"\0"),
        (_THREAD, b""),
        (_MARS, b"\0"),
    ]
    if federated:
        options.append((_FEDERATED, b"\0"))
    start, head, body = 5 * len(options) + 1, b"", b""
    for option, value in options:
        head += struct.pack(">BHH", option, start + len(body), len(value))
        body += value
    return head + b"\xff" + body


def encryption(wanted: dict[int, bytes], *, offered: bool, required: bool) -> int:
    """What client and server agree on, given whether the server has a certificate."""
    client = wanted.get(_ENCRYPTION, b"\x02")[0]
    if not offered:
        return NONE
    if client in {ON, REQUIRED}:
        return ON
    if required:
        return REQUIRED
    return OFF if client == OFF else NONE


def federated(wanted: dict[int, bytes]) -> bool:
    """Whether the client asks for federated authentication."""
    return _FEDERATED in wanted


@dataclass(frozen=True, kw_only=True)
class Login:
    """A LOGIN7, decoded."""

    version: int
    packet: int
    user: str
    password: str
    program: str
    database: str
    reads_only: bool
    utf8: bool


def decoded(body: bytes) -> Login:
    """What a LOGIN7 says."""

    def text(at: int) -> str:
        start, length = struct.unpack_from("<HH", body, at)
        return body[start : start + 2 * length].decode("utf-16-le")

    start, length = struct.unpack_from("<HH", body, 44)
    hidden = body[start : start + 2 * length]
    open_ = bytes(((c ^ 0xA5) << 4 & 0xF0) | (c ^ 0xA5) >> 4 for c in hidden)
    version, packet = struct.unpack_from("<II", body, 4)
    return Login(
        version=version,
        packet=packet,
        user=text(40),
        password=open_.decode("utf-16-le"),
        program=text(48),
        database=text(68) or "master",
        reads_only=bool(body[26] & _READ_ONLY),
        utf8=_wants_utf8(body),
    )


def _wants_utf8(body: bytes) -> bool:
    """Whether the features that the client lists hold UTF-8."""
    if not body[27] & _EXTENSIONS:
        return False
    (pointer,) = struct.unpack_from("<H", body, 56)
    (position,) = struct.unpack_from("<I", body, pointer)
    while body[position] != 0xFF:
        if body[position] == _UTF8_FEATURE:
            return True
        (length,) = struct.unpack_from("<I", body, position + 1)
        position += 5 + length
    return False
