"""Each act leaves one record of the audit; what cannot be recorded is not changed."""

import asyncio
import json
import os
import pwd
import socket
import sqlite3
from contextlib import closing, contextmanager

import pytest

from etltui.config.document import local_path
from etltui.config.schema import Settings
from etltui.domain.audit import Caller, Head, problems
from etltui.domain.errors import ConfigError, ErrorClass, NoSuchRunError, StateError
from etltui.domain.queue import Ask
from etltui.domain.run import RunStatus
from etltui.engine.acts import Acts, Levers, acted
from etltui.engine.caller import CALLER, address, caller_of, own_caller, terminal
from etltui.store.folder import DATABASE
from fakes import FakePools, Held, Script, failure

ASHA = Caller(user="asha", host="desk", pid=7, terminal="pts/3", address="10.0.0.9")


@pytest.fixture
def told(world):
    """The engine knows who runs it."""
    world.tools(caller=ASHA)
    return world


async def records(world):
    await world.engine.records._auditor.flush()
    links = await world.store.audit()
    assert not any(problems(links, Head()))
    return [json.loads(each.record) for each in links]


async def acts(world):
    return [(each["act"], each["object"], each["details"]) for each in await records(world)]


@contextmanager
def full(world):
    """Nothing can be recorded for the time of the block."""
    with closing(sqlite3.connect(world.folder / "state" / DATABASE)) as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'full'); END",
        )
        connection.commit()
        yield
        connection.execute("DROP TRIGGER full")
        connection.commit()


class Pools(FakePools):
    """Pools with levers."""

    def drain(self, key_text):
        return bool(key_text)

    def release_credential(self, name):
        return bool(name)


async def test_each_act_leaves_one_record(told):
    world = told
    world.pools = Pools()
    world.leases.extracts["A"] = Script(failure(), 2)
    world.renew()
    run = (await world.run()).run
    engine = world.engine
    await (await engine.retry(run, Ask(only=("A",), only_failed=True))).wait()
    await engine.queue.pause("sales", paused=True)
    await engine.queue.pause("sales", paused=False)
    assert not await engine.queue.reprioritise("nobody", 5)
    assert await engine.queue.clear() == 0
    await engine.update_settings({"max_jobs": 7})
    await engine.options.enable("sales", enabled=False)
    await engine.records.hold(["B"], "line is cut; password=hunter2")
    await engine.records.release(["B", "C"])
    await engine.records.approve(["B"])
    await engine.records.act("alert seen", "B", "low rows")
    engine.pools.drain("there")
    engine.pools.release_credential("erp")
    assert await acts(world) == [
        ("submit", "sales", {"run": run, "mode": "new"}),
        ("retry", run, {"ask": "only=A, only_failed=True", "run": run}),
        ("queue.pause", "sales", {"paused": "True"}),
        ("queue.pause", "sales", {"paused": "False"}),
        ("queue.reprioritise", "nobody", {"priority": "5", "outcome": "nothing to do"}),
        ("queue.clear", "", {}),
        ("update_settings", "max_jobs=7", {"before": "max_jobs=10"}),
        ("options.enable", "sales", {"enabled": "False"}),
        ("records.hold", "B", {"reason": "line is cut; password=***"}),
        ("records.release", "B, C", {}),
        ("records.approve", "B", {}),
        ("alert seen", "B", {"detail": "low rows", "outcome": "done"}),
        ("pools.drain", "there", {"outcome": "done"}),
        ("pools.release_credential", "erp", {"outcome": "done"}),
    ]


async def test_a_record_says_who_the_kernel_knows_and_who_they_say_they_are(told):
    world = told
    await world.engine.queue.pause("sales", paused=True)
    await world.engine.records.hold(["B"], "line is cut", who="ravi@else")
    token = CALLER.set(Caller(user="meera", host="desk", pid=9, login="ravi"))
    try:
        await world.engine.records.release(["B"], who="meera@desk")
    finally:
        CALLER.reset(token)
    first, second, third = await records(world)
    assert {name: first[name] for name in ("user", "host", "pid", "terminal", "address")} == {
        "user": "asha",
        "host": "desk",
        "pid": 7,
        "terminal": "pts/3",
        "address": "10.0.0.9",
    }
    assert "said" not in first
    assert second["said"] == "ravi@else"
    assert (third["user"], third["login"], third.get("said")) == ("meera", "ravi", None)


async def test_a_cancel_of_a_run_at_work_is_recorded_with_its_reason(told):
    held = Held(2)
    told.leases.extracts["A"] = Script(held)
    handle = await told.submit()
    await held.reached.wait()
    await told.engine.cancel(handle.run, reason="too late")
    held.let_go()
    await handle.wait()
    assert (await acts(told))[1:] == [
        ("cancel", handle.run, {"reason": "too late", "outcome": "done"}),
    ]


async def test_a_cancel_that_cannot_be_recorded_is_done_and_logged(told, caplog):
    held = Held(2)
    told.leases.extracts["A"] = Script(held)
    handle = await told.submit()
    await held.reached.wait()
    with full(told):
        await told.engine.cancel(handle.run)
    held.let_go()
    assert (await handle.wait()).status is RunStatus.CANCELLED
    assert f"cancel of {handle.run} is not in the audit" in caplog.text
    assert len(await records(told)) == 1


async def test_what_is_refused_leaves_no_record(told):
    with pytest.raises(ConfigError):
        await told.submit("slaes")
    with pytest.raises(NoSuchRunError):
        await told.engine.cancel("nobody")
    with pytest.raises(ConfigError):
        await told.engine.update_settings({"password": "hunter2"})
    assert await records(told) == []


