"""Each server is asked once how loaded it is, over a session that is lent."""

import asyncio
from dataclasses import replace

from engine_world import connection
from etltui.domain.errors import ErrorClass
from etltui.domain.server import ServerFacts, ServerReading
from etltui.engine.server_check import servers, servers_checked
from fakes import FakeSession, Script, failure

READINGS = (ServerReading(name="limit", value="97", meaning="so many"),)


def at(name, host, port=5432):
    return replace(connection(name), kind="postgresql", host=host, port=port)


def test_a_server_is_one_however_many_databases_it_has_and_a_file_is_none():
    found = servers([at("A", "h"), at("B", "h"), at("C", "h", 5433), at("D", "i", 0), at("E", "")])
    assert {server: each.name for server, each in found.items()} == {
        "h:5432": "A",
        "h:5433": "C",
        "i": "D",
    }


async def test_s0_127_servers_are_asked_and_trouble_is_said(world, monkeypatch):
    asked = []

    async def server_check(self):
        asked.append(self._connection.name)
        return READINGS

    monkeypatch.setattr(FakeSession, "server_check", server_check, raising=False)
    world.connections = (at("A", "h"), at("B", "h"), at("C", "down"))
    world.leases.facts["A"] = ServerFacts(product="PostgreSQL 15")
    world.leases.opens["C"] = Script(failure(ErrorClass.REFUSED, "nobody listens"))
    world.renew()
    one, two = await world.engine.inquiries.server_check()
    assert asked == ["A"]
    assert (one.server, one.connection, one.product) == ("h:5432", "A", "PostgreSQL 15")
    assert one.readings == READINGS
    assert two.server == "down:5432"
    assert two.trouble.message == "nobody listens"
    assert [each.server for each in await world.engine.inquiries.server_check(["C"])] == [
        "down:5432",
    ]


async def test_a_server_that_does_not_answer_in_time(world, monkeypatch):
    async def server_check(self):
        del self
        await asyncio.Event().wait()

    monkeypatch.setattr(FakeSession, "server_check", server_check, raising=False)
    (found,) = await servers_checked(world.leases, [at("A", "h")], 0.01)
    assert found.trouble.error_class == ErrorClass.TIMEOUT
    assert "request_timeout_s = 0.01 s" in found.trouble.message
