"""The house's rules: what may import what, what loads when, how long things are."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "etltui"
MODULES = sorted(PACKAGE.rglob("*.py"))
HEAVY = ("textual", "rich", "pyarrow", "openpyxl", "sqlglot", "sqlalchemy", "adbc_driver_manager")
DRIVERS = ("adbc_driver_sqlite", "psycopg", "psycopg2", "pymysql", "pyodbc", "pymssql", "oracledb")


def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def lines(node):
    first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
    return node.end_lineno - first + 1


def is_method(node):
    """Whether it is a method to call; what reads like an attribute is none, nor is `__init__`."""
    return (
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and not node.name.startswith("__")
        and not any(ast.unparse(each) == "property" for each in node.decorator_list)
    )


def name(path):
    return str(path.relative_to(ROOT))


CALLED_BY_NAME = ("on_", "do_", "action_")
"""How methods begin that a screen or a registry of commands calls: nobody reads them in a row."""


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_file_has_one_idea_and_room_for_it(path):
    text = path.read_text(encoding="utf-8")
    parsed = ast.parse(text)
    assert ast.get_docstring(parsed), "its first line says what it is for"
    assert len(text.splitlines()) <= 400
    for node in ast.walk(parsed):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert lines(node) <= 60, node.name
        if isinstance(node, ast.ClassDef):
            methods = [each.name for each in node.body if is_method(each)]
            hooks = [each for each in methods if each.startswith(CALLED_BY_NAME)]
            assert len(hooks) <= 20, node.name
            assert len(methods) - len(hooks) <= 20, node.name


@pytest.mark.parametrize("path", [p for p in MODULES if p.name == "__init__.py"], ids=name)
def test_a_package_says_what_it_is_and_does_nothing(path):
    docstring, *rest = tree(path).body
    assert isinstance(docstring, ast.Expr)
    if path.parent == PACKAGE:
        (version,) = rest
        assert [target.id for target in version.targets] == ["__version__"]
    else:
        assert rest == []


def python(code, *arguments):
    """What a fresh interpreter prints as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return json.loads(done.stdout.splitlines()[-1])


ENGINE = """
import asyncio, json, sys
from pathlib import Path
from etltui.bootstrap import engine
from etltui.config.load import load

async def main(folder):
    async with engine(load(folder / "etltui.toml", environ={}), folder / "state", environ={}):
        print(json.dumps(sorted(sys.modules)))

asyncio.run(main(Path(sys.argv[1])))
"""


def test_a_started_engine_has_loaded_no_screen_no_format_and_one_driver(tmp_path):
    (tmp_path / "etltui.toml").write_text(
        f"""
        [connections.A]
        url = "sqlite:///{tmp_path}/a.db"
        [jobs.sales]
        connections = ["A"]
        query = "select 1"
        [[jobs.sales.destinations]]
        type = "excel"
        path = "out.xlsx"
        """,
        encoding="utf-8",
    )
    loaded = {module.partition(".")[0] for module in python(ENGINE, str(tmp_path))}
    assert not loaded & {*HEAVY, *DRIVERS}
    assert "sqlite3" in loaded


VERSION = """
import json, runpy, sys
sys.argv = ["etltui", "--version"]
try:
    runpy.run_module("etltui", run_name="__main__")
except SystemExit:
    print(json.dumps(sorted(sys.modules)))
"""


def test_asking_for_the_version_loads_next_to_nothing():
    loaded = python(VERSION)
    assert "etltui.cli.main" in loaded
    assert not {"asyncio", "etltui.engine", "etltui.bootstrap", "etltui.store"} & set(loaded)
    assert not {module.partition(".")[0] for module in loaded} & {*HEAVY, "msgspec", "psutil"}


CONSOLE = PACKAGE / "console"
PICTURES = sorted(
    path for room in ("views", "widgets", "screens") for path in (CONSOLE / room).glob("*.py")
)
SURFACES = ("cli", "console", "web", "__main__.py")
SCREEN = {"textual", "rich"}
SQL = ("SELECT ", "INSERT ", "UPDATE ", "DELETE ", "PRAGMA ")


def imported(path):
    """The modules that a file imports, wherever in it."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


BELOW = [path for path in MODULES if path.relative_to(PACKAGE).parts[0] not in SURFACES]


@pytest.mark.parametrize("path", BELOW, ids=name)
def test_what_lies_below_the_surfaces_knows_no_screen(path):
    assert not {module.partition(".")[0] for module in imported(path)} & SCREEN


@pytest.mark.parametrize("room", ["model", "linear"])
def test_what_can_be_worked_out_without_a_screen_needs_none(room):
    """Widths of letters are all that it asks of a library of screens."""
    found = {module for path in (CONSOLE / room).rglob("*.py") for module in imported(path)}
    assert not {each for each in found if each.startswith("textual.widget")}
    assert {each for each in found if each.partition(".")[0] == "rich"} <= {"rich.cells"}


@pytest.mark.parametrize("path", PICTURES, ids=name)
def test_a_part_of_the_picture_knows_neither_tables_of_a_store_nor_a_file_of_one(path):
    assert not {"sqlite3", "aiosqlite", "etltui.domain.ports"} & set(imported(path))
    texts = [each for each in ast.walk(tree(path)) if isinstance(each, ast.Constant)]
    assert not [each.value for each in texts if str(each.value).startswith(SQL)]


@pytest.mark.parametrize("path", PICTURES, ids=name)
def test_only_a_command_waits_for_the_store_never_what_paints_or_hears_keys(path):
    """Commands are workers of their own: what else waits would hold up keys and paints."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.AsyncFunctionDef) and node.name.startswith(("on_", "action_")):
            waits = [each for each in ast.walk(node) if isinstance(each, ast.Await)]
            assert not [each for each in waits if "reads" in ast.unparse(each)], node.name


def test_the_contracts_of_layers_and_rooms_hold():
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [lint, "--no-cache"], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stdout
