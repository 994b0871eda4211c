"""What a value may be: small checks that return it typed, or refuse it in an operator's words."""

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Literal, TypeVar, get_args, get_origin
from zoneinfo import ZoneInfo, available_timezones

from etltui.domain.job import Scalar
from etltui.domain.safe_text import middle_cut, safe_text

Choice = TypeVar("Choice", bound=str)

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}")


class RefusedError(ValueError):
    """A value is not what its key takes.

    Args:
        problem: What is wrong with it.
        way_out: The nearest right value, the range, the choices, or what to do.
    """

    def __init__(self, problem: str, way_out: str = "") -> None:
        self.problem = problem
        self.way_out = way_out
        super().__init__(f"{problem}. {way_out}" if way_out else problem)


def shown(value: object) -> str:
    """A value as a message names it: short, on one line, harmless for a terminal."""
    if isinstance(value, str):
        return f'"{safe_text(middle_cut(value, 60))}"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) > 10**30:
        return "a very large number"  # Python refuses to print one of more than 4,300 digits
    if isinstance(value, Mapping):
        return "a table"
    return "a list" if isinstance(value, list | tuple) else str(value)


def nearest(word: str, choices: Iterable[str]) -> str:
    """A question that names the choice nearest to a word; empty where none is near."""
    folded = {choice.casefold(): choice for choice in choices}
    near = difflib.get_close_matches(word.casefold(), folded, n=1)
    return f'Did you mean "{folded[near[0]]}"?' if near else ""


def nearest_or_all(word: str, choices: Iterable[str]) -> str:
    """The nearest choice, or all of them where none is near."""
    choices = list(choices)
    return nearest(word, choices) or f"Allowed: {', '.join(choices)}"


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number in a range, both ends included, and 0 where that has a meaning of its own."""

    low: int
    high: int
    or_zero: bool = False

    @property
    def allowed(self) -> str:
        """The range in words."""
        return f"{'0, or ' if self.or_zero else ''}{self.low} to {self.high}"

    def __call__(self, value: object) -> int:
        """The number; true and false are none."""
        if isinstance(value, bool) or not isinstance(value, int):
            raise RefusedError(f"{shown(value)} is not a whole number", f"Allowed: {self.allowed}")
        if not self.low <= value <= self.high and not (self.or_zero and value == 0):
            raise RefusedError(f"{shown(value)} is out of range", f"Allowed: {self.allowed}")
        return value


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a range, both ends included."""

    low: float
    high: float

    @property
    def allowed(self) -> str:
        """The range in words."""
        return f"{self.low:g} to {self.high:g}"

    def __call__(self, value: object) -> float:
        """The number; true and false are none, nor are inf and nan."""
        allowed = f"Allowed: {self.allowed}"
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise RefusedError(f"{shown(value)} is not a number", allowed)
        if not self.low <= value <= self.high:
            raise RefusedError(f"{shown(value)} is out of range", allowed)
        return float(value)


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a few words."""

    choices: tuple[str, ...]

    @property
    def allowed(self) -> str:
        """The choices in a row."""
        return ", ".join(choice or '""' for choice in self.choices)

    def __call__(self, value: object) -> str:
        """The word."""
        if not isinstance(value, str):
            raise RefusedError(f"{shown(value)} is not text in quotes", f"Allowed: {self.allowed}")
        word = value
        if word not in self.choices:
            near = nearest(word, self.choices)
            raise RefusedError(
                f"{shown(word)} is none of the choices",
                f"{near} Allowed: {self.allowed}".lstrip(),
            )
        return word


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    allowed: str = "true or false"

    def __call__(self, value: object) -> bool:
        """The flag; 0 and 1 are none."""
        if not isinstance(value, bool):
            raise RefusedError(
                f"{shown(value)} is neither true nor false",
                "Write true or false, without quotes",
            )
        return value


@dataclass(frozen=True, slots=True)
class Text:
    """Any text on one line."""

    allowed: str = "text in quotes"

    def __call__(self, value: object) -> str:
        """The text."""
        line = text(value)
        if any(ord(character) < 0x20 or ord(character) == 0x7F for character in line):
            raise RefusedError(f"{shown(line)} holds a control character", "Write it on one line")
        return line


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone's name, or nothing for the machine's own."""

    allowed: str = 'a zone such as "Asia/Kolkata"; empty for the machine\'s own'

    def __call__(self, value: object) -> str:
        """The name."""
        name = text(value)
        try:
            return name and ZoneInfo(name).key
        except (KeyError, ValueError, OSError):  # unknown, no relative path, a folder of zones
            way_out = nearest(name, available_timezones()) or f"Write {self.allowed}"
            raise RefusedError(f"{shown(name)} is no time zone", way_out) from None


