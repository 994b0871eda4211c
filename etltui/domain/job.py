"""What an operator configures: connections, credentials, jobs, destinations."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

from etltui.domain.calendar import Calendar
from etltui.domain.policy import ReadPolicy

Scalar = str | int | float | bool | None
"""A bind value as TOML and JSON can hold it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Credential:
    """A login that many connections may share.

    The password is a reference (`env:NAME`, `file:PATH`, `cmd:COMMAND`) and is resolved when a
    session opens.
    """

    name: str
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Connection:
    """A configured database to read from.

    Attributes:
        name: The operator's name for it; unique.
        kind: The reader's name, such as `sqlite`.
        url: As configured, without a password.
        host: Empty for a file.
        port: 0 for a file or the kind's own default.
        database: The database's name, or the absolute path of a file.
        options: What stood behind `?` in the url.
        credential: Name of a credential, empty for none.
        tags: What `tag:` selects by.
        contact: Whom to call.
        opened: Its first day; before it, it is not missing. None: always there.
        closed: Its last day; after it, it is not missing. None: still there.
        policy: How it is read.
        gateway: What its line goes through, for failures that many connections share; empty: its
            own.
        timezone: Where its days begin and end, an IANA name; empty: as the settings say.
        hours: When it may be read, such as `22:00-06:00`, by that zone's clock; empty: always.
        calendar: Name of its calendar, empty for none.
        days: What that calendar says.
        identity_query: Asks its database for the one value that tells which branch it is, before
            anything is read; empty: nothing is asked. None: as the job says.
        identity: What that has to answer; empty: what it answered before.
    """

    name: str
    kind: str
    url: str
    host: str = ""
    port: int = 0
    database: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    credential: str = ""
    tags: tuple[str, ...] = ()
    contact: str = ""
    opened: date | None = None
    closed: date | None = None
    policy: ReadPolicy = field(default_factory=ReadPolicy)
    gateway: str = ""
    timezone: str = ""
    hours: str = ""
    calendar: str = ""
    days: Calendar = field(default_factory=Calendar)
    identity_query: str | None = None
    identity: str = ""

    def exists(self, day: date) -> bool:
        """Whether the branch is expected to answer on that day."""
        return (self.opened is None or self.opened <= day) and (
            self.closed is None or day <= self.closed
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """One query of a job; a job with one query calls it `main`.

    Attributes:
        params: Bind values; in a text `{day_start}` and the like stand for the business day.
        control: A query of the same database whose first row says what the rows must come to:
            `rows` their number, any other column the sum of the written column of that name.
        control_tolerance: By how much each of these may differ.
        on_control: What a difference does to the connection.
    """

    name: str
    sql: str
    params: Mapping[str, Scalar] = field(default_factory=dict)
    control: str = ""
    control_tolerance: float = 0.0
    on_control: Literal["fail", "warn"] = "fail"


def own_control(query: str) -> str:
    """The name of a query's control query in a connection's own SQL."""
    return f"control of {query}"


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryPolicy:
    """How often and how soon a transient failure is tried again.

    `retries` = 3 means at most 4 attempts. The n-th wait is `delay_s * multiplier ** (n - 1)`,
    at most `max_delay_s`.
    """

    retries: int = 3
    delay_s: float = 5.0
    multiplier: float = 2.0
    max_delay_s: float = 300.0


Drift = Literal["fail", "align", "drop", "evolve"]
"""What happens to a connection whose columns are not those of the run: it fails; what it lacks is
NULL and what it has besides is dropped; only the latter; or the run takes the columns of all, which
it asks for before it begins, and what one lacks is NULL."""

Overlap = Literal["join", "refuse", "queue"]
"""What a start of a job does while a run of it is queued or running: follow that run, be refused,
or wait for its end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunType:
    """What runs of a kind have in common in the queue.

    Attributes:
        priority: Of its jobs that say none; a lower number is served first.
        limit: Its runs at once.
    """

    name: str
    priority: int = 100
    limit: int = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class OnFinish:
    """A command for the end of a run: it gets `run_finished` as JSON on stdin.

    Attributes:
        command: Program and arguments; no shell reads them.
        timeout_s: After which it is killed.
    """

    command: tuple[str, ...]
    timeout_s: int = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class ExcelOptions:
    """How a workbook is laid out."""

    layout: Literal["sheets", "single", "both"] = "sheets"
    """A sheet for each connection, one stacked sheet with a connection column, or both."""
    text_columns: tuple[str, ...] = ()
    """Columns whose values are text whatever they look like."""
    connection_column: str = "connection"
    """Head of the connection column in the stacked sheet."""
    autofilter: bool = True
    freeze_header: bool = True
    compression: Literal["auto", "zlib"] = "auto"
    """`auto`: isal where it is installed. Recorded in each part; never mixed in one run."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CsvOptions:
    """How a CSV file is written."""

    delimiter: str = ","
    include_headers: bool = True
    quoting: Literal["minimal", "text", "all"] = "minimal"
    """Quote what needs it, every text value, or every value. NULL is never quoted."""
    encoding: str = "utf-8"
    encoding_errors: Literal["fail", "replace"] = "fail"
    """What to do with a character that the encoding lacks; a replacement is counted."""
    bom: bool = False
    null: str = ""
    """How NULL is written. An empty text is written as two quotes, so that both can be told."""
    connection_column: str = ""
    """Head of a first column that holds the connection's name; empty for no such column."""
    line_end: Literal["lf", "crlf"] = "lf"
    formula_guard: Literal["off", "quote", "tab"] = "off"
    """What to put before text that a spreadsheet would run: nothing, `'` or a tab."""
    decimal: Literal[".", ","] = "."
    """What stands before the fraction of a number, and of a second in `timestamp_format`."""
    thousands: Literal["", ",", ".", " ", "'", "indian"] = ""
    """What stands between groups of three digits; `indian`: as in 1,23,45,678."""
    date_format: str = ""
    """%Y, %m and %d with `- / . : , T` or spaces between them; empty: `YYYY-MM-DD`."""
    timestamp_format: str = ""
    """… with %H, %M, %S (with the fraction, where there is one), and %z for the zone, which is
    always UTC; empty: `YYYY-MM-DD HH:MM:SS[.ffffff][+00]`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ParquetOptions:
    """How Parquet is written."""

    layout: Literal["file", "folder"] = "file"
    """One file of all connections, or a folder with a file for each."""
    compression: Literal["zstd", "snappy", "none"] = "zstd"
    connection_column: str = "connection"
    """Name of a first column that holds the connection's name; empty for no such column."""
    text_columns: tuple[str, ...] = ()
    """Columns that are text whatever their type."""
    misfits: Literal["fail", "null"] = "fail"
    """What to do with a value that the column's type cannot hold: refuse the connection, or count
    it and leave NULL in its place."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JsonOptions:
    """How JSON is written, as lines or as one array."""

    connection_column: str = "connection"
    """Key of a first member that holds the connection's name; empty for no such member."""
    big_numbers: Literal["number", "text"] = "number"
    """How to write numbers that many programs would round: whole ones beyond 2^53, others of more
    than 15 digits."""
    not_finite: Literal["null", "text"] = "null"
    """How to write NaN and the infinities, for which JSON has no number; counted."""
    binary: Literal["base64", "hex"] = "base64"


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookOptions(JsonOptions):
    """How rows are sent over HTTP, and how their JSON is written.

    Attributes:
        headers: From a name to a text, or to a reference as of a password (`env:NAME`, `file:PATH`,
            `cmd:COMMAND`) that is resolved when the header is sent.
    """

    url: str = ""
    """Where to; without a password."""
    method: Literal["POST", "PUT"] = "POST"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    progressive: bool = False
    """Send each connection's rows as soon as they are durable, not after the last connection."""
    batch_rows: int = 1000
    """Rows in one request at most."""
    timeout_s: int = 30
    """How long the receiver may be silent."""
    insecure: bool = False
    """Allow http to another machine."""
    ca_file: str = ""
    """Certificates to trust instead of the system's."""
    connection_column: str = ""
    """As in `JsonOptions`; each request names its connection anyway."""


FormatOptions = ExcelOptions | CsvOptions | ParquetOptions | JsonOptions | WebhookOptions

OPTIONS: Mapping[str, type[FormatOptions]] = {
    "excel": ExcelOptions,
    "csv": CsvOptions,
    "parquet": ParquetOptions,
    "jsonl": JsonOptions,
    "json": JsonOptions,
    "webhook": WebhookOptions,
}
"""From a destination's type to its options record."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Destination:
    """Where a job's rows go.

    Attributes:
        type: The writer's name, such as `excel`.
        path: As configured, with `{job}`, `{jobName}`, `{date}`, `{run}` in it; absolute or
            relative to the configuration's folder.
        mode: `replace`: the target is made anew by each run.
        options: What is particular to the type.
        query: The only query whose rows it takes, where the path in the configuration has
            `{query}` in it; empty for all.
    """

    type: str
    path: str
    options: FormatOptions
    mode: Literal["replace"] = "replace"
    query: str = ""

    @property
    def is_folder(self) -> bool:
        """Whether the target is a folder of files."""
        return isinstance(self.options, ParquetOptions) and self.options.layout == "folder"

    @property
    def is_sent(self) -> bool:
        """Whether its rows go over a network, and the target is the record of that."""
        return isinstance(self.options, WebhookOptions)

    @property
    def is_progressive(self) -> bool:
        """Whether its rows are sent while the run goes on."""
        return isinstance(self.options, WebhookOptions) and self.options.progressive


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """What to do: queries, which connections, destinations, policy.

    Attributes:
        connections: Selectors in order: a name, a glob, `tag:NAME`.
        queries: At least one.
        columns: Names that fix the columns; empty: the first connection that answers fixes them.
        drift: What to do where a connection's columns are not those of the run.
        aliases: Other names of a column, from the name at a connection to the job's name.
        overrides: From a connection's name to its own SQL for each query it differs in; its own
            control query stands behind the name that `own_control` gives.
        business_day: Which day a run reads, from the day on which it begins: `today`, `yesterday`,
            or a number of days back, such as `-2`.
        day_lag_h: Hours after midnight at which a business day begins at a branch.
        day_closed: A query whose first value says yes once a branch has closed the business day;
            until then its rows are provisional. Empty for none.
        day_until: The same, by the time of the last row: closed once that has come to the day's
            end but for `day_until_slack_h`.
        provisional_days: How many days back provisional rows are read again.
        retry: Of a connection inside a run, and of a run of which no connection completed.
        type: Name of the run type that its runs are counted under.
        priority: In the queue, lower first; None: its type's.
        overlap: None: as the settings say.
        on_finish: What to start when a run of it has ended.
        enabled: Whether it may be started.
        on_suspicious: What becomes of a connection without rows where there usually are some: it
            completes and is named, or it fails.
        canary: Whether a new run begins with one connection, then five, and stops where one of
            them fails.
        deadline: Time of day, such as `07:00`, by which a run is to be done; empty for none.
        cut_off: Time of day at which a run closes: nothing more begins, what is there is published.
        late_until: Time of day until which connections that could not be reached are tried on
            after a run, and patched into its targets; empty: they are not.
        outside_hours: What becomes of a connection outside its hours: it is skipped, or waited for
            where its hours begin before the run is due and closes.
        procedures: Names of those that its queries may call, as they are written there.
        verify: What is proven of a target before it gets its name: the checksums of its parts, or
            every cell, read back.
        identity_query: Of connections that say nothing themselves; empty: they are not asked.
        hedge_after_s: Of connections that say nothing themselves; 0: never.
        folder: The configuration's folder; relative paths start there.
    """

    name: str
    title: str
    connections: tuple[str, ...]
    queries: tuple[Query, ...]
    destinations: tuple[Destination, ...]
    max_parallel: int = 8
    resume: bool = False
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    drift: Drift = "fail"
    columns: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    overrides: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    query_timeout_s: int | None = None
    stall_timeout_s: int | None = None
    keep_parts_days: int = 7
    type: str = "extract"
    priority: int | None = None
    overlap: Overlap | None = None
    on_finish: OnFinish | None = None
    enabled: bool = True
    on_suspicious: Literal["warn", "fail"] = "warn"
    canary: bool = False
    deadline: str = ""
    cut_off: str = ""
    late_until: str = ""
    outside_hours: Literal["skip", "wait"] = "skip"
    procedures: tuple[str, ...] = ()
    business_day: str = "yesterday"
    day_lag_h: int = 0
    day_closed: str = ""
    day_until: str = ""
    day_until_slack_h: float = 6.0
    provisional_days: int = 7
    verify: Literal["parts", "full"] = "parts"
    identity_query: str = ""
    hedge_after_s: int = 0
    folder: Path = field(default_factory=Path)
