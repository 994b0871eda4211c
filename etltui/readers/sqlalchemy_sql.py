"""Takes a statement of any dialect apart just far enough to find its parameters and its end."""

import re
from collections.abc import Callable, Collection, Iterator

from etltui.domain.errors import ErrorClass, Failure

_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<quoted>[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`
        |\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$)
    | (?P<word>[^\W\d][\w$]*)
    | (?P<number>[0-9][\w.]*)
    | (?P<cast>::|:=)
    | (?P<parameter>:[^\W\d]\w*)
    | (?P<end>;)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_READING = frozenset({"SELECT", "WITH", "VALUES", "TABLE", "FROM", "("})
_WRITING = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "INTO", "TRUNCATE", "DROP", "ALTER"})
"""Words that no query needs outside of quotes; a column called so is quoted in every dialect."""


def tokens(sql: str) -> Iterator[tuple[str, str]]:
    """The kind and text of each token; joined, the texts are the statement."""
    for found in _TOKEN.finditer(sql):
        kind = "quoted" if found["tag"] is not None else str(found.lastgroup)
        yield kind, found.group()


def bare(sql: str) -> str:
    """The statement without what ends it, so that it fits in brackets before a line end."""
    kept = list(tokens(sql))
    while kept and kept[-1][0] in {"space", "comment", "end"}:
        kept.pop()
    return "".join(text for _, text in kept).lstrip()


def check_reading(sql: str) -> None:
    """Let only one statement pass that may give rows, and that has no word of writing.

    Raises:
        Failure: Of class `syntax` where there is no statement, `permission` where it is no query.
    """
    said = [(kind, text) for kind, text in tokens(bare(sql)) if kind not in {"space", "comment"}]
    if not said:
        raise Failure(ErrorClass.SYNTAX, "the query is empty")
    words = [text.upper() for kind, text in said if kind != "quoted"]
    if said[0][1].upper() not in _READING:
        raise Failure(
            ErrorClass.PERMISSION,
            f"the statement begins with {said[0][1][:40]}; only one query is read, as SELECT",
        )
    refused = next((word for word in words if word in _WRITING), "")
    if refused or ";" in words:
        what = f"the word {refused}" if refused else "a second statement"
        raise Failure(
            ErrorClass.PERMISSION,
            f"the query holds {what}; only one query that writes nothing is read here. "
            "A column of that name is written in quotes",
        )


def named(sql: str, params: Collection[str], put: Callable[[str], str]) -> tuple[str, set[str]]:
    """The statement with something else for each `:name` that has a value, and their names.

    Args:
        sql: The statement; a `:` before any other name is its own affair.
        params: Names that have values.
        put: What to write for a name.
    """
    out, used = [], set()
    for kind, text in tokens(sql):
        if kind == "parameter" and text[1:] in params:
            used.add(text[1:])
            out.append(put(text[1:]))
        else:
            out.append(text)
    return "".join(out), used


def as_core_text(sql: str, params: Collection[str]) -> tuple[str, set[str]]:
    """The statement for SQLAlchemy's `text()`, and the names of the values in it.

    It sees a parameter behind every colon that no backslash stands before.
    """
    out, used = [], set()
    for kind, text in tokens(sql):
        if kind == "parameter" and text[1:] in params:
            used.add(text[1:])
            out.append(text)
        else:
            out.append(text.replace(":", r"\:"))
    return "".join(out), used
