"""What statements of every dialect have in common, once each is taken apart by its own rules."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.job import Scalar

Token = tuple[str, str]
"""Its kind and its text."""
Tokens = Callable[[str], Iterator[Token]]
"""Takes a statement apart; joined, the texts are the statement."""
NOTHING = frozenset({"space", "comment"})
"""Kinds that say nothing to the database."""

_BLOCK = re.compile(r"/\*|\*/")


def without_end(tokens: Iterable[Token]) -> str:
    """The statement without what ends it, so that it fits in brackets before a line end.

    Comments inside stay: some of them are hints.
    """
    kept = list(tokens)
    while kept and kept[-1][0] in NOTHING | {"end"}:
        kept.pop()
    return "".join(text for _, text in kept).lstrip()


def end_of_block(sql: str, position: int) -> int:
    """Where a comment ends whose first mark is behind us, in a dialect in which they nest."""
    depth = 1
    while depth and (mark := _BLOCK.search(sql, position)):
        depth += 1 if mark.group() == "/*" else -1
        position = mark.end()
    return len(sql) if depth else position


def value_of(parameter: str, params: Mapping[str, Scalar], more: str = "") -> Scalar:
    """The value of a `:name`.

    Raises:
        Failure: Of class `syntax`; it has none.
    """
    if parameter[1:] not in params:
        raise Failure(ErrorClass.SYNTAX, f"{parameter} has no value in params{more}")
    return params[parameter[1:]]


def nameless(mark: str) -> Failure:
    """Why a statement with a parameter that has no name cannot be run."""
    words = f"{mark} has no value; write :name and give it one in params"
    return Failure(ErrorClass.SYNTAX, words)
