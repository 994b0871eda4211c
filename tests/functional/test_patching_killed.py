"""Killed while it patches: each target is the old one or the new one, and the next try ends it."""

import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from openpyxl import load_workbook

from functional.cli_kit import LIMIT_S, environ, etltui

CONFIG = """
[settings]
state_dir = "state"
extractors = 1
[connections.a]
url = "sqlite:///a.db"
[connections.b]
url = "sqlite:///b.db"
[jobs.sales]
connections = ["*"]
query = "SELECT number FROM sales ORDER BY number"
retry = { retries = 0 }
destinations = [
    { type = "csv", path = "out/sales.csv", connection_column = "branch" },
    { type = "excel", path = "out/sales.xlsx" },
    { type = "parquet", path = "out/lake", layout = "folder" },
]
"""
# Ends by itself where it would be killed: at the n-th call of a function, before or after it.
KILLED = """
import os, signal, sys
from importlib import import_module
module, name, where, count = sys.argv[1:5]
del sys.argv[1:5]
holder = import_module(module.partition(":")[0])
for step in filter(None, module.partition(":")[2].split(".")):
    holder = getattr(holder, step)
real, calls = getattr(holder, name), []

def end():
    os.kill(os.getpid(), signal.SIGKILL)

async def killed(*args, **more):
    calls.append(1)
    here = len(calls) == int(count)
    if here and where == "before":
        end()
    result = await real(*args, **more)
    if here:
        end()
    return result

setattr(holder, name, killed)
from etltui.cli.main import main
main()
"""
STORE, FILES = "etltui.store.sqlite:SqliteStore", "etltui.extractors.files:ExtractorFiles"
POINTS = [
    (FILES, "assemble", "after", 1),
    (FILES, "deliver", "after", 1),
    *(
        pytest.param(*each, marks=pytest.mark.slow)
        for each in (
            ("etltui.engine.publish", "revise", "before", 1),
            ("etltui.engine.publish", "revise", "after", 1),
            (STORE, "move_publication", "after", 4),
            (FILES, "deliver", "before", 1),
            (FILES, "deliver", "after", 3),
            (STORE, "finish_run", "before", 1),
        )
    ),
]


def sell(folder, branch, rows):
    with closing(sqlite3.connect(folder / f"{branch}.db")) as db, db:
        db.execute("CREATE TABLE sales (number INTEGER)")
        db.executemany("INSERT INTO sales VALUES (?)", ((n,) for n in range(rows)))


@pytest.fixture(scope="module")
def lacking(tmp_path_factory):
    """A desk whose targets lack branch b, and a copy of it as it was: its paths are absolute."""
    desk = tmp_path_factory.mktemp("lacking") / "desk"
    desk.mkdir()
    (desk / "etltui.toml").write_text(CONFIG)
    sell(desk, "a", 300)
    first = etltui("run", "sales", "--json", "--config", desk / "etltui.toml")
    assert first.finished["status"] == "completed_with_errors", first.err
    sell(desk, "b", 20)
    (desk / "a.db").unlink()
    shutil.copytree(desk, desk.with_name("kept"))
    return desk


def files(desk):
    """What lies at the targets, and nothing that is on its way."""
    out = desk / "out"
    found = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}
    lake = {path.name: path.read_bytes() for path in (out / "lake").glob("*.parquet")}
    return {name: data for name, data in found.items() if name[0] != "."}, lake


def kinds(desk, old):
    """Of each target whether it is the old one or the new one; it must be one of them, whole."""
    (was, lake), (now, new_lake) = old, files(desk)
    rows = [*(f"a,{n}" for n in range(300)), *(f"b,{n}" for n in range(20))]
    whole = "\n".join(["branch,number", *rows, ""]).encode()
    assert now["sales.csv"] in (was["sales.csv"], whole)
    new_book = now["sales.xlsx"] != was["sales.xlsx"]
    if new_book:
        book = load_workbook(desk / "out" / "sales.xlsx", read_only=True)
        assert book.sheetnames == ["Index", "a", "b", "Run"]
        assert sum(1 for _ in book["b"].iter_rows()) == 21
        told = [row[1] for row in book["Index"].iter_rows(values_only=True)]
        assert [each for each in told if str(each).startswith("Revision")] == ["Revision 2"]
    assert {name: new_lake.get(name) for name in lake} == lake
    assert len(new_lake) in (1, 2)
    return now["sales.csv"] == whole, new_book, len(new_lake) == 2


@pytest.mark.parametrize(("module", "name", "where", "count"), POINTS)
def test_killed_anywhere_each_target_is_old_or_new(lacking, module, name, where, count):
    desk = lacking
    shutil.rmtree(desk)
    shutil.copytree(desk.with_name("kept"), desk)
    old = files(desk)
    asked = ["retry", "sales", "--json", "--config", str(desk / "etltui.toml")]
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, module, name, where, str(count), *asked],
        env=environ(),
        timeout=LIMIT_S,
        check=False,
        capture_output=True,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    kinds(desk, old)
    again = etltui("run", "sales", "--resume", *asked[2:])
    assert again.finished["status"] == "completed", again.err
    assert kinds(desk, old) == (True, True, True)
    shown = etltui("show", "sales", "--config", desk / "etltui.toml").out
    assert shown.count("revision 2 of") == 3
    assert "revision 3" not in shown
