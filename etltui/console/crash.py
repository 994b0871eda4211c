"""The report of a crash: where it happened, with nothing that a variable held."""

import os
import platform
import re
import traceback
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from etltui import __version__
from etltui.config.schema import Config
from etltui.config.secrets import resolve
from etltui.domain.errors import Failure
from etltui.domain.masking import masked
from etltui.domain.safe_text import safe_text

MOST_TEXT = 500
"""Characters of an exception's own words."""
SHORTEST_SECRET = 4
"""Shorter values are words that stand everywhere."""
_PARTS = ("textual", "rich", "msgspec", "pyarrow", "asyncpg")
_TELLING = re.compile(r"PASS|SECRET|TOKEN|KEY|CREDENTIAL|PWD", re.IGNORECASE)
_LOGIN = re.compile(r"(://[^:/@\s]*:)[^@\s]*@")
_NAMED = re.compile(r"((?:password|passwd|pwd|secret|token)['\"]?\s*[=:]\s*)\S+", re.IGNORECASE)


def secrets(config: Config | None, environ: Mapping[str, str]) -> list[str]:
    """Passwords that the program can have met: configured ones, and those in the environment.

    Those that a command prints are left out: a crash is no time to run commands.
    """
    found = [value for name, value in environ.items() if _TELLING.search(name)]
    for credential in config.credentials.values() if config else ():
        if credential.password.startswith(("env:", "file:")) and config:
            try:
                found.append(resolve(credential.password, base=config.path.parent, environ=environ))
            except Failure:
                continue
    return [value for value in found if len(value) >= SHORTEST_SECRET]


def safe_words(error: BaseException, known: Iterable[str]) -> str:
    """What an exception says, in one line, without secrets."""
    text = masked(str(error), known)
    text = _NAMED.sub(r"\1***", _LOGIN.sub(r"\1***@", text))
    return safe_text(text[:MOST_TEXT])


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception, what it came from, and what it holds; each once."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop(0)
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        if isinstance(each, BaseExceptionGroup):
            waiting.extend(each.exceptions)
        waiting.append(each.__cause__ or (None if each.__suppress_context__ else each.__context__))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "-"


def report(error: BaseException, *, at: datetime, known: Iterable[str] = ()) -> str:
    """The report: versions, and of each exception its class, its words and its frames.

    A frame is a file, a line and a function: neither the source nor what variables held.

    Args:
        error: What ended the screen.
        at: When.
        known: Secrets to keep out of the words.
    """
    known = list(known)
    lines = [
        f"etltui {__version__} crashed at {at.isoformat(timespec='seconds')}",
        f"Python {platform.python_version()}, {platform.system()} {platform.release()}",
        ", ".join(f"{name} {_version(name)}" for name in _PARTS),
    ]
    for each in _chain(error):
        kind = type(each)
        lines += ["", f"{kind.__module__}.{kind.__qualname__}: {safe_words(each, known)}"]
        for frame, line in traceback.walk_tb(each.__traceback__):
            code = frame.f_code
            lines.append(f"  {code.co_filename}:{line} {code.co_qualname}")
    return "\n".join([*lines, ""])


def write(text: str, state: Path, at: datetime) -> Path:
    """Keep a report in the state folder, for its owner's eyes only; where it is.

    Raises:
        OSError: It cannot be written.
    """
    folder = state / "logs"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"crash-{at:%Y%m%dT%H%M%S}-{os.getpid()}.txt"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return path
