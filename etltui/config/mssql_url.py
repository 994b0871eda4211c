"""What may stand behind `?` in the url of a SQL Server."""

import re
from pathlib import Path
from urllib.parse import SplitResult

from etltui.config.checks import OneOf, RefusedError, shown
from etltui.config.server_urls import TLS, ServerKind, server

_INSTANCE = re.compile(r"[A-Za-z_#&][\w#$&]{0,15}", re.ASCII)
_NAME = re.compile(r"[\w.*-]+", re.ASCII)
_DRIVER = re.compile(r"[^;{}\x00-\x1f]+")
_VERSIONS = OneOf(("7.2", "7.3", "7.4"))
_KNOWN = "msodbcsql18, msodbcsql17, freetds, mssql-python, or a name that `odbcinst -q -d` lists"


def _driver(value: str, _folder: Path) -> str:
    if not _DRIVER.fullmatch(value):
        raise RefusedError(f"{shown(value)} is no name of a driver", f"Write {_KNOWN}")
    return value


def _instance(value: str, _folder: Path) -> str:
    if not _INSTANCE.fullmatch(value):
        raise RefusedError(
            f"{shown(value)} is no name of an instance",
            "Write what stands behind the backslash, as in instance=SQLEXPRESS",
        )
    return value


def _certificate_name(value: str, _folder: Path) -> str:
    if not _NAME.fullmatch(value):
        raise RefusedError(
            f"{shown(value)} is no name of a certificate",
            "Write the host's name that stands in the server's certificate",
        )
    return value


def _mode(value: str, folder: Path) -> str:
    if value == "verify-ca":
        raise RefusedError(
            "sslmode=verify-ca is not known to SQL Server's drivers: they check the name too",
            "Take it out, and write certname=NAME with the name in the server's certificate",
        )
    return TLS["sslmode"](value, folder)


SQL_SERVER = ServerKind(
    example="mssql://host:1433/database",
    port=1433,
    options={
        "driver": _driver,
        "instance": _instance,
        "certname": _certificate_name,
        "tds_version": lambda value, _folder: _VERSIONS(value),
        **TLS,
        "sslmode": _mode,
    },
)


def sql_server(parts: SplitResult, folder: Path) -> tuple[str, int, str, dict[str, str]]:
    """Host, port, database and options of a url.

    Args:
        parts: Without a password.
        folder: Absolute; where relative paths start.

    Raises:
        RefusedError: It cannot be read; the text holds no password.
    """
    host, port, database, options = server(parts, folder, SQL_SERVER)
    if "instance" in options and parts.port is not None:
        raise RefusedError(
            "the url names a port and an instance, and each has a port of its own",
            "Write one of them",
        )
    driver = options.get("driver", "")
    if "tds_version" in options and "freetds" not in driver.lower():
        raise RefusedError(
            "tds_version is for FreeTDS only: Microsoft's drivers find the version themselves",
            "Write driver=freetds beside it, or take it out",
        )
    return host, port, database, options
