"""The url of a database that is read through SQLAlchemy: its dialect, then what that needs.

`sqlalchemy+DIALECT[+DRIVER]://host:port/database?option=value`, and `duckdb:///folder/file.duckdb`.
"""

import re
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote

from etltui.config.checks import RefusedError, shown
from etltui.config.mounts import is_windows
from etltui.config.paths import located
from etltui.config.server_urls import port_of
from etltui.domain.dialect import FILES

_EXAMPLE = 'Write "sqlalchemy+oracle+oracledb://host:1521/?service_name=sales"'
_FILE_EXAMPLE = (
    'Write "duckdb:///folder/file.duckdb" (from this file\'s folder) or '
    '"duckdb:////folder/file.duckdb"'
)
_DIALECT = re.compile(r"[a-z][a-z0-9_]*(\+[a-z][a-z0-9_]*)?")
_SECRET = re.compile(r"pass|pwd|secret|token|private|credential|api_?key", re.IGNORECASE)
_USER = (
    "Take it out, put it in a [credentials.NAME] as user, and say credential = "
    '"NAME" beside the url'
)


def any_dialect(parts: SplitResult, folder: Path) -> tuple[str, int, str, dict[str, str]]:
    """Host, port (0: the driver's own), database and options; one of these is the `dialect`.

    Args:
        parts: Without a password.
        folder: Absolute; where relative paths start.

    Raises:
        RefusedError: It cannot be read; the text holds no password.
    """
    if parts.username is not None:
        raise RefusedError("the url names a user", _USER)
    dialect = _dialect(parts)
    if "\0" in unquote(parts.path):
        raise RefusedError("the url holds a NUL character", _EXAMPLE)
    if dialect.partition("+")[0] in FILES:
        return "", 0, _file(parts, folder), {"dialect": dialect}
    if not parts.hostname:
        raise RefusedError("the url names no host", _EXAMPLE)
    port = port_of(parts, 0)
    database = unquote(parts.path).removeprefix("/")
    return unquote(parts.hostname), port, database, {**_options(parts), "dialect": dialect}


def _dialect(parts: SplitResult) -> str:
    scheme, _, rest = parts.scheme.partition("+")
    if scheme == "sqlalchemy" and not rest:
        raise RefusedError("the url names no dialect", _EXAMPLE)
    dialect = rest if scheme == "sqlalchemy" else parts.scheme
    if not _DIALECT.fullmatch(dialect):
        raise RefusedError(f"{shown(dialect)} is no name of a dialect and its driver", _EXAMPLE)
    return dialect


def _file(parts: SplitResult, folder: Path) -> str:
    """The absolute path of the file; whether it is there shows when it is opened."""
    path = unquote(parts.path).removeprefix("/")
    if parts.netloc:
        raise RefusedError("the url names a host, but the database is a file", _FILE_EXAMPLE)
    if path == ":memory:" or not path.strip("/") or path.endswith("/"):
        raise RefusedError("the url names no file that two processes could read", _FILE_EXAMPLE)
    if is_windows(path.lstrip("/")):
        raise RefusedError(
            "the url names a Windows path, and this machine is not Windows",
            "Mount the share and name the file by its path here, as in "
            '"duckdb:////mnt/branch/file.duckdb"',
        )
    if parts.query:
        # They are not shown: one may be a password.
        raise RefusedError(
            "a database in a file takes no options",
            "Remove ? and what stands behind it; a ? in the name of a file is written %3F",
        )
    return str(located(path, folder))


def _options(parts: SplitResult) -> dict[str, str]:
    """What stands behind `?`, as the driver takes it; no value is shown."""
    found: dict[str, str] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name == "dialect":
            raise RefusedError("the option dialect stands before ://", _EXAMPLE)
        if name in found:
            raise RefusedError(f"the option {shown(name)} is said twice", "Say it once")
        if _SECRET.search(name):
            raise RefusedError(
                f"the option {shown(name)} looks like a secret",
                'Take it out, put it in a [credentials.NAME] as password = "env:VARIABLE", '
                'and say credential = "NAME"',
            )
        found[name] = value
    return found
