"""What one connection contributed to one destination, durable on disk, and its receipt."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from etltui.domain.columns import Column


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """What a part file says of itself in its footer, and what the store keeps of it.

    Attributes:
        destination: Position of the destination in the job, from 0.
        variant: Tells apart two parts of one connection for one destination, such as `sheets`
            and `single`; empty where there is one.
        query: Position of the query in the job, from 0.
        segment: From 0; a new one begins where the format cannot take more rows.
        attempt: Never used twice for the same connection in a run.
        path: File name relative to the run's parts folder.
        rows: Rows in the payload.
        bytes: Length of the payload, which starts at offset 0.
        crc: CRC-32 of the payload.
        raw_bytes: Length before compression.
        raw_crc: CRC-32 before compression.
        columns: As written.
        widths: Widest text of each column in the first 1,000 rows, in characters.
        compressor: `none`, or name and level, such as `isal-1`.
        notes: Counted cuts and substitutions, by what was done.
    """

    run: str
    destination: int
    connection: str
    query: int
    segment: int
    attempt: int
    path: str
    rows: int
    bytes: int
    crc: int
    raw_bytes: int
    raw_crc: int
    plan_hash: str
    connection_hash: str
    variant: str = ""
    columns: tuple[Column, ...] = ()
    widths: tuple[int, ...] = ()
    compressor: str = "none"
    notes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """Where a part's payload lies in a published target.

    Attributes:
        offset: Of the payload's first byte in the target.
        length: In bytes.
        crc: CRC-32 of these bytes.
    """

    connection: str
    query: int
    segment: int
    offset: int
    length: int
    crc: int
    variant: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """What an assembled target is: enough to know it again and to patch it later.

    Attributes:
        bytes: Its size, of a folder that of all its files.
        crc: CRC-32 of the whole file, of a folder that of its manifest, which holds those of its
            files.
        rows: Data rows in it, of each connection and query once.
        notes: What a format's limits changed while it was assembled, such as `sheet renamed`.
    """

    bytes: int
    crc: int
    rows: int
    members: tuple[Member, ...] = ()
    notes: Mapping[str, int] = field(default_factory=dict)


ACKS = ".acks"
"""How files beside the parts end that hold what a receiver has acknowledged."""


def acks_name(number: int) -> str:
    """The name of a connection's file of acknowledgements: `<connection-no>.acks`."""
    return f"{number:04d}{ACKS}"


def part_name(*, number: int, query: int, segment: int, attempt: int) -> str:
    """The file name of a part: `<connection-no>-<query>-<segment>.<attempt>.part`."""
    return f"{number:04d}-{query}-{segment}.{attempt}.part"
