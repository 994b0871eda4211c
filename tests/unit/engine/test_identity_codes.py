"""Which branch each database says it is, in its own data, asked before a run reads its rows."""

import asyncio
from dataclasses import replace

import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.run import ConnectionStatus, RunStatus
from etltui.domain.server import ServerFacts
from fakes import Held, Script

ASKED = "SELECT code FROM company"
HERE = ServerFacts(product="PostgreSQL 15.1", identity="7/1/1", started="10.5")


async def asking(world, **more):
    """All connections are asked; `more` is what single ones are configured with."""
    world.job(identity_query=ASKED)
    world.connections = tuple(
        replace(each, **more.get(each.name, {})) for each in world.connections
    )
    for number, name in enumerate("ABC"):
        world.leases.asks[name] = Script(f"01{number}")
    world.renew()
    await world.engine.start()
    return world


def refusing(world):
    world.settings = replace(world.settings, on_identity="refuse")
    return world.restart()


def of(result, name):
    return next(each for each in result.connections if each.connection == name)


async def test_n_18_each_is_asked_in_its_session_before_its_rows(world):
    result = await (await asking(world)).run()
    assert result.status is RunStatus.COMPLETED
    for name in "ABC":
        mine = [each for each in world.record if each[0] in {"ask", "data"} and each[1] == name]
        assert mine == [("ask", name, ASKED), ("data", name)]
    assert [each.odd for each in result.connections] == [(), (), ()]
    await world.engine.aclose()
    found = await world.store.identities()
    assert [(one.connection, one.asked, one.code) for one in found] == [
        ("A", ASKED, "010"),
        ("B", ASKED, "011"),
        ("C", ASKED, "012"),
    ]


async def test_one_that_is_not_to_be_asked_is_not(world):
    await (await asking(world, B={"identity_query": ""})).run()
    assert {each[1] for each in world.record.of("ask")} == {"A", "C"}


async def test_n_18_another_code_than_last_time_is_named_and_read(world):
    await (await asking(world)).run()
    world.leases.asks["A"] = Script("099")
    result = await world.run()
    assert result.status is RunStatus.COMPLETED
    words = (
        'A answers "099" to its identity_query; it was "010" before; if that is right: '
        "`etltui identities approve A`"
    )
    assert of(result, "A").odd == (words,)


async def test_n_18_another_code_is_not_read_until_it_is_approved(world):
    await (await asking(world)).run()
    await refusing(world)
    world.leases.read()
    world.leases.asks["A"] = Script("099")
    result = await world.run()
    assert of(result, "A").status is ConnectionStatus.FAILED
    assert of(result, "A").trouble.error_class is ErrorClass.IDENTITY
    assert sorted(world.leases.read()) == ["B", "C"]
    assert await world.engine.records.approve(["A", "B"], who="asha@desk") == ("A",)
    again = await world.run()
    assert (again.status, of(again, "A").odd) == (RunStatus.COMPLETED, ())


async def test_n_19_one_that_is_not_what_is_configured_is_refused_and_cannot_be_approved(world):
    world.settings = replace(world.settings, on_identity="refuse")
    result = await (await asking(world, A={"identity": "017"}, B={"identity": "011"})).run()
    assert of(result, "A").trouble.message == (
        'A answers "010" to its identity_query; identity = "017" is configured; it is not read '
        '(on_identity = "refuse"); mend its url, or its identity where that is wrong'
    )
    assert of(result, "B").status is ConnectionStatus.COMPLETED
    assert await world.engine.records.approve(["A"], who="asha@desk") == ()
    assert of(await world.run(), "A").status is ConnectionStatus.FAILED


async def test_n_18_a_restored_copy_gives_the_same_code_under_two_names(world):
    (await asking(world)).leases.asks["B"] = Script("010")
    world.leases.facts.update(A=HERE, B=replace(HERE, identity="7/9/9"))
    await world.run()
    result = await world.run()
    assert result.status is RunStatus.COMPLETED
    (said,) = of(result, "A").odd
    assert said.startswith('A and B answer "010" to their identity_query: one is read twice, or is')
    assert of(result, "C").odd == ()


async def test_n_18_one_database_under_two_names_is_named_once(world):
    (await asking(world)).leases.asks["B"] = Script("010")
    world.leases.facts.update(A=HERE, B=HERE)
    await world.run()
    assert of(await world.run(), "A").odd == ("A and B are the same database",)


async def test_n_18_a_branch_may_be_read_under_two_names_for_different_rows(world):
    world.job(overrides={"B": {"main": "select 2"}}, identity_query=ASKED)
    world.renew()
    await world.run()  # all answer 017
    assert [of(await world.run(), name).odd for name in "B"] == [()]


async def test_an_answer_that_does_not_come_fails_with_the_querys_limit(world):
    world.job(identity_query=ASKED, query_timeout_s=1)
    world.renew()
    world.leases.asks["A"] = Script(Held())
    result = await asyncio.wait_for(world.run(), 30)
    trouble = of(result, "A").trouble
    assert trouble.error_class is ErrorClass.TIMEOUT
    assert trouble.message == "no answer to identity_query within query_timeout_s = 1 s"
    assert "A" not in world.leases.read()


async def test_one_without_a_code_fails_and_says_why(world):
    (await asking(world)).leases.asks["A"] = Script(
        Failure(ErrorClass.IDENTITY, "identity_query gives")
    )
    result = await world.run()
    assert of(result, "A").trouble.message == "identity_query gives"
    assert of(result, "A").tries == 1


@pytest.mark.parametrize("refuse", [False, True])
async def test_n_19_a_connection_that_is_tested_is_asked_too(world, refuse):
    await (await asking(world, B={"identity": "011"})).run()
    if refuse:
        await refusing(world)
    null = Failure(ErrorClass.IDENTITY, "NULL")
    world.leases.asks.update(A=Script("099"), B=Script("099"), C=Script(null))
    a, b, c = await world.engine.inquiries.test(["A", "B", "C"])
    assert (a.code.value, b.code.expected) == ("099", "011")
    if refuse:
        assert {a.trouble.error_class, b.trouble.error_class} == {ErrorClass.IDENTITY}
    else:
        assert "`etltui identities approve A`" in a.odd[0]
        assert 'identity = "011" is configured' in b.odd[0]
    assert c.trouble.message == "NULL"
    assert [(step.stage, step.passed) for step in c.steps][-1] == ("query", False)
