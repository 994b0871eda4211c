"""`etltui doctor` on what a run needs before it begins: each finding induced."""

import asyncio
import os
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cli_desk import CONFIG
from doctor_desk import ask, judged, one

from etltui.doctor.drivers import CORE
from etltui.doctor.gather import gather
from etltui.doctor.look import machine, secrets, targets
from etltui.domain.driver import Driver


@pytest.fixture
def facts(desk):
    """The facts of a desk with a good configuration."""
    desk.configure(settings='timezone = "Asia/Kolkata"')
    return asyncio.run(
        gather(
            config=desk.config,
            mistakes=(),
            state=desk.state,
            environ={},
            now=datetime.now(UTC).timestamp(),
        ),
    )


def on_machine(facts, **changes):
    return replace(facts, machine=replace(facts.machine, **changes))


def test_a_good_desk_has_nothing_to_mend(desk):
    desk.configure(settings='timezone = "Asia/Kolkata"')
    told = desk.ask("doctor")
    assert told.exit_code == 0, told.output
    assert "✗" not in told.output
    assert f"{desk.folder}/etltui.toml" in told.output
    assert told.output.splitlines()[-1].startswith("0 failures, 0 warnings, ")
    long = [line for line in told.output.splitlines() if len(line) > 80]
    assert [line for line in long if str(desk.folder) not in line] == []


def test_every_mistake_is_a_finding(desk):
    desk.configure(settings='max_jbos = 1\npool_size = 1000\ntimezone = "Mars"')
    found = ask(desk, "configuration", code=1)
    assert [each["level"] for each in found] == ["fail"] * 3
    titles = " ".join(each["title"] for each in found)
    for key in ("settings.max_jbos: ", "settings.pool_size: ", "settings.timezone: "):
        assert key in titles
    assert "max_jobs" in " ".join(each["remedy"] for each in found)
    assert str(desk.folder / "etltui.toml") in found[0]["detail"]
    told = desk.ask("doctor").output
    assert "✗ configuration: settings.max_jbos" in told
    assert "3 failures" in told


def test_no_configuration_is_said_with_the_way_to_one(desk):
    assert "etltui demo" in one(desk, "configuration", "fail", code=1)["remedy"]


def test_the_zone_is_told(facts):
    zone = [("ok", "Times and {date} are in Asia/Kolkata")]
    assert judged(facts, "time zone") == zone
    own = replace(facts, config=None)
    ((level, title),) = judged(own, "time zone")
    assert (level, title) == (
        "ok",
        f"Times and {{date}} are in the machine's own zone, {own.machine.zone}",
    )


def test_a_missing_package_is_named(facts):
    there = dict(facts.machine.packages)
    assert judged(facts, "packages")[0] == ("ok", f"Python {facts.machine.python}")
    broken = on_machine(facts, packages={**there, "pyarrow": ""})
    assert judged(broken, "packages") == [("fail", "Missing: pyarrow")]
    slow = on_machine(facts, packages={**there, "isal": ""})
    assert judged(slow, "packages")[1:] == [("warn", "isal is missing")]
    found = machine().packages
    assert [name for name in CORE if not found[name]] == []


def test_a_package_that_is_not_installed_has_no_version(monkeypatch):
    monkeypatch.setattr("etltui.doctor.look.CORE", ("no-such-package-as-this",))
    assert machine().packages["no-such-package-as-this"] == ""


def with_drivers(facts, *drivers):
    return replace(facts, drivers={"sqlite": drivers})


def test_a_missing_driver_is_named_for_the_kinds_that_are_configured(facts):
    """N-36."""
    assert judged(facts, "drivers") == [("ok", "sqlite can be read: 3 connections")]
    lacking = Driver(name="x", serves="y", problem="not installed", remedy="pip install x")
    assert judged(with_drivers(facts, lacking), "drivers") == [
        ("fail", "sqlite cannot be read here: 3 connections"),
    ]
    there = Driver(name="z", serves="y")
    assert judged(with_drivers(facts, there, replace(lacking, needed=False)), "drivers") == [
        ("ok", "sqlite can be read: 3 connections"),
    ]
    listed = replace(lacking, needed=False, registered=True)
    assert judged(with_drivers(facts, there, listed), "drivers") == [
        ("ok", "sqlite can be read: 3 connections"),
        ("warn", "x does not load"),
    ]
    alone = replace(lacking, needed=False)
    assert judged(with_drivers(facts, alone), "drivers") == [
        ("fail", "sqlite cannot be read here: 3 connections"),
    ]
    one_of_two = with_drivers(facts, alone, replace(there, needed=False))
    assert judged(one_of_two, "drivers") == [("ok", "sqlite can be read: 3 connections")]


