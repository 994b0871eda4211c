"""Failures in words: a line for each connection, the advice once for each class of failure."""

import sys
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator

from etltui.domain.errors import ADVICE, ErrorClass
from etltui.domain.run import ConnectionResult
from etltui.domain.safe_text import safe_text
from etltui.domain.words import number, words

TERMINAL = 78
"""What fits every terminal."""


def failure_line(result: ConnectionResult, contact: str) -> list[str]:
    """What happened at a connection, and whom to call; nothing where nothing did."""
    if result.trouble is None:
        return []
    call = f". Contact: {contact}." if contact else ""
    what = f"{words(result.trouble.error_class)}: {result.trouble.message}"
    return [safe_text(f"  {result.connection}  {what}{call}")]


def advice_lines(classes: Iterable[ErrorClass]) -> Iterator[str]:
    """Each class of failure once, the most frequent first: what it means, and what to try."""
    for each, count in Counter(classes).most_common():
        advice = ADVICE[each]
        yield f"→ {words(each)} ({number(count)}): {advice.means} {advice.try_}"


def classes_of(results: Iterable[ConnectionResult]) -> Iterator[ErrorClass]:
    """The class of each failure among the results."""
    return (each.trouble.error_class for each in results if each.trouble)


def width() -> int:
    """How wide lines on stdout may be: no limit, 0, where programs may read them."""
    return TERMINAL if sys.stdout.isatty() else 0


def folded(lines: Iterable[str], limit: int) -> Iterator[str]:
    """The lines, none wider than the limit; what goes on stands two deeper. 0 is no limit."""
    for line in lines:
        if not limit or len(line) <= limit:
            yield line
            continue
        yield from textwrap.wrap(
            line,
            limit,
            subsequent_indent=" " * (len(line) - len(line.lstrip(" ")) + 2),
            break_on_hyphens=False,
            break_long_words=False,
        )
