"""`etltui test` in this process: who answers, who does not, and what is said of each."""

import asyncio
import io
import json
import math
import sqlite3
from contextlib import asynccontextmanager
from datetime import date, timedelta

import pytest

from door_kit import House
from etltui.bootstrap import leases
from etltui.cli import test, tested, without_engine
from etltui.domain import inquiry
from etltui.domain.errors import ErrorClass, Failure, Trouble
from etltui.domain.job import Connection
from etltui.domain.server import Reached, ServerFacts
from etltui.domain.task import QueryTask
from etltui.engine import trips
from fakes import TurnedClock

CONFIG = """
[connections.A]
url = "sqlite:///a.db"
tags = ["north"]
[connections.B]
url = "sqlite:///b.db"
contact = "Asha +91"
[connections.C]
url = "sqlite:///a.db"
"""


@pytest.fixture
def branches(desk):
    """A desk with two databases that answer and one that is not there; nothing of its own runs."""
    desk.configure(CONFIG, "extractors = 0")
    sqlite3.connect(desk.folder / "a.db").close()
    return desk


def told(asked):
    return {each["connection"]: each for each in map(json.loads, asked.stdout.splitlines())}


def test_each_is_asked_and_what_failed_says_what_to_try(branches):
    asked = branches.ask("test")
    assert asked.exit_code == 3, asked.output
    lines = asked.stdout.splitlines()
    assert {line.split()[1] for line in lines if line.startswith("✓")} == {"A", "C"}
    assert {line.split()[3:5] == ["ms", "SQLite"] for line in lines if line.startswith("✓")} == {
        True
    }
    assert lines[-2] == "A and C are the same database"
    said = " ".join(asked.stdout.split())
    assert f"✗ B no database: there is no file {branches.folder}/b.db Contact: Asha +91." in said
    assert "→ no database (1): There is no database of this name or file at the" in said
    assert lines[-1] == "2 of 3 connections answered"
    assert [line for line in lines if len(line) >= 80 and str(branches.folder) not in line] == []


def test_it_neither_needs_nor_takes_the_state_folder(branches):
    """N-25: also while an engine is running."""
    assert branches.ask("test", "A").exit_code == 0
    assert not branches.state.exists()


def test_all_some_or_none_is_told_by_the_exit_code(branches):
    assert branches.ask("test", "A", "C").exit_code == 0
    assert branches.ask("test", "B").exit_code == 1
    assert branches.ask("test", "[AB]").exit_code == 3


def test_programs_get_a_line_for_each(branches):
    asked = branches.ask("test", "tag:north", "B", "A", "--json")
    assert asked.exit_code == 3, asked.output
    lines = told(asked)
    assert len(lines) == len(asked.stdout.splitlines()) == 2
    assert lines["A"]["answers"]
    assert lines["A"]["round_trip_ms"] >= 0
    assert lines["A"]["error"] is None
    assert not lines["B"]["answers"]
    assert lines["B"]["round_trip_ms"] is None
    assert lines["B"]["error"]["class"] == "no_database"
    assert lines["B"]["error"]["try"].startswith("Check the connection's url")


def test_what_matches_nothing_is_refused_before_anybody_is_asked(branches):
    asked = branches.ask("test", "A", "tag:nroth", "D")
    assert asked.exit_code == 2
    assert asked.stdout == ""
    assert '"tag:nroth" matches no connection. Did you mean "tag:north"?' in asked.stderr
    assert '"D" matches no connection' in asked.stderr


def test_a_branch_that_is_closed_is_asked_only_by_name(branches):
    gone = date.today() - timedelta(days=10)  # noqa: DTZ011 - the command's own day is near enough
    branches.configure(f"{CONFIG}closed = {gone}\n", "extractors = 0")
    assert set(told(branches.ask("test", "--json"))) == {"A", "B"}
    assert set(told(branches.ask("test", "C", "--json"))) == {"C"}
    only = CONFIG.partition("[connections.B]")[0]
    branches.configure(f"{only}closed = {gone}\n")
    asked = branches.ask("test")
    assert asked.exit_code == 2
    assert "there is no connection to test" in asked.stderr


class Silent:
    """A session whose server never answers."""

    facts = ServerFacts()

    async def ping(self):
        await asyncio.Event().wait()


class Lending:
    """Lends what a test says: a session, or a failure."""

    def __init__(self, found, reached=None):
        self.found = found
        self.reached = reached

    async def reach(self, connection):
        del connection
        if isinstance(self.reached, Failure):
            raise self.reached
        return self.reached

    @asynccontextmanager
    async def lease(self, connection, **_):
        del connection
        if isinstance(self.found, Failure):
            raise self.found
        yield self.found


