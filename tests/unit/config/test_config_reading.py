"""A configuration is read again with the variables and flags of the first time."""

from dataclasses import replace

import pytest

from etltui.config.reading import Reading, steady
from etltui.domain.errors import ConfigError


def test_what_is_written_into_the_environment_later_is_no_word_of_the_operator(desk):
    environ = {"DB_POOL_MAX": "9"}
    read = Reading(desk.load("", environ), environ)
    environ.update({"DB_POOL_MAX": "10", "LOG_LEVEL": "error"})
    config = read()
    assert (config.settings.pool_size, config.settings.log_level) == (9, "info")
    assert config.origins["pool_size"] == "environment DB_POOL_MAX"


def test_flags_of_the_command_still_count(desk):
    read = Reading(desk.load("", profile="branches_80", max_jobs=3), {})
    desk.write("settings.max_jobs = 7\nsettings.retries = 9")
    settings = read().settings
    assert (settings.max_jobs, settings.max_connections, settings.retries) == (3, 80, 9)


def test_more_may_be_laid_over_the_local_file(desk):
    read = Reading(desk.load(""), {})
    assert read({"settings": {"max_jobs": 4}}).origins["max_jobs"] == "local"
    with pytest.raises(ConfigError, match="Allowed: 1 to 50"):
        read({"settings": {"max_jobs": 99}})


MEASURED = {"memory_threshold_mb": "half of the available memory"}


def with_threshold(config, value, origins):
    settings = replace(config.settings, memory_threshold_mb=value)
    return replace(config, settings=settings, origins={**config.origins, **origins})


@pytest.mark.parametrize("origins", [{}, MEASURED])
def test_a_measured_threshold_stays_as_it_was_measured_first(desk, origins):
    before = with_threshold(desk.load(""), 300, origins)
    now = steady(with_threshold(before, 200, MEASURED), before)
    assert now.settings.memory_threshold_mb == 300
    assert now.origins["memory_threshold_mb"] == before.origins["memory_threshold_mb"]


def test_a_threshold_that_is_said_or_said_no_more_counts(desk):
    before = desk.load("settings.memory_threshold_mb = 300")
    now = desk.load("settings.memory_threshold_mb = 500")
    assert steady(now, before) is now
    measured = with_threshold(desk.load(""), 200, MEASURED)
    assert steady(measured, before) is measured


def test_with_another_profile_the_threshold_is_measured_anew(desk):
    before = with_threshold(desk.load(""), 300, MEASURED)
    now = with_threshold(desk.load('settings.profile = "rows_1m"'), 200, MEASURED)
    assert steady(now, before) is now
