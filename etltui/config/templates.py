"""Paths with `{job}`, `{date}` and the like: checked at load, filled in when a run starts."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from string import Formatter

from etltui.config.checks import RefusedError, nearest_or_all, shown
from etltui.config.mounts import check_here
from etltui.config.paths import expanded
from etltui.domain.job import Job

_QUERY = "query"
PLACEHOLDERS = ("job", "jobName", "date", "day", "run", _QUERY)
_DATES = ("date", "day")
"""Those that take a form."""
LONGEST = 150
"""Bytes of UTF-8 that one filled-in value may take; a file name takes 255 on most disks."""

_DATE = "%Y-%m-%d"
Part = tuple[str, str | None, str, str | None]
"""A literal, and the name, form and conversion of the placeholder behind it."""
_DIRECTIVES = "YymdHMSjGVubBaA"
# Names that Windows keeps for devices, with any ending; a share may live there.
_RESERVED = re.compile(r"\A(con|prn|aux|nul|(?:com|lpt)[0-9¹²³])(?= *(?:\.|\Z))", re.IGNORECASE)
_BIDI = frozenset("\u061c\u200e\u200f\ufeff\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _parts(path: str) -> list[Part]:
    """Literals and placeholders in turn."""
    try:
        return [
            (literal, name, spec or "", conversion)
            for literal, name, spec, conversion in Formatter().parse(path)
        ]
    except ValueError:
        raise RefusedError(
            f"{shown(path)} has a brace that is not closed or not opened",
            "Write {{ and }} for braces that are part of the name",
        ) from None


def _check_date(spec: str) -> None:
    if "/" in spec:
        raise RefusedError(
            f"the date's form {shown(spec)} holds a /",
            "For folders write {date:%Y}/{date:%m}",
        )
    wrong = [d for d in re.findall(r"%(.?)", spec, re.DOTALL) if d not in (*_DIRECTIVES, "%")]
    if wrong or "{" in spec:
        raise RefusedError(
            f"the date's form {shown(spec)} is not understood",
            f"Allowed: {' '.join(f'%{letter}' for letter in _DIRECTIVES)}",
        )


def _check_placeholder(name: str, spec: str, conversion: str | None) -> None:
    if name not in PLACEHOLDERS:
        raise RefusedError(f"{{{name}}} is no placeholder", nearest_or_all(name, PLACEHOLDERS))
    if conversion is not None or (spec and name not in _DATES):
        raise RefusedError(f"{{{name}}} takes no form", f"Write {{{name}}}")
    _check_date(spec)


def template(value: object) -> str:
    """Check a path with placeholders.

    Raises:
        RefusedError: Unknown placeholder, unbalanced brace, control character.
    """
    if not isinstance(value, str) or not value.strip():
        raise RefusedError(f"{shown(value)} is no path", 'Write "reports/{job}_{date}.xlsx"')
    if any(unicodedata.category(character) == "Cc" for character in value):
        raise RefusedError(f"{shown(value)} holds a control character", "Take it out")
    check_here(value)
    for _, name, spec, conversion in _parts(value):
        if name is not None:
            _check_placeholder(name, spec, conversion)
    if value.rpartition("/")[2] in {"", ".", "..", "~"}:
        raise RefusedError(f"{shown(value)} is a folder", "Name a file")
    return value


def _harmless(character: str) -> str:
    bad = character in "/\\" or character in _BIDI
    return "_" if bad or unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} else character


def component(value: str) -> str:
    """A value as one path component, whatever it holds: it never names another folder.

    At most `LONGEST` bytes, never empty, without leading or trailing space or dot.
    """
    text = "".join(_harmless(character) for character in unicodedata.normalize("NFC", value))
    text = _RESERVED.sub(r"\1_", text.strip(" ."), count=1) if text.strip(" .") else "_"
    cut = text.encode()[:LONGEST].decode("utf-8", "ignore")
    return cut.rstrip(" .")


def _filled(parts: list[Part], values: Mapping[str, str], dates: Mapping[str, date]) -> str:
    pieces: list[str] = []
    for literal, name, spec, _ in parts:
        pieces.append(literal)
        if name in _DATES:
            pieces.append(component(dates[name].strftime(spec or _DATE)))
        elif name is not None:
            pieces.append(component(values[name]))
    return "".join(pieces)


def names_query(path: str) -> bool:
    """Whether a checked template is of one query."""
    return any(name == _QUERY for _, name, _, _ in _parts(path))


def for_query(path: str, query: str) -> str:
    """The template of one query's path: its name is filled in, the rest stays to be."""
    pieces = []
    for literal, name, spec, _ in _parts(path):
        pieces.append(literal.replace("{", "{{").replace("}", "}}"))
        if name == _QUERY:
            pieces.append(component(query))
        elif name is not None:
            pieces.append(f"{{{name}:{spec}}}" if spec else f"{{{name}}}")
    return "".join(pieces)


def render(
    path: str,
    job: Job,
    *,
    run: str,
    started: datetime,
    day: date,
) -> Path:
    """The absolute path that a checked template gives.

    Only what is filled in is confined to one path component; the template is the operator's own
    and taken as it is. `~` is the home folder.

    Args:
        path: As `template` has checked it.
        job: Whose name, title and folder are filled in; a relative path starts at the folder.
        run: The run's id.
        started: In the settings' time zone.
        day: The business day that the run reads.

    """
    parts = _parts(path)
    dates = dict(zip(_DATES, (started, day), strict=True))
    filled = _filled(parts, {"job": job.name, "jobName": job.title, "run": run}, dates)
    # A `~` that was filled in is a name like any other.
    home, _, _ = path.partition("/")
    if home.startswith("~") and "{" not in home:
        filled = expanded(filled)
    return job.folder.absolute() / filled
