"""The part of a JSON format: one connection's objects, as lines or as a piece of an array."""

import pyarrow as pa

from etltui.domain.job import JsonOptions
from etltui.domain.part import Receipt
from etltui.writers.json_rows import Objects
from etltui.writers.text_part import TextPart
from etltui.writers.writer import PartTask


class JsonPart:
    """One connection's objects in one segment; see `PartWriter`.

    Args:
        task: What it is made from.
        options: How values are written.
        between: What stands between two objects. It comes before each but the first, so that the
            part can be followed by another or by the end.
        end: What follows each object.

    Raises:
        Failure: Of class `disk`.
    """

    def __init__(
        self,
        task: PartTask,
        options: JsonOptions,
        *,
        between: bytes = b"",
        end: bytes = b"",
    ) -> None:
        self._objects = Objects(
            options,
            connection=task.extract.connection,
            names=[column.name for column in task.columns],
            begin=between.decode(),
            end=end.decode(),
        )
        self._skip = len(between)
        self._part = TextPart(task)

    def write(self, batch: pa.RecordBatch) -> None:
        """See `PartWriter`."""
        for piece in self._objects.of(batch):
            self._part.write(piece[self._skip :])
            self._skip = 0

    def close(self) -> tuple[Receipt, ...]:
        """See `PartWriter`."""
        return self._part.seal(rows=self._objects.rows, notes=self._objects.notes)

    def abandon(self) -> None:
        """See `PartWriter`."""
        self._part.discard()
