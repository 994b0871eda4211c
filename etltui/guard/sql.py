"""Says whether a query only reads, before any database is asked.

Somebody pastes UPDATE where a SELECT belongs: that is what this keeps from 500 branches. It is no
fence against somebody who means harm; the databases' own read-only transactions and the rights of
the user stand behind it.

A query is taken apart into words as its dialect does it, so that texts, quoted names and comments
never confuse it. It may run where it is one statement that begins as a query does and holds no
word that could begin a change. Where such a word may as well be a name, as `update` may in
PostgreSQL, a parser decides, and what it cannot parse is refused. A query without any such word
runs although no parser knows it: refusing by mistake would be worse, since the database says
itself what it does not understand.
"""

from collections.abc import Sequence

from etltui.domain.task import GuardTask
from etltui.guard import lexing, words
from etltui.guard.lexing import Lexing, Sort, Token, UnclearError

_NO_CHANGE = "a job only reads"


class _Refused(Exception):  # noqa: N818 - a signal inside this file, not an error
    """The query may not run, and why."""


class _Unsure(_Refused):
    """The query may not run unless a parser says that it only reads."""


def _where(token: Token) -> str:
    return f"{token.text} in line {token.line}"


class _Query:
    """A query taken apart in one way."""

    def __init__(self, task: GuardTask, way: Lexing) -> None:
        self._task = task
        self._dialect = task.dialect
        found = lexing.tokens(task.sql, way)
        self._tokens = _one_statement(_unset(found) if task.dialect == "mssql" else found)

    def check(self) -> None:
        """Return where it may run.

        Raises:
            _Refused: It may not.
            _Unsure: Words alone do not tell.
        """
        run = next((each for each in self._tokens if each.sort is Sort.RUNS), None)
        if run is not None:
            line = f"the comment in line {run.line}"
            raise _Refused(f"{line} begins with ! and is run by MySQL as if it were none")
        first = next((each for each in self._tokens if each.text not in {"(", "{"}), None)
        if first is None:
            raise _Refused("it is empty")
        reads = words.READS[""] | words.READS.get(self._dialect, frozenset())
        if first.sort is Sort.WORD and first.text in words.CALLS:
            self._check_call(self._tokens.index(first))
        elif first.sort is not Sort.WORD or first.text not in reads:
            raise _Refused(f"it begins with {first.text or 'a value'}, and {_NO_CHANGE}")
        unsure = [problem for place in range(len(self._tokens)) if (problem := self._at(place))]
        if unsure:
            raise _Unsure(unsure[0])

    def _check_call(self, place: int) -> None:
        """Refuse a call of a procedure that the job does not list."""
        call = self._tokens[place]
        if self._dialect not in words.CALLING:
            raise _Refused(f"it begins with {call.text}, and the database has no procedures")
        name = self._procedure(place + 1)
        allowed = {each.casefold() for each in self._task.procedures}
        if name.casefold() not in allowed:
            what = f"the procedure {name.lower()}" if name else "what is no procedure's name"
            raise _Refused(f"{_where(call)} calls {what}, which is not among the job's procedures")
        # The word itself has been dealt with.
        self._tokens[place] = Token(Sort.NAME, call.text, call.line)

    def _procedure(self, place: int) -> str:
        """The name that is called there, its parts joined by dots; empty where there is none."""
        rest = self._tokens[place:]
        if [each.text for each in rest[:1]] == ["@"] and [e.text for e in rest[2:3]] == ["="]:
            rest = rest[3:]  # EXEC @code = name
        parts = []
        for number, each in enumerate(rest):
            if number % 2 == 0 and each.sort in {Sort.WORD, Sort.NAME}:
                parts.append(each.text)
            elif number % 2 == 0 or each.text != ".":
                break
        return ".".join(parts)

    def _at(self, place: int) -> str:
        """What a word there may do, where it may as well be a name; empty where it does nothing.

        Raises:
            _Refused: It cannot be anything but a change.
        """
        self._check_function(place)
        if self._tokens[place].sort is not Sort.WORD or self._is_part(place):
            return ""
        self._check_clause(place)
        if self._dialect == "mssql":
            self._check_statement(place)
            return ""
        return self._change(place)

    def _text(self, place: int) -> str:
        """The text of a token, empty behind the last and before the first."""
        return self._tokens[place].text if 0 <= place < len(self._tokens) else ""

    def _is_part(self, place: int) -> bool:
        """Whether it stands behind a name and a dot: `t.update`."""
        if place < 2 or self._text(place - 1) != ".":
            return False
        return self._tokens[place - 2].sort in {Sort.WORD, Sort.NAME}

    def _check_function(self, place: int) -> None:
        token = self._tokens[place]
        named = token.sort in {Sort.WORD, Sort.NAME} and self._text(place + 1) == "("
        changing = words.FUNCTIONS.get(self._dialect, frozenset())
        if not self._dialect:
            changing = words.EVERY_FUNCTION
        if named and token.text.upper() in changing:
            raise _Refused(
                f"the function {token.text.lower()} in line {token.line} changes something"
            )

    def _check_clause(self, place: int) -> None:
        """Refuse what makes a change of a SELECT, or a lock."""
        token = self._tokens[place]
        said = " ".join(each.text for each in self._tokens[place : place + 3])
        found = next(
            (clause for clause in words.CLAUSES if f"{said} ".startswith(f"{clause} ")), ""
        )
        names = self._dialect == "duckdb" and said.startswith("INTO NAME")  # UNPIVOT's
        if found and not names:
            what = words.CLAUSES[found]
            raise _Refused(f"{found} in line {token.line} {what}, and {_NO_CHANGE}")

    def _check_statement(self, place: int) -> None:
        """Refuse a word that begins a statement of SQL Server wherever it stands."""
        token, following = self._tokens[place], self._text(place + 1)
        hints = words.FOLLOWED.get(token.text, frozenset())
        if token.text in words.BEGINS_STATEMENT and following not in hints:
            raise _Refused(f"{_where(token)} begins a statement of its own, and {_NO_CHANGE}")
        if token.text in words.LOCKING_HINTS:
            raise _Refused(f"{_where(token)} locks rows, and {_NO_CHANGE}")

    def _change(self, place: int) -> str:
        """What a word may change, as it stands where a change may begin."""
        token, behind = self._tokens[place], self._text(place + 1)
        unknown = not self._dialect
        doubted = words.CHANGES | (words.HARMFUL if unknown else frozenset())
        if token.text not in doubted or behind in words.FOLLOWED.get(token.text, ()):
            return ""
        if behind == "(" and token.text not in words.TAKES_TEXT:
            return ""  # REPLACE(…), INSERT(…), TRUNCATE(…) are functions
        problem = f"{_where(token)} begins a change, and {_NO_CHANGE}"
        if unknown and (behind == "(" or self._ends(place - 1)):
            raise _Refused(problem)
        begins = self._text(place - 1) in {"(", "*"} or self._is_main(place)
        return problem if begins else ""

    def _ends(self, place: int) -> bool:
        """Whether an expression ends there, so that no name stands behind it but an alias."""
        token = self._tokens[place]
        if token.sort is Sort.WORD:
            return token.text not in words.BEFORE_NAME
        return token.sort is not Sort.SIGN or token.text in {")", "]"}

    def _is_main(self, place: int) -> bool:
        """Whether it may begin what stands behind `WITH … AS (…)`: no query has begun before."""
        depth = 0
        for each in self._tokens[:place]:
            depth += {"(": 1, ")": -1}.get(each.text, 0) if each.sort is Sort.SIGN else 0
            begun = each.sort is Sort.WORD and each.text in words.READS[""] - {"WITH"}
            if begun and not depth:
                return False
        return not depth


