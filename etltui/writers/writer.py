"""What every writer does: the protocol that one contract suite holds them all to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from etltui.domain.columns import Column
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.part import Published, Receipt, part_name
from etltui.domain.task import ExtractTask, PublishTask, WriterTask
from etltui.extractors.lines import Printed


@dataclass(frozen=True, kw_only=True, slots=True)
class PartTask:
    """One query of one extract for one destination: what a part writer is made from."""

    extract: ExtractTask
    writer: WriterTask
    query: int
    columns: tuple[Column, ...]
    """As fixed for the run; batches come in this order with the types that `arrow_type` gives
    for this connection's own `found` columns."""
    found: tuple[Column, ...]
    """The same columns with the types they have at this connection."""

    def path(self, segment: int) -> Path:
        """The part file of a segment."""
        name = part_name(
            number=self.extract.number,
            query=self.query,
            segment=segment,
            attempt=self.extract.attempt,
        )
        return Path(self.writer.folder) / name

    def receipt(self, segment: int, **numbers: Any) -> Receipt:
        """A segment's receipt with what the task knows filled in."""
        path = self.path(segment)
        return Receipt(
            run=self.extract.run,
            destination=self.writer.destination,
            variant=self.writer.variant,
            connection=self.extract.connection,
            query=self.query,
            segment=segment,
            attempt=self.extract.attempt,
            # Relative to the run's folder: `<destination>/<name>`.
            path=f"{path.parent.name}/{path.name}",
            plan_hash=self.extract.plan_hash,
            connection_hash=self.extract.connection_hash,
            columns=self.found,
            **numbers,
        )


class PartWriter(Protocol):
    """Writes one connection's rows of one query for one destination; used by one thread."""

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows. The bytes depend on the rows only, never on where batches end.

        Raises:
            Failure: Of class `disk` or `value`.
        """
        ...

    def close(self) -> tuple[Receipt, ...]:
        """Finish: when it returns, every segment is sealed and durable. No rows: one empty part.

        Raises:
            Failure: Of class `disk` or `value`.
        """
        ...

    def abandon(self) -> None:
        """Delete everything that was written, sealed segments too; never raises."""
        ...


class LineWriter(PartWriter, Protocol):
    """A part writer that takes rows as lines too, where `csv_lines.shared_form` says so."""

    def write_lines(self, lines: Printed) -> None:
        """Append lines, which are the bytes that `write` would have made of their rows.

        Raises:
            Failure: Of class `disk`.
        """
        ...


class Format(Protocol):
    """A writer module: what the registry hands out."""

    def part_writer(self, task: PartTask) -> PartWriter:
        """A writer for one query of one extract."""
        ...

    def assemble(self, task: PublishTask) -> Published:
        """Write `task.temporary` from parts, durable (file and folder synced) and verified.

        Raises:
            Failure: Of class `disk`, `target`, or `corrupt` where a part is not what its receipt
                says.
        """
        ...


class Sender(Format, Protocol):
    """A writer module whose rows go over a network; the target is the record of that."""

    def assemble(
        self,
        task: PublishTask,
        stopped: Callable[[], bool] = lambda: False,
    ) -> Published:
        """Send what was not acknowledged yet, then write `task.temporary`, durable and verified.

        Raises:
            Failure: As of a database where the receiver cannot be reached; `target` where it
                refuses; `cancelled` where it was stopped; or as of any format.
        """
        ...


def one_query(receipts: Sequence[Receipt], kind: str) -> int:
    """The query that all parts are of; 0 where there are none.

    Args:
        receipts: Of one target.
        kind: What the target is, for the sentence.

    Raises:
        Failure: Of class `value`: they are of more than one query.
    """
    queries = sorted({receipt.query for receipt in receipts})
    if len(queries) > 1:
        raise Failure(
            ErrorClass.VALUE,
            f"a {kind} destination takes one query; give each query a job or use a workbook",
            {"queries": ", ".join(str(query) for query in queries)},
        )
    return queries[0] if queries else 0


def variants(receipts: Sequence[Receipt], variant: str) -> tuple[Receipt, ...]:
    """The receipts of one variant, by query and segment."""
    chosen = [receipt for receipt in receipts if receipt.variant == variant]
    return tuple(sorted(chosen, key=lambda receipt: (receipt.query, receipt.segment)))
