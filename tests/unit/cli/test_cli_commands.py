"""The commands in this process: what they say where little or nothing is there."""

import json

import pytest
from click.testing import CliRunner

from etltui import __version__
from etltui.cli import demo_data
from etltui.cli.main import main


@pytest.fixture
def ask(tmp_path, monkeypatch):
    """Call the command in an empty folder, with nothing of the operator's around."""
    for name in ("ETLTUI_CONFIG", "ETLTUI_STATE_DIR", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def asked(*words):
        return CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)

    return asked


def test_the_version_and_the_commands_are_told(ask):
    assert ask("--version").output == f"etltui {__version__}\n"
    told = ask("--help").output
    assert "Exit codes: 0 completed, 1 failed" in told
    assert [word for word in ("demo", "run", "check", "runs", "show") if word not in told] == []
    assert ask("nonsense").exit_code == 2


def test_without_a_configuration_the_way_to_one_is_told(ask):
    for words in (("check",), ("run", "job")):
        told = ask(*words)
        assert told.exit_code == 2
        assert "Make one to try with `etltui demo`" in told.output


def test_without_runs_the_way_to_one_is_told(ask):
    assert ask("runs").output == "No runs yet. Start one with: etltui run JOB\n"
    of_one = "No runs of a job 'sales' yet. Start one with: etltui run sales\n"
    assert ask("runs", "--job", "sales").output == of_one
    told = ask("show", "nothing")
    assert told.exit_code == 2
    assert "there is no run or job 'nothing'" in told.output
    assert ask("runs", "--config", "absent.toml").exit_code == 2


def test_a_demo_from_making_to_showing(ask, tmp_path):
    made = ask("demo", "--dir", "d", "--branches", 2, "--rows", 3, "--headless")
    assert made.exit_code == 0
    assert "gst_sales: completed, 2/2 connections, 6 rows" in made.output
    assert "Look closer with: etltui runs --config" in made.output
    config = tmp_path / "d" / "config.toml"
    assert "gst_sales: 2 connections" in ask("check", "--config", config).output
    listed = ask("runs", "--config", config).output
    assert "completed" in listed
    row = json.loads(ask("runs", "--json", "--config", config).output)
    shown = ask("show", row["run"], "--config", config).output
    assert "branch_002" in shown
    assert "✓ completed" in shown
    assert "gst_sales.csv  delivered  6 rows  " in shown
    found = json.loads(ask("show", row["run"], "--json", "--config", config).output)
    assert [each["rows"] for each in found["results"]] == [3, 3]
    assert ask("run", "gst_sales", "--config", config, "--json").exit_code == 0
    assert ask("run", "nothing", "--config", config).exit_code == 2


def test_a_demo_leaves_what_is_not_its_own(ask, tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "mine").write_text("mine")
    told = ask("demo", "--dir", "d")
    assert told.exit_code == 2
    assert "is there and holds no demo" in told.output
    demo_data.make(tmp_path / "e", branches=1, rows=1, seed=1)
    assert "holds another demo: seed 1, 1 branches of 1 rows" in ask("demo", "--dir", "e").output
