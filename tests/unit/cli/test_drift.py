"""`etltui drift` in this process: whose columns differ from those of most branches: N-4."""

import asyncio
import json
from dataclasses import replace

import pytest

from etltui.domain.columns import Column
from etltui.domain.drift import COLUMNS
from etltui.domain.errors import ErrorClass, Trouble
from etltui.domain.run import RunStatus
from unit.cli.cli_desk import done, failed

USUAL = (Column(name="id", type="int"), Column(name="amount", type="float"))


@pytest.fixture
def shops(desk):
    """Runs of which the last told nobody's columns; `shops.run` is the one before."""
    desk.configure()
    facts = {COLUMNS: json.dumps([["ID", "int"], ["town", "text"]])}
    trouble = Trouble(error_class=ErrorClass.DRIFT, message="other columns", facts=facts)
    drifted = replace(failed("C"), trouble=trouble)
    results = (replace(done("A"), columns=(USUAL,)), done("B"), drifted)
    errors = RunStatus.COMPLETED_WITH_ERRORS
    fixed = {"columns": (USUAL,)}
    desk.run = asyncio.run(desk.record(*results, status=errors, plan=fixed))
    asyncio.run(desk.record(failed("A"), failed("B"), failed("C"), status=RunStatus.FAILED))
    return desk


def test_n_4_the_newest_run_that_tells_columns_shows_who_differs(shops):
    asked = shops.ask("drift", "sales")
    assert asked.exit_code == 0, asked.output
    lines = asked.stdout.splitlines()
    assert lines[0] == f"sales ▸ run {shops.run}"
    assert "main: the columns of 3 connections" in lines
    assert [line.split() for line in lines[3:7]] == [
        ["COLUMN", "TYPE", "HAVE", "IT"],
        ["id", "int", "3"],
        ["amount", "float", "2"],
        ["town", "text", "1", "only", "few"],
    ]
    assert lines[-3] == "  1 connection of 3 differ:"
    assert [line.split() for line in lines[-2:]] == [
        ["CONNECTION", "amount", "town"],
        ["C", "lacks", "text"],
    ]


def test_programs_are_told_as_json_and_of_the_run_that_they_name(shops):
    [query] = json.loads(shops.ask("drift", "sales", "--json", "--run", shops.run).stdout)[
        "queries"
    ]
    assert query["connections"] == 3
    assert query["differing"] == {"C": {"amount": None, "town": "text"}}
    assert {each["name"]: each["usual"] for each in query["columns"]} == {
        "id": True,
        "amount": True,
        "town": False,
    }


def test_where_all_are_alike_that_is_said(desk):
    desk.configure()
    same = [replace(done(name), columns=(USUAL,)) for name in "ABC"]
    asyncio.run(desk.record(*same, status=RunStatus.COMPLETED))
    assert desk.ask("drift", "sales").stdout.splitlines()[-1] == "  no connection differs"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["none"], "no run of 'none' whose columns are known"),
        (["sales", "--run", "zzzz"], "no run 'zzzz' of 'sales'"),
    ],
)
def test_what_no_run_tells_is_refused_with_a_way_out(shops, words, said):
    asked = shops.ask("drift", *words)
    assert asked.exit_code == 2
    told = " ".join(asked.stderr.split())
    assert said in told
    assert "etltui runs lists them" in told
