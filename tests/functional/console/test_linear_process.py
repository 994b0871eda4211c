"""The console in lines: on a terminal that nobody knows, through a pipe, and as a log."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from etltui.cli import demo
from etltui.cli.demo_data import Demo
from functional.cli_kit import configure, environ, etltui, locked
from functional.console.terminal_kit import ETLTUI, Terminal, until_gone

BRANCHES = 4
LIMIT_S = 60

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def folder(tmp_path) -> Path:
    made = tmp_path / "demo"
    demo.prepare(made, Demo(seed=3, branches=BRANCHES, rows=50))
    return made


def start(folder, *arguments, **streams):
    command = [sys.executable, "-m", "etltui", "--linear", "--config", folder / "config.toml"]
    return subprocess.Popen(
        [*map(str, command), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environ(),
        **streams,
    )


def until(process, word):
    """The lines up to the one that holds the word."""
    lines = []
    for line in process.stdout:
        lines.append(line)
        if word in line:
            return lines
    raise AssertionError(f"it ended without {word!r}: {lines}")


def test_a_terminal_that_nobody_knows_gets_lines_and_a_prompt(folder):
    terminal = Terminal(*ETLTUI, "--config", folder / "config.toml", TERM="dumb")
    before = terminal.modes()
    terminal.wait_for(b"> ")
    assert b"TERM is 'dumb'" in terminal.seen
    terminal.type("run gst_sales\n")
    terminal.wait_for(b"completed: 4 done")
    with locked(folder, 2):
        here = len(terminal.seen)
        terminal.type("run gst_sales\n")
        terminal.wait_for(b"(3/4)", after=here)
        here = len(terminal.seen)
        terminal.type("cancel gst_sales\n")
        terminal.wait_for(b"y/n ", after=here)
        terminal.type("y\n")
        terminal.wait_for(b"cancelled: 3 done", after=here)
    terminal.type("detach\n")
    assert terminal.ended() == 0
    assert b"the engine has ended" in terminal.seen
    assert terminal.modes() == before
    assert b"\x1b" not in terminal.seen


def test_commands_come_through_a_pipe_and_answers_without_a_prompt(folder):
    process = start(folder, stdin=subprocess.PIPE)
    with process:
        process.stdin.write("run gst_sales\n")
        process.stdin.flush()
        lines = until(process, "completed: 4 done")
        out, err = process.communicate("show gst_sales\nquit\n", timeout=LIMIT_S)
    assert (process.returncode, err) == (0, "")
    assert sum(" done branch_" in line for line in lines) == BRANCHES
    assert "branch_004" in out
    assert "> " not in "".join(lines) + out
    assert "\x1b" not in "".join(lines) + out


def test_runs_go_on_behind_the_end_of_the_input(folder):
    process = start(folder, stdin=subprocess.PIPE)
    with process, locked(folder, 2):
        process.stdin.write("run gst_sales\n")
        process.stdin.flush()
        until(process, "(3/4)")
        engine = int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text())
        out, _ = process.communicate(timeout=LIMIT_S)
    assert "end of input: what runs goes on without this console" in out
    assert process.returncode == 0
    until_gone(engine)
    runs = etltui("runs", "--json", "--config", folder / "config.toml").events
    assert [run["status"] for run in runs] == ["completed"]


def test_without_anybody_to_type_it_is_a_log_until_it_is_ended(folder):
    process = start(folder, stdin=subprocess.DEVNULL)
    with process:
        until(process, "0 running")
        assert etltui("run", "gst_sales", "--config", folder / "config.toml").code == 0
        until(process, "completed: 4 done")
        os.kill(process.pid, signal.SIGTERM)
        process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0


def test_whoever_hears_no_more_ends_the_talk_and_no_run(folder):
    process = start(folder, stdin=subprocess.PIPE)
    with process, locked(folder, 2):
        process.stdin.write("run gst_sales\n")
        process.stdin.flush()
        until(process, "(3/4)")
        engine = int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text())
        process.stdout.close()
        process.stdin.write("help\n")
        process.stdin.flush()
        assert process.wait(LIMIT_S) == 0
        process.stdin.close()
    until_gone(engine)


@pytest.mark.parametrize(
    ("policy", "code", "status"), [("finish", 0, "completed"), ("stop", 4, "stopped")]
)
def test_a_talk_whose_terminal_is_closed_does_as_a_screen_does(folder, policy, code, status):
    configure(folder, "[settings]", f'[settings]\non_hangup = "{policy}"')
    terminal = Terminal(*ETLTUI, "--linear", "--config", folder / "config.toml")
    terminal.wait_for(b"> ")
    with locked(folder, 2):
        terminal.type("run gst_sales\n")
        terminal.wait_for(b"(3/4)")
        engine = terminal.drawing()
        terminal.close()
        assert terminal.ended() == code
    until_gone(engine)
    runs = etltui("runs", "--json", "--config", folder / "config.toml").events
    assert [run["status"] for run in runs] == [status]
    assert b"\x1b" not in terminal.seen


def test_ctrl_c_stops_resumably_and_the_shell_gets_the_next_line(folder):
    configure(folder, "[settings]", "[settings]\nshutdown_timeout_s = 1")
    shell = Terminal("bash", "--norc", "--noprofile", "-i", PS1="READY> ", TERM="dumb")
    shell.wait_for(b"READY> ")
    command = [*ETLTUI, "--linear", "--config", folder / "config.toml"]
    shell.type(" ".join(map(str, command)) + "\n")
    shell.wait_for(b"0 running\r\n> ")
    with locked(folder, 2):
        shell.type("run gst_sales\n")
        shell.wait_for(b"(3/4)")
        here = len(shell.seen)
        shell.type("\x03")
        shell.wait_for(b"stopping 1 run resumably", after=here)
        shell.wait_for(b"READY> ", after=here)
    here = len(shell.seen)
    shell.type("echo $((40 + 2))\n")
    shell.wait_for(b"42", after=here)
    shell.type("exit\n")
    assert shell.ended() == 0
