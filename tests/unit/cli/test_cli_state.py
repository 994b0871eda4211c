"""`etltui state`: the database looked at, copied, put back, made smaller, made anew."""

import asyncio
import json
import sqlite3
from contextlib import closing

import pytest
from cli_desk import done, failed

from etltui.store.folder import DATABASE


@pytest.fixture
def recorded(desk):
    """A run that was stopped."""
    desk.configure()
    desk.run = asyncio.run(desk.record(done("A"), failed("B"), size=2_000, reason="by SIGINT"))
    return desk


def change(desk, sql):
    with closing(sqlite3.connect(desk.state / DATABASE)) as database:
        database.execute(sql)
        database.commit()


def held(desk, *words):
    async def ask():
        async with await desk.open():
            return await asyncio.to_thread(desk.ask, *words)

    return asyncio.run(ask())


def test_a_sound_database_is_said_so(recorded):
    asked = recorded.ask("state", "check")
    assert asked.exit_code == 0
    assert asked.output.startswith("The state database is sound\nversion ")
    said = json.loads(recorded.ask("state", "check", "--json").output)
    assert (said["type"], said["sound"], said["damaged"], said["problem"]) == (
        "state",
        True,
        [],
        "",
    )


def test_damage_is_named_by_check_runs_and_doctor(recorded):
    change(recorded, "UPDATE runs SET title = 'x'")
    asked = recorded.ask("state", "check")
    assert asked.exit_code == 1
    assert f"damaged rows, {recorded.run} of runs" in " ".join(asked.output.split())
    assert json.loads(recorded.ask("state", "check", "--json").output)["damaged"] == [
        f"{recorded.run} of runs"
    ]
    listed = recorded.ask("runs")
    assert listed.exit_code == 0
    assert f"damaged and left out: {recorded.run} of runs" in listed.output
    found = [json.loads(line) for line in recorded.ask("doctor", "--json").output.splitlines()]
    (finding,) = [each for each in found if each["topic"] == "state database"]
    assert (finding["level"], finding["title"]) == ("fail", f"damaged: {recorded.run} of runs")


def test_a_copy_is_made_while_an_engine_runs_and_put_back_when_it_does_not(recorded):
    copied = held(recorded, "state", "backup", recorded.folder / "copy.db")
    assert copied.exit_code == 0
    assert "copy.db" in copied.output
    assert "is there already" in recorded.ask("state", "backup", "copy.db").output
    assert "backups/state-" in "".join(recorded.ask("state", "backup").output.split("\n  "))
    change(recorded, "DELETE FROM runs")
    put = recorded.ask("state", "restore", "copy.db")
    assert put.exit_code == 0
    assert "the former one is" in " ".join(put.output.split())
    assert "sales" in recorded.ask("runs").output
    assert "Set aside: state.db.replaced-" in recorded.ask("state", "check").output
    found = [json.loads(line) for line in recorded.ask("doctor", "--json").output.splitlines()]
    levels = [each["level"] for each in found if each["topic"] == "state database"]
    assert levels == ["ok", "warn"]


def test_a_damaged_copy_is_refused_and_nothing_is_changed(recorded):
    recorded.ask("state", "backup", "copy.db")
    with closing(sqlite3.connect(recorded.folder / "copy.db")) as database:
        database.execute("UPDATE runs SET title = 'x'")
        database.commit()
    asked = recorded.ask("state", "restore", "copy.db")
    assert (asked.exit_code, "is damaged" in asked.output) == (2, True)
    assert "sales" in recorded.ask("runs").output
    assert list(recorded.state.glob("*replaced*")) == []


def test_a_copy_is_put_where_there_is_no_database(recorded):
    recorded.ask("state", "backup", "copy.db")
    for path in recorded.state.glob(f"{DATABASE}*"):
        path.unlink()
    asked = recorded.ask("state", "restore", "copy.db")
    assert (asked.exit_code, asked.output) == (0, "copy.db is the state database now\n")


@pytest.mark.parametrize("what", ["vacuum", "analyze", "reindex"])
def test_the_database_is_tidied(recorded, what):
    asked = recorded.ask("state", what)
    assert asked.exit_code == 0
    assert asked.output.startswith(f"{what}: ")
    assert recorded.ask("state", "check").exit_code == 0


@pytest.mark.parametrize("what", ["vacuum", "analyze", "reindex", "rebuild", "restore"])
def test_what_needs_the_folder_for_itself_says_who_holds_it(recorded, what):
    recorded.ask("state", "backup", "copy.db")
    asked = held(recorded, "state", what, *(["copy.db"] if what == "restore" else []))
    assert asked.exit_code == 75
    assert "is held by process" in asked.output
    assert "etltui run x" in asked.output


def test_a_database_is_made_anew_damaged_or_not(recorded):
    asked = recorded.ask("state", "rebuild")
    assert asked.exit_code == 0
    assert asked.output.startswith("The state database was set aside as state.db.damaged-")
    change(recorded, "PRAGMA user_version = 99")
    assert recorded.ask("state", "check").exit_code == 2
    asked = recorded.ask("state", "rebuild")
    assert asked.exit_code == 0
    assert "is of version 99" in " ".join(asked.output.split())
    assert "sales" in recorded.ask("runs").output
    change(recorded, "UPDATE runs SET title = 'x'")
    assert f"{recorded.run} of runs" in " ".join(recorded.ask("state", "rebuild").output.split())
    for path in recorded.state.glob(f"{DATABASE}*"):
        path.unlink()
    # By its marks.
    assert recorded.ask("state", "rebuild").exit_code == 0
    assert "sales" in recorded.ask("runs").output


@pytest.mark.parametrize("what", ["check", "backup", "vacuum", "rebuild"])
def test_where_nothing_is_recorded_that_is_said(desk, what):
    asked = desk.ask("state", what)
    assert asked.exit_code == 2
    assert "The first run makes it" in asked.output


def test_a_new_database_that_cannot_be_made_is_said_so(recorded, monkeypatch):
    def fails(*_, **__):
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr("etltui.store.rebuild.rebuild", fails)
    asked = recorded.ask("state", "rebuild")
    assert (asked.exit_code, "cannot be used: disk I/O error" in asked.output) == (2, True)


def test_what_has_grown_too_large_is_told_by_doctor(recorded, monkeypatch):
    monkeypatch.setattr("etltui.store.files.LARGE", 1)
    found = [json.loads(line) for line in recorded.ask("doctor", "--json").output.splitlines()]
    (finding,) = [each for each in found if each["topic"] == "state database"]
    assert finding["level"] == "warn"
    assert finding["title"].startswith("large: ")


def test_a_console_that_opens_soon_says_what_was_lost():
    from etltui.domain.logbook import REBUILT, Action, rebuilt

    def action(what, detail):
        return Action(at=1.0, who="etltui", what=what, target="", detail=detail, outcome="done")

    assert rebuilt([action("submit", "no"), action(REBUILT, "this"), action(REBUILT, "old")]) == (
        "this"
    )
    assert rebuilt([]) == ""
