"""The part of a text format: its bytes, as one gzip member where the target is compressed."""

from collections.abc import Mapping

from etltui.domain.part import Receipt
from etltui.writers.gzip_member import GzipMember, default_compressor
from etltui.writers.part import PartFile
from etltui.writers.writer import PartTask


class TextPart:
    """One connection's rows of one query in one segment; its file exists when it is made.

    Args:
        task: A variant `gzip` asks for compression.

    Raises:
        Failure: Of class `disk`.
    """

    def __init__(self, task: PartTask) -> None:
        self._task = task
        self._file = PartFile(task.path(0))
        self._compressor = default_compressor() if task.writer.variant == "gzip" else "none"
        self._member: GzipMember | None = None
        self._stream: PartFile | GzipMember = self._file
        if self._compressor != "none":
            self._member = self._stream = GzipMember(self._file.write, self._compressor)

    def write(self, data: bytes | memoryview) -> None:
        """Append to the payload.

        Raises:
            Failure: Of class `disk`.
        """
        self._stream.write(data)

    def seal(self, *, rows: int, notes: Mapping[str, int]) -> tuple[Receipt, ...]:
        """Finish the part and make it durable.

        Raises:
            Failure: Of class `disk`.
        """
        if self._member:
            self._member.close()
        receipt = self._task.receipt(
            0,
            rows=rows,
            bytes=self._file.bytes,
            crc=self._file.crc,
            raw_bytes=self._stream.bytes,
            raw_crc=self._stream.crc,
            compressor=self._compressor,
            notes=notes,
        )
        self._file.seal(receipt)
        return (receipt,)

    def discard(self) -> None:
        """Close and delete; never raises."""
        self._file.discard()