def test_a_driver_that_no_connection_means_may_be_broken(facts):
    """N-36."""
    listed = Driver(name="Old", serves="y", problem="gone", needed=False, registered=True)
    found = with_drivers(facts, Driver(name="New", serves="y"), listed)

    def warned(*drivers):
        there = [
            replace(one, options=options) for one, options in zip(connections, drivers, strict=True)
        ]
        config = replace(found.config, connections=tuple(there))
        return ("warn", "Old does not load") in judged(replace(found, config=config), "drivers")

    connections = found.config.connections
    assert not warned(*[{"Driver": "New"}] * 3)
    assert warned({"Driver": "New"}, {"driver": "OLD"}, {"Driver": "New"})
    assert warned({"Driver": "New"}, {"DSN": "branch"}, {"Driver": "New"})


def test_too_few_open_files_are_told_with_what_fits(facts):
    for hard, level in ((None, "ok"), (528, "ok"), (527, "fail")):
        ((found, title),) = judged(on_machine(facts, files=(256, hard)), "open files")
        assert found == level
    assert title == "max_connections = 50 needs 528 open files, the limit is 527"
    assert judged(replace(facts, config=None), "open files") == []


def test_s0_133_a_threshold_that_the_machine_does_not_have(facts):
    settings = replace(facts.config.settings, memory_threshold_mb=1024)
    facts = replace(facts, config=replace(facts.config, settings=settings))
    fits = on_machine(facts, memory_mb=4096, free_mb=2048)
    assert ("ok", "memory_threshold_mb = 1024 fits into 2,048 MB of free memory") in judged(
        fits,
        "memory",
    )
    tight = judged(on_machine(facts, memory_mb=4096, free_mb=1000), "memory")
    assert ("warn", "memory_threshold_mb = 1024, but only 1,000 MB are free now") in tight
    over = judged(on_machine(facts, memory_mb=1000, free_mb=900), "memory")
    assert ("fail", "memory_threshold_mb = 1024 is more than there is (1,000 MB)") in over
    assert len(judged(on_machine(facts, memory_mb=None), "memory")) == 1


def test_passwords_are_tried_and_never_shown(desk, tmp_path, monkeypatch):
    (tmp_path / "open").write_text("s3cr3t-file")
    (tmp_path / "shut").write_text("s3cr3t-file")
    (tmp_path / "shut").chmod(0o600)
    monkeypatch.setenv("GOOD", "s3cr3t-env")
    desk.configure(
        CONFIG
        + """
        [credentials.env]
        password = "env:GOOD"
        [credentials.file]
        password = "file:shut"
        [credentials.command]
        password = "cmd:sh -c 'touch started; echo s3cr3t'"
        [credentials.none]
        user = "asha"
        """,
    )
    assert one(desk, "passwords", "ok", code=0)["title"] == "3 passwords can be had"
    assert not (tmp_path / "started").exists()
    monkeypatch.delenv("GOOD")
    (tmp_path / "shut").chmod(0o644)
    config = desk.config
    assert secrets(config, {"PATH": os.environ["PATH"]}) == {
        "env": "the password cannot be had: the environment variable GOOD is not set",
        "file": f"the password cannot be had: others than you may read {tmp_path}/shut (mode 0644)."
        f" Run: chmod 600 {tmp_path}/shut",
        "command": "",
    }
    told = desk.ask("doctor")
    assert told.exit_code == 1
    assert "credentials.env: the password cannot be had" in told.output
    assert "s3cr3t" not in told.output


def test_a_command_that_is_not_there_is_told_without_its_arguments(desk, tmp_path):
    desk.configure(CONFIG + '[credentials.x]\npassword = "cmd:vault-cli --token s3cr3t"\n')
    found = one(desk, "passwords", "fail", code=1)
    assert found["title"] == "credentials.x: there is no program vault-cli"
    (tmp_path / "vault-cli").write_text("")
    assert secrets(desk.config, {"PATH": "/nowhere"}) == {"x": ""}


def test_targets_that_cannot_be_written_are_named(desk, monkeypatch):
    desk.configure(CONFIG.replace("out/", ".local/state/etltui/"))
    found = one(desk, "targets", "fail", code=1)
    assert found["title"].startswith(f"sales: {desk.state}/sales_")
    assert found["title"].endswith(".csv lies in the state folder")
    desk.configure()
    assert one(desk, "targets", "ok", code=0)["title"] == "1 target could be written"

    def refuse(*_, **__):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("etltui.doctor.look.obstacle", refuse)
    (problem,) = targets(desk.config, desk.state, desk.now.timestamp())
    assert problem.endswith("cannot be looked at: Input/output error")
