"""How an engine is wired: numbers of processes, open files, secrets, closing."""

import asyncio
import os
import resource
from pathlib import Path

import pytest

from etltui import bootstrap
from etltui.config.load import load
from etltui.config.schema import Config, Settings
from etltui.domain.errors import ConfigError, ErrorClass, Failure, StateHeldError
from etltui.domain.job import Connection, Credential

RLIM_INFINITY = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("extractors", "cores", "memory", "count"),
    [
        (-1, 1, 1024, 1),
        (-1, 2, 1024, 1),
        (-1, 4, 1024, 3),
        (-1, 4, 700, 2),
        (-1, 64, 100_000, 4),
        (-1, 64, 64, 1),
        (0, 64, 1024, 0),
        (7, 1, 64, 7),
    ],
)
def test_how_many_extractors(extractors, cores, memory, count):
    settings = Settings(extractors=extractors, memory_threshold_mb=memory)
    assert bootstrap.extractor_count(settings, cores) == count


@pytest.mark.parametrize(("extractors", "count"), [(0, 1), (1, 1), (7, 7)])
def test_what_extractors_may_come_to_weigh_is_known(extractors, count):
    settings = Settings(extractors=extractors)
    assert bootstrap._most_bytes(settings) == count * 300 * 1024 * 1024


def config(folder=Path("/etc"), **settings):
    return Config(
        settings=Settings(**settings),
        connections=(),
        credentials={"c": Credential(name="c", user="asha", password="env:SECRET")},
        jobs={},
        path=folder / "etltui.toml",
        origins={},
    )


class Limits:
    """The machine's limit of open files, as it seems."""

    def __init__(self, monkeypatch, soft, hard):
        self.now = (soft, hard)
        monkeypatch.setattr(bootstrap.resource, "getrlimit", lambda _: self.now)
        monkeypatch.setattr(bootstrap.resource, "setrlimit", self.set)

    def set(self, which, limits):
        assert which == resource.RLIMIT_NOFILE
        self.now = limits


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((256, 4096), (928, 4096)),
        ((256, RLIM_INFINITY), (928, RLIM_INFINITY)),
        ((928, 928), (928, 928)),
        ((5000, 5000), (5000, 5000)),
    ],
)
def test_the_soft_limit_of_open_files_is_raised_as_far_as_needed(monkeypatch, before, after):
    limits = Limits(monkeypatch, *before)
    bootstrap.ensure_descriptors(config(max_connections=100))
    assert limits.now == after


@pytest.mark.parametrize(("hard", "fits"), [(927, 99), (500, 46), (136, 1)])
def test_a_hard_limit_that_is_too_low_is_refused_with_what_fits(monkeypatch, hard, fits):
    limits = Limits(monkeypatch, 10, hard)
    with pytest.raises(ConfigError) as refused:
        bootstrap.ensure_descriptors(config(max_connections=100))
    (mistake,) = refused.value.mistakes
    assert (mistake.where, mistake.key) == ("/etc/etltui.toml", "settings.max_connections")
    assert f"need 928 open files, but the limit of this system for this user is {hard}" in str(
        mistake
    )
    assert f"at most {fits}," in mistake.way_out
    assert limits.now == (10, hard)


def test_a_hard_limit_that_is_too_low_for_anything_is_refused_with_what_is_needed(monkeypatch):
    Limits(monkeypatch, 10, 135)
    with pytest.raises(ConfigError, match="Raise the hard limit to 928, or to 136 for a single"):
        bootstrap.ensure_descriptors(config(max_connections=100))


def mysql(credential):
    return Connection(name="A", kind="mysql", url="mysql://h/d", host="h", credential=credential)


async def test_secrets_are_resolved_when_a_session_opens(tmp_path):
    environ = {"SECRET": "first"}
    tasks = bootstrap.SessionTasks(config(tmp_path, connection_timeout_s=7), environ)
    task = await tasks(mysql("c"))
    assert (task.user, task.password, task.host) == ("asha", "first", "h")
    assert task.connect_timeout_s == 7
    environ["SECRET"] = "second"
    assert (await tasks(mysql("c"))).password == "second"
    environ.clear()
    with pytest.raises(Failure) as refused:
        await tasks(mysql("c"))
    assert refused.value.error_class is ErrorClass.SECRET


async def test_a_connection_without_credential_has_neither_user_nor_password(tmp_path):
    task = await bootstrap.SessionTasks(config(tmp_path), {})(mysql(""))
    assert (task.user, task.password) == ("", "")


def demo(folder, **settings):
    """A configuration without connections, in a file."""
    lines = [f"{name} = {value}" for name, value in settings.items()]
    path = folder / "etltui.toml"
    path.write_text("\n".join(["[settings]", *lines, ""]))
    return load(path, environ={})


@pytest.mark.parametrize("extractors", [0, 1])
async def test_an_engine_holds_its_folder_for_the_time_of_the_block(tmp_path, extractors):
    state = tmp_path / "state"
    # One connection: the limit of open files of the process that runs the tests stays as it is.
    wanted = await asyncio.to_thread(demo, tmp_path, extractors=extractors, max_connections=1)
    async with bootstrap.engine(wanted, state, environ={}) as made:
        assert made.config is wanted
        with pytest.raises(StateHeldError):
            async with bootstrap.engine(wanted, state, environ={}):
                pass
    # Let go: another one may have it.
    async with bootstrap.engine(wanted, state, environ={}):
        pass


async def test_s0_85_new_sessions_get_the_time_limit_of_the_settings_as_they_are(
    tmp_path,
    monkeypatch,
):
    made, till = [], Connection(name="till", kind="sqlite", url="sqlite:///till.db")

    class Tasks(bootstrap.SessionTasks):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            made.append(self)

    monkeypatch.setattr(bootstrap, "SessionTasks", Tasks)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    wanted = await asyncio.to_thread(demo, tmp_path, extractors=0, max_connections=1)
    async with bootstrap.engine(wanted, tmp_path / "state", environ={}) as running:
        assert (await made[0](till)).connect_timeout_s == 30
        await running.update_settings({"connection_timeout_s": 7})
        assert (await made[0](till)).connect_timeout_s == 7


async def test_a_limit_that_the_machine_does_not_bear_is_refused_while_it_runs(
    tmp_path,
    monkeypatch,
):
    wanted = await asyncio.to_thread(demo, tmp_path, extractors=0, max_connections=1)
    async with bootstrap.engine(wanted, tmp_path / "state", environ={}) as running:
        Limits(monkeypatch, 10, 927)
        with pytest.raises(ConfigError, match="Set max_connections to at most 99"):
            await running.update_settings({"max_connections": 100})
        assert running.config.settings.max_connections == 1


def test_who_runs_it(monkeypatch):
    monkeypatch.setattr(bootstrap.getpass, "getuser", lambda: "asha")
    monkeypatch.setattr(bootstrap.socket, "gethostname", lambda: "desk")
    assert bootstrap.operator() == "asha@desk"

    def nobody():
        raise KeyError(0)

    monkeypatch.setattr(bootstrap.getpass, "getuser", nobody)
    assert bootstrap.operator() == f"{os.getuid()}@desk"
    monkeypatch.setattr(bootstrap.sys, "argv", ["/usr/bin/etltui", "run", "sales"])
    assert bootstrap._command() == "etltui run sales"
