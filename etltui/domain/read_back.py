"""What was written into a target, held against what can be read out of it again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from etltui.domain.part import Published, Receipt
from etltui.domain.words import number


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadTask:
    """Everything an extractor needs to read a target back.

    Attributes:
        type: The writer's name.
        target: Absolute path of the file or folder; a temporary one before it has its name.
        options: The fields of the type's options record.
        published: What was assembled, with its members.
        receipts: Of this destination's parts.
        connections: Names in the order of the target.
        queries: Names, in the job's order.
        query: Position of the only query whose rows it holds; None for all.
    """

    type: str
    target: str
    options: Mapping[str, Any]
    published: Published
    receipts: tuple[Receipt, ...]
    connections: tuple[str, ...]
    queries: tuple[str, ...]
    query: int | None = None
    title: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadBack:
    """One connection's rows of one query in one target.

    Attributes:
        variant: Of its parts; a workbook of both layouts holds the rows twice.
        written: Rows, as the receipts of its parts say.
        read: Rows that were read back; None where nobody can tell.
        cells: Values that were read one by one, of those rows.
        checksum: CRC-32 of its rows before compression, as they were written, in hexadecimal.
        problem: Why what was read is not what was written; empty where it is the same.
        place: Where in the target, if the connection's name alone does not tell.
    """

    connection: str
    query: int
    variant: str
    written: int
    read: int | None
    cells: int
    checksum: str
    problem: str = ""
    place: str = ""

    @property
    def sentence(self) -> str:
        """What differs, in words; empty where nothing does."""
        if not self.problem:
            return ""
        name = f"{self.connection} ({self.place})" if self.place else self.connection
        rows = f"{number(self.written)} rows written"
        if self.read not in {None, self.written}:
            rows += f", {number(self.read or 0)} read back"
        return f"{name}: {rows}; {self.problem}"


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetRead:
    """One target as it was read back.

    Attributes:
        connections: In the order of the target; empty where it cannot be read at all.
        problem: What is wrong with it beside the rows of single connections; empty for nothing.
    """

    connections: tuple[ReadBack, ...] = ()
    problem: str = ""

    @property
    def differences(self) -> tuple[str, ...]:
        """What differs from what was written, a sentence each; empty where all agrees."""
        said = [each.sentence for each in self.connections if each.problem]
        return tuple([self.problem, *said] if self.problem else said)
