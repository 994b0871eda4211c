"""Takes a query apart into words, as its database would: what stands in texts is no word."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto


class Sort(Enum):
    """What a token is."""

    WORD = auto()
    """A keyword or a name without quotes."""
    NAME = auto()
    """A name in quotes, or one that cannot be a keyword where it stands."""
    VALUE = auto()
    SIGN = auto()
    RUNS = auto()
    """A comment whose text the database runs."""


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a query.

    Attributes:
        text: A word in capitals, a name without its quotes, one sign; of a value nothing.
        line: From 1.
    """

    sort: Sort
    text: str
    line: int


class UnclearError(ValueError):
    """A text, name or comment does not end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lexing:
    """How a dialect writes texts, names and comments.

    Attributes:
        backslash: Whether one keeps a quote from ending a text.
        escaped: Whether it does so in `E'…'`.
        dollars: Whether `$tag$…$tag$` is a text.
        nested: Whether comments hold comments.
        brackets: Whether `[…]` is a name.
        hashes: Whether `#` begins a comment.
        spaced: Whether `--` does only with a space behind it.
        runs: Whether what stands in `/*! … */` is run.
        sigils: Signs that make a name of the word behind them.
    """

    backslash: bool = False
    escaped: bool = False
    dollars: bool = False
    nested: bool = False
    brackets: bool = False
    hashes: bool = False
    spaced: bool = False
    runs: bool = False
    sigils: str = ":@"


_POSTGRESQL = Lexing(escaped=True, dollars=True, nested=True, sigils=":")
_MYSQL = Lexing(backslash=True, hashes=True, spaced=True, runs=True)
_PLAIN = Lexing(runs=True)
LEXINGS: Mapping[str, tuple[Lexing, ...]] = {
    "postgresql": (_POSTGRESQL,),
    "duckdb": (_POSTGRESQL,),
    "mysql": (_MYSQL,),
    "mssql": (Lexing(nested=True, brackets=True, sigils="@#"),),
    "sqlite": (Lexing(brackets=True),),
    "oracle": (Lexing(),),
    "snowflake": (Lexing(backslash=True, dollars=True),),
}
"""How each dialect is taken apart."""
ANY = (
    _PLAIN,
    Lexing(brackets=True, runs=True, sigils="@#"),
    Lexing(backslash=True, runs=True),
    Lexing(dollars=True, escaped=True, runs=True),
)
"""The ways in which a query of an unknown dialect may be meant."""

_SPACE = re.compile(r"\s+")
_LINE = re.compile(r"[^\n]*")
# Python counts the vowel signs of Indic and other scripts and loose accents as no part of a word.
_WORD = re.compile("[^\\W\\d][\\w$\u0300-\u036f\u0900-\u0dff\u0e00-\u0eff\u1000-\u109f]*")
# 1e without digits is a number for SQL Server: what stands behind it is a word of its own.
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]*|\.?\d[\d_.]*(?:[eE][+-]?\d*)?")
_TAG = re.compile(r"\$(?:[^\W\d]\w*)?\$")
_MARK = re.compile(r"/\*|\*/")
_RUN = re.compile(r"/\*M?!")


class _Reader:
    """Reads a query from its begin to its end, once."""

    def __init__(self, sql: str, way: Lexing) -> None:
        self._sql = sql
        self._way = way
        self._at = 0

    def tokens(self) -> Iterator[Token]:
        """All tokens; comments and spaces are none."""
        before, line = "", 1
        while self._at < len(self._sql):
            begin = self._at
            found = self._next(before)
            before = self._sql[self._at - 1]
            if found is not None:
                sort, text = found
                yield Token(sort, text, line)
            line += self._sql.count("\n", begin, self._at)

    def _next(self, before: str) -> tuple[Sort, str] | None:
        """The token that begins here, None for a comment or space.

        Args:
            before: The character before it.
        """
        sign = self._sql[self._at]
        if sign.isspace():
            self._skip(_SPACE)
            return None
        if (comment := self._comment()) is not None:
            return (Sort.RUNS, "") if comment else None
        if sign in "'\"`" or (sign == "[" and self._way.brackets):
            return self._quoted(sign, backslash=self._way.backslash and sign != "`")
        if sign == "$" and self._way.dollars and (tag := _TAG.match(self._sql, self._at)):
            self._until(tag[0], self._at + len(tag[0]))
            return Sort.VALUE, ""
        return self._plain(sign, before)

    def _plain(self, sign: str, before: str) -> tuple[Sort, str]:
        """A word, number or sign."""
        if word := _WORD.match(self._sql, self._at):
            self._at = word.end()
            following = self._sql[self._at : self._at + 1]
            if self._way.escaped and word[0] in "eE" and following == "'":
                return self._quoted("'", backslash=True)
            named = before and before in self._way.sigils
            return Sort.NAME if named else Sort.WORD, word[0].upper()
        if number := _NUMBER.match(self._sql, self._at):
            self._at = number.end()
            return Sort.VALUE, ""
        self._at += 1
        return Sort.SIGN, sign

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self._sql, self._at)
        self._at = found.end() if found else self._at

    def _until(self, end: str, start: int) -> None:
        found = self._sql.find(end, start)
        if found < 0:
            raise UnclearError(end)
        self._at = found + len(end)

    def _comment(self) -> bool | None:
        """Skip a comment; whether the database runs it, None where there is none."""
        here = self._sql[self._at : self._at + 3]
        dashes = here.startswith("--") and (not self._way.spaced or not here[2:].strip())
        if dashes or (here.startswith("#") and self._way.hashes):
            self._skip(_LINE)
            return False
        if not here.startswith("/*"):
            return None
        runs = self._way.runs and _RUN.match(self._sql, self._at) is not None
        self._block()
        return runs

    def _block(self) -> None:
        """Skip a comment in `/* */`."""
        if not self._way.nested:
            self._until("*/", self._at + 2)
            return
        depth = 0
        for mark in _MARK.finditer(self._sql, self._at):
            depth += 1 if mark[0] == "/*" else -1
            if not depth:
                self._at = mark.end()
                return
        raise UnclearError("*/")

    def _quoted(self, sign: str, *, backslash: bool) -> tuple[Sort, str]:
        """A text or a name; its closing quote twice stands for itself."""
        end = "]" if sign == "[" else sign
        begin = at = self._at + 1
        while at < len(self._sql):
            if backslash and self._sql[at] == "\\":
                at += 2
            elif self._sql[at] != end:
                at += 1
            elif self._sql[at + 1 : at + 2] == end:
                at += 2
            else:
                self._at = at + 1
                return (Sort.VALUE, "") if sign == "'" else (Sort.NAME, self._sql[begin:at])
        raise UnclearError(end)


def tokens(sql: str, way: Lexing) -> list[Token]:
    """The tokens of a query, taken apart in this way.

    Raises:
        UnclearError: Something in it does not end.
    """
    return list(_Reader(sql, way).tokens())
