"""Which database each connection is known to be, over runs: changes, doubles, clocks, approvals."""

import asyncio
from dataclasses import replace

import pytest

from etltui.domain.errors import ConfigError, ErrorClass, StateError
from etltui.domain.job import Query
from etltui.domain.run import ConnectionStatus, RunStatus
from etltui.domain.server import ServerFacts
from etltui.engine.identity import Identities

BEFORE = ServerFacts(product="PostgreSQL 15.1", identity="7/1/1", started="10.5", skew_s=0.1)
OTHER = replace(BEFORE, identity="7/1/2", started="99.5")


@pytest.fixture
async def known(world):
    """A world in which A has been read once."""
    await world.engine.start()
    world.leases.facts["A"] = BEFORE
    await world.run()
    world.leases.read()
    return world


def refusing(world):
    world.settings = replace(world.settings, on_identity="refuse")
    return world.restart()


def of(result, name):
    return next(each for each in result.connections if each.connection == name)


async def test_what_a_database_said_stands_with_its_rows(world):
    world.leases.facts["A"] = BEFORE

    result = await world.run()

    assert of(result, "A").server == BEFORE
    assert of(result, "A").odd == ()
    rows = await world.store.connections(result.run)
    assert rows[0].result.server == BEFORE


async def test_n_19_another_database_is_named_and_read_unless_it_is_refused(known):
    known.leases.facts["A"] = OTHER

    result = await known.run()

    assert result.status is RunStatus.COMPLETED
    words = (
        "another database than before (PostgreSQL 15.1) answers at A; if that is right: "
        "`etltui identities approve A`"
    )
    assert of(result, "A").odd == (words,)
    entry = next(each for each in known.parts.tasks[-1].entries if each.connection == "A")
    assert entry.odd == (words,)


async def test_n_19_another_database_is_not_read_until_it_is_approved(known):
    await refusing(known)
    known.leases.facts["A"] = OTHER

    result = await known.run()

    assert of(result, "A").status is ConnectionStatus.FAILED
    assert of(result, "A").trouble.error_class is ErrorClass.IDENTITY
    assert of(result, "A").server == OTHER
    assert sorted(known.leases.read()) == ["B", "C"]
    assert await known.engine.records.approve(["A", "B"], who="asha@desk") == ("A",)
    again = await known.run()
    assert (again.status, of(again, "A").odd) == (RunStatus.COMPLETED, ())
    (action,) = [each for each in await known.store.actions() if each.what == "records.approve"]
    assert (action.who, action.target, action.outcome) == ("asha@desk", "A, B", "A")


async def test_n_19_a_connection_that_is_tested_is_held_against_what_is_known_of_it(known):
    known.leases.facts["A"] = OTHER
    [asked] = await known.engine.inquiries.test(["A"])
    assert asked.trouble is None
    (said,) = asked.odd
    assert said.startswith("another database than before (PostgreSQL 15.1) answers at A; if")
    await refusing(known)
    [asked] = await known.engine.inquiries.test(["A"])
    assert asked.trouble.error_class is ErrorClass.IDENTITY
    assert asked.server == OTHER


async def test_n_19_what_is_known_outlives_the_engine(known):
    await refusing(known)
    known.leases.facts["A"] = OTHER
    await known.run()
    await known.restart()
    known.leases.read()

    again = await known.run()

    assert of(again, "A").trouble.error_class is ErrorClass.IDENTITY
    (found,) = await known.store.identities()
    assert (found.identity, found.other) == ("7/1/1", "7/1/2")


async def test_n_18_two_connections_that_are_one_database_are_named(world):
    world.leases.facts.update(A=BEFORE, B=BEFORE)
    await world.run()

    result = await world.run()

    assert of(result, "A").odd == ("A and B are the same database",)
    assert of(result, "B").odd == ("B and A are the same database",)
    assert of(result, "C").odd == ()


async def test_n_18_connections_that_are_asked_for_other_rows_may_share_a_database(world):
    world.leases.facts.update(A=BEFORE, B=BEFORE)
    world.job(overrides={"B": {"main": "select 2"}})
    world.renew()
    await world.run()

    result = await world.run()

    assert [each.odd for each in result.connections] == [(), (), ()]
    assert Query(name="main", sql="select 2") != world.jobs["sales"].queries[0]


async def test_a_clock_that_is_off_is_named(world):
    world.leases.facts["A"] = replace(BEFORE, skew_s=-7200.0)

    result = await world.run()

    assert of(result, "A").odd == ("its clock is 2 h slow",)


async def test_who_is_not_configured_cannot_be_approved(known):
    with pytest.raises(ConfigError, match="has no connection 'Z'"):
        await known.engine.records.approve(["A", "Z"])


async def test_what_cannot_be_recorded_is_not_approved(known):
    await refusing(known)
    known.leases.facts["A"] = OTHER
    await known.run()

    async def refuse(_):
        raise StateError("full")

    kept, known.store.put_identities = known.store.put_identities, refuse
    with pytest.raises(StateError):
        await known.engine.records.approve(["A"])
    known.store.put_identities = kept
    result = await known.run()
    assert of(result, "A").trouble.error_class is ErrorClass.IDENTITY


async def test_n_19_who_answered_is_written_down_once_the_disk_has_room_again(world, caplog):
    """Read meanwhile it is, and a change is still one after the next start."""
    await world.engine.start()
    world.leases.facts["A"] = BEFORE

    async def refuse(_):
        raise StateError("the disk is full")

    kept, world.store.put_identities = world.store.put_identities, refuse
    result = await world.run()
    assert result.status is RunStatus.COMPLETED
    assert "Who answered was not written down: the disk is full" in caplog.text
    assert await world.store.identities() == []

    world.store.put_identities = kept
    await world.run()
    await world.restart()
    world.leases.facts["A"] = OTHER
    assert of(await world.run(), "A").odd


async def test_those_who_answer_while_others_are_written_down_come_with_the_next_lot(world):
    await world.engine.start()
    reached, let_go, lots = asyncio.Event(), asyncio.Event(), []
    kept = world.store.put_identities

    async def slowly(found):
        lots.append([each.connection for each in found])
        reached.set()
        await let_go.wait()
        await kept(found)

    world.store.put_identities = slowly
    identities = world.engine._tools.identities
    identities.met("A", BEFORE, 0.0)
    await reached.wait()
    identities.met("B", OTHER, 0.0)
    identities.met("C", OTHER, 0.0)
    assert lots == [["A"]]
    let_go.set()
    await world.engine.aclose()
    assert lots == [["A"], ["B", "C"]]
    assert [each.connection for each in await world.store.identities()] == ["A", "B", "C"]


def test_that_nothing_changed_is_written_down_once_an_hour():
    identities, told = Identities(), []

    def write():
        told.append(identities.unwritten())
        identities.wrote(told[-1])

    identities.listen(write)
    for now in (0.0, 10.0, 3600.0, 3601.0, 3700.0):
        identities.met("A", BEFORE, now)

    assert [[each.last_seen for each in some] for some in told] == [[0.0], [3601.0]]


def test_who_says_nothing_of_the_kind_is_not_kept():
    identities = Identities()
    identities.met("A", ServerFacts(product="DuckDB"), 0.0)
    assert identities.unwritten() == []
