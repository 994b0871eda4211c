"""Takes a T-SQL statement apart just far enough to prove that it only reads, and to bind values."""

import re
from collections.abc import Iterator, Mapping, Sequence

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.job import Scalar
from etltui.readers.tokens import NOTHING, end_of_block, nameless, value_of, without_end

_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<comment>--[^\n\r]*)
    | (?P<block>/\*)
    | (?P<quoted>[nN]?'(?:[^']|'')*'|"(?:[^"]|"")*"|\[(?:[^\]]|\]\])*\])
    | (?P<word>[^\W\d][\w@$\#]*|[@\#][\w@$\#]*)
    | (?P<number>[0-9][\w.]*)
    | (?P<scope>::)
    | (?P<parameter>:[^\W\d]\w*)
    | (?P<mark>\?)
    | (?P<escape>[{}])
    | (?P<end>;)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)

_CALLS = frozenset({"EXEC", "EXECUTE"})
_NAMES = frozenset({"word", "quoted"})
_READING = frozenset({"SELECT", "WITH", "("})
_REFUSED = frozenset(
    {
        "ALTER",
        "BACKUP",
        "BEGIN",
        "BREAK",
        "BULK",
        "CHECKPOINT",
        "CLOSE",
        "COMMIT",
        "CONTINUE",
        "CREATE",
        "DBCC",
        "DEALLOCATE",
        "DECLARE",
        "DELETE",
        "DENY",
        "DISK",
        "DROP",
        "DUMP",
        "EXEC",
        "EXECUTE",
        "GOTO",
        "GRANT",
        "IF",
        "INSERT",
        "INTO",
        "KILL",
        "LOAD",
        "OPEN",
        "OPENDATASOURCE",
        "OPENQUERY",
        "OPENROWSET",
        "PRINT",
        "PROC",
        "PROCEDURE",
        "RAISERROR",
        "READTEXT",
        "RECONFIGURE",
        "RESTORE",
        "RETURN",
        "REVERT",
        "REVOKE",
        "ROLLBACK",
        "SAVE",
        "SET",
        "SETUSER",
        "SHUTDOWN",
        "TRAN",
        "TRANSACTION",
        "TRUNCATE",
        "UPDATE",
        "UPDATETEXT",
        "USE",
        "WAITFOR",
        "WHILE",
        "WRITETEXT",
    }
)
"""Reserved words that no query holds outside of quotes and brackets: T-SQL needs no semicolon
between two statements, so each of these may begin another."""
_JOINS = frozenset({"JOIN", "UNION"})
"""What follows MERGE where it is a hint."""
_LONGEST = 4000
"""Characters of an nvarchar that is not nvarchar(max)."""


def tokens(sql: str) -> Iterator[tuple[str, str]]:
    """The kind and text of each token; joined, the texts are the statement."""
    position = 0
    while found := _TOKEN.match(sql, position):
        kind, start = str(found.lastgroup), position
        position = found.end()
        if kind == "block":
            kind, position = "comment", end_of_block(sql, position)
        yield kind, sql[start:position]


def bare(sql: str) -> str:
    """The statement without what ends it."""
    return without_end(tokens(sql))


def check_reading(sql: str, procedures: Sequence[str] = ()) -> None:
    """Let only one statement pass, and only one that gives rows without writing any.

    SQL Server has no read-only transaction, so this is proved here, before the rollback and the
    rights of the user.

    Args:
        sql: The statement.
        procedures: Names of those that it may call; what they do is for whoever lists them.

    Raises:
        Failure: Of class `syntax` where there is no statement, `permission` where it is no query.
    """
    told = [(kind, text) for kind, text in tokens(bare(sql)) if kind not in NOTHING]
    if not told:
        raise Failure(ErrorClass.SYNTAX, "the query is empty")
    first = told[0][1]
    if first.upper() in _CALLS:
        told = told[_check_call(told, procedures) :]
    elif first.upper() not in _READING:
        raise Failure(
            ErrorClass.PERMISSION,
            f"the statement begins with {first[:40]}; only SELECT and WITH are read",
        )
    for number, (kind, text) in enumerate(told):
        _check_token(kind, text, told[number + 1][1] if number + 1 < len(told) else "")


def _check_call(told: Sequence[tuple[str, str]], procedures: Sequence[str]) -> int:
    """How many tokens the call of a procedure has up to its name, which must be listed."""
    end = 1
    while end < len(told) and (told[end][1] == "." if end % 2 == 0 else told[end][0] in _NAMES):
        end += 1
    name = "".join(_unquoted(text) for _, text in told[1:end])
    if name.casefold() not in {each.casefold() for each in procedures}:
        raise Failure(
            ErrorClass.PERMISSION,
            f"the query calls {name[:80] or 'what is no procedure'}, which is not among the job's "
            "procedures; only SELECT and WITH are read",
        )
    return end


def _unquoted(name: str) -> str:
    """A part of a name; one with a dot of its own keeps its brackets, and so is no two parts."""
    if name[:1] not in {"[", '"'} or "." in name:
        return name
    return name[1:-1].replace("]]", "]") if name[0] == "[" else name[1:-1].replace('""', '"')


def _check_token(kind: str, text: str, following: str) -> None:
    word = text.upper() if kind == "word" else ""
    if kind == "end":
        raise Failure(ErrorClass.PERMISSION, "there is more than one statement; write one query")
    if word in _REFUSED or (word == "MERGE" and following.upper() not in _JOINS):
        raise Failure(
            ErrorClass.PERMISSION,
            f"the query holds {word}, which does more than read; a column of this name is written "
            f"[{text}]",
        )
    if kind == "escape":
        raise Failure(
            ErrorClass.SYNTAX,
            f"the query holds {text}, which is no T-SQL; write ODBC's escapes as SQL Server's own",
        )


def numbered(sql: str, params: Mapping[str, Scalar]) -> tuple[str, tuple[Scalar, ...]]:
    """The statement with a question mark for each `:name`, and their values in that order.

    Raises:
        Failure: Of class `syntax`; a name has no value, or a question mark stands in the statement.
    """
    out: list[str] = []
    values: list[Scalar] = []
    for kind, text in tokens(sql):
        if kind == "mark":
            raise nameless(text)
        if kind == "parameter":
            values.append(value_of(text, params))
        out.append("?" if kind == "parameter" else text)
    return "".join(out), tuple(values)


def declared(sql: str, params: Mapping[str, Scalar]) -> str:
    """The statement as a text of its own, its values in variables: where none can be bound.

    Raises:
        Failure: Of class `syntax`; a name has no value.
    """
    asked, _ = numbered(sql, params)
    names = list(dict.fromkeys(text[1:] for kind, text in tokens(sql) if kind == "parameter"))
    if not names:
        return asked
    out = (f"@{text[1:]}" if kind == "parameter" else text for kind, text in tokens(sql))
    values = ", ".join(f"@{name} {_literal(params[name])}" for name in names)
    return f"DECLARE {values};\n{''.join(out)}"


def _literal(value: Scalar) -> str:
    """A type and a value of it, as a declaration has them."""
    if value is None:
        return "nvarchar(1) = NULL"
    if isinstance(value, bool):
        return f"bit = {int(value)}"
    if isinstance(value, int):
        return f"decimal(38,0) = {value}" if abs(value) >= 2**63 else f"bigint = {value}"
    if isinstance(value, float):
        return f"float = {value!r}"
    size = "max" if len(value) > _LONGEST else str(_LONGEST)
    quoted = value.replace("'", "''")
    return f"nvarchar({size}) = N'{quoted}'"


def gently(sql: str, maxdop: int) -> str:
    """The statement with a limit to its processors, where it says nothing of the kind itself."""
    if not maxdop:
        return sql
    words = {text.upper() for kind, text in tokens(sql) if kind == "word"}
    if "OPTION" in words:
        return sql
    # On a line of its own: the statement may end with a comment.
    return f"{sql}\nOPTION (MAXDOP {maxdop})"
