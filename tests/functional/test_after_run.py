"""What follows a run: the job's own command, and a word on what is far from usual."""

import json
import os
import signal
from pathlib import Path

import pytest

from etltui.cli import demo
from etltui.cli.demo_data import Demo
from functional.cli_kit import change, end, etltui, run, start

BRANCHES = 3

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def folder(tmp_path) -> Path:
    made = tmp_path / "demo"
    demo.prepare(made, Demo(seed=3, branches=BRANCHES, rows=100))
    return made


def on_finish(folder: Path, text: str) -> None:
    script = folder / "after"
    script.write_text(f"#!/bin/sh\n{text}\n")
    script.chmod(0o700)
    path = folder / "config.toml"
    head = "[jobs.gst_sales]\n"
    said = path.read_text()
    assert head in said
    path.write_text(said.replace(head, f'{head}on_finish = {{ command = ["./after", "$HOME"] }}\n'))


def test_a_command_hears_how_the_run_ended_before_the_program_does(folder):
    on_finish(folder, 'cat > heard.json; echo "$ETLTUI_STATUS $1"; exit 7')
    ended = run(folder)
    assert ended.code == 0
    heard = json.loads((folder / "heard.json").read_text())
    assert heard == {key: value for key, value in ended.finished.items() if key != "time"}
    logged = etltui("logs", "--level", "error", "--config", folder / "config.toml").out
    assert "./after ended with exit code 7." in logged
    assert "It said: completed $HOME" in logged


def test_whoever_interrupts_the_waiting_does_not_end_it(folder):
    os.mkfifo(folder / "begun")
    os.mkfifo(folder / "go")
    on_finish(folder, "echo > begun; read x < go; cat > heard.json; echo > begun")
    process = start("run", "gst_sales", "--config", folder / "config.toml")
    (folder / "begun").read_bytes()
    os.kill(process.pid, signal.SIGINT)
    end(process)
    (folder / "go").write_text("\n")
    (folder / "begun").read_bytes()
    assert json.loads((folder / "heard.json").read_text())["status"] == "completed"


def test_a_branch_that_sends_less_than_usual_is_counted(folder):
    config = folder / "config.toml"
    assert run(folder).code == 0
    change(folder, 2, "DELETE FROM sales")
    change(folder, 3, "DELETE FROM sales WHERE bill_id % 4")
    ended = etltui("run", "gst_sales", "--config", config)
    assert ended.code == 0
    assert (
        "  2 connections far from usual: branch_002 empty, usually 100; "
        "branch_003 less than half the usual 100\n"
    ) in ended.out
    shown = etltui("show", json_of("runs", config)["run"], "--config", config).out
    assert "empty, usually 100" in shown


def json_of(command: str, config: Path) -> dict:
    return etltui(command, "--json", "--config", config).events[0]
