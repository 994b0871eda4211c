"""What every reader does: the protocol that one contract suite holds them all to."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import pyarrow as pa

from etltui.domain.columns import Column
from etltui.domain.server import ServerFacts, ServerReading
from etltui.domain.task import QueryTask
from etltui.extractors.lines import LineForm, Printed


class RereadError(Exception):
    """The fast lane met a value it cannot keep faithful: read again with `exact=True`.

    Never reaches the control plane: what was written so far is thrown away in the extractor.
    """


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """A query under way.

    Attributes:
        columns: In the result's order; their Arrow types are those of the batches.
        batches: Each of at most about the bytes asked for; at the end of rows it stops, and any
            other end raises. Printed lines only where lines were asked for.
        notes: What was changed in the batches so far, and in how many values.
    """

    columns: tuple[Column, ...]
    batches: Iterator[pa.RecordBatch | Printed]
    notes: Mapping[str, int] = field(default_factory=dict)


class Reader(Protocol):
    """One database session. All calls but `cancel` come from one thread.

    Everything raises `Failure` with the class that says why; after `cancel` whatever is running
    raises or stops within 2 s, and the caller decides by its own flag, never by what came back.
    """

    local: bool
    """Whether reading is this machine's own work, so that the CPU gate must hold it too."""

    def facts(self) -> ServerFacts:
        """What the database says of itself; asked once, right after the session was opened."""
        ...

    def ping(self) -> None:
        """Prove that the server answers."""
        ...

    def describe(self, query: QueryTask) -> tuple[Column, ...]:
        """The columns of a query without reading its rows."""
        ...

    def snapshot(self) -> AbstractContextManager[None]:
        """One read-only view for all queries in the block where the database can; undone after."""
        ...

    def read(
        self,
        query: QueryTask,
        *,
        batch_bytes: Callable[[], int],
        exact: bool,
    ) -> AbstractContextManager[Result]:
        """Run a query; the block's end frees the statement.

        Args:
            query: SQL and bind values.
            batch_bytes: Asked before each batch: how large it may be.
            exact: Take the lane that keeps every value whatever it is.
        """
        ...

    def cancel(self) -> None:
        """Interrupt what runs, from any thread; never raises."""
        ...

    def close(self) -> None:
        """End the session; never raises."""
        ...


@runtime_checkable
class Explainer(Protocol):
    """A reader whose database tells how it would answer a query."""

    def explain(self, query: QueryTask) -> str:
        """The database's own plan, a line for each step; the query is not run."""
        ...


@runtime_checkable
class Checker(Protocol):
    """A reader whose server tells how loaded it is."""

    def server_check(self) -> tuple[ServerReading, ...]:
        """Sessions in use, how many there may be, and what is waited for.

        What the user may not see is said in a reading, not raised.
        """
        ...


@runtime_checkable
class LinePrinter(Protocol):
    """A reader whose server prints CSV lines itself, in the canonical text of every value."""

    def lines(
        self,
        query: QueryTask,
        *,
        form: LineForm,
        batch_bytes: Callable[[], int],
    ) -> AbstractContextManager[Result | None]:
        """As `read` with `exact=False`, but the batches are lines.

        None where their bytes are not proven to be those that a writer would make of the rows.
        """
        ...
