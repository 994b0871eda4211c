"""What an operator changes while the engine runs: settings, profiles, jobs in service, tags."""

import asyncio
import logging
import os
import tomllib
from dataclasses import replace

import pytest

from engine_world import MB
from etltui.config.document import local_path
from etltui.config.load import load
from etltui.config.schema import Settings
from etltui.domain.errors import ConfigError, Mistake, RefusedError
from etltui.domain.events import RunStarted
from etltui.domain.queue import Ask, Mode
from etltui.domain.run import RunStatus
from fakes import Held, Script

TEXT = """
[settings]
connections_file = "fleet.csv"
retries = 0
[connections.A]
url = "sqlite:///a.db"
tags = ["north", "pilot"]
[connections.B]
url = "sqlite:///b.db"
[jobs.sales]
connections = ["*"]
query = "select 1"
[jobs.pilots]
connections = ["tag:pilot"]
query = "select 1"
[[jobs.sales.destinations]]
type = "csv"
path = "out/sales.csv"
[[jobs.pilots.destinations]]
type = "csv"
path = "out/pilots.csv"
"""
LISTED = "name,url,tags\nC,sqlite:///c.db,south\n"


async def read(world, environ=None, **flags):
    path = world.engine.config.path
    return await asyncio.to_thread(load, path, environ=environ or {}, overrides=flags)


async def write(world, text=TEXT):
    await asyncio.to_thread(world.engine.config.path.write_text, text)


async def again(world):
    """What a client's call brings about: the files are read as they are now."""
    await world.engine.reload(await asyncio.to_thread(world.engine.options.again))


@pytest.fixture
async def filed(world):
    """An engine that works with files."""
    await write(world)
    await asyncio.to_thread(world.folder.joinpath("fleet.csv").write_text, LISTED)
    await world.engine.reload(await read(world))
    return world


async def said(world):
    """What the local file says."""

    def loaded():
        path = local_path(world.engine.config.path)
        return tomllib.loads(path.read_text()) if path.exists() else {}

    return await asyncio.to_thread(loaded)


def setting(world, name):
    return next(each for each in world.engine.options.list() if each.name == name)


def tags(world):
    return {each.name: each.tags for each in world.engine.config.connections}


async def refused(call, *words):
    with pytest.raises(ConfigError) as caught:
        await call
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("name", "kind", "low", "high", "default"),
    [
        pytest.param("connection_timeout_s", "whole", 1, 300, 30, id="S0-85"),
        pytest.param("pool_size", "whole", 1, 100, 20, id="S0-86"),
        pytest.param("max_connections", "whole", 1, 500, 50, id="S0-87"),
        pytest.param("max_jobs", "whole", 1, 50, 10, id="S0-88"),
        pytest.param("streaming", "flag", None, None, True, id="S0-89"),
        pytest.param("log_level", "choice", None, None, "info", id="S0-90"),
    ],
)
async def test_the_settings_of_the_screen(filed, name, kind, low, high, default):
    found = setting(filed, name)
    assert (found.kind, found.low, found.high, found.default) == (kind, low, high, default)
    assert (found.value, found.origin, found.restart) == (default, "default", False)
    if name == "log_level":
        assert found.choices == ("error", "warning", "info", "debug")
    for wrong in [low - 1, high + 1] if kind == "whole" else ["loud"]:
        await refused(filed.engine.update_settings({name: wrong}), name, found.allowed)


async def test_s0_92_each_of_them_holds_at_once_and_is_kept(filed):
    """S0-85…S0-91: the pools, the queue, the log, and the file beside the operator's."""
    changed = {
        "connection_timeout_s": 12,
        "pool_size": 7,
        "max_connections": 70,
        "max_jobs": 3,
        "streaming": False,
        "log_level": "error",
    }
    await filed.engine.update_settings(changed)
    pools = filed.pools.updated[-1]
    assert (pools.pool_size, pools.max_connections) == (7, 70)
    assert filed.engine.queue.queue.limit == 3
    assert logging.getLogger("etltui").level == logging.ERROR
    settings = filed.engine.config.settings
    assert {name: getattr(settings, name) for name in changed} == changed
    assert {setting(filed, name).origin for name in changed} == {"local"}
    assert await said(filed) == {"settings": changed}
    assert (await read(filed)).settings == settings


