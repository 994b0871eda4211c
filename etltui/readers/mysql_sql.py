"""Takes a MySQL statement apart just far enough to find its parameters, comments and end."""

import re
from collections.abc import Iterator, Mapping

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.job import Scalar
from etltui.readers.tokens import NOTHING, nameless, value_of, without_end

_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<command>/\*M?!)
    | (?P<comment>--(?=[\x00-\x20]|\Z)[^\n]*|\#[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<quoted>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`]|``)*`)
    | (?P<word>[A-Za-z_$\u0080-\U0010ffff][\w$\u0080-\U0010ffff]*)
    | (?P<number>[0-9][\w.]*)
    | (?P<assign>:=)
    | (?P<parameter>:[A-Za-z_\u0080-\U0010ffff][\w\u0080-\U0010ffff]*)
    | (?P<position>\?)
    | (?P<end>;)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
"""As the server's own tokenizer under the sql_mode of our sessions: a backslash escapes, double
quotes are a text's, comments do not nest, and two dashes begin one only before a blank."""

_READING = frozenset({"SELECT", "WITH", "VALUES", "TABLE", "("})
_LOCKING = {("FOR", "UPDATE"), ("FOR", "SHARE"), ("LOCK", "IN")}


def tokens(sql: str) -> Iterator[tuple[str, str]]:
    """The kind and text of each token; joined, the texts are the statement."""
    for found in _TOKEN.finditer(sql):
        yield str(found.lastgroup), found.group()


def bare(sql: str) -> str:
    """See `without_end`."""
    return without_end(tokens(sql))


def check_reading(sql: str) -> None:
    """Let only a statement pass that reads: the server's read-only transaction is not enough.

    MariaDB's lets files be written at the server (INTO OUTFILE), and a comment with an exclamation
    mark is no comment.

    Raises:
        Failure: Of class `syntax` where there is no statement, `permission` where it is no query.
    """
    told = [(kind, text.upper()) for kind, text in tokens(sql) if kind not in NOTHING]
    if not told:
        raise Failure(ErrorClass.SYNTAX, "the query is empty")
    if any(kind == "command" for kind, _ in told):
        raise _refused("the query has a comment that is executed (/*! … */); write it out")
    if told[0][1] not in _READING:
        raise _refused(
            f"the statement begins with {told[0][1][:40]}; only SELECT, WITH, VALUES and TABLE "
            "are read",
        )
    before = ("", "")
    for here, after in zip(told, [*told[1:], ("", "")], strict=True):
        # Behind a point stands a name, whatever it reads like.
        if here[0] == "word" and before[1] != ".":
            _check_word(here[1], after[1])
        before = here


def _check_word(word: str, after: str) -> None:
    if word == "INTO":
        raise _refused("the query writes INTO a file or a variable; take that part out")
    if (word, after) in _LOCKING:
        raise _refused(f"the query locks rows ({word} {after}); take that part out")


def _refused(words: str) -> Failure:
    return Failure(ErrorClass.PERMISSION, words)


def bound(sql: str, params: Mapping[str, Scalar]) -> str:
    """The statement with a literal in place of each `:name`.

    Raises:
        Failure: Of class `syntax`; a name has no value, or a `?` stands in the statement.
    """
    out = []
    for kind, text in tokens(sql):
        if kind == "position":
            raise nameless(text)
        if kind == "parameter":
            out.append(literal(value_of(text, params)))
        else:
            out.append(text)
    return "".join(out)


def literal(value: Scalar) -> str:
    """A value as a literal of its type, for the sql_mode and character set of our sessions.

    Raises:
        Failure: Of class `value`; the number is not finite, which MySQL knows no word for.
    """
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return f"({value})" if value < 0 else str(value)
    if isinstance(value, float):
        return _float(value)
    return quoted(value)


def _float(value: float) -> str:
    if value - value != 0:
        raise Failure(ErrorClass.VALUE, f"a bind value is {value}, which MySQL cannot take")
    # With an exponent it is a double; without one it would be a decimal.
    digits = repr(value)
    digits = digits if "e" in digits else f"{digits}e0"
    return f"({digits})" if value < 0 else digits


def quoted(text: str) -> str:
    """A text as a literal."""
    escaped = text.replace("\\", "\\\\").replace("'", "''").replace("\0", "\\0")
    return f"'{escaped}'"
