"""Sends rows over HTTP, in batches that a receiver can tell apart; the target records it.

Each batch is one request under a key of its own (run, connection, batch). An acknowledgement is
durable before the next batch is sent, so after a crash only what was not acknowledged is sent
again, under the same key.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from etltui import __version__
from etltui.config.paths import located
from etltui.config.secrets import resolve
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.job import JsonOptions, WebhookOptions
from etltui.domain.part import Published, Receipt, acks_name
from etltui.domain.task import PublishEntry, PublishTask
from etltui.writers.chain import chain, check_parts, corrupt
from etltui.writers.json_part import JsonPart
from etltui.writers.part import disk_errors, verified
from etltui.writers.webhook_acks import Ack, Acks, acks_in, key, line, of_run
from etltui.writers.webhook_answer import Answer, refusal
from etltui.writers.webhook_batches import Batch, Body, batches
from etltui.writers.webhook_line import Line, Receiver
from etltui.writers.writer import PartTask, PartWriter, one_query

WAITS_S = (1.0, 2.0, 4.0)
"""Before a request is sent again where the receiver does not say."""
LONGEST_WAIT_S = 120.0
"""That a receiver may ask for."""
OTHER_ROWS = "delivered before, with other rows"
_LONG_WORD = 7


def part_writer(task: PartTask) -> PartWriter:
    """A writer for one query of one extract; its part file exists when this returns.

    Raises:
        Failure: Of class `disk`.
    """
    spelling = {each.name: task.writer.options[each.name] for each in fields(JsonOptions)}
    return JsonPart(task, JsonOptions(**spelling), end=b"\n")


def assemble(task: PublishTask, stopped: Callable[[], bool] = lambda: False) -> Published:
    """Send what was not acknowledged yet, in the order of the entries; then write the record.

    May be called again, and with more entries: no acknowledged batch is sent twice in a run.

    Args:
        task: What to send; `task.temporary` becomes the record of all acknowledgements.
        stopped: Whether nobody wants it any more.

    Raises:
        Failure: What was acknowledged before stays so. Of class `secret` where a header cannot be
            had; `target` where the receiver refuses a batch; as of a database where it cannot be
            reached; `cancelled` where it was stopped; `corrupt` where a part is not what its
            receipt says; `value` where there are parts of more than one query, or a connection
            was read again in the middle of its delivery; else `disk`.
    """
    receipts = [receipt for entry in task.entries for receipt in entry.receipts]
    one_query(receipts, "webhook")
    folder = Path(task.parts)
    check_parts(folder, receipts)
    options = WebhookOptions(**task.options)
    books = _books(task, _receiver_id(options.url))
    due = [entry for entry in task.entries if entry.receipts and not books[entry.number].complete]
    if due:
        receiver, secrets = _receiver(options, Path(task.folder))
        with Line(receiver, stopped) as open_line:
            sender = _Sender(task, options, receiver, open_line, secrets, stopped)
            for entry in due:
                sender.deliver(entry, books[entry.number])
    acks = [ack for book in books.values() for ack in book.ordered]
    made = chain(Path(task.temporary), folder, [b"".join(map(line, acks))])
    return Published(
        bytes=made.bytes,
        crc=made.crc,
        rows=sum(ack.rows for ack in acks),
        notes=_notes(task, books),
    )


def _books(task: PublishTask, receiver: str) -> dict[int, Acks]:
    """What was acknowledged of each connection, by its number, in the order of the entries.

    The record that an earlier attempt has left counts, too: it outlives the parts.
    """
    target = Path(task.target)
    with disk_errors(target, ErrorClass.TARGET):
        former = of_run(acks_in(target)[0], task.run, receiver)
    place = Path(task.parts) / str(task.destination)
    return {
        number: Acks(
            place / acks_name(number),
            {batch: ack for (whose, batch), ack in former.items() if whose == number},
            run=task.run,
            receiver=receiver,
        )
        for number in (entry.number for entry in task.entries)
        if number
    }


def _notes(task: PublishTask, books: Mapping[int, Acks]) -> dict[str, int]:
    """Connections that were read again after all their rows had been delivered."""
    other = sum(
        books[entry.number].ordered[0].part != receipt.raw_crc
        for entry in task.entries
        for receipt in entry.receipts
    )
    return {OTHER_ROWS: other} if other else {}


def _receiver_id(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:16]


def _receiver(options: WebhookOptions, folder: Path) -> tuple[Receiver, tuple[str, ...]]:
    """Whom to send to, and what of it nobody may read."""
    resolved = {
        name: _secret(name, value, folder)
        for name, value in options.headers.items()
        if value.startswith(("env:", "file:", "cmd:"))
    }
    receiver = Receiver(
        url=options.url,
        method=options.method,
        headers={"User-Agent": f"etltui/{__version__}", **options.headers, **resolved},
        timeout_s=options.timeout_s,
        trust=str(located(options.ca_file, folder)) if options.ca_file else "",
    )
    words = [word for value in resolved.values() for word in value.split()]
    # `Bearer` and its like are no secrets, what follows them is.
    long = (word for word in words if len(word) >= _LONG_WORD)
    return receiver, (*resolved.values(), *long)


def _secret(name: str, reference: str, folder: Path) -> str:
    """The value of a header that a reference leads to."""
    try:
        value = resolve(reference, base=folder, environ=os.environ)
    except Failure as failure:
        message = failure.message.replace("the password", f"the header {name}", 1)
        raise Failure(failure.error_class, message, failure.facts) from failure
    if not (value.isascii() and value.isprintable()):
        raise Failure(
            ErrorClass.SECRET,
            f"the header {name} cannot be had: it holds a character that no header has",
        )
    return value


@dataclass(frozen=True, slots=True)
class _Sender:
    """Sends the batches of one target."""

    task: PublishTask
    options: WebhookOptions
    receiver: Receiver
    line: Line
    secrets: tuple[str, ...]
    stopped: Callable[[], bool]

    def deliver(self, entry: PublishEntry, acks: Acks) -> None:
        """Send what was not acknowledged of a connection."""
        (receipt,) = entry.receipts
        folder = Path(self.task.parts)
        if any(ack.part != receipt.raw_crc for ack in acks.ordered):
            raise Failure(
                ErrorClass.VALUE,
                f"{entry.connection} has other rows than when the first of its batches were "
                "delivered; start a new run with --no-resume, which delivers everything anew",
            )
        if not verified(folder, receipt):
            raise corrupt(receipt, "does not have the checksum that was recorded")
        part = folder / receipt.path
        for batch in batches(part, receipt, self.options.batch_rows):
            if batch.number not in acks:
                acks.add(self._sent(entry, receipt, part, batch))

    def _sent(self, entry: PublishEntry, receipt: Receipt, part: Path, batch: Batch) -> Ack:
        name = key(self.task.run, entry.number, batch.number)
        body = Body(self._head(entry, batch), part, batch)
        answer = self._acknowledged(
            body,
            {"Content-Type": "application/json", "Idempotency-Key": name},
        )
        return Ack(
            connection=entry.connection,
            number=entry.number,
            batch=batch.number,
            rows=batch.rows,
            last=batch.last,
            key=name,
            status=answer.status,
            at=datetime.now(UTC).isoformat(timespec="seconds"),
            receiver=_receiver_id(self.receiver.url),
            part=receipt.raw_crc,
        )

    def _head(self, entry: PublishEntry, batch: Batch) -> bytes:
        members: dict[str, Any] = {
            "run": self.task.run,
            "job": self.task.job,
            "connection": entry.connection,
            "batch": batch.number,
            "last": batch.last,
            "rows": [],
        }
        return msgspec.json.encode(members).removesuffix(b"]}")

    def _acknowledged(self, body: Body, headers: Mapping[str, str]) -> Answer:
        """The answer that acknowledges; a request that nobody took is sent again, within limits."""
        for wait in self._waits():
            try:
                answer = self.line.send(body, headers)
            except Failure as failure:
                trouble, again, asked = failure, failure.transient, None
            else:
                if answer.acknowledges:
                    return answer
                trouble = refusal(answer, self.receiver.place, self.secrets)
                again, asked = answer.passes, answer.retry_after(datetime.now(UTC))
            self._check()
            if wait is None or not again or (asked or 0) > LONGEST_WAIT_S:
                raise trouble
            self.line.wait(wait if asked is None else asked)
        raise AssertionError  # pragma: no cover - the last wait is None

    def _waits(self) -> Iterator[float | None]:
        """A wait for each try, None for the last."""
        for wait in (*WAITS_S, None):
            self._check()
            yield wait

    def _check(self) -> None:
        if self.stopped():
            raise Failure(ErrorClass.CANCELLED, "cancelled")
