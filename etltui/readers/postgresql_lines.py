"""Lines that the server has printed: handed on as they are, once they are proven to be ours."""

import re
from collections.abc import Callable, Generator, Sequence
from typing import Any

import pyarrow as pa
from pyarrow import compute

from etltui.domain.errors import Failure
from etltui.extractors.lines import LineForm, Printed
from etltui.readers.postgresql_copy import Copy
from etltui.readers.postgresql_print import odd_column
from etltui.readers.postgresql_types import Field
from etltui.readers.postgresql_values import parsed, read_as
from etltui.readers.reader import RereadError

pc: Any = compute
"""Untyped, since the stubs know neither scalars beside arrays nor what comes of them."""

_LARGE = pa.scalar(2.0**53)
_BLOCK = 1 << 20
"""Lines are handed on in blocks of about so many bytes at most."""
_OTHERS = bytes(code for code in range(256) if code not in b'"\n')

_DAYS = (b"-infinity", b" BC")
_ODD = {
    "date": _DAYS,
    "timestamp": _DAYS,
    "timestamptz": _DAYS,
    "time": (b"24:00:00",),
    "decimal": (b"NaN",),
    "float": (b"e+",),
}
"""How values end that Arrow's type lacks, or that PostgreSQL prints otherwise: of a double from
2**53 on it does not take the fewest digits where those lie midway to the next double. Looking for
them here costs a fiftieth of a read, having the server compare each value a fifth; only what has
no such sign is left to it."""


def lines(
    copy: Copy,
    fields: Sequence[Field],
    form: LineForm,
    misfits: set[int],
    batch_bytes: Callable[[], int],
) -> Generator[Printed, None, None]:
    """The lines, until the server has sent all rows.

    Raises:
        RereadError: A value misfits its column.
        Failure: The query failed, or not all rows came.
    """
    is_odd = _odd_search(fields, form)
    types = _types(fields, form)
    rows = 0
    try:
        while block := copy.pull(min(_BLOCK, batch_bytes())):
            if is_odd(block) and not _fits(block, types, form):
                raise RereadError
            printed = Printed(data=block, num_rows=rows_in(block))
            rows += printed.num_rows
            yield printed
    except Failure as failure:
        column = odd_column(failure.message)
        if column is None:
            raise
        misfits.add(column)
        raise RereadError from failure
    copy.check_rows(rows)


def _odd_search(fields: Sequence[Field], form: LineForm) -> Callable[[bytes], bool]:
    """Whether a block may hold an odd value: a text or a float may read like one."""
    kinds = {field.column.type.partition("(")[0] for field in fields}
    signs = sorted({sign for kind in kinds for sign in _ODD.get(kind, ())})
    end = re.escape(form.delimiter.encode()) + rb'|[\n"]'
    whole = re.compile(b"(?:" + b"|".join(map(re.escape, signs)) + b")[0-9]*(?:" + end + b")")

    def is_odd(block: bytes) -> bool:
        return any(sign in block for sign in signs) and whole.search(block) is not None

    return is_odd


def _types(fields: Sequence[Field], form: LineForm) -> dict[str, pa.DataType]:
    """What each column of the lines must read as."""
    types = {str(number): read_as(field.column) for number, field in enumerate(fields)}
    return types if form.label is None else {"label": pa.string(), **types}


def _fits(block: bytes, types: dict[str, pa.DataType], form: LineForm) -> bool:
    """Whether every value fits its column and is printed in the canonical form."""
    try:
        table = parsed(block, types, delimiter=form.delimiter)
    except pa.ArrowInvalid:
        return False
    floats = [column for column in table.columns if pa.types.is_floating(column.type)]
    return not any(pc.any(_large(column)).as_py() for column in floats)


def _large(floats: Any) -> Any:
    return pc.and_(pc.is_finite(floats), pc.greater_equal(pc.abs(floats), _LARGE))


def rows_in(block: bytes) -> int:
    """The rows of whole lines: the line ends that stand outside quotes."""
    if b'"' not in block:
        return block.count(b"\n")
    # Two quotes with nothing between them change nothing for what stands around them; what is
    # left encloses line ends.
    marks = block.translate(None, _OTHERS).replace(b'""', b"")
    return sum(map(len, marks.split(b'"')[::2]))
