"""What a receiver has acknowledged, durable before the next batch is sent.

A line of JSON for each batch, in a file of its connection beside the parts. What a crash has left
of a last line counts for nothing: its batch is sent again, under the same key.
"""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from etltui.config.disk import sync_folder
from etltui.writers.part import disk_errors, write_all


@dataclass(frozen=True, kw_only=True, slots=True)
class Ack:
    """A batch that was acknowledged.

    Attributes:
        connection: Whose rows.
        number: The connection's in the run.
        batch: From 1.
        rows: In the batch.
        last: Whether it is the connection's last.
        key: That it was sent under.
        status: That the receiver answered with.
        at: When, in UTC.
        receiver: Tells receivers apart.
        part: CRC-32 of all rows of the connection.
    """

    connection: str
    number: int
    batch: int
    rows: int
    last: bool
    key: str
    status: int
    at: str
    receiver: str
    part: int


def key(run: str, number: int, batch: int) -> str:
    """The idempotency key of a batch: the same however often it is sent."""
    return f"{run}/{number}/{batch}"


def line(ack: Ack) -> bytes:
    """An acknowledgement as it stands in files."""
    return msgspec.json.encode(ack) + b"\n"


def acks_in(path: Path) -> tuple[list[Ack], int]:
    """The acknowledgements in a file, and how many of its bytes they take; none without a file."""
    found: list[Ack] = []
    end = 0
    with suppress(FileNotFoundError, msgspec.DecodeError), path.open("rb") as file:
        for each in file:
            if not each.endswith(b"\n"):
                break
            found.append(msgspec.json.decode(each, type=Ack))
            end += len(each)
    return found, end


def of_run(acks: Iterable[Ack], run: str, receiver: str) -> dict[tuple[int, int], Ack]:
    """Those of one run and receiver, by the connection's number and the batch's."""
    return {
        (ack.number, ack.batch): ack
        for ack in acks
        if ack.receiver == receiver and ack.key == key(run, ack.number, ack.batch)
    }


class Acks:
    """A connection's acknowledgements.

    Args:
        path: Of the file; it need not exist.
        known: Those of an earlier record of the same run, by batch.
        run: The run's id.
        receiver: As in `Ack`.

    Raises:
        Failure: Of class `disk`.
    """

    def __init__(self, path: Path, known: Mapping[int, Ack], *, run: str, receiver: str) -> None:
        self._path = path
        with disk_errors(path):
            found, self._end = acks_in(path)
        mine = of_run(found, run, receiver)
        self._acks = {**known, **{batch: ack for (_, batch), ack in mine.items()}}

    def __contains__(self, batch: int) -> bool:
        return batch in self._acks

    @property
    def ordered(self) -> tuple[Ack, ...]:
        """All of them, by batch."""
        return tuple(ack for _, ack in sorted(self._acks.items()))

    @property
    def complete(self) -> bool:
        """Whether every batch was acknowledged, the last one among them."""
        acks = self.ordered
        return bool(acks) and acks[-1].last and len(acks) == acks[-1].batch

    def add(self, ack: Ack) -> None:
        """Note one; it is durable when this returns.

        Raises:
            Failure: Of class `disk`.
        """
        data = line(ack)
        with disk_errors(self._path):
            fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                # What a crash has left behind the last whole line goes.
                os.ftruncate(fd, self._end)
                os.lseek(fd, self._end, os.SEEK_SET)
                write_all(fd, data)
                os.fsync(fd)
            finally:
                os.close(fd)
            if not self._end:
                sync_folder(self._path.parent)
        self._end += len(data)
        self._acks[ack.batch] = ack
