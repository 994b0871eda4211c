"""Every setting as a screen shows it."""

from dataclasses import replace

import pytest

from etltui.config.console import console_rules
from etltui.config.schema import rules
from etltui.config.setting_views import (
    GROUPS,
    RESTART,
    all_rules,
    origin_of,
    profile_views,
    under_profile,
    views,
)


def one(config, name):
    return next(each for each in views(config) if each.name == name)


def test_every_setting_stands_in_one_group():
    named = [name for names in GROUPS.values() for name in names]
    assert sorted(named) == sorted(all_rules())
    assert len(all_rules()) == len(rules()) + len(console_rules())
    assert set(named) >= RESTART


def test_the_groups_come_in_the_order_of_the_screen(desk):
    groups = list(dict.fromkeys(each.group for each in views(desk.load(""))))
    assert groups[:2] == ["CONNECTIONS", "JOB QUEUE"]
    assert groups[-2:] == ["LOGGING", "CONSOLE"]


@pytest.mark.parametrize(
    ("name", "kind", "default"),
    [
        ("retry_multiplier", "number", 2.0),
        ("timezone", "zone", ""),
        ("state_dir", "text", ""),
        ("resume_jobs", "flag", None),
        ("overlap", "choice", "join"),
        ("console.rate_hz", "number", 2.0),
    ],
)
def test_each_kind_is_told_with_what_it_may_be(desk, name, kind, default):
    found = one(desk.load(""), name)
    assert (found.kind, found.default, found.value, found.source) == (
        kind,
        default,
        default,
        "default",
    )
    assert found.allowed
    assert found.help.endswith(".")
    assert (found.low is None, found.high is None) == (kind != "number", kind != "number")
    assert bool(found.choices) == (kind == "choice")


def test_nought_with_a_meaning_of_its_own_is_told(desk):
    config = desk.load("")
    assert one(config, "memory_threshold_mb").or_zero
    assert not one(config, "max_jobs").or_zero


def test_each_layer_is_told_with_what_there_is_to_say_of_it(desk):
    desk.write("settings.retries = 1\n[console]\npanel = false", "etltui.local.toml")
    config = desk.load(
        'settings.profile = "branches_500"\nsettings.leak_s = 5',
        {"DB_REQUEST_TIMEOUT": "1500"},
        max_jobs=2,
    )
    told = {
        name: (one(config, name).origin, one(config, name).note, one(config, name).fixed)
        for name in (
            "ping_timeout_s",
            "pool_size",
            "leak_s",
            "retries",
            "console.panel",
            "request_timeout_s",
            "max_jobs",
        )
    }
    assert told == {
        "ping_timeout_s": ("default", "", False),
        "pool_size": ("profile", "branches_500", False),
        "leak_s": ("file", "", False),
        "retries": ("local", "", False),
        "console.panel": ("local", "", False),
        "request_timeout_s": (
            "environment",
            "DB_REQUEST_TIMEOUT, rounded up from 1500 ms",
            True,
        ),
        "max_jobs": ("flag", "", True),
    }


def test_what_nobody_has_noted_is_a_default(desk):
    assert origin_of(replace(desk.load(""), origins={}), "max_jobs") == ("default", "")


def test_a_profile_changes_only_what_nobody_else_says(desk):
    config = desk.load("settings.pool_size = 9", {"MAX_CONCURRENT_CONNECTIONS": "60"})
    found = {each.name: each for each in profile_views(config)}
    assert found["branches_500"].changes == {"max_jobs": (10, 20), "pool_idle_s": (30, 60)}
    assert found["branches_500"].why.startswith("500 branches")
    assert "profile" not in under_profile(config, "branches_500")


def test_a_measured_threshold_is_never_more_than_the_machine_gives(desk):
    config = desk.load("")
    measured = replace(
        config,
        settings=replace(config.settings, memory_threshold_mb=900),
        origins={**config.origins, "memory_threshold_mb": "half of the available memory"},
    )
    assert under_profile(measured, "rows_1m")["memory_threshold_mb"] == 900
    assert (
        under_profile(replace(measured, settings=config.settings), "")["memory_threshold_mb"]
        == 1024
    )


def test_what_holds_from_the_next_start_on_says_so(desk):
    config = desk.load("")
    waiting = {each.name for each in views(config) if each.restart}
    assert waiting == RESTART
    assert {"timezone", "state_dir", "extractors"} <= waiting
    assert not {"pool_size", "ageing_s", "profile", "console.theme"} & waiting
