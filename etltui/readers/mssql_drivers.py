"""Which driver speaks to a SQL Server, and the keys of the connection string that it wants."""

import importlib.util
import platform
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.task import SessionTask

_NAMES = {
    "msodbcsql18": "ODBC Driver 18 for SQL Server",
    "msodbcsql17": "ODBC Driver 17 for SQL Server",
    "freetds": "FreeTDS",
}
"""By what a url calls it, best first."""
_WHEEL, _WHEEL_FILES, _FILE = "mssql-python", "mssql_python_odbc", "libmsodbcsql*.so*"
_SYSTEMS = {
    "alpine": "alpine",
    "debian": "debian_ubuntu",
    "ubuntu": "debian_ubuntu",
    "rhel": "rhel",
    "fedora": "rhel",
    "suse": "suse",
}
"""Where that package keeps its files, by what a system calls itself."""
_INSTALL = (
    "Install Microsoft's (package msodbcsql18, or pip install mssql-python) or FreeTDS (apt "
    "install tdsodbc), or name an installed one with ?driver= in the url"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Driver:
    """An ODBC driver.

    Attributes:
        name: As the driver manager knows it: a name, or the file itself.
    """

    name: str

    @property
    def is_freetds(self) -> bool:
        """Whether it is FreeTDS; all others are taken for Microsoft's."""
        name = self.name.lower()
        return "freetds" in name or "tdsodbc" in name


def chosen(asked: str, installed: Sequence[str]) -> Driver:
    """The driver for a connection.

    Args:
        asked: What its url says, empty for the best there is.
        installed: As the driver manager names them.

    Raises:
        Failure: Of class `driver`; there is none.
    """
    there = ", ".join(installed) or "none"
    found = _named(asked, installed) if asked else _best(installed)
    if found:
        return Driver(name=found)
    what = f"the driver {asked} is not" if asked else "no driver for SQL Server is"
    raise Failure(ErrorClass.DRIVER, f"{what} installed here (installed: {there}). {_INSTALL}")


def _named(asked: str, installed: Sequence[str]) -> str:
    if asked.startswith("/"):
        return asked
    if asked.lower() == _WHEEL:
        return _of_wheel()
    wanted = _NAMES.get(asked.lower(), asked).lower()
    return next((name for name in installed if name.lower() == wanted), "")


def _best(installed: Sequence[str]) -> str:
    eighteen, seventeen, freetds = _NAMES.values()
    ours = [name for name in (eighteen, seventeen) if name in installed]
    if ours:
        return ours[0]
    return _of_wheel() or (freetds if freetds in installed else "")


def _of_wheel() -> str:
    """The file of the driver that the Python package mssql-python brings; empty without it.

    Its driver is used, not its own way to fetch: that cuts the last digit of a datetime2(7).
    """
    found = importlib.util.find_spec(_WHEEL_FILES)
    if found is None or found.origin is None:
        return ""
    with suppress(OSError):
        system = platform.freedesktop_os_release()
        words = f"{system.get('ID', '')} {system.get('ID_LIKE', '')}".split()
        folders = [folder for name, folder in _SYSTEMS.items() if name in words]
        place = Path(found.origin).parent / "libs" / "linux"
        for folder in [*folders, "debian_ubuntu"]:
            for path in sorted((place / folder / platform.machine() / "lib").glob(_FILE)):
                return str(path)
    return ""


def keys(driver: Driver, task: SessionTask, seconds: int) -> dict[str, str]:
    """The connection string's keys, secrets included.

    Args:
        driver: The driver.
        task: How to open.
        seconds: For the login.

    Raises:
        Failure: Of class `tls` where the driver cannot prove what the url demands, of class `login`
            where it cannot be given this password.
    """
    made = {
        "Driver": driver.name,
        "Database": task.database,
        "UID": task.user,
        "PWD": task.password,
        "APP": "etltui",
    }
    if driver.is_freetds:
        return made | _freetds(task)
    return made | _microsoft(task, seconds)


def _microsoft(task: SessionTask, seconds: int) -> dict[str, str]:
    mode = task.options.get("sslmode", "verify-full")
    if mode == "verify-ca":
        raise Failure(
            ErrorClass.TLS,
            "SQL Server's driver checks the name in a certificate whenever it checks whom it is "
            "from; say certname=NAME with the name that stands in it, instead of sslmode=verify-ca",
        )
    made = {
        "Server": _server(task),
        "ApplicationIntent": "ReadOnly",
        "Encrypt": "no" if mode == "disable" else "yes",
        "TrustServerCertificate": "yes" if mode in {"disable", "require"} else "no",
        "KeepAlive": "15",
        "KeepAliveInterval": "5",
        "ConnectRetryCount": "0",
        "LoginTimeout": str(seconds),
    }
    if name := task.options.get("certname"):
        made["HostNameInCertificate"] = name
    return made


def _server(task: SessionTask) -> str:
    if instance := task.options.get("instance"):
        return f"{task.host}\\{instance}"
    return f"tcp:{task.host},{task.port}"


def _freetds(task: SessionTask) -> dict[str, str]:
    mode = task.options.get("sslmode", "verify-full")
    if mode not in {"disable", "require"}:
        raise Failure(
            ErrorClass.TLS,
            f"FreeTDS takes any certificate, and sslmode={mode} wants it checked; install "
            "Microsoft's driver (package msodbcsql18), or say sslmode=require (any certificate) "
            "or disable (no encryption)",
        )
    if "}" in task.password:
        raise Failure(
            ErrorClass.LOGIN,
            "FreeTDS cannot be given a password that holds }; use driver=msodbcsql18 or another "
            "password",
        )
    made = {
        "TDS_Version": task.options.get("tds_version", "7.4"),
        "ClientCharset": "UTF-8",
        "ApplicationIntent": "ReadOnly",
        "Encryption": "off" if mode == "disable" else "require",
    }
    if instance := task.options.get("instance"):
        return {"Server": f"{task.host}\\{instance}", **made}
    return {"Server": task.host, "Port": str(task.port), **made}