def _unset(found: list[Token]) -> list[Token]:
    """The tokens behind what a query of SQL Server sets of its session and may."""
    while count := _setting(found[:4]):
        found = found[count:]
        if found and (found[0].sort, found[0].text) == (Sort.SIGN, ";"):
            found = found[1:]
    return found


def _setting(found: list[Token]) -> int:
    """How many tokens the setting has that stands there; 0 where none does, or none that may."""
    begins = [each.text for each in found[:2] if each.sort is Sort.WORD]
    if len(found) < 3 or len(begins) < 2 or begins[0] != "SET" or begins[1] not in words.SETTINGS:
        return 0
    what, value = begins[1], found[2]
    if value.sort is Sort.WORD and value.text in words.SETTINGS[what]:
        return 3
    if what == "LANGUAGE":
        return 4 if _is_national(found) else 3 if value.sort is not Sort.SIGN else 0
    if what not in words.NUMBERED:
        return 0
    negative = (value.sort, value.text) == (Sort.SIGN, "-")
    if negative and found[3:] and found[3].sort is Sort.VALUE:
        return 4
    return 3 if value.sort is Sort.VALUE else 0


def _is_national(found: list[Token]) -> bool:
    """Whether the third and the fourth token are a text with the letter N before it."""
    letter, text = found[2], found[3:]
    return (letter.sort, letter.text) == (Sort.WORD, "N") and [e.sort for e in text] == [Sort.VALUE]


def _one_statement(found: list[Token]) -> list[Token]:
    """The tokens without the semicolon at their end."""
    ends = [each for each in found if (each.sort, each.text) == (Sort.SIGN, ";")]
    while found and found[-1] in ends:
        found.pop()
    more = next((each for each in found if each in ends), None)
    if more is not None:
        raise _Refused(f"it holds more than one statement: one ends in line {more.line}")
    return found


def _problem(task: GuardTask, way: Lexing) -> str:
    """Why a query that is meant in this way may not run; empty where it may."""
    try:
        _Query(task, way).check()
    except (_Unsure, UnclearError) as doubt:
        # Loaded where it is needed: 0.3 s and 32 MB that most queries do without.
        from etltui.guard.tree import only_reads  # noqa: PLC0415

        if only_reads(task.sql, task.dialect):
            return ""
        unclear = isinstance(doubt, UnclearError)
        return f"a text, name or comment in it lacks its closing {doubt}" if unclear else str(doubt)
    except _Refused as refused:
        return str(refused)
    return ""


def refusal(task: GuardTask) -> str:
    """Why a query may not run, as a part of a sentence; empty where it may.

    One of an unknown dialect may run where it only reads in any of the ways in which it may be
    meant.
    """
    ways = lexing.LEXINGS.get(task.dialect, lexing.ANY)
    problems = [_problem(task, way) for way in ways]
    return "" if "" in problems else problems[0]


def refusals(tasks: Sequence[GuardTask]) -> tuple[str, ...]:
    """As `refusal`, of each."""
    return tuple(map(refusal, tasks))
