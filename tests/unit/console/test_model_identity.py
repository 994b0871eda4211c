"""What pages and lines say of the database behind a connection, and what is odd about it."""

from dataclasses import replace

import pytest

from console_world import AT
from etltui.console.cells import text_of
from etltui.console.glyphs import UNICODE
from etltui.console.linear import sheets
from etltui.console.model.connection import Known, details
from etltui.console.model.connection_rows import answer_cell
from etltui.console.model.connections import Answer, FleetLine, summed_up
from etltui.console.model.fleet_page import Sheet, server_of, sheet_lines
from etltui.console.model.run import stored_view
from etltui.domain import inquiry
from etltui.domain.job import Connection
from etltui.domain.run import ConnectionResult, ConnectionStatus
from etltui.domain.server import ServerFacts
from etltui.domain.stored import ConnectionRow
from etltui.domain.words import words

BARE = ServerFacts(product="PostgreSQL 15.19", encrypted=False, driver="asyncpg 0.32.0")
SAFE = replace(BARE, encrypted=True)
ODD = ("A and B are the same database",)
A = Connection(name="A", kind="postgresql", url="postgresql://h/a", host="h", port=5432)


def row(name="A", server=BARE, odd=ODD):
    result = ConnectionResult(
        connection=name, status=ConnectionStatus.COMPLETED, server=server, odd=odd
    )
    return ConnectionRow(run="R1", number=1, connection=name, hash="", result=result)


def test_facts_read_as_one_line():
    assert str(BARE) == "PostgreSQL 15.19, not encrypted, by asyncpg 0.32.0"
    assert str(SAFE) == "PostgreSQL 15.19, encrypted, by asyncpg 0.32.0"
    assert str(ServerFacts(product="SQLite 3.40")) == "SQLite 3.40"


def test_the_page_of_a_connection_says_who_answered_last_and_what_is_odd():
    server, odd = server_of(FleetLine(connection=A), [row("B", SAFE, ()), row()])
    sheet = Sheet(line=FleetLine(connection=A), server=server, odd=odd)
    lines = sheet_lines(sheet, UNICODE, AT, "UTC")
    told = [(text_of(each).split(None, 1), getattr(each, "role", "")) for each in lines]
    assert told[0] == (["Odd", "A and B are the same database"], "warn")
    assert (["Database", "PostgreSQL 15.19, not encrypted, by asyncpg 0.32.0"], "warn") in told


def test_a_test_is_newer_than_the_run():
    answer = Answer(found=inquiry.Tested(connection="A", server=SAFE), at=AT)
    assert server_of(FleetLine(connection=A, answer=answer), [row()]) == (SAFE, ())
    assert server_of(FleetLine(connection=A), []) == (None, ())


def test_the_page_of_a_run_connection_says_it_too():
    known = Known(view=stored_view(row(), {}), at=AT)
    found = details(known, glyphs=UNICODE, timezone="UTC", width=79)
    lines = ["".join(map(text_of, line)) for line in found]
    assert any("A and B are the same database" in line for line in lines)
    assert any("PostgreSQL 15.19, not encrypted" in line for line in lines)


@pytest.mark.parametrize(
    ("found", "marked"),
    [
        (inquiry.Tested(connection="A", milliseconds=1.0, server=SAFE), False),
        (inquiry.Tested(connection="A", milliseconds=1.0, server=BARE), True),
        (inquiry.Tested(connection="A", milliseconds=1.0, server=SAFE, odd=ODD), True),
    ],
)
def test_an_answer_is_marked_that_is_odd_or_in_the_open(found, marked):
    cell = answer_cell(Answer(found=found), UNICODE)
    assert text_of(cell) == "1.0 ms"
    assert (getattr(cell, "role", "") == "warn") == marked


def test_many_tests_say_how_many_are_in_the_open():
    found = [
        inquiry.Tested(connection=name, server=server)
        for name, server in (("A", BARE), ("B", SAFE))
    ]
    assert summed_up(found, words) == "2 answered, 1 not encrypted"


def test_a_line_alone_says_it_in_words():
    found = inquiry.Tested(connection="A", milliseconds=1.0, server=BARE, odd=ODD)
    assert sheets.tested_line(found) == (
        "A answered in 1.0 ms, not encrypted; A and B are the same database"
    )
