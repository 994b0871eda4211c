"""Lines that the server has printed: handed on as they are, once they are proven to be ours."""

import re
from collections.abc import Callable, Generator, Sequence

from etltui.domain.errors import Failure
from etltui.extractors.lines import LineForm, Printed
from etltui.readers.postgresql_copy import Copy
from etltui.readers.postgresql_print import odd_column
from etltui.readers.postgresql_types import Field
from etltui.readers.reader import RereadError

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
}
"""How values end that Arrow's type lacks. Looking for them here costs a fiftieth of a read, having
the server compare each value a fifth; only what has no such sign is left to it."""


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
    rows = 0
    try:
        while block := copy.pull(min(_BLOCK, batch_bytes())):
            if is_odd(block):
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
    """Whether a block may hold an odd value; a text that reads like one is a false alarm."""
    kinds = {field.column.type.partition("(")[0] for field in fields}
    signs = sorted({sign for kind in kinds for sign in _ODD.get(kind, ())})
    end = re.escape(form.delimiter.encode()) + rb'|[\n"]'
    whole = re.compile(b"(?:" + b"|".join(map(re.escape, signs)) + b")(?:" + end + b")")

    def is_odd(block: bytes) -> bool:
        return any(sign in block for sign in signs) and whole.search(block) is not None

    return is_odd


def rows_in(block: bytes) -> int:
    """The rows of whole lines: the line ends that stand outside quotes."""
    if b'"' not in block:
        return block.count(b"\n")
    # Two quotes with nothing between them change nothing for what stands around them; what is
    # left encloses line ends.
    marks = block.translate(None, _OTHERS).replace(b'""', b"")
    return sum(map(len, marks.split(b'"')[::2]))
