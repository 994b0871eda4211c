"""Texts in lines that fit 80 columns."""

import textwrap

from etltui.domain.safe_text import safe_text

_WIDTH = 79


def wrapped(text: str, first: str, rest: str) -> list[str]:
    """A text in lines; paths and commands stay whole, so that they can be copied.

    Args:
        text: Of anybody.
        first: Begins the first line.
        rest: Begins all others.
    """
    return textwrap.wrap(
        safe_text(text),
        _WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_on_hyphens=False,
        break_long_words=False,
    )
