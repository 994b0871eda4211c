"""What stands in the url of a database server behind its kind: host, port, database, options."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote

from etltui.config.checks import OneOf, RefusedError, nearest, nearest_or_all, shown
from etltui.config.paths import located

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


def _socket(value: str, _folder: Path) -> str:
    if not value.startswith("/"):
        raise RefusedError(
            "the option socket is the absolute path of a socket",
            "Write ?socket=/run/mysqld/mysqld.sock; a host by name stands before the database",
        )
    return value


Option = Callable[[str, Path], str]
"""Checks an option's value, given the folder where relative paths start."""

TLS: Mapping[str, Option] = {"sslmode": _mode, "sslrootcert": _authority}
"""What every kind of server takes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerKind:
    """How the urls of one kind of server are written.

    Attributes:
        example: A whole url.
        port: Where none is said.
        options: What may stand behind `?`.
        socket: The option that names a socket instead of a host; empty for none.
        socket_example: Its value.
    """

    example: str
    port: int
    options: Mapping[str, Option]
    socket: str = ""
    socket_example: str = ""

    @property
    def way_out(self) -> str:
        """What to write."""
        return f'Write "{self.example}"'


POSTGRESQL = ServerKind(
    example="postgresql://host:5432/database",
    port=5432,
    options={"host": _socket_folder, **TLS},
    socket="host",
    socket_example="/var/run/postgresql",
)
MYSQL = ServerKind(
    example="mysql://host:3306/database",
    port=3306,
    options={"socket": _socket, **TLS},
    socket="socket",
    socket_example="/run/mysqld/mysqld.sock",
)


def _options(parts: SplitResult, folder: Path, known: Mapping[str, Option]) -> dict[str, str]:
    """The options, checked. The value of an unknown one is not shown: it may be a password."""
    found: dict[str, str] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name not in known:
            named = f" {shown(name)}" if nearest(name, known) else ""
            raise RefusedError(f"the option{named} is not known", nearest_or_all(name, known))
        if name in found:
            raise RefusedError(f"the option {name} is said twice", "Say it once")
        found[name] = known[name](value, folder)
    if "sslrootcert" in found and found.get("sslmode", "verify-full") not in _TRUSTING:
        raise RefusedError(
            f"sslrootcert says whom to trust, but sslmode={found['sslmode']} trusts anyone",
            "Take sslmode out, or say sslmode=verify-ca",
        )
    return found


NO_PORT = ("the port is out of range", "Allowed: 1 to 65535")


def _database(parts: SplitResult, kind: ServerKind) -> str:
    name = unquote(parts.path).removeprefix("/")
    if not name or "/" in name:
        raise RefusedError("the url does not end with the name of one database", kind.way_out)
    if "\0" in name:
        raise RefusedError("the url holds a NUL character", kind.way_out)
    return name


def port_of(parts: SplitResult, usual: int) -> int:
    """The port of a url.

    Args:
        parts: Of the url.
        usual: Where it says none.

    Raises:
        RefusedError: There is no such port.
    """
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port is None:
        return usual
    if not port:
        raise RefusedError(*NO_PORT)
    return port


def server(
    parts: SplitResult,
    folder: Path,
    kind: ServerKind,
) -> tuple[str, int, str, dict[str, str]]:
    """Host (or socket), port, database and options of the url of a database server.

    Args:
        parts: Without a password.
        folder: Absolute; where relative paths start.
        kind: How such urls are written.

    Raises:
        RefusedError: It cannot be read; the text holds no password.
    """
    if parts.username is not None:
        raise RefusedError("the url names a user", _USER)
    options = _options(parts, folder, kind.options)
    socket, host = options.pop(kind.socket, ""), unquote(parts.hostname or "")
    if socket and host:
        raise RefusedError("the url names a host and a socket", "Write one of them")
    if not socket and not host:
        way_out = kind.way_out
        if kind.socket:
            example = f"?{kind.socket}={kind.socket_example}"
            way_out = f"{way_out}, or {example} for the socket of this machine"
        raise RefusedError("the url names no host", way_out)
    return socket or host, port_of(parts, kind.port), _database(parts, kind), options
