"""Reads rows of the text formats one by one, cell by cell, and counts them.

Each format is held against what its own writer makes of any row, so that a row with a cell too
many, half a cell or a cell of another kind is not counted but told.
"""

import codecs
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from etltui.domain.job import CsvOptions
from etltui.writers.content import BrokenError
from etltui.writers.csv_encoding import encoding_of

_LONGEST = 256 << 20
"""Bytes or characters that no row comes near: what has no end by then has none."""
_NUMBER = rb"-?\d++(?:\.\d++)?+(?:[eE][-+]?\d++)?+"
_CELL = (
    rb'<c(?:/>| t="inlineStr" s="\d++"><is><t xml:space="preserve">[^<]*+</t></is></c>'
    rb'|(?: s="\d++")?+><v>' + _NUMBER + rb'</v></c>| t="b"><v>[01]</v></c>)'
)
_LINE = re.compile(rb"[^\n]*+\n")

Rows = Callable[[Iterable[bytes]], int]
"""How many rows there are in blocks of a part's content."""


def excel_rows(columns: int) -> Rows:
    """Rows of a worksheet with so many cells each."""
    row = re.compile(rb"<row>(?:" + _CELL + rb"){%d}</row>" % columns)
    return lambda blocks: sum(1 for _ in matched(row, blocks, b""))


def csv_rows(columns: int, options: CsvOptions) -> Rows:
    """Lines of a CSV file with so many fields each, in its encoding and with its signs."""
    delimiter = re.escape(options.delimiter)
    field = rf'(?:"(?:[^"]++|"")*+"|(?:(?!{delimiter})[^"\r\n])*+)'
    end = "\r\n" if options.line_end == "crlf" else "\n"
    line = re.compile(f"{field}(?:{delimiter}{field}){{{columns - 1}}}{end}")
    encoding = encoding_of(options).name
    return lambda blocks: sum(1 for _ in matched(line, _decoded(blocks, encoding), ""))


def json_rows(members: int, *, array: bool) -> Rows:
    """Objects with so many members each, a line each; in an array with a comma between them.

    A comma before the first or behind the last one is what stands between two parts.
    """

    def count(blocks: Iterable[bytes]) -> int:
        rows = 0
        for line in matched(_LINE, _ended(blocks), b""):
            text = line.strip(b",\n") if array else line
            if not text and array:
                continue
            if len(_object(text, rows)) != members:
                raise _broken(rows)
            rows += 1
        return rows

    return count


def _object(text: bytes, rows: int) -> dict[str, Any]:
    try:
        found: dict[str, Any] = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _broken(rows) from error
    return found


def _ended(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Blocks whose last line has its end: that of an array's part stands behind the part."""
    last = b"\n"
    for block in blocks:
        yield block
        last = block[-1:] or last
    if last != b"\n":
        yield b"\n"


def _decoded(blocks: Iterable[bytes], encoding: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for block in blocks:
            yield decoder.decode(block)
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise BrokenError(f"its rows are no text in {encoding} ({error.reason})") from error


def matched(row: re.Pattern[Any], blocks: Iterable[Any], nothing: Any) -> Iterator[Any]:
    """The rows in blocks of text or bytes.

    What is no whole row yet is looked at again when it has become twice as long, so that a long
    row costs no more than it is long.

    Raises:
        BrokenError: There is something that is no row.
    """
    rest, rows, enough = nothing, 0, 0
    for block in blocks:
        rest += block
        if len(rest) < enough:
            continue
        at = 0
        while found := row.match(rest, at):
            at = found.end()
            rows += 1
            yield found[0]
        rest = rest[at:]
        enough = 2 * len(rest)
        if len(rest) > _LONGEST:
            break
    at = 0
    while found := row.match(rest, at):
        at = found.end()
        rows += 1
        yield found[0]
    if at < len(rest):
        raise _broken(rows)


def _broken(rows: int) -> BrokenError:
    return BrokenError(f"row {rows + 1:,} of it is not what is written for a row")
