"""The report of a load test on a terminal."""

import textwrap
from collections.abc import Iterator, Sequence

from etltui.domain.safe_text import safe_text
from etltui.loadtest.compare import Ratio
from etltui.loadtest.facts import HEADS, facts, outcome, percentiles, title
from etltui.loadtest.figures import Report

_WIDTH = 79
_LABEL = 10
_NUMBER = 11
_NAME = 24
_MARKS = {"better": "+", "worse": "!", "": " "}


def lines(
    report: Report, ratios: Sequence[Ratio] = (), unlike: Sequence[str] = ()
) -> Iterator[str]:
    """The report, line by line.

    Args:
        report: Which.
        ratios: Against an earlier one.
        unlike: Why the two are not alike.
    """
    mark = "✗" if report.wrong else "✓"
    yield f"{mark} Load test {outcome(report)}"
    yield f"  {title(report)}"
    for wrong in report.wrong:
        yield from _wrapped("wrong", wrong)
    yield ""
    yield "".join([f"  {'seconds':<{_LABEL}}", *(f"{head:>{_NUMBER}}" for head in HEADS)])
    for name, spread in report.times.items():
        numbers = (f"{each:>{_NUMBER}}" for each in percentiles(spread))
        yield "".join([f"  {name:<{_LABEL}}", *numbers])
    yield ""
    for label, text in facts(report):
        yield from _wrapped(label, text)
    for note in report.notes:
        yield from _wrapped("note", note)
    if ratios:
        yield ""
        yield from _against(ratios, unlike)


def _wrapped(label: str, text: str) -> list[str]:
    return textwrap.wrap(
        safe_text(text),
        _WIDTH,
        initial_indent=f"  {label:<{_LABEL}} ",
        subsequent_indent=" " * (_LABEL + 3),
        break_on_hyphens=False,
        break_long_words=False,
    )


def _against(ratios: Sequence[Ratio], unlike: Sequence[str]) -> Iterator[str]:
    for why in unlike:
        yield from _wrapped("unlike", why)
    yield f"  {'against':<{_NAME}}{'before':>{_NUMBER + 3}}{'now':>{_NUMBER + 3}}{'ratio':>9}"
    for each in ratios:
        ratio = "" if each.ratio is None else f"x{each.ratio:.2f}"
        said = f"{each.before:>{_NUMBER + 3},.3f}{each.now:>{_NUMBER + 3},.3f}{ratio:>9}"
        yield f"{_MARKS[each.judged]} {each.name:<{_NAME}}{said}".rstrip()
