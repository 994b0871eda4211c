"""What the control plane and an extractor say to each other, and how it is framed.

Each message is a msgpack body behind its length (4 bytes, big endian). Down go requests, each with
an id and exactly one answer, `Done` or `Failed`; `Cancel` and `Quit` have none. Up go the answers
and `Beat`, at most one per 200 ms, with the progress of every running extract.
"""

import struct
from collections.abc import Mapping
from typing import Any

import msgspec

from etltui.domain.columns import Column
from etltui.domain.part import Member, Published, Receipt
from etltui.domain.read_back import ReadTask, TargetRead
from etltui.domain.server import ServerFacts, ServerReading
from etltui.domain.task import (
    Extracted,
    ExtractTask,
    GuardTask,
    Progress,
    PublishTask,
    QueryTask,
    SessionTask,
)

HEAD = struct.Struct(">I")
MAX_MESSAGE = 64 * 1024 * 1024
"""Bytes; a longer one is a broken peer. 10,000 connections' receipts are about 5 MiB."""

BEAT_S = 0.2


class _Message(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Base of all messages; the class's name is the tag."""


class Open(_Message, frozen=True, kw_only=True):
    """Open a session under a number that the control plane chose."""

    id: int
    session: int
    task: SessionTask


class Ping(_Message, frozen=True, kw_only=True):
    """Prove that a session's server answers."""

    id: int
    session: int


class Describe(_Message, frozen=True, kw_only=True):
    """Name the columns of queries without reading rows."""

    id: int
    session: int
    queries: tuple[QueryTask, ...]


class Explain(_Message, frozen=True, kw_only=True):
    """Tell how the database would answer queries, without running them."""

    id: int
    session: int
    queries: tuple[QueryTask, ...]


class Ask(_Message, frozen=True, kw_only=True):
    """Run a query that gives one value; one that does more than read is not run."""

    id: int
    session: int
    query: QueryTask
    dialect: str


class ServerCheck(_Message, frozen=True, kw_only=True):
    """Tell how loaded the server of a session is."""

    id: int
    session: int


class Extract(_Message, frozen=True, kw_only=True):
    """Move rows into parts."""

    id: int
    session: int
    task: ExtractTask


class Close(_Message, frozen=True, kw_only=True):
    """End a session."""

    id: int
    session: int


class Guard(_Message, frozen=True, kw_only=True):
    """Tell whether queries only read; no session is needed."""

    id: int
    tasks: tuple[GuardTask, ...]


class Verify(_Message, frozen=True, kw_only=True):
    """Hold part files against their receipts."""

    id: int
    folder: str
    receipts: tuple[Receipt, ...]


class Restore(_Message, frozen=True, kw_only=True):
    """Take parts of one destination back out of its target."""

    id: int
    folder: str
    target: str
    members: tuple[Member, ...]
    receipts: tuple[Receipt, ...]


class Assemble(_Message, frozen=True, kw_only=True):
    """Write a target's temporary file from parts."""

    id: int
    task: PublishTask


class Deliver(_Message, frozen=True, kw_only=True):
    """Rename a temporary file onto its target."""

    id: int
    temporary: str
    target: str
    published: Published | None


class ReadBack(_Message, frozen=True, kw_only=True):
    """Read every cell of a target and hold it against what was written."""

    id: int
    task: ReadTask


class Cancel(_Message, frozen=True, kw_only=True):
    """Give up the request of this id; it still gets its answer."""

    id: int


class Quit(_Message, frozen=True, kw_only=True):
    """Cancel what runs, close the sessions and end, within bounds."""


class Ready(_Message, frozen=True, kw_only=True):
    """First message up: the extractor lives, and weighs this much before any row."""

    pid: int
    pss: int


class Done(_Message, frozen=True, kw_only=True):
    """A request succeeded."""

    id: int
    columns: tuple[tuple[Column, ...], ...] = ()
    plans: tuple[str, ...] = ()
    value: str = ""
    readings: tuple[ServerReading, ...] = ()
    refusals: tuple[str, ...] = ()
    facts: ServerFacts | None = None
    extracted: Extracted | None = None
    verified: tuple[bool, ...] = ()
    published: Published | None = None
    delivered: bool = False
    read: TargetRead | None = None


class Failed(_Message, frozen=True, kw_only=True):
    """A request failed; nothing it did may be used."""

    id: int
    error_class: str
    message: str
    facts: Mapping[str, str] = msgspec.field(default_factory=dict)
    late: bool = False
    """The driver has not come back yet: nothing more may be asked of its session but to close."""


class Beat(_Message, frozen=True, kw_only=True):
    """How far the running extracts are, and what the process weighs."""

    progress: tuple[Progress, ...] = ()
    """Only of those that moved since the last beat."""
    pss: int = 0
    """Proportional set size in bytes, 0 where it was not measured this time."""


Sessionless = Guard | Verify | Restore | Assemble | Deliver | ReadBack
OfSession = Open | Ping | Describe | Explain | Ask | ServerCheck | Extract | Close
"""What one session does after the other."""
Request = OfSession | Sessionless
Down = Request | Cancel | Quit
Up = Ready | Done | Failed | Beat

_encoder = msgspec.msgpack.Encoder()
_down = msgspec.msgpack.Decoder(Down)
_up = msgspec.msgpack.Decoder(Up)


def frame(message: Any) -> bytes:
    """The bytes of a message with its length before it.

    Raises:
        ValueError: It is longer than `MAX_MESSAGE`, or a text in it is no Unicode.
        OverflowError: A whole number in it has more than 64 bits.
    """
    body = _encoder.encode(message)
    if len(body) > MAX_MESSAGE:
        raise _too_long(len(body))
    return HEAD.pack(len(body)) + body


def body_length(head: bytes) -> int:
    """The length that a head announces.

    Raises:
        ValueError: It is more than `MAX_MESSAGE`.
    """
    (length,) = HEAD.unpack(head)
    if length > MAX_MESSAGE:
        raise _too_long(length)
    return int(length)


def _too_long(length: int) -> ValueError:
    return ValueError(f"a message of {length:,} bytes is longer than {MAX_MESSAGE:,}")


def down(body: bytes) -> Down:
    """A message for an extractor.

    Raises:
        msgspec.DecodeError: It is none.
    """
    message: Down = _down.decode(body)
    return message


def up(body: bytes) -> Up:
    """A message from an extractor.

    Raises:
        msgspec.DecodeError: It is none.
    """
    message: Up = _up.decode(body)
    return message
