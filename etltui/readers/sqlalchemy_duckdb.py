"""DuckDB's lane: its own Arrow batches, every column as a type that loses nothing.

Arrow's form of some types is not their value: UHUGEINT wraps around, TIMETZ loses its zone, BIT is
its storage, REAL has digits that nobody wrote. So the query is wrapped, and each column is cast to
what arrives whole: as decimal digits, or as text. Dates and times that Arrow's types do not hold
(`infinity`, 24:00:00, nanoseconds) make their column `mixed`, and the query is read again.

A file that is open here, even read-only, cannot be opened for writing by another process.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TypeAlias

import pyarrow as pa
from pyarrow import compute

from etltui.domain.columns import Column, decimal_of
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.job import Scalar
from etltui.domain.task import QueryTask
from etltui.extractors.arrow import MIXED, arrow_schema, arrow_type, mixed_array, shortest
from etltui.readers.reader import RereadError
from etltui.readers.sqlalchemy_errors import told
from etltui.readers.sqlalchemy_sql import bare, named

pc: Any = compute
Array: TypeAlias = "pa.Array[Any]"

CONFIG: dict[str, Any] = {
    "enable_external_access": "false",
    "python_enable_replacements": "false",
    "memory_limit": "512MB",
    "threads": 2,
}
"""No file but its own is touched, no variable of ours is a table, and neighbours have room."""
_SETTING = "SET TimeZone = 'UTC'"
"""The session's own; all sessions of one process share the rest, so it cannot be locked."""

