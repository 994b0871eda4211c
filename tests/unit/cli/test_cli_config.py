"""`etltui config` and `etltui check` in this process."""

import json
import tomllib

import pytest
from click.testing import CliRunner

from etltui.cli.main import main
from etltui.config.schema import rules

TEXT = """
[settings]
max_jobs = 3
profile = "branches_80"
[credentials.reader]
user = "r"
password = "cmd:pass hunter2"
[credentials.nobody]
[connections.a]
url = "sqlite:///a.db"
[connections.b]
url = "sqlite:///b.db"
closed = 2020-01-01
[jobs.j]
connections = ["*"]
query = "SELECT 1"
[[jobs.j.destinations]]
type = "csv"
path = "out.csv"
"""


@pytest.fixture
def ask(tmp_path, monkeypatch):
    for rule in rules().values():
        monkeypatch.delenv(rule.environment or "-", raising=False)
    path = tmp_path / "etltui.toml"
    path.write_text(TEXT)

    def asked(*words, **environ):
        return CliRunner().invoke(
            main, [*words, "--config", str(path)], env=environ, catch_exceptions=False
        )

    return asked


def test_every_setting_is_shown_with_origin_and_range(ask, tmp_path):
    (tmp_path / "etltui.local.toml").write_text("settings.pool_size = 4\n")
    shown = ask("config", "show", LOG_LEVEL="debug").output
    lines = {line.split()[0]: " ".join(line.split()) for line in shown.splitlines()[1:]}
    assert set(rules()) <= set(lines)
    assert lines["max_jobs"] == "max_jobs = 3 file 1 to 50"
    assert lines["pool_size"] == "pool_size = 4 local 1 to 100"
    assert lines["max_connections"] == "max_connections = 80 profile branches_80 1 to 500"
    assert lines["log_level"].startswith('log_level = "debug" environment LOG_LEVEL error')
    assert lines["retries"] == "retries = 3 default 0 to 100"
    assert lines["resume_jobs"].startswith("resume_jobs = (each job says) default")
    assert "run type extract: priority 100, 5 at once" in shown
    assert 'credential reader: user "r", cmd:***' in shown
    assert 'credential nobody: user "", no password' in shown
    assert "hunter2" not in shown


def test_all_of_it_is_shown_as_json(ask):
    told = ask("config", "show", "--json", "--profile", "rows_1m")
    shown = json.loads(told.output)
    assert shown["settings"]["query_timeout_s"] == {
        "value": 900,
        "origin": "profile rows_1m",
        "allowed": "1 to 86400",
        "environment": "QUERY_TIMEOUT_MS",
        "help": "Seconds that a connection's queries may take; a job may say its own.",
    }
    assert shown["settings"]["profile"]["origin"] == "flag"
    assert shown["run_types"] == {"extract": {"priority": 100, "limit": 5}}
    assert shown["credentials"]["reader"] == {"user": "r", "password": "cmd:***"}
    assert (shown["connections"], shown["jobs"]) == (2, ["j"])
    assert "hunter2" not in told.output


def test_n_31_how_connections_are_read_is_shown_those_alike_together(ask, tmp_path):
    path = tmp_path / "etltui.toml"
    plain = path.read_text()
    tag = '[tags.till]\nrows_per_s = 500\nhours = "22:00-06:00"\n'
    path.write_text(tag + plain.replace('b.db"', 'b.db"\ntags = ["till"]'))
    said = 'connections read with rows_per_s = 500, hours = "22:00-06:00": b'
    assert ask("config", "show").output.splitlines()[-1] == said
    shown = json.loads(ask("config", "show", "--json").output)
    assert shown["reading"] == {"b": {"rows_per_s": 500, "hours": "22:00-06:00"}}
    path.write_text(plain)
    assert "read with" not in ask("config", "show").output
    assert json.loads(ask("config", "show", "--json").output)["reading"] == {}


def test_a_setting_is_written_beside_the_file(ask, tmp_path):
    local = tmp_path / "etltui.local.toml"
    assert ask("config", "set", "max_jobs", "7").output == f"{local}: max_jobs = 7\n"
    assert ask("config", "set", "settings.retry_multiplier", "1.5").exit_code == 0
    assert ask("config", "set", "streaming", "FALSE").exit_code == 0
    assert ask("config", "set", "state_dir", "x y").exit_code == 0
    assert tomllib.loads(local.read_text())["settings"] == {
        "max_jobs": 7,
        "retry_multiplier": 1.5,
        "streaming": False,
        "state_dir": "x y",
    }
    assert (tmp_path / "etltui.toml").read_text() == TEXT
    assert "max_jobs = 7" in ask("config", "show").output