async def test_a_start_that_joins_a_run_says_which(told):
    held = Held(2)
    told.leases.extracts["A"] = Script(held)
    handle = await told.submit()
    await held.reached.wait()
    joined = await told.submit(overlap="join")
    held.let_go()
    await handle.wait()
    assert joined.run == handle.run
    assert (await acts(told))[1] == ("submit", "sales", {"overlap": "join", "outcome": handle.run})


async def test_what_cannot_be_recorded_is_not_changed(told):
    world = told
    run = (await world.run()).run
    with full(world):
        for change in (
            world.engine.update_settings({"max_jobs": 7}),
            world.engine.options.enable("sales", enabled=False),
            world.engine.records.hold(["B"], "line is cut"),
            world.engine.records.act("seen"),
            world.engine.queue.pause("sales", paused=True),
            world.submit(),
        ):
            with pytest.raises(StateError, match="full"):
                await change
    assert not local_path(world.engine.config.path).exists()
    assert world.engine.config.jobs["sales"].enabled
    assert await world.store.holds() == []
    assert await world.store.paused() == []
    assert [each.run for each in await world.store.runs()] == [run]
    assert len(await records(world)) == 1


async def test_no_checkpoint_is_deleted_without_a_record(told):
    world = told
    world.leases.extracts["A"] = Script(failure(ErrorClass.LOGIN))
    world.leases.extracts["B"] = Script(failure(ErrorClass.LOGIN))
    world.leases.extracts["C"] = Script(failure(ErrorClass.LOGIN))
    run = (await world.run()).run
    (world.parts_folder / run).mkdir(parents=True, exist_ok=True)
    with full(world), pytest.raises(StateError, match="full"):
        await world.engine.records.discard(run)
    assert (world.parts_folder / run).exists()
    assert await world.engine.records.discard(run) == run
    assert not (world.parts_folder / run).exists()
    assert (await acts(world))[1:] == [("records.discard", run, {})]


async def test_settings_that_could_not_be_kept_are_taken_back_by_a_second_record(told):
    local_path(told.engine.config.path).mkdir()
    with pytest.raises(ConfigError):
        await told.engine.update_settings({"max_jobs": 7})
    first, second = await acts(told)
    assert first[:2] == ("update_settings", "max_jobs=7")
    assert second[:2] == ("failed", "max_jobs=7")
    assert second[2]["of"] == "update_settings"


async def test_retention_is_recorded_before_anything_goes(told, caplog):
    world = told
    folder = world.parts_folder / "20200101T000000Z-AAAA"
    folder.mkdir(parents=True)
    world.settings = Settings()
    with full(world):
        await world.engine._upkeep._tidy()
    assert folder.exists()
    assert "was not all removed" in caplog.text
    await world.engine._upkeep._tidy()
    await world.engine._upkeep._tidy()
    assert not folder.exists()
    assert await acts(world) == [("retention", "", {"parts": folder.name})]


async def test_what_a_refused_act_has_begun_is_no_part_of_it(told):
    class Thing:
        acts = told.engine.acts

        @acted("go")
        async def go(self):
            self.task = asyncio.create_task(self.later())
            raise NoSuchRunError(run="R", why="refused", way_out="")

        async def later(self):
            await told.store.pause("sales", paused=True)

    thing = Thing()
    with pytest.raises(NoSuchRunError):
        await thing.go()
    await thing.task
    assert await records(told) == []


async def test_a_lever_that_cannot_be_recorded_is_logged(told, caplog):
    told.pools = Pools()
    told.renew()
    with full(told):
        told.engine.pools.drain("there")
        told.engine.pools.drain("")
        assert await records(told) == []
    assert "pools.drain of there is not in the audit" in caplog.text
    assert "pools.drain of all is not in the audit" in caplog.text


async def test_nobody_needs_to_keep_an_audit():
    class Thing:
        acts = Acts()

        @acted("go")
        async def go(self):
            await self.acts.recorded()
            return 1

    assert await Thing().go() == 1
    levers = Levers(Pools(), prefix="pools", names=frozenset({"drain"}), acts=Acts())
    assert levers.drain("there")


def test_who_a_process_belongs_to(tmp_path):
    me = pwd.getpwuid(os.geteuid()).pw_name
    (tmp_path / "7").mkdir()
    for said, login in (("0", "root"), (str(2**32 - 1), ""), ("x", "")):
        (tmp_path / "7" / "loginuid").write_text(said)
        found = caller_of(7, 54321, proc=tmp_path)
        assert found == Caller(user="54321", host=socket.gethostname(), pid=7, login=login)
    assert caller_of(8, os.geteuid(), proc=tmp_path) == Caller(
        user=me, host=socket.gethostname(), pid=8
    )
    (tmp_path / "7" / "loginuid").write_text(str(os.geteuid()))
    assert caller_of(7, os.geteuid(), proc=tmp_path).login == ""


def test_where_somebody_sits(monkeypatch):
    monkeypatch.setattr(os, "ttyname", lambda descriptor: f"/dev/pts/{descriptor}")
    assert terminal() == "pts/0"
    own = own_caller({"SSH_CONNECTION": "10.0.0.9 51000 10.0.0.1 22"})
    assert (own.pid, own.terminal, own.address) == (os.getpid(), "pts/0", "10.0.0.9")

    def none(_):
        raise OSError(25, "not a terminal")

    monkeypatch.setattr(os, "ttyname", none)
    assert terminal() == ""
    assert address({"SSH_CONNECTION": "10.0.0.9 51000 10.0.0.1 22"}) == "10.0.0.9"
    assert address({}) == ""
