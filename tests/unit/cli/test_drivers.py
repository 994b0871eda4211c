"""`etltui drivers`: what loads, what does not, and what to install, from a process of its own."""

import asyncio
import json
import sys
from importlib.metadata import EntryPoint

import pytest
from click.testing import CliRunner

from etltui.cli.drivers import command
from etltui.doctor import probe
from etltui.doctor.probe import KINDS, probed, works
from etltui.domain.driver import Driver
from etltui.readers import drivers


def ask(*words):
    return CliRunner().invoke(command, words)


def test_each_kind_that_is_read_is_looked_at():
    assert sorted(KINDS) == sorted(drivers.KINDS)


def test_what_works_is_told_with_its_version():
    told = ask("sqlite", "postgresql")
    assert told.exit_code == 0
    assert "✓ sqlite\n  ✓ adbc-driver-sqlite " in told.output
    assert "✓ postgresql\n  ✓ asyncpg " in told.output
    (line,) = ask("sqlite", "--json").output.splitlines()
    object_ = json.loads(line)
    assert object_["kind"] == "sqlite"
    assert object_["works"] is True
    assert object_["version"]


def test_an_unknown_kind_is_refused():
    assert ask("oracle").exit_code == 2


def test_what_does_not_work_says_why_and_what_to_do(monkeypatch):
    async def lacking(_kinds):
        one = Driver(name="a", serves="b", problem="not installed", remedy="pip install a")
        return {"mysql": (one,)}

    monkeypatch.setattr("etltui.cli.drivers.probed", lacking)
    told = ask("mysql").output
    assert told == "✗ mysql\n  ✗ a: b\n      not installed\n      → pip install a\n"


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"),
        ("raise SystemExit('no way')", "no way"),
    ],
)
def test_a_driver_that_kills_its_process_is_a_finding(tmp_path, monkeypatch, program, said):
    (tmp_path / "deadly.py").write_text(program)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(probe, "_MODULE", "deadly")
    ((found,),) = asyncio.run(probed(["odbc"])).values()
    assert said in found.problem
    assert found.remedy
    assert not works((found,))
    assert sys.executable in found.remedy


def test_a_registered_driver_whose_library_is_not_there(tmp_path, monkeypatch):
    """N-36: ODBC drivers are listed, each with whether it loads."""
    (tmp_path / "odbcinst.ini").write_text(
        f"[Gone]\nDriver = {tmp_path}/gone.so\n[Broken]\nDriver64 = {tmp_path}/broken.so\n"
        "[MariaDB Lost]\nDriver = liblost-for-ever.so\n[No driver]\nDebug = 1\n",
    )
    (tmp_path / "broken.so").write_text("no library")
    monkeypatch.setenv("ODBCSYSINI", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(drivers, "_ODBC_LIBRARY", "libc.so.6")
    found = {each.name: each for each in drivers._odbc_drivers()}
    assert list(found) == ["Gone", "Broken", "MariaDB Lost"]
    assert "there is no file" in found["Gone"].problem
    assert "odbcinst.ini" in found["Gone"].remedy
    assert "broken.so" in found["Broken"].problem
    assert found["MariaDB Lost"].remedy == "apt install odbc-mariadb"
    assert all(each.registered for each in found.values())
    (manager, *_) = drivers._mssql()
    assert manager.problem == "none is registered in odbcinst.ini"


def test_without_unixodbc_it_is_what_to_install(monkeypatch):
    monkeypatch.setattr(drivers, "_ODBC_LIBRARY", "libodbc-that-is-not-there.so")
    (only,) = drivers._odbc_drivers()
    assert only.remedy == "apt install unixodbc"
    assert only.problem
    assert next(iter(drivers._mssql())).remedy == "apt install unixodbc"


def test_a_package_that_is_missing_or_does_not_load(tmp_path, monkeypatch):
    (tmp_path / "broken_driver.py").write_text("raise RuntimeError('odd\\nstate')")
    monkeypatch.syspath_prepend(tmp_path)
    broken = drivers._package("broken-driver", "x")
    assert broken.problem == "installed, but it does not load: odd state"
    missing = drivers._package("no-such-driver", "x")
    assert missing.problem == "not installed: no module no_such_driver"
    assert missing.remedy == "pip install no-such-driver"


def test_a_dialect_that_a_package_has_brought(tmp_path, monkeypatch):
    (tmp_path / "half_dialect.py").write_text(
        "class Dialect:\n    @staticmethod\n    def import_dbapi():\n        import no_such_driver",
    )
    monkeypatch.syspath_prepend(tmp_path)
    group = "sqlalchemy.dialects"
    half = EntryPoint(name="half.driver", value="half_dialect:Dialect", group=group)
    found = drivers._dialect("half.driver", half)
    assert found.problem == "its driver is not installed: no module no_such_driver"
    assert found.serves == "sqlalchemy+half+driver://"