async def test_s0_93_what_children_are_told_is_no_word_of_the_operator(filed):
    """A later reading finds the variable that we wrote, and it still comes from the local file."""
    await filed.engine.update_settings({"pool_idle_s": 45, "connection_timeout_s": 9})
    told = os.environ["DB_POOL_IDLE_MS"], os.environ["DB_CONNECTION_TIMEOUT"]
    assert told == ("45000", "9000")
    await again(filed)
    assert setting(filed, "pool_idle_s").source == "local"
    local = local_path(filed.engine.config.path)
    await asyncio.to_thread(local.write_text, "settings.pool_idle_s = 50")
    await again(filed)
    assert filed.engine.config.settings.pool_idle_s == 50
    assert setting(filed, "connection_timeout_s").source == "default"
    told = os.environ["DB_POOL_IDLE_MS"], os.environ["DB_CONNECTION_TIMEOUT"]
    assert told == ("50000", "30000")
    assert "DB_POOL_MAX" not in os.environ


async def test_s0_93_a_setting_that_is_unsaid_again_is_told_to_nobody(filed):
    await filed.engine.update_settings({"resume_jobs": False})
    assert os.environ["RESUME_JOBS"] == "false"
    await asyncio.to_thread(local_path(filed.engine.config.path).unlink)
    await again(filed)
    assert "RESUME_JOBS" not in os.environ


async def test_what_a_variable_or_a_flag_says_cannot_be_changed_behind_its_back(filed):
    config = await read(filed, {"DB_POOL_MAX": "9", "DB_POOL_IDLE_MS": "1500"}, max_jobs=4)
    await filed.engine.reload(config)
    with pytest.raises(ConfigError) as caught:
        await filed.engine.update_settings(
            {"pool_size": 5, "pool_idle_s": 7, "max_jobs": 2, "retries": 2},
        )
    told = {each.key: str(each) for each in caught.value.mistakes}
    assert set(told) == {"pool_size", "pool_idle_s", "max_jobs"}
    assert "the variable DB_POOL_MAX says it" in told["pool_size"]
    assert "Unset DB_POOL_IDLE_MS where the engine is started" in told["pool_idle_s"]
    assert "without that flag" in told["max_jobs"]
    assert await said(filed) == {}
    found = setting(filed, "pool_idle_s")
    assert (found.fixed, found.value) == (True, 2)
    assert (found.origin, found.note) == (
        "environment",
        "DB_POOL_IDLE_MS, rounded up from 1500 ms",
    )


async def test_what_jobs_take_over_from_settings_reaches_them(filed):
    """S0-101: the retries of a job that says none are the settings'."""
    await filed.engine.update_settings({"retries": 2, "retry_delay_s": 1})
    retry = filed.engine.config.jobs["sales"].retry
    assert (retry.retries, retry.delay_s) == (2, 1.0)


async def test_the_consoles_settings_are_changed_the_same_way(filed):
    await filed.engine.update_settings({"console.theme": "fjord", "console.rate_hz": 4})
    assert filed.engine.config.console.theme == "fjord"
    assert await said(filed) == {"console": {"theme": "fjord", "rate_hz": 4.0}}
    assert setting(filed, "console.theme").origin == "local"


@pytest.mark.parametrize("broken", [False, True])
async def test_a_profile_holds_at_once_whether_or_not_the_files_can_be_read(filed, broken):
    if broken:
        await write(filed, "[settings")
    await filed.engine.update_settings({"profile": "branches_500", "pool_size": 25})
    settings = filed.engine.config.settings
    assert (settings.max_connections, settings.pool_size, settings.pool_idle_s) == (500, 25, 60)
    assert setting(filed, "max_connections").source == "profile branches_500"
    assert setting(filed, "pool_size").source == "local"
    assert setting(filed, "retries").source == "file"
    await filed.engine.update_settings({"profile": ""})
    assert filed.engine.config.settings.max_connections == 50
    assert setting(filed, "max_connections").source == "default"
    assert await said(filed) == {"settings": {"profile": "", "pool_size": 25}}


async def test_a_limit_can_be_turned_down_while_the_file_is_being_mended(filed):
    await write(filed, "[settings")
    await filed.engine.update_settings({"max_jobs": 2, "console.mouse": False, "retries": 3})
    assert filed.engine.queue.queue.limit == 2
    assert filed.engine.config.console.mouse is False
    assert filed.engine.config.jobs["sales"].retry.retries == 0
    await write(filed)
    await again(filed)
    assert filed.engine.config.jobs["sales"].retry.retries == 3