def text(value: object) -> str:
    """Text of any kind."""
    if not isinstance(value, str):
        raise RefusedError(f"{shown(value)} is not text in quotes", f"Write {_quoted(value)}")
    return value


def _quoted(value: object) -> str:
    plain = isinstance(value, bool | int | float | date | time)
    return f'"{shown(value)}"' if plain else "text in quotes"


def filled(value: object) -> str:
    """Text that says something."""
    words = text(value)
    if not words.strip():
        raise RefusedError("is empty", "Write text in quotes")
    return words


def texts(value: object) -> tuple[str, ...]:
    """A list of texts, each said once."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise RefusedError(f"{shown(value)} is not a list of texts", 'Write ["one", "two"]')
    if not all(item.strip() for item in value):
        raise RefusedError("holds an empty text", "Fill it or take it out")
    twice = sorted({item for item in value if value.count(item) > 1})
    if twice:
        raise RefusedError(f"names {shown(twice[0])} twice", "Name each once")
    return tuple(value)


def text_table(value: object) -> dict[str, str]:
    """A table whose values are texts."""
    if not isinstance(value, Mapping):
        raise RefusedError(f"{shown(value)} is not a table of texts", 'Write { a = "one" }')
    for name, item in value.items():
        if not isinstance(item, str):
            raise RefusedError(
                f"{shown(item)} at {shown(name)} is not text in quotes",
                f"Write {_quoted(item)}",
            )
    return dict(value)


def scalar(value: object) -> Scalar:
    """A bind value; dates and times become ISO text, as SQLite and JSON hold them."""
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, str | bool):
        return value
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise RefusedError(
        f"{shown(value)} cannot be bound",
        "Allowed: text, a whole number of 64 bits, a finite number, true, false, a date or time",
    )


def day(value: object) -> date:
    """A day of the calendar: a TOML date, or text in the same form."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(text(value))
    except ValueError:  # RefusedError is one
        raise RefusedError(f"{shown(value)} is not a day", "Write it as 2026-11-21") from None


def time_of_day(value: object) -> str:
    """A time of day as hours and minutes: a TOML time, or text in the same form."""
    if isinstance(value, time):
        value = f"{value:%H:%M}" if not value.second else str(value)
    clock = text(value)
    if not _CLOCK.fullmatch(clock):
        raise RefusedError(f"{shown(clock)} is no time of day", 'Write it as "07:00"')
    return clock


def check_name(name: str) -> None:
    """Refuse a name that could not stand on a command line, in a path, in a sheet's title."""
    if not _NAME.fullmatch(name):
        raise RefusedError(
            f"{shown(name)} cannot be a name",
            "Allowed: 1 to 100 of A-Z a-z 0-9 space . _ - with a letter or digit first",
        )


def check_of(hint: Any) -> Callable[[object], Any]:
    """The check of an option's declared type: the domain's options say their choices once."""
    if get_origin(hint) is Literal:
        return OneOf(get_args(hint))
    checks: Mapping[Any, Callable[[object], Any]] = {
        bool: Flag(),
        str: Text(),
        tuple[str, ...]: texts,
    }
    return checks[hint]
