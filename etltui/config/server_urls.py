"""What stands in the url of a database server behind its kind: host, port, database, options."""

from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote

from etltui.config.checks import OneOf, RefusedError, nearest, nearest_or_all, shown
from etltui.config.paths import located

POSTGRESQL_PORT = 5432

_EXAMPLE = 'Write "postgresql://host:5432/database"'
_USER = (
    "Take it out, put it in a [credentials.NAME] as user, and say credential = "
    '"NAME" beside the url'
)
_MODES = OneOf(("disable", "require", "verify-ca", "verify-full"))
_TRUSTING = frozenset({"verify-ca", "verify-full"})
"""Modes that hold the certificate against an authority."""


def _mode(value: str, _folder: Path) -> str:
    if value in {"allow", "prefer"}:
        raise RefusedError(
            f"sslmode={value} may send everything unencrypted without a word",
            f"Allowed: {_MODES.allowed}",
        )
    return _MODES(value)


def _authority(value: str, folder: Path) -> str:
    if not value:
        raise RefusedError("sslrootcert names no file", "Write sslrootcert=certificates/root.pem")
    return str(located(value, folder))


def _socket_folder(value: str, _folder: Path) -> str:
    if not value.startswith("/"):
        raise RefusedError(
            "the option host is the absolute folder of a socket",
            "Write ?host=/var/run/postgresql; a host by name stands before the database",
        )
    return value


_OPTIONS: Mapping[str, Callable[[str, Path], str]] = {
    "host": _socket_folder,
    "sslmode": _mode,
    "sslrootcert": _authority,
}


def _options(parts: SplitResult, folder: Path) -> dict[str, str]:
    """The options, checked. The value of an unknown one is not shown: it may be a password."""
    found: dict[str, str] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name not in _OPTIONS:
            named = f" {shown(name)}" if nearest(name, _OPTIONS) else ""
            raise RefusedError(
                f"the option{named} is not known",
                nearest_or_all(name, _OPTIONS),
            )
        if name in found:
            raise RefusedError(f"the option {name} is said twice", "Say it once")
        found[name] = _OPTIONS[name](value, folder)
    if "sslrootcert" in found and found.get("sslmode", "verify-full") not in _TRUSTING:
        raise RefusedError(
            f"sslrootcert says whom to trust, but sslmode={found['sslmode']} trusts anyone",
            "Take sslmode out, or say sslmode=verify-ca",
        )
    return found


def _database(parts: SplitResult) -> str:
    name = unquote(parts.path).removeprefix("/")
    if not name or "/" in name:
        raise RefusedError("the url does not end with the name of one database", _EXAMPLE)
    if "\0" in name:
        raise RefusedError("the url holds a NUL character", _EXAMPLE)
    return name


def _port(parts: SplitResult) -> int:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port is None:
        return POSTGRESQL_PORT
    if not port:
        raise RefusedError("the port is out of range", "Allowed: 1 to 65535")
    return port


def postgresql(parts: SplitResult, folder: Path) -> tuple[str, int, str, dict[str, str]]:
    """Host (or folder of the socket), port, database and options of a PostgreSQL url.

    Args:
        parts: Without a password.
        folder: Absolute; where relative paths start.

    Raises:
        RefusedError: It cannot be read; the text holds no password.
    """
    if parts.username is not None:
        raise RefusedError("the url names a user", _USER)
    options = _options(parts, folder)
    socket, host = options.pop("host", ""), unquote(parts.hostname or "")
    if socket and host:
        raise RefusedError("the url names a host and the folder of a socket", "Write one of them")
    if not socket and not host:
        raise RefusedError(
            "the url names no host",
            f"{_EXAMPLE}, or ?host=/var/run/postgresql for the socket of this machine",
        )
    return socket or host, _port(parts), _database(parts), options