@pytest.mark.parametrize(
    ("found", "error_class", "said"),
    [
        (Silent(), ErrorClass.TIMEOUT, "no answer within request_timeout_s = 0 s"),
        (Failure(ErrorClass.LOGIN, "wrong password"), ErrorClass.LOGIN, "wrong password"),
    ],
)
async def test_whoever_does_not_answer_in_time_or_at_all_is_a_failure(found, error_class, said):
    connection = Connection(name="A", kind="sqlite", url="sqlite:///a.db")
    tried = await trips.tested(Lending(found), connection, 0.0, TurnedClock(), (), "")
    assert tried.trouble == Trouble(error_class=error_class, message=said)


def test_what_a_server_says_cannot_move_a_terminal_and_keeps_to_80_columns():
    trouble = Trouble(error_class=ErrorClass.LOST, message="gone \x1b[2J " + "word " * 30)
    lines = tested.line(
        inquiry.Tested(connection="A\x1b[2J", trouble=trouble, contact="x\x1b"), 28
    ).splitlines()
    assert lines[0] == "✗ A␛[2J"
    assert lines[1].startswith("    lost: gone ␛[2J word")
    assert lines[-1] == "    Contact: x␛."
    assert max(map(len, lines)) < 80


def test_the_last_words_of_an_extractor_that_crashed_are_passed_on(tmp_path, capsys):
    log = tmp_path / "extractor.log"
    without_engine.pass_on(log)
    assert capsys.readouterr().err == ""
    log.write_text("".join(f"{number} \x1b[2J\n" for number in range(12)))
    without_engine.pass_on(log)
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "extractor: 2 ␛[2J"
    assert len(said) == 10


async def test_whoever_waits_for_a_turn_waits_as_long_as_it_takes(desk, tmp_path):
    desk.configure(CONFIG, "extractors = 0\nacquire_timeout_s = 1")
    config = await asyncio.to_thread(lambda: desk.config)
    async with leases(config, environ={}, log=tmp_path / "log") as lending:
        assert lending._desk.settings.acquire_timeout_s == math.inf


JOB = """
[jobs.sales]
connections = ["A", "C"]
query = "select id from t"
[[jobs.sales.destinations]]
type = "csv"
path = "out.csv"
[jobs.stock]
connections = ["C"]
query = "select id, nothing from t"
[[jobs.stock.destinations]]
type = "csv"
path = "stock.csv"
"""


@pytest.fixture
def jobs(branches):
    """Two jobs, one of which asks C for a column that it has not."""
    branches.configure(CONFIG + JOB, "extractors = 0")
    with sqlite3.connect(branches.folder / "a.db") as db:
        db.execute("CREATE TABLE t (id INTEGER)")
    db.close()
    return branches


def stages(found):
    return [(each["stage"], each["passed"]) for each in found["stages"]]


def test_each_parses_the_queries_of_the_jobs_that_read_it(jobs):
    found = told(jobs.ask("test", "--json"))
    assert stages(found["A"]) == [("file", True), ("answer", True), ("query", True)]
    assert (found["A"]["queries"], found["A"]["answers"]) == (1, True)
    assert stages(found["B"]) == [("file", False)]
    assert stages(found["C"]) == [("file", True), ("answer", True), ("query", False)]
    assert found["C"]["error"]["class"] == "syntax"
    assert found["C"]["error"]["message"].startswith("stock, main: ")
    assert found["A"]["server"]["product"].startswith("SQLite ")


def test_of_one_job_alone_the_queries_are_parsed(jobs):
    assert jobs.ask("test", "C", "--job", "sales").exit_code == 0
    asked = jobs.ask("test", "C", "--job", "stock")
    assert asked.exit_code == 1
    assert "file ✓" in asked.stdout
    assert "query ✗" in asked.stdout
    assert jobs.ask("test", "--job", "slaes").exit_code == 2


NEAR = Reached(resolve_s=0.001, connect_s=0.002)
SERVER = Connection(name="A", kind="postgresql", url="", host="h", port=5432)


class Answering:
    """A session whose server answers, and refuses what a test says."""

    def __init__(self, facts=None, refused=None):
        self.facts = facts or ServerFacts(encrypted=True)
        self.refused = refused

    async def ping(self):
        pass

    async def describe(self, queries):
        if self.refused is not None:
            raise self.refused
        return ((),) * len(queries)


def way(found):
    return [(str(step.stage), step.passed) for step in found.steps]


PASSED = [("dns", True), ("tcp", True), ("tls", True), ("login", True), ("database", True)]