async def test_what_the_files_do_not_bear_is_refused(filed):
    wrong = {"connections_file": "absent.csv"}
    await refused(filed.engine.update_settings(wrong), "absent.csv", "there is no such file")
    await write(filed, "[settings")
    await refused(filed.engine.update_settings(wrong), "is not valid TOML")
    assert await said(filed) == {}


async def test_what_the_machine_does_not_bear_is_refused(filed, monkeypatch):
    options = filed.engine.options
    plain = options._read
    wrong = Mistake(where="settings", key="max_connections", problem="too many open files")

    def limited(changes):
        if changes:
            raise ConfigError([wrong])
        return plain(changes)

    monkeypatch.setattr(options, "_read", limited)
    await refused(filed.engine.update_settings({"max_connections": 500}), "too many open files")
    assert filed.engine.config.settings.max_connections == 50
    assert await said(filed) == {}


async def test_a_threshold_that_was_measured_stays_whatever_is_free_now(filed, monkeypatch):
    options = filed.engine.options
    plain, free = options._read, [77, 66]

    def machine(changes):
        """The files, as they are read where little memory is free, less each time."""
        config = plain(changes)
        if "memory_threshold_mb" in changes.get("settings", {}):
            return config
        return replace(
            config,
            settings=replace(config.settings, memory_threshold_mb=free.pop(0)),
            origins={**config.origins, "memory_threshold_mb": "half of the available memory"},
        )

    monkeypatch.setattr(options, "_read", machine)
    await again(filed)
    found = setting(filed, "memory_threshold_mb")
    assert (found.origin, found.source) == ("measured", "half of the available memory")
    profiles = {each.name: each for each in options.profiles()}
    assert "memory_threshold_mb" not in profiles["rows_1m"].changes
    await filed.engine.update_settings({"max_jobs": 4})
    assert filed.engine.snapshot().threshold == 77 * MB
    await filed.engine.update_settings({"memory_threshold_mb": 300})
    assert filed.engine.snapshot().threshold == 300 * MB


async def test_the_reserve_of_every_disk_holds_at_once(filed):
    filed.free = 10 * MB
    await filed.engine.update_settings({"disk_reserve_mb": 20})
    result = await filed.run("pilots")
    assert result.status is RunStatus.STOPPED
    assert "disk" in result.reason


async def test_ageing_holds_at_once_for_those_that_wait(world):
    """An hour of waiting is worth 60 steps at first, then one."""
    world.settings = Settings(max_jobs=1, ageing_s=60)
    for name in ("first", "old", "new"):
        world.job(name, connections=("A",))
    world.renew()
    held = Held(1)
    world.leases.extracts["A"] = Script(held)
    await world.submit("first")
    await held.reached.wait()
    old = await world.submit("old", priority=130)
    world.clock.turn(3600)
    new = await world.submit("new", priority=100)
    order = [each.run for each in world.engine.get_pending_jobs()]
    assert order == [old.run, new.run]
    await world.engine.update_settings({"ageing_s": 3600})
    order = [each.run for each in world.engine.get_pending_jobs()]
    assert order == [new.run, old.run]
    held.let_go()
    await asyncio.gather(old.wait(), new.wait())
    assert [each.run for each in world.happened(RunStarted)][1:] == [new.run, old.run]


async def test_a_check_tells_what_a_change_would_meet_and_changes_nothing(filed):
    before = filed.engine.config
    found = await filed.engine.options.check({"max_jobs": 51, "pool_sise": 3})
    assert {each.key for each in found.mistakes} == {"max_jobs", "pool_sise"}
    found = await filed.engine.options.check(
        {"pool_size": 30, "checkpoint_keep_days": 400, "timezone": "Asia/Tokyo"},
    )
    assert found.mistakes == ()
    told = [str(each) for each in found.cautions]
    assert any("settings.checkpoint_keep_days: checkpoints of 400 days" in each for each in told)
    assert any("3 pools × 30 is more than max_connections 50" in each for each in told)
    assert any("gets at most 20: max_per_host is less" in each for each in told)
    assert any("settings.timezone: it holds from the next start on" in each for each in told)
    assert (await filed.engine.options.check({"max_jobs": 5})).cautions == ()
    assert filed.engine.config is before
    assert await said(filed) == {}


