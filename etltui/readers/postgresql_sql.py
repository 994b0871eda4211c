"""Takes a PostgreSQL statement apart just far enough to find its parameters, comments and end."""

import re
from collections.abc import Callable, Iterator, Mapping

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.job import Scalar
from etltui.readers.tokens import NOTHING, end_of_block, nameless, value_of, without_end

_GAP = r"(?:[\x20\t\f\v]|--[^\n\r]*)*[\n\r](?:\s|--[^\n\r]*[\n\r])*"
"""Between two strings that are one: at least a line end."""
_TOKEN = re.compile(
    rf"""
      (?P<space>\s+)
    | (?P<comment>--[^\n\r]*)
    | (?P<block>/\*)
    | (?P<escaped>[eE]'(?:[^'\\]|\\.|'')*'(?:{_GAP}'(?:[^'\\]|\\.|'')*')*)
    | (?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*")
    | (?P<dollar>\$(?P<tag>(?:[A-Za-z_\u0080-\U0010ffff][\w\u0080-\U0010ffff]*)?)\$
        .*?\$(?P=tag)\$)
    | (?P<word>[A-Za-z_\u0080-\U0010ffff][\w$\u0080-\U0010ffff]*)
    | (?P<number>[0-9][\w.]*)
    | (?P<position>\$[0-9]+)
    | (?P<cast>::|:=)
    | (?P<parameter>:[A-Za-z_\u0080-\U0010ffff][\w\u0080-\U0010ffff]*)
    | (?P<end>;)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
"""As PostgreSQL's own tokenizer with standard_conforming_strings: a backslash escapes in E'' only,
and a string that goes on in the next line is still of the kind that its beginning was."""

_READING = frozenset({"SELECT", "WITH", "VALUES", "TABLE", "("})
_SLICE = "; a slice of an array is written with a space, as in a[1: n]"


def tokens(sql: str) -> Iterator[tuple[str, str]]:
    """The kind and text of each token; joined, the texts are the statement."""
    position = 0
    while found := _TOKEN.match(sql, position):
        kind, start = str(found.lastgroup), position
        position = found.end()
        if kind == "block":
            kind, position = "comment", end_of_block(sql, position)
        if found["tag"] is not None:
            kind = "quoted"
        yield "quoted" if kind == "escaped" else kind, sql[start:position]


def bare(sql: str) -> str:
    """See `without_end`."""
    return without_end(tokens(sql))


def check_reading(sql: str) -> None:
    """Let only a statement pass that may give rows without writing any.

    The server's read-only transaction is what refuses the rest; this makes the sentence clear.

    Raises:
        Failure: Of class `syntax` where there is no statement, `permission` where it is no query.
    """
    for kind, text in tokens(sql):
        if kind in NOTHING:
            continue
        if kind == "end":
            break
        if text.upper() in _READING:
            return
        raise Failure(
            ErrorClass.PERMISSION,
            f"the statement begins with {text[:40]}; only SELECT, WITH, VALUES and TABLE are read",
        )
    raise Failure(ErrorClass.SYNTAX, "the query is empty")


def numbered(sql: str, params: Mapping[str, Scalar]) -> tuple[str, tuple[str, ...]]:
    """The statement with `$1`, `$2` … for its `:name`s, and their names in that order.

    Raises:
        Failure: Of class `syntax`; a name has no value, or a `$1` stands in the statement.
    """
    names: dict[str, int] = {}

    def number(name: str) -> str:
        return f"${names.setdefault(name, len(names) + 1)}"

    return _replaced(sql, params, number), tuple(names)


def bound(sql: str, literals: Mapping[str, str], params: Mapping[str, Scalar]) -> str:
    """The statement with a literal in place of each `:name`: COPY takes no parameters."""
    return _replaced(sql, params, literals.__getitem__)


def _replaced(sql: str, params: Mapping[str, Scalar], put: Callable[[str], str]) -> str:
    out = []
    for kind, text in tokens(sql):
        if kind == "position":
            raise nameless(text)
        if kind == "parameter":
            value_of(text, params, _SLICE)
            out.append(put(text[1:]))
        else:
            out.append(text)
    return "".join(out)


def literal(value: Scalar, kind: str) -> str:
    """A value as a literal of a type, which is named as SQL names it.

    Raises:
        Failure: Of class `value`; the text holds a NUL character, which PostgreSQL cannot.
    """
    if value is None:
        return f"NULL::{kind}"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if "\0" in text:
        raise Failure(ErrorClass.VALUE, "a bind value holds a NUL character")
    return f"{quoted(text)}::{kind}"


def quoted(text: str) -> str:
    """A text as a literal; a backslash is a character as any other."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name as an identifier."""
    return '"' + name.replace('"', '""') + '"'
