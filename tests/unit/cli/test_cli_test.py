"""`etltui test` in this process: who answers, who does not, and what is said of each."""

import asyncio
import json
import math
import sqlite3
from contextlib import asynccontextmanager
from datetime import date, timedelta

import pytest

from etltui.bootstrap import leases
from etltui.cli import test
from etltui.domain import inquiry
from etltui.domain.errors import ErrorClass, Failure, Trouble
from etltui.domain.job import Connection
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
    assert [line for line in lines if line.startswith("✓") and not line.endswith(" ms")] == []
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

    async def ping(self):
        await asyncio.Event().wait()


class Lending:
    """Lends what a test says: a session, or a failure."""

    def __init__(self, found):
        self.found = found

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
    tried = await trips.tested(Lending(found), connection, 0.0, TurnedClock())
    assert tried.trouble == Trouble(error_class=error_class, message=said)


def test_what_a_server_says_cannot_move_a_terminal_and_keeps_to_80_columns():
    trouble = Trouble(error_class=ErrorClass.LOST, message="gone \x1b[2J " + "word " * 30)
    lines = test._line(
        inquiry.Tested(connection="A\x1b[2J", trouble=trouble, contact="x\x1b"), 28
    ).splitlines()
    assert lines[0] == "✗ A␛[2J"
    assert lines[1].startswith("    lost: gone ␛[2J word")
    assert lines[-1] == "    Contact: x␛."
    assert max(map(len, lines)) < 80


def test_the_last_words_of_an_extractor_that_crashed_are_passed_on(tmp_path, capsys):
    log = tmp_path / "extractor.log"
    test._last_words(log)
    assert capsys.readouterr().err == ""
    log.write_text("".join(f"{number} \x1b[2J\n" for number in range(12)))
    test._last_words(log)
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "extractor: 2 ␛[2J"
    assert len(said) == 10


async def test_whoever_waits_for_a_turn_waits_as_long_as_it_takes(desk, tmp_path):
    desk.configure(CONFIG, "extractors = 0\nacquire_timeout_s = 1")
    config = await asyncio.to_thread(lambda: desk.config)
    async with leases(config, environ={}, log=tmp_path / "log") as lending:
        assert lending._desk.settings.acquire_timeout_s == math.inf
