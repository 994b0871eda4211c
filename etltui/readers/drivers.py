"""Which drivers are installed for each kind of database, and whether they really load.

Run as a process of its own, `python -m etltui.readers.drivers KIND`, which prints a JSON list:
a driver that crashes while it is loaded takes nothing else down.
"""

import configparser
import ctypes
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from importlib import import_module, metadata
from pathlib import Path

from etltui.domain.driver import Driver

_MANAGER, _UNIXODBC = "unixODBC", "apt install unixodbc"
_ODBC_LIBRARY = "libodbc.so.2"
_ODBC_INSTALL: Mapping[str, str] = {
    "FreeTDS": "apt install tdsodbc",
    "MariaDB": "apt install odbc-mariadb",
    "PostgreSQL": "apt install odbc-postgresql",
    "SQLite": "apt install libsqliteodbc",
    "ODBC Driver": "install Microsoft's package msodbcsql18",
}
"""By what a driver's name begins with."""


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _package(
    name: str,
    serves: str,
    *,
    module: str = "",
    remedy: str = "",
    needed: bool = True,
) -> Driver:
    """A Python package, imported."""
    problem = ""
    try:
        import_module(module or name.replace("-", "_"))
    except ModuleNotFoundError as error:
        problem = f"not installed: no module {error.name}"
    except Exception as error:  # noqa: BLE001 - whatever a driver meets while it loads is the finding
        problem = f"installed, but it does not load: {_line(error)}"
    if problem and _ODBC_LIBRARY in problem:
        remedy = _UNIXODBC
    return Driver(
        name=name,
        serves=serves,
        version=_version(name),
        problem=problem,
        remedy=(remedy or f"pip install {name}") if problem else "",
        needed=needed,
    )


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _sqlite() -> Iterator[Driver]:
    yield _package("adbc-driver-sqlite", "SQLite files", module="adbc_driver_sqlite.dbapi")


def _postgresql() -> Iterator[Driver]:
    yield _package("asyncpg", "PostgreSQL")


def _mysql() -> Iterator[Driver]:
    yield _package("pymysql", "MySQL and MariaDB")
    yield _package(
        "cryptography",
        "MySQL's sha256 logins on a line without TLS",
        needed=False,
    )


def _odbc() -> Iterator[Driver]:
    yield _package("pyodbc", "ODBC: connections")
    yield _package("aioodbc", "ODBC: statements that control a session")
    yield from _odbc_drivers()


def _mssql() -> Iterator[Driver]:
    named = [
        replace(each, needed=False)
        for each in _odbc_drivers()
        if each.name == _MANAGER or _reads_sql_server(each.name)
    ]
    yield from named
    if not named:
        yield Driver(
            name="an ODBC driver for SQL Server",
            serves="SQL Server",
            problem="none is registered in odbcinst.ini",
            remedy="install Microsoft's package msodbcsql18, or apt install tdsodbc",
            needed=False,
        )
    yield _package(
        "mssql-python",
        "SQL Server, with driver=mssql-python in the url",
        remedy="pip install 'etltui[mssql]'",
        needed=False,
    )


def _reads_sql_server(name: str) -> bool:
    return name.startswith("ODBC Driver") or "freetds" in name.lower()


def _odbc_drivers() -> Iterator[Driver]:
    """The registered drivers, each library loaded."""
    try:
        ctypes.CDLL(_ODBC_LIBRARY)
    except OSError as error:
        yield Driver(
            name=_MANAGER,
            serves="the driver manager of all ODBC drivers",
            problem=_line(error),
            remedy=_UNIXODBC,
        )
        return
    for name, library in registered().items():
        problem = _unloadable(library)
        install = next((how for word, how in _ODBC_INSTALL.items() if name.startswith(word)), "")
        yield Driver(
            name=name,
            serves=f"ODBC with Driver={{{name}}}, from {library}",
            problem=problem,
            remedy=(install or f"install it again, or mend [{name}] in odbcinst.ini")
            if problem
            else "",
            needed=False,
            registered=True,
        )


def registered() -> dict[str, str]:
    """The library of each driver in odbcinst.ini, the user's own before the system's."""
    system = os.environ.get("ODBCSYSINI", "/etc")
    file = os.environ.get("ODBCINSTINI", "odbcinst.ini")
    found: dict[str, str] = {}
    for place in (Path(system, file), Path.home() / ".odbcinst.ini"):
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        with suppress(configparser.Error, OSError, UnicodeError):
            parser.read(place, encoding="utf-8")
        for name in parser.sections():
            if library := parser[name].get("Driver64") or parser[name].get("Driver"):
                found[name] = library
    return found


def _unloadable(library: str) -> str:
    """Why a driver's library cannot be loaded; empty where it can."""
    why = ""
    if Path(library).is_absolute() and not Path(library).exists():
        return f"there is no file {library}"
    for place in _places(library):
        try:
            ctypes.CDLL(place)
        except OSError as error:
            # What is there and lacks something tells more than what is not there.
            why = _line(error) if Path(place).exists() or not why else why
        else:
            return ""
    return why


def _places(library: str) -> Iterator[str]:
    """Where the driver manager looks for a library: in the folder `odbc` beside its own, too."""
    yield library
    with suppress(OSError):
        maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace")
        for line in maps.splitlines():
            if "libodbc.so" in line:
                yield str(Path(line.split()[-1]).parent / "odbc" / library)
                return


def _sqlalchemy() -> Iterator[Driver]:
    yield _package("sqlalchemy", "any other database, by its dialect")
    known = {each.name: each for each in metadata.entry_points(group="sqlalchemy.dialects")}
    if "duckdb" not in known:
        yield _package(
            "duckdb",
            "DuckDB files: duckdb:///",
            remedy="pip install 'etltui[duckdb]'",
            needed=False,
        )
    for name, entry in sorted(known.items()):
        yield _dialect(name, entry)


def _dialect(name: str, entry: metadata.EntryPoint) -> Driver:
    """A dialect that a package has brought, with the driver that it imports."""
    problem = ""
    try:
        dialect = entry.load()
        (getattr(dialect, "import_dbapi", None) or dialect.dbapi)()
    except ModuleNotFoundError as error:
        problem = f"its driver is not installed: no module {error.name}"
    except Exception as error:  # noqa: BLE001 - whatever a driver meets while it loads is the finding
        problem = f"it does not load: {_line(error)}"
    package = entry.dist.name if entry.dist is not None else ""
    return Driver(
        name=f"{package} ({name})" if package else name,
        serves=f"sqlalchemy+{name.replace('.', '+')}://"
        + (", duckdb:///" if name == "duckdb" else ""),
        version=entry.dist.version if entry.dist is not None else "",
        problem=problem,
        remedy=f"install what {package or name} asks for" if problem else "",
        needed=False,
        registered=True,
    )


KINDS: Mapping[str, Callable[[], Iterator[Driver]]] = {
    "mssql": _mssql,
    "mysql": _mysql,
    "odbc": _odbc,
    "postgresql": _postgresql,
    "sqlalchemy": _sqlalchemy,
    "sqlite": _sqlite,
}


def main(arguments: list[str]) -> None:
    """Print what there is for one kind of database."""
    (kind,) = arguments
    sys.stdout.write(json.dumps([asdict(driver) for driver in KINDS[kind]()]))


if __name__ == "__main__":
    main(sys.argv[1:])
