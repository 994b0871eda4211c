"""What the control plane asks an extractor to do, as values that cross the process border."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from etltui.domain.columns import Column
from etltui.domain.errors import Trouble
from etltui.domain.job import Scalar
from etltui.domain.part import Receipt


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionTask:
    """How to open a session.

    Attributes:
        password: Resolved; travels over the extractor's socket only and is never printed.
        connect_timeout_s: After which opening fails as `timeout`.
    """

    connection: str
    kind: str
    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)
    options: Mapping[str, str] = field(default_factory=dict)
    connect_timeout_s: float = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class QueryTask:
    """One query to read.

    Attributes:
        columns: What the parts must hold; empty for `describe`.
        drift: What to do where the result differs from `columns`.
        limit_s: What the extract allows the query, for a server that can end it by itself should
            nobody be left who does; 0: no limit.
    """

    name: str
    sql: str
    params: Mapping[str, Scalar] = field(default_factory=dict)
    columns: tuple[Column, ...] = ()
    drift: str = "fail"
    aliases: Mapping[str, str] = field(default_factory=dict)
    limit_s: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class WriterTask:
    """One destination's part writer.

    Attributes:
        type: The writer's name.
        folder: Absolute folder of the part files; exists.
        options: The fields of the type's options record.
    """

    destination: int
    type: str
    folder: str
    options: Mapping[str, Any]
    variant: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExtractTask:
    """Everything a child needs to move one connection's rows into parts.

    Attributes:
        batch_bytes: How large a batch may be, beside what the extractor's own budget allows; 0:
            that alone.
    """

    run: str
    connection: str
    number: int
    attempt: int
    queries: tuple[QueryTask, ...]
    writers: tuple[WriterTask, ...]
    plan_hash: str
    connection_hash: str
    query_timeout_s: float = 300.0
    stall_timeout_s: float = 120.0
    batch_bytes: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class QueryCost:
    """What one query of an extract took.

    Attributes:
        name: The query's.
        rows: Rows read.
        seconds: Waiting for the database, from sending the query to its last row.
    """

    name: str
    rows: int
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Extracted:
    """What an extract left on disk, durable before this value exists.

    Attributes:
        rows: Rows read, of all queries together.
        bytes: Of these rows in memory, as they were read.
        seconds: `query` until the first batch, `fetch` waiting for batches, `write` the rest.
        costs: Of each query.
    """

    receipts: tuple[Receipt, ...]
    rows: int
    seconds: Mapping[str, float] = field(default_factory=dict)
    notes: Mapping[str, int] = field(default_factory=dict)
    costs: tuple[QueryCost, ...] = ()
    bytes: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishEntry:
    """A connection's place in a target, in the job's order.

    Attributes:
        status: A `ConnectionStatus`.
        receipts: This destination's parts of the connection; empty where it did not complete.
        number: As in the plan; 0 for one that the run does not read.
        contact: Whom to call.
        usual: The median of its rows in past runs; None where there is none.
    """

    connection: str
    status: str
    rows: int = 0
    usual: int | None = None
    trouble: Trouble | None = None
    receipts: tuple[Receipt, ...] = ()
    contact: str = ""
    notes: Mapping[str, int] = field(default_factory=dict)
    number: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishTask:
    """Everything a child needs to assemble a target from parts.

    Attributes:
        parts: Absolute folder that the receipts' paths are relative to.
        temporary: Where to write, in the target's folder; replaced if it exists.
        target: The final name; only read, for formats that need its name (`.gz`).
        queries: Names, in the job's order.
        columns: For each query.
        facts: What the Run sheet shows, in order: times, run id, attempt, operator.
        run: Its id.
        job: Its name.
        folder: Absolute folder that relative paths in `options` start from.
    """

    destination: int
    type: str
    parts: str
    temporary: str
    target: str
    options: Mapping[str, Any]
    queries: tuple[str, ...]
    columns: tuple[tuple[Column, ...], ...]
    entries: tuple[PublishEntry, ...]
    title: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    run: str = ""
    job: str = ""
    folder: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far an extract is; rows and bytes only grow."""

    request: int
    step: str
    rows: int
    bytes: int
