"""`etltui identities`: what is known of each connection, and approving what has changed."""

import asyncio
import json
from dataclasses import replace

import pytest

from door_kit import House
from etltui.cli import identities
from etltui.domain.identity import Code, first_met, unmet
from etltui.domain.server import ServerFacts
from etltui.store.history import open_history
from unit.cli.cli_desk import CONFIG

HERE = ServerFacts(product="PostgreSQL 15.1", identity="7/1/1", started="10.5")
COPY = replace(HERE, identity="7/1/2", product="PostgreSQL 15.2", started="11.5")
AT = 1_795_000_000.0


@pytest.fixture
def known(desk):
    """A desk where A answers as another than before, and B and C are one."""
    desk.configure(settings='timezone = "UTC"')
    other = replace(HERE, identity="9/9/9")
    gone = first_met("Gone", HERE, AT)
    found = [
        first_met("A", HERE, AT).met(COPY, AT + 60),
        first_met("B", other, AT),
        first_met("C", other, AT),
        gone,
    ]

    async def record():
        async with await desk.open() as store:
            await store.put_identities(found)

    asyncio.run(record())
    return desk


def kept(desk):
    async def read():
        async with await open_history(desk.state) as history:
            return await history.identities(), await history.actions()

    return asyncio.run(read())


def test_nothing_is_known_before_the_first_run(desk):
    desk.configure()
    said = desk.ask("identities", "list").stdout
    assert said == "No connection has said yet which database it is: the first run asks.\n"


def test_n_18_n_19_the_list_says_who_changed_and_who_is_the_same(known):
    lines = known.ask("identities", "list").stdout.splitlines()
    assert [line[:3] for line in lines[1:4]] == ["✗ A", "✓ B", "✓ C"]
    assert "PostgreSQL 15.2" in lines[1]
    assert lines[4] == (
        "another database than before (PostgreSQL 15.2) answers at A since 2026-11-18 11:07: "
        "known as 7/1/1, now 7/1/2"
    )
    assert lines[5].endswith("etltui identities approve CONNECTION")
    assert lines[6:] == ["B and C are the same database"]


def test_each_is_a_line_of_json(known):
    found = [
        json.loads(line)
        for line in known.ask("identities", "list", "--json").stdout.split("\n")
        if line
    ]
    assert [(each["connection"], each["same_as"]) for each in found] == [
        ("A", []),
        ("B", ["C"]),
        ("C", ["B"]),
    ]
    assert (found[0]["type"], found[0]["identity"], found[0]["other"]) == (
        "identity",
        "7/1/1",
        "7/1/2",
    )


def test_n_19_what_has_changed_is_approved_and_noted_where_no_engine_runs(known):
    told = known.ask("identities", "approve", "*").stdout
    assert told == "A approved; `etltui retry` reads what a run lacks\n"
    found, actions = kept(known)
    one = found[0]
    assert (one.identity, one.other, one.first_seen) == ("7/1/2", "", AT + 60)
    (action,) = actions
    assert (action.what, action.target, action.outcome) == ("records.approve", "A, B, C", "A")
    assert one.approved_by == action.who
    again = known.ask("identities", "approve", "A").stdout
    assert again == "Nothing to approve: it is what was known before\n"
    assert f"approved by {action.who}" in known.ask("identities", "list").stdout.splitlines()[1]


def test_who_is_not_configured_is_refused_with_the_nearest_name(desk):
    desk.configure(CONFIG.replace("connections.A", "connections.Branch_001"))
    told = desk.ask("identities", "approve", "Branch_01")
    assert told.exit_code == 2
    assert "'Branch_01' matches no connection" in told.stderr


async def test_n_19_an_engine_that_runs_is_asked(tmp_path):
    house = await House(tmp_path).open()
    try:
        await house.engine.start()
        house.leases.facts["A"] = HERE
        await house.run()
        house.leases.facts["A"] = COPY
        await house.run()
        async with house.open_house():
            assert await identities.approve(house.state, ["A", "B"]) == ("A",)
        assert (await house.run()).connections[0].odd == ()
    finally:
        await house.close()


ASKED = "SELECT code FROM company"


def test_n_18_the_list_shows_codes_and_says_what_to_do_about_others(desk):
    config = CONFIG.replace("[connections.B]\n", '[connections.B]\nidentity = "017"\n')
    assert config != CONFIG
    desk.configure(config, settings='timezone = "UTC"')
    mine, theirs = Code(asked=ASKED, value="017"), Code(asked=ASKED, value="018")
    found = [
        first_met("A", HERE, AT).told(theirs, AT).told(mine, AT + 60),
        unmet("B", AT).told(replace(theirs, expected="017"), AT),
        first_met("C", COPY, AT).told(mine, AT),
    ]

    async def record():
        async with await desk.open() as store:
            await store.put_identities(found)

    asyncio.run(record())
    lines = desk.ask("identities", "list").stdout.splitlines()
    assert "CODE" in lines[0]
    assert [(line[:3], line.split()[-3]) for line in lines[1:4]] == [
        ("✗ A", "017"),
        ("✗ B", "018"),
        ("✓ C", "017"),
    ]
    assert lines[4].startswith('A answers "017", the code of B, C, to its identity_query; it was')
    assert lines[5].endswith("mend its url, or its identity where that is wrong")
    assert lines[6].endswith("etltui identities approve CONNECTION")
    assert lines[7].startswith('A and C answer "017" to their identity_query')
    told = [
        json.loads(each)
        for each in desk.ask("identities", "list", "--json").stdout.split("\n")
        if each
    ]
    assert [(each["code"], each["other_code"], each["same_code_as"]) for each in told] == [
        ("018", "017", ["C"]),
        ("017", "018", []),
        ("017", "", ["A"]),
    ]
    assert desk.ask("identities", "approve", "*").stdout.startswith("A approved")
    one, two, _ = kept(desk)[0]
    assert (one.code, one.other_code, two.other_code) == ("017", "", "018")
    again = desk.ask("identities", "approve", "B").stdout
    assert again.endswith("`identity` is corrected, not approved\n")
