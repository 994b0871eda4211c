"""What a T-SQL query may set of its session before its SELECT, and how that is set back.

Scripts from SQL Server's own tools begin with `SET NOCOUNT ON;`. Only what changes no data and is
the session's own is let through, each with a value of its own kind. It is sent before the query, in
statements of its own, so that the query alone is described and read; after it the session is as it
was, since the next to use it may be another job.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from etltui.readers.mssql_sql import tokens
from etltui.readers.odbc_line import OdbcLine
from etltui.readers.tokens import NOTHING
from etltui.readers.waits import ANSWER_S


@dataclass(frozen=True, kw_only=True, slots=True)
class _Setting:
    """A setting that is let through.

    Attributes:
        takes: Its values.
        now: Asks the server for the one that holds; empty where it is always the same.
        back: Sets that again.
    """

    takes: re.Pattern[str]
    now: str = ""
    back: Callable[[object], str]


def _quoted(value: object) -> str:
    text = str(value).replace("'", "''")
    return f"N'{text}'"


def _switch(name: str) -> _Setting:
    return _Setting(
        takes=_SWITCH,
        now=f"SESSIONPROPERTY('{name}')",
        back=lambda value: f"SET {name} {'ON' if value else 'OFF'}",
    )


_SWITCH = re.compile(r"ON|OFF", re.IGNORECASE)
_LANGUAGE = "@@LANGUAGE"


def _language(value: object) -> str:
    """Also sets back the order of days and months, which is the language's."""
    return f"SET LANGUAGE {_quoted(value)}"


_SETTINGS: Mapping[str, _Setting] = {
    "NOCOUNT": _Setting(takes=_SWITCH, back=lambda _: "SET NOCOUNT OFF"),
    "ARITHABORT": _switch("ARITHABORT"),
    "ANSI_WARNINGS": _switch("ANSI_WARNINGS"),
    "DATEFORMAT": _Setting(
        takes=re.compile(r"mdy|dmy|ymd|ydm|myd|dym", re.IGNORECASE), now=_LANGUAGE, back=_language
    ),
    "LANGUAGE": _Setting(
        takes=re.compile(r"[^\W\d]\w*|[nN]?'(?:[^']|'')*'|\[(?:[^\]]|\]\])*\]"),
        now=_LANGUAGE,
        back=_language,
    ),
    "DEADLOCK_PRIORITY": _Setting(
        takes=re.compile(r"LOW|NORMAL|HIGH|-?\d{1,2}", re.IGNORECASE),
        back=lambda _: "SET DEADLOCK_PRIORITY NORMAL",
    ),
    "LOCK_TIMEOUT": _Setting(
        takes=re.compile(r"-1|\d{1,10}"),
        now="@@LOCK_TIMEOUT",
        back=lambda value: f"SET LOCK_TIMEOUT {int(str(value))}",
    ),
}


def apart(sql: str) -> tuple[tuple[str, ...], str]:
    """The settings that a query begins with, and the rest, which is still to be looked at.

    A setting that is none of these, or has another value, stays in the rest.
    """
    found, left = [], list(tokens(sql))
    while (one := _first(left)) is not None:
        setting, left = one
        found.append(setting)
    return tuple(found), "".join(text for _, text in left)


def _first(left: Sequence[tuple[str, str]]) -> tuple[str, list[tuple[str, str]]] | None:
    """The setting that stands first, and what stands behind it; None where none does."""
    places = [place for place, (kind, _) in enumerate(left) if kind not in NOTHING][:5]
    said = [left[place][1] for place in places]
    if len(said) < 3 or said[0].upper() != "SET" or said[1].upper() not in _SETTINGS:
        return None
    count = 4 if said[2] == "-" else 3
    value = "".join(said[2:count])
    if not _SETTINGS[said[1].upper()].takes.fullmatch(value):
        return None
    end = places[count - 1] + 1
    if len(said) > count and said[count] == ";":
        end = places[count] + 1
    return f"SET {said[1].upper()} {value}", list(left[end:])


@contextmanager
def held(line: OdbcLine, settings: Sequence[str]) -> Iterator[None]:
    """In the block the settings hold; after it those that held before, or the session is lost.

    Raises:
        Failure: The server does not take one of them.
    """
    if not settings:
        yield
        return
    mine = dict.fromkeys(each.split()[1] for each in settings)
    asked = list(dict.fromkeys(_SETTINGS[name].now for name in mine if _SETTINGS[name].now))
    now: dict[str, object] = {}
    if asked:
        (told,) = line.rows(f"SELECT {', '.join(asked)}", seconds=ANSWER_S)
        now = dict(zip(asked, told, strict=True))
    back = (_SETTINGS[name].back(now.get(_SETTINGS[name].now)) for name in mine)
    try:
        for each in settings:
            line.rows(each, seconds=ANSWER_S)
        yield
    finally:
        line.undo("; ".join(dict.fromkeys(back)))
