"""What stands behind `odbc:`: a connection string of the driver's own keys, without a login."""

import re
from collections.abc import Mapping
from pathlib import Path

from etltui.config.checks import RefusedError, shown
from etltui.config.mounts import is_windows
from etltui.config.paths import located
from etltui.config.server_urls import NO_PORT

PREFIX = "odbc:"
EXAMPLE = "odbc:Driver={PostgreSQL Unicode};Server=host;Port=5432;Database=sales"

_WAY_OUT = f'Write "{EXAMPLE}" or "odbc:DSN=name"'
_LOGIN = (
    "Take it out, put it in a [credentials.NAME] as user and password, and say credential = "
    '"NAME" beside the url'
)
_PAIR = re.compile(
    r"""\s*(?P<key>[^=;{}]+?)\s*=\s*
        (?: \{(?P<braced>(?:[^}]|\}\})*)\}\s* | (?P<plain>[^;{}]*?)\s* )
        (?:;|\Z)""",
    re.VERBOSE | re.DOTALL,
)
"""A value in braces may hold anything, a closing brace twice."""
_SECRETS = frozenset({"pwd", "password", "passwd", "pass"})
_USERS = frozenset({"uid", "user", "username", "userid", "user id", "user_id"})
_HOSTS = ("server", "servername", "host", "hostname", "address", "addr")
_PORTS = ("port", "tcp_port", "portnumber")
_DATABASES = ("database", "db", "dbq", "dbname", "initial catalog")
_HIDDEN = re.compile(r"(?:password|pwd|passwd|sslpassword|passfile)\s*=", re.IGNORECASE)


def odbc(words: str, folder: Path) -> tuple[str, int, str, dict[str, str]]:
    """Host, port, database and keys of a connection string.

    Args:
        words: The whole url.
        folder: Absolute; where relative paths start.

    Returns:
        Host and port as far as the string names them; as database whatever tells it from others
        at that host: the name of its data source, its database.

    Raises:
        RefusedError: It cannot be read, or holds a login; the text holds no password.
    """
    keys = _keys(words.partition(":")[2])
    by_name = {key.casefold(): key for key in keys}
    if "driver" not in by_name and "dsn" not in by_name and "filedsn" not in by_name:
        raise RefusedError("the url names neither a driver nor a data source", _WAY_OUT)
    if "sqlite" in keys.get(by_name.get("driver", ""), "").casefold():
        _locate(keys, by_name, folder)
    host, behind = _host(_first(keys, by_name, _HOSTS))
    port = _port(_first(keys, by_name, _PORTS) or behind)
    names = (
        keys.get(by_name.get("dsn", ""), ""),
        keys.get(by_name.get("filedsn", ""), ""),
        _first(keys, by_name, _DATABASES),
    )
    database = "/".join(name for name in names if name)
    return host, port, database or ";".join(f"{key}={value}" for key, value in keys.items()), keys


def _keys(words: str) -> dict[str, str]:
    """The pairs in their order. Values are not shown: one may be a password."""
    found: dict[str, str] = {}
    position = 0
    words = words.strip().removeprefix("//")
    while position < len(words):
        pair = _PAIR.match(words, position)
        if pair is None:
            raise RefusedError("the url is no list of KEY=value with ; between them", _WAY_OUT)
        position = pair.end()
        braced = pair["braced"]
        value = pair["plain"] if braced is None else braced.replace("}}", "}")
        _add(found, pair["key"], value)
    if not found:
        raise RefusedError("the url names no connection", _WAY_OUT)
    return found


def _add(found: dict[str, str], key: str, value: str) -> None:
    folded = key.casefold()
    if folded in _SECRETS or _HIDDEN.search(value):
        raise RefusedError("the url holds a password", _LOGIN)
    if folded in _USERS:
        raise RefusedError("the url names a user", _LOGIN)
    if any(folded == other.casefold() for other in found):
        raise RefusedError(f"the key {shown(key)} is said twice", "Say it once")
    found[key] = value


def _first(keys: Mapping[str, str], by_name: Mapping[str, str], names: tuple[str, ...]) -> str:
    """The value of the first of these keys that is said."""
    return next((keys[by_name[name]] for name in names if name in by_name), "")


def _host(server: str) -> tuple[str, str]:
    """Host and port of `tcp:host,1433`, or just a host; the name of an instance is left out."""
    host, _, port = server.removeprefix("tcp:").partition(",")
    return host.partition("\\")[0].strip(), port.strip()


def _port(words: str) -> int:
    if not words:
        return 0
    # Other digits than these, isdecimal would take too.
    if not re.fullmatch(r"[0-9]{1,5}", words) or not 1 <= int(words) <= 65535:
        raise RefusedError(*NO_PORT)
    return int(words)


def _locate(keys: dict[str, str], by_name: Mapping[str, str], folder: Path) -> None:
    """Make the path of a file absolute: it starts from the configuration, not from who runs it."""
    key = by_name.get("database", "")
    if not keys.get(key):
        raise RefusedError("the url names no file", "Write Database=folder/file.db")
    if is_windows(keys[key]):
        raise RefusedError(
            f"{shown(keys[key])} is a Windows path, and this machine is not Windows",
            "Mount the share and name the file by its path here",
        )
    keys[key] = str(located(keys[key], folder))
