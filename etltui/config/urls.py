"""From a connection's url to what a reader needs; nothing here opens anything."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from etltui.config.checks import RefusedError, filled, nearest, shown
from etltui.config.mounts import is_windows
from etltui.config.mssql_url import sql_server
from etltui.config.odbc_url import PREFIX as ODBC
from etltui.config.odbc_url import odbc
from etltui.config.paths import located
from etltui.config.server_urls import MYSQL, POSTGRESQL, ServerKind, server
from etltui.config.sqlalchemy_url import any_dialect

KINDS = {
    "sqlite": "sqlite",
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "pg": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
    "mssql": "mssql",
    "sqlserver": "mssql",
    "odbc": "odbc",
    "sqlalchemy": "sqlalchemy",
    "duckdb": "sqlalchemy",
}
"""From a scheme to the reader that serves it."""

_SERVERS: Mapping[str, ServerKind] = {
    "postgresql": POSTGRESQL,
    "mysql": MYSQL,
}

_EXAMPLE = (
    'Write "sqlite:///folder/file.db" (from this file\'s folder) or "sqlite:////folder/file.db"'
)
_ANY = f'{_EXAMPLE}, or "postgresql://host:5432/database"'
_HERE = f"There are {', '.join(sorted(set(KINDS.values())))}"
_USER_PART = re.compile(r"(?<=//).*@")


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """What a url says.

    Attributes:
        kind: The reader's name.
        database: Absolute path of the file, or the database's name at a server.
        host: Empty for a file; the folder of a socket begins with a slash.
        port: 0 for a file.
        options: What stood behind `?`, checked; paths are absolute.
    """

    kind: str
    database: str
    host: str = ""
    port: int = 0
    options: Mapping[str, str] = field(default_factory=dict)


def _named(url: str) -> str:
    """A url as a message names it: without user, password and options."""
    return shown(_USER_PART.sub("***@", url).partition("?")[0])


def _check_characters(url: str) -> None:
    """Refuse tabs and line ends, which urlsplit drops without a word, and their like."""
    if any(ord(character) < 0x20 or ord(character) == 0x7F for character in url):
        raise RefusedError("the url holds a control character", _EXAMPLE)


def _split(url: str) -> SplitResult:
    """The parts of a url that carries no secret."""
    if "://" not in url:
        # Nothing of it is shown: who knows what was pasted here.
        raise RefusedError("is not a url", _ANY)
    try:
        parts = urlsplit(url, allow_fragments=False)
    except ValueError:
        raise RefusedError(f"{_named(url)} is not a url", _EXAMPLE) from None
    if parts.password is not None:
        raise RefusedError(
            "the url holds a password",
            'Take it out, put it in a [credentials.NAME] as password = "env:VARIABLE", '
            'and say credential = "NAME"',
        )
    return parts


def _kind(parts: SplitResult, url: str) -> str:
    # A driver may be named behind a plus sign, as in postgresql+psycopg.
    scheme = parts.scheme.partition("+")[0] or url.partition(":")[0]
    if scheme in KINDS:
        return KINDS[scheme]
    near = nearest(scheme, KINDS)
    raise RefusedError(f"{shown(scheme)} is no kind of database", f"{near} {_HERE}".lstrip())


def _sqlite_file(parts: SplitResult, url: str, folder: Path) -> str:
    """The absolute path of a SQLite file. Whether it is there shows when it is opened."""
    path = unquote(parts.path).removeprefix("/")
    if parts.netloc:
        raise RefusedError(f"{_named(url)} names a host, but SQLite is a file", _EXAMPLE)
    if path == ":memory:" or path.startswith("file:"):
        raise RefusedError(f"{_named(url)} is no file that two processes could read", _EXAMPLE)
    if is_windows(path.lstrip("/")):
        raise RefusedError(
            f"{_named(url)} is a Windows path, and this machine is not Windows",
            "Mount the share and name the file by its path here, as in "
            '"sqlite:////mnt/branch/file.db"',
        )
    if not path.strip("/") or path.endswith("/"):
        raise RefusedError(f"{_named(url)} names no file", _EXAMPLE)
    if "\0" in path:
        raise RefusedError("the url holds a NUL character", _EXAMPLE)
    if parts.query:
        # They are not shown: one may be a password.
        raise RefusedError(
            "sqlite takes no options",
            "Remove ? and what stands behind it; a ? in the name of a file is written %3F",
        )
    return str(located(path, folder))


def address(url: object, folder: Path) -> Address:
    """What a url says.

    Args:
        url: As TOML gave it.
        folder: Absolute; where relative paths start.

    Raises:
        RefusedError: It cannot be read; the text holds no password.
    """
    words = filled(url)
    _check_characters(words)
    if words.casefold().startswith(ODBC):
        host, port, database, options = odbc(words, folder)
        return Address(kind="odbc", host=host, port=port, database=database, options=options)
    parts = _split(words)
    kind = _kind(parts, words)
    if kind == "sqlite":
        return Address(kind=kind, database=_sqlite_file(parts, words, folder))
    if kind == "sqlalchemy":
        host, port, database, options = any_dialect(parts, folder)
        return Address(kind=kind, host=host, port=port, database=database, options=options)
    if kind == "mssql":
        host, port, database, options = sql_server(parts, folder)
    else:
        host, port, database, options = server(parts, folder, _SERVERS[kind])
    return Address(kind=kind, host=host, port=port, database=database, options=options)
