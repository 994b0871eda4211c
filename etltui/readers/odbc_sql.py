"""Takes a statement apart, by its dialect's own tokens, to bind its parameters and see its kind."""

import re
from collections.abc import Callable, Iterator, Mapping

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.job import Scalar
from etltui.readers.tokens import NOTHING, Tokens, nameless, value_of, without_end

_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`)
    | (?P<word>[A-Za-z_\u0080-\U0010ffff][\w$\#@\u0080-\U0010ffff]*)
    | (?P<number>[0-9][\w.]*)
    | (?P<cast>::|:=)
    | (?P<parameter>:[A-Za-z_\u0080-\U0010ffff][\w\u0080-\U0010ffff]*)
    | (?P<position>\?)
    | (?P<end>;)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
"""As the standard has it; a dialect that differs brings its own."""
_READING = frozenset({"SELECT", "WITH", "VALUES", "TABLE", "("})
_WRITING = frozenset({"INTO", "INSERT", "UPDATE", "DELETE", "MERGE", "EXEC", "EXECUTE", "CALL"})


def tokens(sql: str) -> Iterator[tuple[str, str]]:
    """The tokens of a statement in standard SQL."""
    for found in _TOKEN.finditer(sql):
        yield str(found.lastgroup), found.group()


def bare(sql: str, split: Tokens) -> str:
    """The statement as `without_end` leaves it, if it is one only.

    Raises:
        Failure: Of class `permission`; there are several statements.
    """
    kept = without_end(split(sql))
    if any(kind == "end" for kind, _ in split(kept)):
        raise Failure(
            ErrorClass.PERMISSION,
            "the query is more than one statement; give each its own query",
        )
    return kept


def check_reading(sql: str, split: Tokens = tokens, *, strictly: bool = True) -> None:
    """Let only a statement pass that reads.

    Args:
        sql: Bare.
        split: The dialect's tokens.
        strictly: Whether nobody behind us refuses to write, so that no word may say so either.

    Raises:
        Failure: Of class `syntax` where there is no statement, `permission` where it is no query.
    """
    told = [(kind, text.upper()) for kind, text in split(sql) if kind not in NOTHING]
    if not told:
        raise Failure(ErrorClass.SYNTAX, "the query is empty")
    if told[0][1] not in _READING:
        raise Failure(
            ErrorClass.PERMISSION,
            f"the statement begins with {told[0][1][:40]}; only SELECT, WITH, VALUES and TABLE "
            "are read",
        )
    before = ""
    for kind, text in told:
        # Behind a point stands a name, whatever it reads like.
        if strictly and kind == "word" and text in _WRITING and before != ".":
            raise Failure(
                ErrorClass.PERMISSION,
                f"the query says {text}, and only reading is allowed; quote it if it is a name",
            )
        before = text


def positional(
    sql: str,
    params: Mapping[str, Scalar],
    split: Tokens = tokens,
    *,
    written: Callable[[Scalar], str] | None = None,
) -> tuple[str, tuple[Scalar, ...]]:
    """The statement with a `?` for each `:name`, and the values in that order.

    Args:
        sql: With names.
        params: Their values.
        split: The dialect's tokens.
        written: How a value is written into the statement; None: there are question marks.

    Raises:
        Failure: Of class `syntax`; a name has no value, or a `?` stands in the statement.
    """
    out: list[str] = []
    values: list[Scalar] = []
    for kind, text in split(sql):
        if kind not in {"quoted", "comment"} and "?" in text:
            raise nameless("?")
        if kind != "parameter":
            out.append(text)
            continue
        value = value_of(text, params)
        out.append(written(value) if written else "?")
        values += [] if written else [value]
    return "".join(out), tuple(values)


def literal(value: Scalar) -> str:
    """A value as standard SQL writes it.

    Raises:
        Failure: Of class `value`; there is no way to write it.
    """
    if value is None:
        return "NULL"
    if isinstance(value, str):
        if "\0" in value:
            raise Failure(ErrorClass.VALUE, "a bind value holds a NUL character")
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, float) and value - value != 0:
        raise Failure(ErrorClass.VALUE, f"a bind value is {value}, which cannot be written")
    return f"({int(value) if isinstance(value, bool) else value!r})"