_CHUNK_ROWS = 2048
"""DuckDB's own step."""
_TEXT = "CAST({c} AS VARCHAR)"
_JSON = "CAST(to_json({c}) AS VARCHAR)"
_DATE_TEXT = (
    "CASE WHEN isinf({c}) THEN CAST({c} AS VARCHAR) ELSE printf('%s%04d-%02d-%02d', "
    "CASE WHEN year({c}) < 0 THEN '-' ELSE '' END, abs(year({c})), month({c}), day({c})) END"
)
_CLOCK = "rtrim(rtrim(strftime({c}, '%H:%M:%S.%f'), '0'), '.')"
_MOMENT_TEXT = (
    "CASE WHEN isinf({c}) THEN CAST({c} AS VARCHAR) ELSE printf('%s%04d-%02d-%02d %s', "
    "CASE WHEN year({c}) < 0 THEN '-' ELSE '' END, abs(year({c})), month({c}), day({c}), "
    + _CLOCK
    + ") END"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Form:
    """How a type is read.

    Attributes:
        kind: The canonical type.
        sql: What is selected for the column `{c}`.
        odd: The canonical text of any value, where not every value fits `kind`.
    """

    kind: str
    sql: str = "{c}"
    odd: str = ""


_INT = _Form(kind="int", sql="CAST({c} AS BIGINT)")
_HUGE = _Form(kind="decimal(39,0)", sql=_TEXT)
_NESTED = _Form(kind="text", sql=_JSON)
_ZONED = "CAST({c} AS TIMESTAMP)"

_FORMS = {
    "boolean": _Form(kind="bool"),
    "tinyint": _INT,
    "smallint": _INT,
    "integer": _INT,
    "bigint": _INT,
    "utinyint": _INT,
    "usmallint": _INT,
    "uinteger": _INT,
    "ubigint": _Form(kind="decimal(20,0)", sql="CAST({c} AS DECIMAL(20,0))"),
    "hugeint": _HUGE,
    "uhugeint": _HUGE,
    "double": _Form(kind="float"),
    "float": _Form(kind="float"),
    "blob": _Form(kind="binary"),
    "date": _Form(kind="date", odd=_DATE_TEXT),
    "time": _Form(kind="time", odd=_TEXT),
    "timestamp": _Form(kind="timestamp", odd=_MOMENT_TEXT),
    "timestamp_s": _Form(
        kind="timestamp",
        sql="CAST({c} AS TIMESTAMP)",
        odd=_MOMENT_TEXT.replace("{c}", "CAST({c} AS TIMESTAMP)"),
    ),
    "timestamp_ms": _Form(
        kind="timestamp",
        sql="CAST({c} AS TIMESTAMP)",
        odd=_MOMENT_TEXT.replace("{c}", "CAST({c} AS TIMESTAMP)"),
    ),
    "timestamp_ns": _Form(kind="timestamp", odd=_TEXT),
    "timestamp with time zone": _Form(
        kind="timestamptz",
        odd="CASE WHEN isinf({c}) THEN CAST({c} AS VARCHAR) ELSE "
        + _MOMENT_TEXT.replace("{c}", _ZONED)
        + " || '+00' END",
    ),
    "list": _NESTED,
    "array": _NESTED,
    "struct": _NESTED,
    "map": _NESTED,
    "union": _NESTED,
    "variant": _NESTED,
    "null": _Form(kind="unknown"),
}
_OTHER = _Form(kind="text", sql=_TEXT)
"""VARCHAR, ENUM, JSON, UUID, BIT, INTERVAL, TIMETZ, TIME_NS, BIGNUM: as DuckDB prints them."""


def _form(type_: Any) -> _Form:
    """How a column of a relation is read."""
    if type_.id == "decimal":
        size = dict(type_.children)
        return _Form(kind=f"decimal({size['precision']},{size['scale']})")
    return _FORMS.get(type_.id, _OTHER)


class DuckdbLane:
    """Reads queries of one DuckDB connection.

    Args:
        driver: The connection, whoever opened it.
    """

    def __init__(self, driver: Any) -> None:
        self._driver = driver
        self._misfits: dict[str, set[int]] = {}
        with told():
            driver.execute(_SETTING)

    def interrupt(self) -> None:
        """End what runs, from any thread."""
        self._driver.interrupt()

    def begin(self) -> None:
        """A read-only file has one state."""

    def finish(self) -> None:
        """The end of its batches has freed a statement."""

    def describe(self, query: QueryTask) -> tuple[Column, ...]:
        """The columns as DuckDB binds the query; reads no rows."""
        return _columns(self._relation(query), set())

    def explain(self, query: QueryTask) -> str:
        """DuckDB's plan."""
        sql, params = self._checked(query)
        with told():
            (row,) = self._driver.execute(f"EXPLAIN {sql}", params).fetchall()
        return str(row[1]).strip("\n")

    def read(
        self,
        query: QueryTask,
        *,
        batch_bytes: Callable[[], int],
        exact: bool,
    ) -> tuple[tuple[Column, ...], Generator[pa.RecordBatch, None, None]]:
        """Prepare a query; its statement begins with the first batch."""
        misfits = self._misfits.setdefault(query.sql, set())
        if not exact:
            misfits.clear()
        sql, params = self._checked(query)
        relation = self._relation(query)
        columns = _columns(relation, misfits)
        wrapped = _wrapped(sql, relation.types, misfits)
        batches = self._batches(wrapped, params, columns, misfits, batch_bytes)
        return columns, batches

    def _checked(self, query: QueryTask) -> tuple[str, dict[str, Scalar]]:
        """The one SELECT that a query is, and the values that it names."""
        sql, used = named(bare(query.sql), query.params, lambda name: f"${name}")
        with told():
            statements = self._driver.extract_statements(sql)
        if not statements:
            raise Failure(ErrorClass.SYNTAX, "the query is empty")
        kinds = [each.type.name for each in statements]
        if kinds != ["SELECT"]:
            raise Failure(
                ErrorClass.PERMISSION,
                f"only one query is read here, and this is {' and '.join(kinds)}; "
                "write SELECT, WITH, FROM or VALUES",
            )
        return sql, {name: query.params[name] for name in used}

    def _relation(self, query: QueryTask) -> Any:
        sql, params = self._checked(query)
        with told():
            return self._driver.sql(sql, params=params)

    def _batches(
        self,
        sql: str,
        params: dict[str, Scalar],
        columns: tuple[Column, ...],
        misfits: set[int],
        batch_bytes: Callable[[], int],
    ) -> Generator[pa.RecordBatch, None, None]:
        """The rows, in batches of about the bytes asked for."""
        schema = arrow_schema(columns)
        with told():
            relation = self._driver.sql(sql, params=params)
            # Called otherwise before DuckDB 1.5.
            open_ = getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader
            source = open_(_CHUNK_ROWS)
        with closing(source):
            chunks = (_fitting(chunk, columns, misfits) for chunk in _stepped(source))
            yield from sized(chunks, schema, batch_bytes)
        if misfits.difference(n for n, c in enumerate(columns) if c.type == "mixed"):
            raise RereadError(f"{len(misfits)} columns hold values that their types do not")


def _stepped(source: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    with told():
        yield from source


def _columns(relation: Any, misfits: set[int]) -> tuple[Column, ...]:
    return tuple(
        Column(name=name, type="mixed" if number in misfits else _form(type_).kind)
        for number, (name, type_) in enumerate(zip(relation.columns, relation.types, strict=True))
    )


def _wrapped(sql: str, types: Sequence[Any], misfits: set[int]) -> str:
    """The query with each column as it is read."""
    own = [f"c{number}" for number in range(len(types))]
    asked = []
    for number, (name, type_) in enumerate(zip(own, types, strict=True)):
        form = _form(type_)
        said = (form.odd or _TEXT) if number in misfits else form.sql
        asked.append(f"{said.replace('{c}', name)} AS {name}")
    # Running it is the task.
    return f"SELECT {', '.join(asked)} FROM (\n{sql}\n) AS etltui({', '.join(own)})"  # noqa: S608


class _Misfit(Exception):  # noqa: N818 - never leaves this file
    """A value does not fit its column's type."""


def _fitting(
    chunk: pa.RecordBatch,
    columns: tuple[Column, ...],
    misfits: set[int],
) -> pa.RecordBatch | None:
    """The rows in canonical types; None where a value, noted in `misfits`, does not fit."""
    arrays = []
    for number, (array, column) in enumerate(zip(chunk.columns, columns, strict=True)):
        try:
            arrays.append(_canonical(array, column.type))
        except _Misfit:
            misfits.add(number)
    if misfits and len(arrays) < len(columns):
        return None
    return pa.RecordBatch.from_arrays(arrays, schema=arrow_schema(columns))


_LAST_TIME = 86_400_000_000
_INFINITE_DAYS, _INFINITE_US = 2**31 - 1, 2**63 - 1


def _canonical(array: Array, kind: str) -> Array:
    """A column of DuckDB's as one of a canonical type.

    Raises:
        _Misfit: A value of it is none.
    """
    wanted = arrow_type(kind)
    if wanted == MIXED:
        return _mixed(array)
    if kind == "date":
        _within(array.view(pa.int32()), _INFINITE_DAYS)
    elif kind == "time":
        _within(array.view(pa.int64()), _LAST_TIME)
    elif kind in {"timestamp", "timestamptz"}:
        _within(array.view(pa.int64()), _INFINITE_US)
    elif pa.types.is_float32(array.type):
        # DuckDB's own text has digits too many: 2005941.75 for 2005941.8.
        array = shortest(array)
    try:
        return array if array.type == wanted else pc.cast(array, wanted)
    except pa.ArrowInvalid:
        if decimal_of(kind) is None and not kind.startswith("timestamp"):
            raise
        raise _Misfit from None


def _within(numbers: Array, end: int) -> None:
    """Raise unless all are between -end and end, neither included."""
    bounds = pc.min_max(numbers).as_py()
    if bounds["min"] is not None and (bounds["min"] <= -end or bounds["max"] >= end):
        raise _Misfit


def _mixed(array: Array) -> Array:
    """Texts, of which none is a number."""
    text = pc.cast(array, pa.string())
    number = pc.if_else(text.is_valid(), pa.scalar(False), pa.scalar(None, pa.bool_()))  # noqa: FBT003 - a value
    made: Array = mixed_array(text, number)
    return made


def sized(
    chunks: Iterator[pa.RecordBatch | None],
    schema: pa.Schema,
    batch_bytes: Callable[[], int],
) -> Iterator[pa.RecordBatch]:
    """The rows of all chunks in batches of about the bytes asked for before each.

    From the first chunk on that is None, nothing more is given: the others are only looked at.
    """
    held: list[pa.RecordBatch] = []
    wanted, spoilt = batch_bytes(), False
    for chunk in chunks:
        spoilt = spoilt or chunk is None
        if spoilt or chunk is None:
            continue
        rest = chunk
        while rest.num_rows:
            room = wanted - sum(each.nbytes for each in held)
            taken = _fill(rest, room, first=not held)
            held.append(rest.slice(0, taken))
            rest = rest.slice(taken)
            if rest.num_rows:
                yield _joined(held, schema)
                held, wanted = [], batch_bytes()
    if held and not spoilt:
        yield _joined(held, schema)


def _fill(chunk: pa.RecordBatch, room: int, *, first: bool) -> int:
    """How many rows of a chunk fit; at least one where it is the batch's first."""
    if chunk.nbytes <= room:
        return chunk.num_rows
    rows = chunk.num_rows
    while rows and chunk.slice(0, rows).nbytes > room:
        rows //= 2
    return max(rows, int(first))


def _joined(held: list[pa.RecordBatch], schema: pa.Schema) -> pa.RecordBatch:
    if len(held) == 1:
        return held[0]
    [batch] = pa.Table.from_batches(held, schema=schema).combine_chunks().to_batches()
    return batch