async def test_profiles_tell_what_choosing_them_would_change(filed):
    found = {each.name: each for each in filed.engine.options.profiles()}
    assert found["branches_80"].changes == {"max_connections": (50, 80)}
    assert [name for name, each in found.items() if each.chosen] == [""]
    assert found[""].changes == {}
    await filed.engine.update_settings({"profile": "branches_80"})
    found = {each.name: each for each in filed.engine.options.profiles()}
    assert found["branches_80"].chosen
    assert found[""].changes == {"max_connections": (80, 50)}


async def test_a_job_out_of_service_is_not_started(filed):
    await filed.engine.options.enable("sales", enabled=False)
    assert await said(filed) == {"jobs": {"sales": {"enabled": False}}}
    for call in (filed.submit("sales"), filed.engine.check("sales")):
        with pytest.raises(RefusedError, match=r"it is disabled\. Enable it with `etltui config"):
            await call
    assert not await filed.store.runs()
    await filed.engine.options.enable("sales", enabled=True)
    assert (await filed.run("sales")).status is RunStatus.COMPLETED


async def test_what_is_changed_of_jobs_and_tags_is_noted(filed):
    noted = []
    filed.engine.options.acts.listen(lambda *said: noted.append(said))
    await filed.engine.options.enable("sales", enabled=False)
    await refused(filed.engine.options.tag(["Z"], add=["x"]), "no such connection")
    assert [(what, given) for what, given, _ in noted] == [
        ("options.enable", {"job": "sales", "enabled": False}),
        ("options.tag", {"connections": ["Z"], "add": ["x"]}),
    ]
    assert [outcome.partition(":")[0] for *_, outcome in noted] == ["done", "refused"]


async def test_what_runs_already_goes_on_and_a_retry_waits_for_the_service(filed):
    held = Held(1)
    filed.leases.extracts["A"] = Script(held)
    handle = await filed.submit("sales")
    await held.reached.wait()
    await filed.engine.options.enable("sales", enabled=False)
    with pytest.raises(RefusedError):
        await filed.submit("sales", overlap="join")
    await filed.engine.cancel("sales", resumable=True)
    held.let_go()
    assert (await handle.wait()).status is RunStatus.STOPPED
    with pytest.raises(RefusedError, match="it is disabled"):
        await filed.engine.retry(handle.run, Ask(mode=Mode.RETRY))


async def test_a_job_can_be_taken_out_of_service_while_the_file_is_being_mended(filed):
    await write(filed, "[settings")
    await filed.engine.options.enable("sales", enabled=False)
    assert filed.engine.config.jobs["sales"].enabled is False


async def test_a_job_that_is_not_there_names_the_nearest(filed):
    call = filed.engine.options.enable("salse", enabled=False)
    await refused(call, 'there is no job "salse"', 'Did you mean "sales"?')
    assert await said(filed) == {}


async def test_tags_are_changed_whichever_file_says_the_connection(filed):
    await filed.engine.options.tag(["A", "C"], add=["late", " pilot "], remove=["north", "south"])
    assert tags(filed) == {"A": ("pilot", "late"), "B": (), "C": ("late", "pilot")}
    assert (await said(filed))["connections"] == {
        "A": {"tags": ["pilot", "late"]},
        "C": {"tags": ["late", "pilot"]},
    }
    assert {each.name: each.tags for each in (await read(filed)).connections} == tags(filed)
    await filed.engine.options.tag(["C"], remove=["late", "pilot"])
    assert tags(filed)["C"] == ()


async def test_tags_that_cannot_be_are_refused_and_nothing_is_written(filed):
    tag = filed.engine.options.tag
    await refused(tag(["A", "Z"], add=["x"]), "there is no such connection", "A, B, C")
    await refused(tag(["A"], add=[" "]), "holds an empty text")
    await refused(tag(["A"], add=["x", "x"]), 'names "x" twice')
    await refused(tag(["A"], remove=["pilot"]), '"tag:pilot" matches no connection')
    await write(filed, "[settings")
    await refused(tag(["A"], add=["x"]), "is not valid TOML")
    assert await said(filed) == {}
    assert tags(filed)["A"] == ("north", "pilot")
