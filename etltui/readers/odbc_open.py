"""Opens an ODBC session: which driver, with which keys, and what to say where there is none."""

import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.task import SessionTask
from etltui.readers import odbc_api as api
from etltui.readers.mssql_errors import NATIVES
from etltui.readers.odbc_errors import MARIADB
from etltui.readers.odbc_line import OdbcLine
from etltui.readers.reach import REACH_S, reached
from etltui.readers.sqlite_open import check_file

_FETCH = "2000"
"""Rows that psqlODBC takes from its cursor at once; without a cursor it takes all."""
_BUNDLE = ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt"
_LIBPQ_KEEPS = "keepalives_idle=15 keepalives_interval=5 keepalives_count=3 tcp_user_timeout=30000"


@dataclass(frozen=True, kw_only=True, slots=True)
class Family:
    """What is said to a driver that is known, unless the operator has said it.

    Attributes:
        marks: Parts of the driver's name.
        port: Where none is said; 0: it is no server's.
        keys: Whatever the operator says about them; reading depends on them.
        defaults: Unless the operator says otherwise.
        trust: Keys that decide how the line is encrypted, and what they are where none is said.
        natives: The server's own error numbers.
    """

    marks: tuple[str, ...]
    port: int = 0
    keys: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    trust: Mapping[str, str] = field(default_factory=dict)
    natives: Mapping[int, ErrorClass] = field(default_factory=dict)


_NONE = Family(marks=())
_FAMILIES = (
    Family(
        marks=("psqlodbc", "postgres"),
        port=5432,
        keys=MappingProxyType(
            {"BoolsAsChar": "0", "UseDeclareFetch": "1", "ByteaAsLongVarBinary": "1"}
        ),
        defaults=MappingProxyType({"Fetch": _FETCH, "pqopt": _LIBPQ_KEEPS}),
        trust=MappingProxyType(
            {"SSLmode": "verify-full", "pqopt": f"{_LIBPQ_KEEPS} sslrootcert={_BUNDLE}"},
        ),
    ),
    Family(
        marks=("maodbc", "mariadb", "myodbc", "mysql"),
        port=3306,
        keys=MappingProxyType({"CHARSET": "utf8mb4"}),
        trust=MappingProxyType({"FORCETLS": "1", "SSLVERIFY": "1", "SSLCA": _BUNDLE}),
        natives=MARIADB,
    ),
    Family(
        marks=("sqlite",),
        keys=MappingProxyType({"NoCreat": "1", "StepAPI": "1", "BigInt": "1"}),
        defaults=MappingProxyType({"Timeout": "2000"}),
    ),
    Family(
        marks=("tdsodbc", "freetds"),
        keys=MappingProxyType({"ClientCharset": "UTF-8"}),
        natives=NATIVES,
    ),
    Family(marks=("sql server", "msodbcsql"), natives=NATIVES),
)


def open_line(task: SessionTask) -> OdbcLine:
    """Open a session by the keys of the connection's url.

    Raises:
        Failure: With the class that says why; no text of it holds the password.
    """
    keys = dict(task.options)
    family = _family(keys)
    if "sqlite" in family.marks and (file := _value(keys, "database")):
        check_file(file)
    port = task.port or family.port
    where = f"{task.host}:{port}" if task.host and port else task.host or task.database
    # Without a port MariaDB's driver takes the socket for `localhost`.
    if task.host and port and (task.port or task.host != "localhost") and task.host[0] != "/":
        reached(task.host, port, min(REACH_S, task.connect_timeout_s / 2)).close()
    return OdbcLine(
        _completed(keys, family, task),
        where=where,
        limit_s=task.connect_timeout_s,
        secrets=[task.password],
        natives=family.natives,
    )


def _completed(keys: dict[str, str], family: Family, task: SessionTask) -> dict[str, str]:
    """The operator's keys with what reading depends on, and the login."""
    said = {key.casefold() for key in keys}
    wanted = dict(family.defaults)
    if task.host and not said & {key.casefold() for key in family.trust if key != "pqopt"}:
        wanted |= family.trust
    for key in [key for key in keys if key.casefold() in _folded(family.keys)]:
        del keys[key]
    wanted = {key: value for key, value in wanted.items() if key.casefold() not in said}
    login = {"UID": task.user, "PWD": task.password}
    return {
        **keys,
        **family.keys,
        **wanted,
        **{key: value for key, value in login.items() if value},
    }


def _folded(keys: Mapping[str, str]) -> set[str]:
    return {key.casefold() for key in keys}


def _value(keys: Mapping[str, str], name: str) -> str:
    return next((value for key, value in keys.items() if key.casefold() == name), "")


def _family(keys: Mapping[str, str]) -> Family:
    """The family of the driver that the keys, or the data source they name, stand for.

    Raises:
        Failure: There is no such driver or data source here.
    """
    driver, source = _value(keys, "driver"), _value(keys, "dsn")
    pyodbc = _pyodbc()
    if driver:
        _check_known("ODBC driver", driver, [] if "/" in driver else pyodbc.drivers())
    elif source:
        sources: Mapping[str, str] = pyodbc.dataSources()
        _check_known("ODBC data source", source, sources)
        driver = next(sources[each] for each in sources if each.casefold() == source.casefold())
    return family_of(driver)


def family_of(driver: str) -> Family:
    """What is known of a driver, by its name or its library's."""
    folded = driver.casefold()
    found = (each for each in _FAMILIES if any(mark in folded for mark in each.marks))
    return next(found, _NONE)


def _check_known(what: str, name: str, known: Any) -> None:
    if "/" in name or any(name.casefold() == each.casefold() for each in known):
        return
    there = ", ".join(sorted(known)) or "none"
    raise Failure(
        ErrorClass.DRIVER,
        f"there is no {what} called {name} on this machine; there is: {there}. Install it, or "
        "name one of these (odbcinst -q -d lists drivers, odbcinst -q -s data sources)",
    )


def _pyodbc() -> Any:
    """The module, which cannot be without the driver manager.

    Raises:
        Failure: The driver manager is not installed.
    """
    try:
        import pyodbc  # type: ignore[import-not-found]  # noqa: PLC0415 - see above
    except ImportError as error:
        raise api.missing(str(error)) from error
    # The driver manager's own pool would keep sessions open that we have closed.
    with suppress(AttributeError):
        pyodbc.pooling = False
    return pyodbc
