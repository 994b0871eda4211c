"""Which CSV destinations take lines that a server has printed."""

import codecs
from collections.abc import Sequence

from etltui.domain.job import CsvOptions
from etltui.domain.task import WriterTask
from etltui.extractors.lines import LineForm
from etltui.writers.csv_profile import Profile

_UTF8 = {"utf-8", "utf-8-sig"}
"""The mark of the second stands at the head of the target, not in a part."""


def shared_form(writers: Sequence[WriterTask], connection: str) -> LineForm | None:
    """The form of lines that serves every one of the writers, None where there is none."""
    forms = {_form(writer, connection) for writer in writers}
    return forms.pop() if len(forms) == 1 else None


def _form(writer: WriterTask, connection: str) -> LineForm | None:
    """What a server's own CSV can look like; whatever else is asked for is made from values.

    A guard against formulas counts what it changed. A server knows no decimal comma, and tells
    empty text from NULL by quotes only where NULL is nothing.
    """
    if writer.type != "csv":
        return None
    options = CsvOptions(**writer.options)
    plain = (
        codecs.lookup(options.encoding).name in _UTF8
        and options.line_end == "lf"
        and options.formula_guard == "off"
        and not options.null
        and options.delimiter.isascii()
        and Profile(options).is_canonical
    )
    if not plain:
        return None
    return LineForm(
        delimiter=options.delimiter,
        quoting=options.quoting,
        label=connection if options.connection_column else None,
    )
