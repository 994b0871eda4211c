"""A query's rows in batches, a block of rows for each call of the driver."""

import ctypes
from collections.abc import Callable, Container, Generator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pyarrow as pa

from etltui.domain.columns import Column
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.job import Scalar
from etltui.extractors.arrow import arrow_schema
from etltui.readers import odbc_api as api
from etltui.readers.odbc_blocks import LONG, MOMENTS, REALS, CutError, Form, UnfitError, form_of
from etltui.readers.odbc_line import OdbcLine
from etltui.readers.odbc_odd import odd_form
from etltui.readers.reader import RereadError

_BLOCK_BYTES = 3 * 1024 * 1024
_MOST_ROWS = 4096
"""A block has at most so many rows, and as many as fit; a wide one may have a single row."""
_GROWTH = 16
_MORE = 4
_MOST_BYTES = 256 * 1024 * 1024
"""Of one value: the whole extractor has its memory to share."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A column of a query as it is to be read.

    Attributes:
        column: With the canonical type that its batches shall have.
        field: As the driver describes it.
        form: How its values stand in memory where its type and field do not say it all; given the
            canonical type that is read and the bytes of the longest value met.
    """

    column: Column
    field: api.Field
    form: Callable[[str, int], Form] | None = None


@dataclass(slots=True)
class Learnt:
    """What reading a query has taught: values that did not fit their column.

    Attributes:
        sizes: Bytes of the longest value met, by position.
        misfits: Positions of columns that are read as `mixed`.
    """

    sizes: dict[int, int] = field(default_factory=dict)
    misfits: set[int] = field(default_factory=set)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Bound:
    form: Form
    data: Any
    lengths: Any


