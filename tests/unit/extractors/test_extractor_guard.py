"""Queries on their way to an extractor and back; N-32."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.task import GuardTask
from etltui.extractors import guarding
from etltui.extractors import protocol as p
from etltui.extractors.guarding import ExtractorGuard

READS = GuardTask(dialect="sqlite", sql="SELECT 1")
WRITES = GuardTask(dialect="sqlite", sql="DELETE FROM t")


class Client:
    """An extractor that answers with the texts, or dies as often as it is told."""

    def __init__(self, *failures):
        self.failures = list(failures)
        self.asked = []

    def number(self):
        return 1

    async def request(self, message):
        assert isinstance(message, p.Guard)
        self.asked.append(message.tasks)
        if self.failures:
            raise Failure(self.failures.pop(0), "gone")
        return p.Done(id=1, refusals=tuple(f"no {task.sql}" for task in message.tasks))

    @asynccontextmanager
    async def borrowed(self):
        yield self


async def test_answers_come_in_order_and_each_is_asked_for_once():
    client = Client()
    guard = ExtractorGuard(client.borrowed)
    assert await guard.refusals([READS, WRITES, READS]) == (
        "no SELECT 1",
        "no DELETE FROM t",
        "no SELECT 1",
    )
    assert await guard.refusals([WRITES]) == ("no DELETE FROM t",)
    assert client.asked == [(READS, WRITES)]


async def test_nothing_is_asked_where_nothing_is_to_be_asked():
    client = Client()
    assert await ExtractorGuard(client.borrowed).refusals([]) == ()
    assert client.asked == []


async def test_answers_are_not_kept_without_bound(monkeypatch):
    monkeypatch.setattr(guarding, "_REMEMBERED", 2)
    client = Client()
    guard = ExtractorGuard(client.borrowed)
    for number in range(5):
        task = GuardTask(dialect="", sql=str(number))
        assert await guard.refusals([task]) == (f"no {number}",)
    assert len(guard._known) <= 2


async def test_an_extractor_that_dies_is_replaced_once():
    crash = ErrorClass.DRIVER_CRASH
    assert await ExtractorGuard(Client(crash).borrowed).refusals([READS]) == ("no SELECT 1",)
    with pytest.raises(Failure):
        await ExtractorGuard(Client(crash, crash).borrowed).refusals([READS])
    with pytest.raises(Failure):
        await ExtractorGuard(Client(ErrorClass.INTERNAL).borrowed).refusals([READS])


def test_n_32_an_extractor_answers_without_a_session(tmp_path):
    from etltui.bootstrap import guard
    from etltui.config.schema import Config, Settings

    config = Config(
        settings=Settings(extractors=1),
        connections=(),
        credentials={},
        jobs={},
        path=tmp_path / "etltui.toml",
        origins={},
    )

    async def ask():
        async with guard(config, log=tmp_path / "extractor.log") as asked:
            return await asked.refusals([READS, WRITES])

    assert asyncio.run(ask()) == ("", "it begins with DELETE, and a job only reads")