def test_the_consoles_settings_are_shown_and_set_like_all_others(ask, tmp_path):
    local = tmp_path / "etltui.local.toml"
    told = ask("config", "set", "console.theme", "fjord")
    assert told.output == f'{local}: console.theme = "fjord"\n'
    assert ask("config", "set", "console.rate_hz", "0.5").exit_code == 0
    with local.open("a") as file:
        file.write('[console.keys]\n"run.cancel" = "x,ctrl+x"\n')
    assert tomllib.loads(local.read_text())["console"]["rate_hz"] == 0.5
    lines = ask("config", "show").output.splitlines()
    heads = [line for line in lines if line.isupper()]
    assert heads[:2] == ["CONNECTIONS", "JOB QUEUE"]
    assert lines.index("CONSOLE") < [" ".join(line.split())[:34] for line in lines].index(
        'console.theme = "fjord" local text'[:34],
    )
    assert "keys of run.cancel: x,ctrl+x" in lines
    shown = json.loads(ask("config", "show", "--json").output)
    assert (shown["console"]["theme"]["value"], shown["console"]["theme"]["origin"]) == (
        "fjord",
        "local",
    )
    assert shown["keys"] == {"run.cancel": "x,ctrl+x"}
    assert set(shown["settings"]) == set(rules())


def test_a_job_is_taken_out_of_service_and_back(ask, tmp_path):
    local = tmp_path / "etltui.local.toml"
    told = ask("config", "set", "jobs.j.enabled", "false")
    assert told.output == f"{local}: jobs.j.enabled = false\n"
    assert tomllib.loads(local.read_text()) == {"jobs": {"j": {"enabled": False}}}
    assert "left out: closed or not yet open); disabled\n" in ask("check").stdout
    state = ("--state-dir", str(tmp_path / "state"))
    told = ask("run", "j", *state)
    assert told.exit_code == 75
    assert "j was not started: it is disabled. Enable it with `etltui config set" in told.stderr
    listed = " ".join(ask("jobs", "j", *state).stdout.split())
    assert "disabled: not started until etltui config set jobs.j.enabled true" in listed
    found = json.loads(ask("jobs", "--json", *state).stdout)
    assert (found["now"], found["enabled"]) == ("disabled", False)
    assert ask("config", "set", "jobs.j.enabled", "true").exit_code == 0
    assert "disabled" not in ask("check").stdout


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("jobs.k.enabled", "true", 'jobs.k.enabled: there is no job "k". Allowed: j'),
        ("jobs.j.enabled", "yes", 'jobs.j.enabled: "yes" is neither true nor false'),
        ("jobs.j.title", "x", "jobs.j.title: is not a known setting"),
        ("console.them", "x", 'console.them: is not a known setting. Did you mean "console.theme"'),
        ("console.rate_hz", "11", "console.rate_hz: 11.0 is out of range. Allowed: 0.5 to 10"),
        ("max_job", "7", 'max_job: is not a known setting. Did you mean "max_jobs"?'),
        ("max_jobs", "51", "max_jobs: 51 is out of range. Allowed: 1 to 50"),
        ("max_jobs", "many", 'max_jobs: "many" is not a whole number'),
        ("streaming", "yes", 'streaming: "yes" is neither true nor false'),
        ("connections_file", "absent.csv", "there is no such file"),
    ],
)
def test_what_would_be_refused_is_not_written(ask, tmp_path, key, value, said):
    told = ask("config", "set", key, value)
    assert told.exit_code == 2
    assert said in told.output
    assert not (tmp_path / "etltui.local.toml").exists()


def test_what_the_environment_overrides_is_said(ask):
    told = ask("config", "set", "pool_size", "7", DB_POOL_MAX="9")
    assert told.exit_code == 0
    assert "warning: DB_POOL_MAX overrides it: pool_size stays 9" in told.stderr
    told = ask("config", "set", "pool_idle_s", "7", DB_POOL_IDLE_MS="1500")
    assert "warning: DB_POOL_IDLE_MS overrides it: pool_idle_s stays 2" in told.stderr
    shown = ask("config", "show", DB_POOL_IDLE_MS="1500").stdout
    assert "environment DB_POOL_IDLE_MS, rounded up from 1500 ms" in shown


def test_check_says_who_is_left_out_and_warns_without_failing(ask):
    told = ask("check")
    assert (told.exit_code, told.stderr) == (0, "")
    assert "  j: 1 connection (1 left out: closed or not yet open)\n" in told.stdout
    told = ask("check", MEMORY_THRESHOLD_MB="1048576")
    assert told.exit_code == 0
    assert "warning: " in told.stderr
    assert "settings.memory_threshold_mb: 1048576 MB is more than" in told.stderr


def test_check_tells_how_to_try_a_large_job(ask, tmp_path):
    lines = "".join(f"c{n},sqlite:///{n}.db\n" for n in range(20))
    (tmp_path / "more.csv").write_text(f"name,url\n{lines}")
    assert ask("config", "set", "connections_file", "more.csv").exit_code == 0
    told = ask("check")
    assert "    try it small first: etltui run j --only NAME\n" in told.stdout
    assert "warning: " in told.stderr
    assert "jobs.j.resume: the job reads 21 connections" in told.stderr
