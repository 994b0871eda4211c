"""Profiles: what they say, over which layer they lie and under which."""

import pytest

from etltui.config.profiles import PROFILES
from etltui.config.schema import Settings, rules

SAID = {  # S0-124, S0-125, S3-17, S3-18
    "branches_80": {"pool_size": 20, "max_connections": 80, "max_jobs": 10},
    "branches_500": {"pool_size": 30, "max_connections": 500, "max_jobs": 20, "pool_idle_s": 60},
    "branches_50": {"resume_jobs": True, "memory_threshold_mb": 1536, "query_timeout_s": 600},
    "rows_1m": {"resume_jobs": True, "memory_threshold_mb": 2048, "query_timeout_s": 900},
}


@pytest.mark.parametrize("name", SAID)
def test_a_profile_lies_over_the_defaults_and_says_why(desk, name):
    """S4-35."""
    config = desk.load(f'settings.profile = "{name}"')
    assert config.settings == Settings(**SAID[name], profile=name)
    origins = {key for key, origin in config.origins.items() if origin == f"profile {name}"}
    assert origins == set(SAID[name])
    assert PROFILES[name].why.endswith(".")
    assert set(SAID) == set(PROFILES)


def test_everything_else_lies_over_a_profile(desk):
    desk.write('settings = { profile = "branches_500", max_jobs = 3 }')
    desk.write("settings.pool_size = 4", "etltui.local.toml")
    config = desk.load(environ={"DB_POOL_IDLE_MS": "5000"}, max_connections=6)
    got = config.settings
    assert (got.max_jobs, got.pool_size, got.pool_idle_s, got.max_connections) == (3, 4, 5, 6)


def test_a_flag_names_another_profile(desk):
    config = desk.load('settings.profile = "branches_500"', profile="rows_1m")
    assert config.settings.query_timeout_s == 900
    assert config.settings.max_connections == 50
    assert config.origins["profile"] == "flag"


def test_an_unknown_profile_is_refused_with_the_nearest(desk):
    key, said = desk.mistake('settings.profile = "branches_8"')
    assert key == "settings.profile"
    assert 'Did you mean "branches_80"? Allowed: "", branches_50' in said


def test_what_a_profile_says_is_allowed():
    for profile in PROFILES.values():
        assert set(profile.values) <= set(rules())
        Settings(**profile.values)
