"""What came of testing connections: lines for people, objects for programs, the progress."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import TextIO

from etltui.cli.wrapping import wrapped
from etltui.domain.errors import Trouble
from etltui.domain.identity import doubled, doubled_code
from etltui.domain.inquiry import Step, Tested
from etltui.domain.safe_text import middle_cut, safe_text
from etltui.domain.words import counted, words
from etltui.encode import events as encode

NAME = 28
_PRODUCT = 18


def _indented(texts: Iterable[str]) -> list[str]:
    return [line for text in texts for line in wrapped(text, "    ", "    ")]


def line(told: Tested, width: int) -> str:
    """How a connection answers, or how far it came."""
    name = middle_cut(safe_text(told.connection), width)
    if told.trouble is not None:
        way = [steps_text(told.steps)] if len(told.steps) > 1 else []
        return "\n".join([failed(name, told.trouble, told.contact), *_indented(way)])
    server = told.server
    room = max(_PRODUCT, _PRODUCT + NAME - width)
    product = safe_text(server.product if server else "")
    product = product if len(product) <= room else f"{product[: room - 1]}…"
    badge = "not encrypted" if server is not None and server.encrypted is False else ""
    head = f"✓ {name:<{width}} {told.milliseconds:>8,.1f} ms  {product:<{room}} {badge}"
    return "\n".join([head.rstrip(), *_indented(told.odd)])


def failed(name: str, trouble: Trouble, contact: str) -> str:
    """Why a connection does not answer, and whom to call."""
    texts = [f"{words(trouble.error_class)}: {trouble.message}"]
    if contact:
        texts.append(f"Contact: {contact}.")
    return "\n".join([f"✗ {name}", *_indented(texts)])


def steps_text(steps: Sequence[Step]) -> str:
    """The stages in a row: `dns ✓ 2.1 ms, tcp ✓ 20.4 ms, login ✗`."""
    return ", ".join(map(_step, steps))


def _step(step: Step) -> str:
    took = "" if step.milliseconds is None else f" {step.milliseconds:,.1f} ms"
    return f"{step.stage} {'✓' if step.passed else '✗'}{took}"


def as_object(told: Tested) -> dict[str, object]:
    """What came of one, for a program."""
    return {
        "type": "connection_tested",
        "connection": told.connection,
        "answers": told.trouble is None,
        "round_trip_ms": None if told.trouble else round(told.milliseconds, 2),
        "stages": [
            {
                "stage": str(step.stage),
                "passed": step.passed,
                "ms": None if step.milliseconds is None else round(step.milliseconds, 2),
            }
            for step in told.steps
        ],
        "queries": told.queries,
        "server": asdict(told.server) if told.server else None,
        "identity": told.code.value if told.code else None,
        "odd": list(told.odd),
        "error": encode.trouble(told.trouble) if told.trouble else None,
        "contact": told.contact,
    }


def summed(told: Sequence[Tested]) -> Iterator[str]:
    """What is to be said of all together: which are one database, which are read in the open."""
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    codes: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for each in told:
        if each.server is not None and each.server.identity:
            found[each.server.identity, each.server.started].append(each.connection)
        if each.code is not None:
            codes[each.code.asked, each.code.value].append(each.connection)
    same = [sorted(names) for names in found.values() if len(names) > 1]
    for names in same:
        yield doubled(names[0], names[1:])
    for (_, code), names in codes.items():
        if len(names) > 1 and sorted(names) not in same:
            first, *others = sorted(names)
            yield doubled_code(first, others, code)
    if bare := sum(each.server is not None and each.server.encrypted is False for each in told):
        them = "it" if bare == 1 else "them"
        yield (
            f"{counted(bare, 'connection')} not encrypted: whoever is on the line to {them} can "
            "read the password and the rows; take sslmode=disable out of the url"
        )


class Counting:
    """Says on a terminal how many have been asked, in one line that is written over.

    Args:
        out: Where.
        total: How many are to be asked.
    """

    def __init__(self, out: TextIO, total: int) -> None:
        self._out = out if out.isatty() and total > 1 else None
        self._total = total
        self._asked = self._failed = 0

    def clear(self) -> None:
        """Take the line away, before something else is said."""
        if self._out is not None:
            self._out.write("\r\x1b[K")
            self._out.flush()

    def took(self, *, failed: bool) -> None:
        """One more has been asked."""
        self._asked += 1
        self._failed += failed
        if self._out is not None and self._asked < self._total:
            bad = f", {self._failed:,} failed" if self._failed else ""
            self._out.write(f"\r{self._asked:,} of {self._total:,} asked{bad}\x1b[K")
            self._out.flush()
