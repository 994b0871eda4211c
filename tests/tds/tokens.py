"""The tokens of a reply beside rows (MS-TDS 2.2.7)."""

import struct

from tds.kinds import LATIN

BATCH_DONE, PROCEDURE_DONE, INNER_DONE = 0xFD, 0xFE, 0xFF
MORE, ERROR, COUNT, ATTENDED = 0x01, 0x02, 0x10, 0x20
_SELECT = 0xC1
_NAME = "tds-double"


def short(text: str) -> bytes:
    """A text of at most 255 characters, its length before it."""
    return bytes([len(text)]) + text.encode("utf-16-le")


def long(text: str) -> bytes:
    """A text, its length in two bytes before it."""
    return struct.pack("<H", len(text)) + text.encode("utf-16-le")


def sized(token: int, body: bytes) -> bytes:
    """A token with its length."""
    return bytes([token]) + struct.pack("<H", len(body)) + body


def done(status: int = 0, *, rows: int | None = None, token: int = BATCH_DONE) -> bytes:
    """The end of a statement."""
    if rows is not None:
        status |= COUNT
    return struct.pack("<BHHQ", token, status, _SELECT, rows or 0)


def error(number: int, words: str, *, level: int = 16, state: int = 1) -> bytes:
    """What a server says when it refuses."""
    body = struct.pack("<IBB", number, state, level) + long(words) + short(_NAME) + short("")
    return sized(0xAA, body + struct.pack("<I", 1))


def note(number: int, words: str) -> bytes:
    """What a server says beside."""
    body = struct.pack("<IBB", number, 2, 0) + long(words) + short(_NAME) + short("")
    return sized(0xAB, body + struct.pack("<I", 1))


def changed(what: int, new: bytes, old: bytes = b"\0") -> bytes:
    """A change of the session's environment."""
    return sized(0xE3, bytes([what]) + new + old)


def database_changed(name: str, old: str) -> bytes:
    """The session is in another database."""
    words = f"Changed database context to '{name}'."
    return changed(1, short(name), short(old)) + note(5701, words)


def transaction(number: int, *, begins: bool, commits: bool = False) -> bytes:
    """A transaction began or ended."""
    identity = bytes([8]) + struct.pack("<Q", number)
    if begins:
        return changed(8, identity)
    return changed(9 if commits else 10, b"\0", identity)


def logged_in(database: str, size: int, version: int, *, utf8: bool) -> bytes:
    """The login was taken."""
    program = short("Microsoft SQL Server") + bytes([16, 0, 3, 0xE8])
    out = database_changed(database, "master")
    out += changed(7, bytes([5]) + LATIN)
    out += changed(4, short(str(size)), short("4096"))
    out += sized(0xAD, b"\x01" + struct.pack(">I", version) + program)
    if utf8:
        out += b"\xae\x0a" + struct.pack("<I", 1) + b"\x01\xff"
    return out + done()


def returned(handle: int) -> bytes:
    """What a procedure returns: that all is well, and the handle of a statement."""
    value = struct.pack("<H", 0) + short("") + b"\x01" + struct.pack("<IH", 0, 0)
    return status() + b"\xac" + value + b"\x26\x04\x04" + struct.pack("<i", handle)


def status() -> bytes:
    """A procedure's return value 0."""
    return b"\x79" + struct.pack("<i", 0)