@pytest.mark.parametrize(
    ("lending", "steps"),
    [
        (Lending(Answering(), NEAR), [*PASSED, ("answer", True), ("query", True)]),
        (
            Lending(Answering(ServerFacts(encrypted=False)), NEAR),
            [*PASSED[:2], *PASSED[3:], ("answer", True), ("query", True)],
        ),
        (
            Lending(None, Failure(ErrorClass.UNREACHABLE, "no name", {"stage": "dns"})),
            [("dns", False)],
        ),
        (
            Lending(None, Failure(ErrorClass.REFUSED, "closed", {"stage": "tcp"})),
            [("dns", True), ("tcp", False)],
        ),
        (Lending(Failure(ErrorClass.TLS, "x"), NEAR), [*PASSED[:2], ("tls", False)]),
        (Lending(Failure(ErrorClass.LOGIN, "x"), NEAR), [*PASSED[:2], ("login", False)]),
        (Lending(Failure(ErrorClass.TIMEOUT, "x"), NEAR), [*PASSED[:2], ("login", False)]),
        (
            Lending(Failure(ErrorClass.NO_DATABASE, "x"), NEAR),
            [*PASSED[:2], ("login", True), ("database", False)],
        ),
        (
            Lending(Answering(refused=Failure(ErrorClass.PERMISSION, "no SELECT")), NEAR),
            [*PASSED, ("answer", True), ("query", False)],
        ),
        (Lending(Silent(), NEAR), [*PASSED[:2], *PASSED[3:], ("answer", False)]),
    ],
)
async def test_how_far_each_came_is_told_stage_by_stage(lending, steps):
    query = QueryTask(name="sales, main", sql="select 1")
    limit_s = 0.0 if isinstance(lending.found, Silent) else 5.0
    found = await trips.tested(lending, SERVER, limit_s, TurnedClock(), (query,), "")
    assert way(found) == steps
    assert (found.trouble is None) == steps[-1][1]


def test_lines_say_which_server_answers_what_is_odd_and_that_nothing_is_encrypted():
    facts = ServerFacts(product="PostgreSQL 15.19", encrypted=False, skew_s=7200.0)
    found = inquiry.Tested(
        connection="A", milliseconds=1.25, server=facts, odd=("its clock is 2 h fast",)
    )
    lines = tested.line(found, 28).splitlines()
    assert lines[0].split() == ["✓", "A", "1.2", "ms", "PostgreSQL", "15.19", "not", "encrypted"]
    assert lines[1] == "    its clock is 2 h fast"
    (said,) = tested.summed([found])
    assert said.startswith("1 connection not encrypted: whoever is on the line")


CREDENTIAL = """
[credentials.etl]
user = "etl"
password = "env:ETL_PASSWORD"
[connections.A]
url = "sqlite:///a.db"
credential = "etl"
[connections.B]
url = "sqlite:///a.db"
[connections.C]
url = "sqlite:///a.db"
credential = "etl"
"""


def test_n_20_a_changed_login_is_tried_at_one_before_all_others(branches, monkeypatch):
    branches.configure(CREDENTIAL, "extractors = 0")
    monkeypatch.delenv("ETL_PASSWORD", raising=False)
    refused = branches.ask("test", "--credential", "etl")
    assert refused.exit_code == 1
    assert [line for line in refused.stdout.splitlines() if line[0] in "✓✗"] == ["✗ A"]
    assert "1 connection not asked: etl was refused at the first" in refused.stdout
    monkeypatch.setenv("ETL_PASSWORD", "new")
    good = branches.ask("test", "--credential", "etl")
    assert good.exit_code == 0
    assert [line[:3] for line in good.stdout.splitlines() if line[0] in "✓✗"] == ["✓ A", "✓ C"]
    assert "`etltui pools release etl`, or with --release here" in " ".join(good.stdout.split())
    released = branches.ask("test", "--credential", "etl", "--release")
    assert "No engine has etl locked" in released.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--credential", "elt"), "there is no credential 'elt'"),
        (("B", "--credential", "etl"), "none of the connections that are asked logs in with etl"),
        (("--release",), "no credential is named"),
    ],
)
def test_a_login_that_nobody_uses_is_refused_with_a_way_out(branches, words, said):
    branches.configure(CREDENTIAL, "extractors = 0")
    asked = branches.ask("test", *words)
    assert asked.exit_code == 2
    assert said in asked.stderr


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_on_a_terminal_one_line_counts_and_is_gone_at_the_end():
    out = Terminal()
    counting = tested.Counting(out, 3)
    for failed in (False, True, False):
        counting.clear()
        counting.took(failed=failed)
    counting.clear()
    said = out.getvalue()
    assert "\r1 of 3 asked\x1b[K" in said
    assert "\r2 of 3 asked, 1 failed\x1b[K" in said
    assert said.endswith("\r\x1b[K")
    quiet = io.StringIO()
    tested.Counting(quiet, 3).took(failed=True)
    assert quiet.getvalue() == ""


async def test_n_20_an_engine_that_runs_is_told_to_try_a_login_again(tmp_path):
    house = await House(tmp_path).open()
    asked = []
    house.pools.release_credential = lambda name: asked.append(name) or name == "etl"
    try:
        async with house.open_house():
            assert await test._released(house.state, "etl")
            assert not await test._released(house.state, "other")
    finally:
        await house.close()
    assert asked == ["etl", "other"]


def test_a_product_that_is_cut_shows_it():
    server = ServerFacts(product="SQL Server 16.0.4165.4")
    told = inquiry.Tested(connection="A", server=server)
    assert "SQL Server 16.0.4…" in tested.line(told, 28)
    assert "SQL Server 16.0.4165.4" in tested.line(told, 8)