class Blocks:
    """Reads one query on a line.

    Args:
        line: The session.
        sql: One statement with a question mark for each value.
        values: In this order.
        found: Its columns.
        learnt: From reading it before; grows.
        spelled: Canonical types that the driver is to spell out, as `form_of` takes them.
    """

    def __init__(
        self,
        line: OdbcLine,
        sql: str,
        values: Sequence[Scalar],
        *,
        found: Sequence[Found],
        learnt: Learnt,
        spelled: Container[str] = frozenset(),
    ) -> None:
        self._line = line
        self._sql = sql
        self._values = values
        self._learnt = learnt
        self.columns: tuple[Column, ...] = tuple(
            replace(each.column, type="mixed") if number in learnt.misfits else each.column
            for number, each in enumerate(found)
        )
        self._schema = arrow_schema(self.columns)
        self._forms = tuple(
            _form(each, column, learnt.sizes.get(number, 0), spelled=spelled)
            for number, (each, column) in enumerate(zip(found, self.columns, strict=True))
        )

    def batches(
        self,
        batch_bytes: Callable[[], int],
        *,
        limit_s: int = 0,
    ) -> Generator[pa.RecordBatch, None, None]:
        """Batches of at most about the bytes asked for.

        Args:
            batch_bytes: Asked before each batch.
            limit_s: What the driver is asked to end the statement after; 0: nothing.

        Raises:
            RereadError: Values did not fit; what they need is learnt.
            Failure: The query failed, or somebody cancelled.
        """
        self._line.check()
        statement = self._line.statement()
        try:
            yield from self._sized(self._read(statement, limit_s), batch_bytes)
        finally:
            self._line.dispose(statement, interrupt=True)

    def _read(
        self,
        statement: api.Statement,
        limit_s: int,
    ) -> Generator[pa.RecordBatch, None, None]:
        """The query's rows, block by block."""
        weight = sum(form.width + 8 for form in self._forms)
        rows = max(1, min(_MOST_ROWS, _BLOCK_BYTES // weight))
        begin = partial(self._begin, statement, rows, limit_s)
        fetch = self._line.call(begin, interrupt=statement.cancel)
        # While one block is turned into a batch, the driver fills the other.
        banks = [self._bank(statement, rows) for _ in range(2)]
        begun = self._line.ahead(partial(_pull, statement, fetch, banks[0]))
        fits = True
        while count := self._line.wait(begun, interrupt=statement.cancel):
            # An end that a cancel has brought about is no end of rows.
            self._line.check()
            bound = banks[0]
            banks.reverse()
            begun = self._line.ahead(partial(_pull, statement, fetch, banks[0]))
            batch = self._batch(bound, count)
            # Once one did not fit, the others are looked at for what they need, too.
            fits = fits and batch is not None
            if batch is not None and fits:
                yield batch
        self._line.check()
        if not fits:
            raise RereadError("some values need more room, or fit no type")

    def _begin(
        self,
        statement: api.Statement,
        rows: int,
        limit_s: int,
    ) -> api.Fetch:
        """Run the query."""
        if limit_s:
            statement.limit(limit_s)
        statement.prepare(self._sql, self._values)
        statement.execute()
        return statement.array(rows)

    def _bank(self, statement: api.Statement, rows: int) -> list[_Bound]:
        """Memory for a block."""
        bank = []
        for form in self._forms:
            data, lengths = statement.memory(form.width, rows)
            bank.append(_Bound(form=form, data=data, lengths=lengths))
        return bank

    def _batch(self, bound: Sequence[_Bound], count: int) -> pa.RecordBatch | None:
        """A block's rows; None where one did not fit, which is learnt."""
        arrays = []
        for number, each in enumerate(bound):
            try:
                arrays.append(each.form.made(each.data, each.lengths, count))
            except UnfitError as error:
                self._unfit(number, error)
            except CutError as cut:
                self._cut(number, cut.size, each.form.width)
        if len(arrays) < len(bound):
            return None
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)

    def _unfit(self, number: int, error: UnfitError) -> None:
        column = self.columns[number]
        if column.type in {"text", "mixed", "unknown"}:
            raise Failure(
                ErrorClass.VALUE,
                f"a value of column {column.name} is no text in UTF-8; "
                "set the character set of the connection in its url",
            ) from error
        self._learnt.misfits.add(number)

    def _cut(self, number: int, size: int, width: int) -> None:
        """Make room for the longest value; where the driver does not tell, more than there was."""
        known = self._learnt.sizes.get(number, 0)
        wanted = max(size or width * _GROWTH, known, LONG)
        if width > known > 0:
            # What was told before was not enough: some drivers count before they convert.
            wanted = max(wanted, width * _MORE)
        if wanted > _MOST_BYTES:
            raise Failure(
                ErrorClass.VALUE,
                f"a value of column {self.columns[number].name} has more than "
                f"{_MOST_BYTES // 2**20} MiB; leave the column out or cut it in the query",
            )
        self._learnt.sizes[number] = wanted

    def _sized(
        self,
        blocks: Generator[pa.RecordBatch, None, None],
        batch_bytes: Callable[[], int],
    ) -> Generator[pa.RecordBatch, None, None]:
        """The blocks cut, or put together, to what is asked for."""
        held: list[pa.RecordBatch] = []
        weight, wanted = 0, batch_bytes()
        for block in blocks:
            start, each = 0, max(1, block.nbytes // block.num_rows)
            while start < block.num_rows:
                piece = block.slice(start, max(1, (wanted - weight) // each))
                start += piece.num_rows
                held.append(piece)
                weight += piece.num_rows * each
                if weight + each > wanted:
                    yield _joined(held)
                    held, weight, wanted = [], 0, batch_bytes()
        if held:
            yield _joined(held)


def _pull(statement: api.Statement, fetch: api.Fetch, bank: Sequence[_Bound]) -> int:
    """Fill a bank with the next block; how many rows it has."""
    for number, each in enumerate(bank, 1):
        # A driver may say nothing of a value that is there (MariaDB's of a BIT): what the block
        # before said would be taken for it.
        ctypes.memset(each.lengths, 0, ctypes.sizeof(each.lengths))
        if each.form.cleared:
            ctypes.memset(each.data, 0, len(each.data))
        statement.bind(number, each.form.c_type, each.form.width, (each.data, each.lengths))
    return statement.fetch(fetch)


def _form(found: Found, column: Column, met: int, *, spelled: Container[str]) -> Form:
    if found.form is not None:
        return found.form(column.type, met)
    if column.type == "mixed" and found.column.type in MOMENTS:
        return odd_form(found.column.type, met)
    single = found.field.sql_type == api.REAL and "float" not in spelled
    if column.type == "float" and single:
        return REALS
    return form_of(column.type, found.field.size, bytes_=met, spelled=spelled)


def _joined(pieces: list[pa.RecordBatch]) -> pa.RecordBatch:
    """One batch of several."""
    if len(pieces) == 1:
        return pieces[0]
    [batch] = pa.Table.from_batches(pieces).combine_chunks().to_batches()
    return batch


def described(
    line: OdbcLine,
    sql: str,
    values: Sequence[Scalar],
    kind_of: Callable[[api.Field], str],
    *,
    seconds: float,
) -> tuple[Found, ...]:
    """The columns of a query as the driver describes it when it is prepared; runs nothing.

    Raises:
        Failure: It is not understood, or it gives no columns.
    """
    statement = line.statement()

    def ask() -> tuple[api.Field, ...]:
        statement.prepare(sql, values)
        return statement.fields()

    try:
        fields = line.call(ask, seconds=seconds, interrupt=statement.cancel)
    finally:
        line.dispose(statement)
    if not fields:
        raise Failure(ErrorClass.SYNTAX, "the query gives no columns")
    return tuple(
        Found(column=Column(name=each.name, type=kind_of(each)), field=each) for each in fields
    )


_KINDS = {
    api.BIT: "bool",
    **dict.fromkeys((api.BIGINT, api.INTEGER, api.SMALLINT, api.TINYINT), "int"),
    **dict.fromkeys((api.REAL, api.FLOAT, api.DOUBLE), "float"),
    **dict.fromkeys((api.DATE, 9), "date"),
    **dict.fromkeys((api.TIME, 10), "time"),
    **dict.fromkeys((api.TIMESTAMP, 11), "timestamp"),
    **dict.fromkeys((api.BINARY, api.VARBINARY, api.LONGVARBINARY), "binary"),
}
"""By SQL type, those of ODBC 2 beside; what is not here is text."""
_MOST_DIGITS = 76


def canonical(field_: api.Field) -> str:
    """The canonical type of a column, by what ODBC says of it alone."""
    if field_.sql_type in {api.NUMERIC, api.DECIMAL}:
        fits = 1 <= field_.size <= _MOST_DIGITS and 0 <= field_.digits <= field_.size
        return f"decimal({field_.size},{field_.digits})" if fits else "mixed"
    if field_.sql_type == api.BIGINT and field_.unsigned:
        return "decimal(20,0)"
    return _KINDS.get(field_.sql_type, "text")
