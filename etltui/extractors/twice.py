"""Notices texts that somebody took for another code page and encoded twice: Ã¼ for ü.

Such a text is written as it is: only who made it can tell what it meant. It is counted among the
first of each batch, so that an operator hears of it and reading is no slower. To be sure costs
letters: what could as well be a letter before a quotation mark (CAFÉ”, IRMÃ…) is taken for that.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from etltui.extractors.lines import Printed

_HINT = re.compile(rb"\xc3[\x82-\xb4](?:[\xc2\xc5\xc6\xcb]|\xe2[\x80\x82\x84])")
"""In UTF-8: a letter between Â and ô, and what may stand for a byte of a letter's rest."""
_CLOSE = "¡-ª¬-º¼-¿\u0080-\u009f€‚ƒ„†‡ˆ‰Š‹ŒŽ•˜™š›œžŸ"
"""What such a byte is in Latin-1 and in cp1252, but for what often follows a letter."""
_ANY = f"{_CLOSE}\u00a0«»“”‘’–—…"
_TWICE = (
    f"[ÂÃ][{_CLOSE}]|(?:[Ä-ß][{_CLOSE}]){{2}}|[à-ï][{_CLOSE}][{_ANY}]|[ð-ô][{_CLOSE}][{_ANY}]{{2}}"
)
"""Letters of two bytes, of two that are rarer, of three and of four."""
_Texts: TypeAlias = pa.StringArray | pa.LargeStringArray
_LINE = re.compile(_TWICE)
_TEXTS = 1000
"""Looked at in each column of a batch."""
_BYTES = 64 * 1024
"""… and in lines that a server has printed."""


class Twice:
    """Counts such texts batch by batch."""

    def __init__(self) -> None:
        self._found: Counter[str] = Counter()

    def look(self, batch: pa.RecordBatch | Printed) -> None:
        """Take in a batch that is written."""
        if isinstance(batch, Printed):
            self._found["lines"] += _lines(batch.data[:_BYTES])
            return
        for name, texts in _texts(batch):
            if _hinted(texts):
                hits = pc.match_substring_regex(texts, _TWICE)
                self._found[f"texts of {name}"] += hits.true_count

    def notes(self) -> Mapping[str, int]:
        """What was found, in the words of a connection's notes."""
        return {f"{what} that look encoded twice": n for what, n in self._found.items() if n}


def _lines(data: bytes) -> int:
    if not _HINT.search(data):
        return 0
    return sum(1 for line in data.decode(errors="replace").split("\n") if _LINE.search(line))


def _texts(batch: pa.RecordBatch) -> Iterator[tuple[str, _Texts]]:
    """The first values of the columns that hold texts, with their names."""
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        values = column.slice(0, _TEXTS)
        if isinstance(values, pa.StructArray):
            values = values.field("text")
        if isinstance(values, pa.StringArray | pa.LargeStringArray):
            yield name, values


def _hinted(texts: _Texts) -> bool:
    """Whether their bytes are worth a closer look, which takes ten times as long."""
    _, places, data = texts.buffers()
    if places is None or data is None:
        return False
    offsets = memoryview(places).cast("i" if isinstance(texts, pa.StringArray) else "q")
    begin, end = offsets[texts.offset], offsets[texts.offset + len(texts)]
    return _HINT.search(data, begin, end) is not None
