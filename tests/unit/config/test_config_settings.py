"""Settings: ranges, layers, origins, and the example that shows them all."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etltui.config.checks import Flag, Number, OneOf, Text, Whole, Zone
from etltui.config.profiles import PROFILES
from etltui.config.schema import Settings, rules

RULES = rules()
UNREAD = ("connections_file",)  # names a file that would have to be there
WHOLE = [name for name, rule in RULES.items() if isinstance(rule.check, Whole)]
VALUES = {
    Flag: lambda _: st.booleans(),
    Number: lambda check: st.floats(check.low, check.high),
    OneOf: lambda check: st.sampled_from(check.choices),
    Text: lambda _: st.text(st.characters(categories=["L", "N", "P", "Zs"]), max_size=30),
    Whole: lambda check: st.integers(check.low, check.high),
    Zone: lambda _: st.sampled_from(["", "UTC", "Asia/Kolkata", "America/New_York"]),
}


def test_an_empty_file_gives_the_defaults_and_says_so(desk):
    """S4-36."""
    config = desk.load("")
    assert config.settings == Settings()
    assert {name for name in config.origins if "." not in name} == set(RULES)
    assert set(config.origins.values()) == {"default"}
    assert config.path == desk.path


@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: VALUES[type(rule.check)](rule.check)
            for name, rule in RULES.items()
            if name not in UNREAD
        },
    ),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_settings_make_the_round_trip_through_toml(desk, values):
    config = desk.load(tomli_w.dumps({"settings": values}))
    profile = PROFILES[values["profile"]].values if values.get("profile") else {}
    assert config.settings == Settings(**{**profile, **values})
    assert {k for k, origin in config.origins.items() if origin == "file"} == set(values)
    said = {k: v for k, v in dataclasses.asdict(config.settings).items() if v is not None}
    assert desk.load(tomli_w.dumps({"settings": said})).settings == config.settings


@pytest.mark.parametrize("name", WHOLE)
def test_both_ends_of_a_range_are_in_and_the_next_are_out(desk, name):
    """S4-36."""
    check = RULES[name].check
    for value in (check.low, check.high):
        assert getattr(desk.load(f"settings.{name} = {value}").settings, name) == value
    for value in (check.low - 1, check.high + 1):
        key, text = desk.mistake(f"settings.{name} = {value}")
        assert key == f"settings.{name}"
        assert f"{value} is out of range. Allowed: {check.allowed}" in text
        with pytest.raises(ValueError, match=f"{name}: {value} is out of range"):
            Settings(**{name: value})


def test_the_settings_page_has_these_ranges_and_defaults():
    """S0-85, S0-86, S0-87, S0-88, S0-89, S0-90; S0-27, S1-11, S1-41 and S4-36 besides."""
    said = {
        "connection_timeout_s": (Whole(1, 300), 30),
        "pool_size": (Whole(1, 100), 20),
        "max_connections": (Whole(1, 500), 50),
        "max_jobs": (Whole(1, 50), 10),
        "streaming": (Flag(), True),
        "log_level": (OneOf(("error", "warning", "info", "debug")), "info"),
    }
    assert {name: (RULES[name].check, getattr(Settings(), name)) for name in said} == said
    assert Settings().max_jobs_per_type == 5


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("max_jobs = true", "true is not a whole number. Allowed: 1 to 50"),
        ("max_jobs = 1.5", "1.5 is not a whole number"),
        ('max_jobs = "ten"', '"ten" is not a whole number'),
        ("max_jobs = [1]", "a list is not a whole number"),
        ("max_jobs = { a = 1 }", "a table is not a whole number"),
        ("max_jobs = 2026-11-21", "2026-11-21 is not a whole number"),
        (f"max_jobs = 0x{'f' * 5000}", "a very large number is out of range"),
        ("log_level = 3", "3 is not text in quotes. Allowed: error, warning, info, debug"),
        ("timezone = 3", '3 is not text in quotes. Write "3"'),
        ("timezone = []", "a list is not text in quotes. Write text in quotes"),
        ("log_level = []", "a list is not text in quotes. Allowed: error, warning"),
        ('log_level = "warn"', 'Did you mean "warning"? Allowed: error, warning, info, debug'),
        ('log_level = "x"', '"x" is none of the choices. Allowed: error'),
        ("resume_jobs = 1", "1 is neither true nor false"),
        ('state_dir = "a\\nb"', '"a␊b" holds a control character'),
        ('state_dir = "a\\u007fb"', '"a␡b" holds a control character'),
        ('timezone = "Asia/Kolkatta"', 'Did you mean "Asia/Kolkata"?'),
        ('timezone = "America"', '"America" is no time zone'),
        ('timezone = "/etc/passwd"', '"/etc/passwd" is no time zone'),
        ('timezone = "qqqqqqqqqqqqqqqq"', "empty for the machine's own"),
        ("timezone = 5", "5 is not text in quotes"),
        ("max_job = 5", 'is not a known key. Did you mean "max_jobs"?'),
        ("zzz = 5", "Allowed: max_jobs, max_jobs_per_type"),
    ],
)
def test_a_wrong_setting_is_refused_in_words(desk, line, text):
    key, said = desk.mistake(f"[settings]\n{line}")
    assert key == f"settings.{line.partition(' ')[0]}"
    assert text in said


def test_a_folder_of_zones_is_no_zone_where_zones_come_as_a_package(desk, monkeypatch):
    package = desk.folder / "tzdata" / "zoneinfo"
    (package / "Folder").mkdir(parents=True)
    for folder in (package.parent, package):
        (folder / "__init__.py").touch()
    for name in [name for name in sys.modules if name.partition(".")[0] == "tzdata"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(desk.folder)
    assert '"Folder" is no time zone' in desk.mistake('settings.timezone = "Folder"')[1]
    for name in [name for name in sys.modules if name.partition(".")[0] == "tzdata"]:
        monkeypatch.delitem(sys.modules, name)


def test_the_last_of_file_local_environment_and_flag_wins(desk):
    desk.write(
        "settings = { max_jobs = 1, pool_size = 2, max_connections = 3, log_level = 'debug' }"
    )
    desk.write("settings = { pool_size = 20, max_connections = 30 }", "etltui.local.toml")
    environ = {"MAX_CONCURRENT_CONNECTIONS": "300", "LOG_LEVEL": "WARNING", "DB_POOL_MAX": " "}
    config = desk.load(environ=environ, log_level="error", extractors=None)
    got = config.settings
    assert (got.max_jobs, got.pool_size, got.max_connections, got.log_level) == (
        1,
        20,
        300,
        "error",
    )
    assert {k: v for k, v in config.origins.items() if v != "default"} == {
        "max_jobs": "file",
        "pool_size": "local",
        "max_connections": "environment MAX_CONCURRENT_CONNECTIONS",
        "log_level": "flag",
    }


VARIABLES = [
    ("JOB_QUEUE_MAX_CONCURRENT", "7", "max_jobs", 7),
    ("WORKER_CONCURRENCY", "3", "max_jobs_per_type", 3),
    ("JOB_QUEUE_RETRY_DELAY_MS", "1500", "retry_delay_s", 2),
    ("JOB_QUEUE_BACKOFF_MULTIPLIER", "1.5", "retry_multiplier", 1.5),
    ("MAX_CONCURRENT_CONNECTIONS", "77", "max_connections", 77),
    ("DB_POOL_MAX", " 8 ", "pool_size", 8),
    ("DB_POOL_IDLE_MS", "1001", "pool_idle_s", 2),
    ("DB_CONNECTION_TIMEOUT", "45000", "connection_timeout_s", 45),
    ("DB_REQUEST_TIMEOUT", "20000", "request_timeout_s", 20),
    ("QUERY_TIMEOUT_MS", "86400000", "query_timeout_s", 86400),
    ("MEMORY_THRESHOLD_MB", "64", "memory_threshold_mb", 64),
    ("LOG_LEVEL", "Debug", "log_level", "debug"),
    ("RESUME_JOBS", "TRUE", "resume_jobs", True),
]


def test_every_variable_has_one_key_and_every_key_its_variable():
    """S0-118."""
    said = {(rule.environment, name) for name, rule in RULES.items() if rule.environment}
    assert said == {(variable, key) for variable, _, key, _ in VARIABLES}


@pytest.mark.parametrize(("variable", "text", "key", "value"), VARIABLES)
def test_every_variable_wins_over_the_file(desk, variable, text, key, value):
    """S0-6…S0-9, S0-22, S0-27, S0-31, S0-32, S0-90, S0-118, S1-41, S3-3, S3-4, S3-15."""
    other = {bool: "false", str: '"error"'}.get(type(value), "99" if value == 64 else "5")
    config = desk.load(f"settings.{key} = {other}", {variable: text})
    assert getattr(config.settings, key) == value
    rounded = f", rounded up from {text} ms" if text in {"1500", "1001"} else ""
    assert config.origins[key] == f"environment {variable}{rounded}"
    assert getattr(desk.load(environ={variable: " "}).settings, key) != value


def test_resuming_can_be_said_either_way_or_not_at_all(desk):
    for text, value in (("false", False), ("True", True), ("", None)):
        assert desk.load("", {"RESUME_JOBS": text}).settings.resume_jobs is value


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("JOB_QUEUE_MAX_CONCURRENT", "51", "51 is out of range. Allowed: 1 to 50"),
        ("JOB_QUEUE_BACKOFF_MULTIPLIER", "0.5", "0.5 is out of range. Allowed: 1 to 10"),
        ("JOB_QUEUE_BACKOFF_MULTIPLIER", "1e1", '"1e1" is not a number'),
        ("JOB_QUEUE_BACKOFF_MULTIPLIER", "nan", '"nan" is not a number'),
        ("DB_POOL_IDLE_MS", "999", "999 is out of range. Allowed: 1000 to 3600000"),
        ("QUERY_TIMEOUT_MS", "soon", '"soon" is not a whole number. Allowed: 1000 to 86400000'),
        ("RESUME_JOBS", "yes", '"yes" is neither true nor false'),
        ("LOG_LEVEL", "loud", '"loud" is none of the choices'),
    ],
)
def test_a_wrong_variable_is_refused_by_its_own_name(desk, name, text, said):
    key, sentence = desk.mistake("", {name: text})
    assert key == name
    assert said in sentence


def test_wrong_flags_are_refused_as_of_the_command_line(desk):
    assert desk.mistakes("", max_jobs=51, max_jbos=2) == [
        ("max_jobs", "51 is out of range. Allowed: 1 to 50"),
        ("max_jbos", 'is not a known setting. Did you mean "max_jobs"?'),
    ]


def test_every_setting_says_what_it_means_and_may_be():
    """S0-119: the sentence that explains each, for whoever shows it."""
    for rule in RULES.values():
        assert rule.help.endswith(".")
        assert rule.check.allowed


def test_only_resuming_may_stay_unsaid():
    assert Settings(resume_jobs=None) == Settings()
    with pytest.raises(ValueError, match="max_jobs: None is not a whole number"):
        Settings(max_jobs=None)


def test_loading_needs_no_driver_and_no_file_format():
    script = (
        "import sys, etltui.config.load;"
        "print([m for m in ('pyarrow', 'sqlalchemy', 'openpyxl', 'asyncio') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    assert done.stdout.strip() == "[]"
