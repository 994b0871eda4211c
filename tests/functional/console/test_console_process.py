"""The console's two processes: leaving, closed and slow terminals, signals, the shell's jobs."""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from etltui.cli import demo
from etltui.cli.demo_data import Demo
from functional.cli_kit import configure, etltui, locked, run, serving
from functional.console.terminal_kit import (
    ETLTUI,
    LIMIT_S,
    SCREEN_OPEN,
    SCREEN_SHUT,
    Terminal,
    children,
    console,
    until_gone,
)

BRANCHES = 6
GOES_ON = re.compile(rb"The engine goes on \(process (\d+)\)")

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def folder(tmp_path) -> Path:
    made = tmp_path / "demo"
    demo.prepare(made, Demo(seed=3, branches=BRANCHES, rows=50))
    return made


def config(folder):
    return ("--config", folder / "config.toml")


def begin(folder, terminal):
    """Have the console's engine begin the job; branch 2 is locked."""
    started = etltui("run", "gst_sales", "--no-wait", *config(folder))
    assert started.code == 0, started.err
    terminal.wait_for(b"5 completed")


def status_of(folder):
    return etltui("runs", "--json", *config(folder)).events[0]["status"]


def test_n_22_leaving_gives_the_shell_back_and_the_runs_go_on(folder):
    with console(*config(folder)) as terminal:
        before = terminal.modes()
        with locked(folder, 2):
            begin(folder, terminal)
            extractors = children(terminal.drawing())
            terminal.type("d")
            terminal.wait_for(b"cancel JOB` ends a run.")
            assert terminal.ended() == 0
            assert before != terminal.modes()
            engine = int(GOES_ON.search(terminal.seen)[1])
            assert os.getsid(engine) == engine
            terminal.close()
            assert status_of(folder) == "running"
            assert children(engine) == extractors
        until_gone(engine)
    assert status_of(folder) == "completed"


def test_who_leaves_an_engine_with_nothing_to_do_ends_it(folder):
    with console(*config(folder)) as terminal:
        engine = terminal.drawing()
        terminal.type("d")
        terminal.wait_for(b"the engine has ended")
        assert terminal.ended() == 0
        until_gone(engine)


def test_an_engine_that_was_left_can_be_attached_to_and_stays_while_it_is_looked_at(folder):
    with console(*config(folder)) as first, ExitStack() as stack:
        stack.enter_context(locked(folder, 2))
        begin(folder, first)
        first.type("d")
        first.wait_for(b"goes on")
        engine = int(GOES_ON.search(first.seen)[1])
        with console(*config(folder)) as second:
            second.wait_for(b"5 completed")
            stack.close()
            for _ in range(2):
                assert f"process {engine}" in run(folder).err
            second.type("d")
            assert second.ended() == 0
            assert b"goes on" not in second.seen
        until_gone(engine)


@pytest.mark.parametrize("how", ["closed", "hung up"])
@pytest.mark.parametrize(
    ("policy", "code", "status"), [("finish", 0, "completed"), ("stop", 4, "stopped")]
)
def test_n_22_a_console_whose_terminal_is_closed(folder, policy, code, status, how):
    configure(folder, "[settings]", f'[settings]\non_hangup = "{policy}"')
    with console(*config(folder)) as terminal:
        engine = terminal.drawing()
        with locked(folder, 2):
            begin(folder, terminal)
            if how == "closed":
                terminal.close()
            else:
                os.kill(terminal.pid, signal.SIGHUP)
            assert terminal.ended() == code
        until_gone(engine)
    assert status_of(folder) == status


def test_under_nohup_a_closed_terminal_ends_the_screen_and_not_the_run(folder):
    command = ["bash", "-c", "trap '' HUP; exec \"$@\"", "bash", *ETLTUI, *config(folder)]
    terminal = Terminal(*command)
    terminal.wait_for(b"CONNECTION")
    engine = terminal.drawing()
    with locked(folder, 2):
        begin(folder, terminal)
        os.kill(terminal.pid, signal.SIGHUP)
        os.kill(engine, signal.SIGHUP)
        terminal.type("?")
        terminal.close()
        assert terminal.ended() == 0
    until_gone(engine)
    assert status_of(folder) == "completed"


def test_term_restores_the_terminal_and_stops_resumably(folder):
    configure(folder, "[settings]", "[settings]\nshutdown_timeout_s = 1")
    terminal = Terminal(*ETLTUI, *config(folder))
    before = terminal.modes()
    terminal.wait_for(b"CONNECTION")
    assert terminal.modes() != before
    with locked(folder, 2):
        begin(folder, terminal)
        os.kill(terminal.pid, signal.SIGTERM)
        terminal.wait_for(b"stopping 1 run resumably")
        assert terminal.modes() == before
        assert terminal.ended() == 4
    assert terminal.seen.index(SCREEN_SHUT) < terminal.seen.index(b"stopping")
    assert status_of(folder) == "stopped"


def test_a_second_term_leaves_at_once(folder):
    configure(folder, "[settings]", "[settings]\nshutdown_timeout_s = 600")
    with console(*config(folder)) as terminal, locked(folder, 2):
        begin(folder, terminal)
        os.kill(terminal.pid, signal.SIGTERM)
        terminal.wait_for(b"stopping 1 run resumably")
        os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.ended() == 130


def test_a_console_that_was_killed_leaves_a_usable_terminal(folder):
    terminal = Terminal(*ETLTUI, *config(folder))
    before = terminal.modes()
    terminal.wait_for(b"CONNECTION")
    os.kill(terminal.drawing(), signal.SIGKILL)
    assert terminal.ended() == 128 + signal.SIGKILL
    assert terminal.modes() == before
    assert SCREEN_SHUT in terminal.seen
    assert b"\x1b[?25h" in terminal.seen
    said = terminal.seen.partition(SCREEN_SHUT)[2]
    assert b"was killed (SIGKILL)" in said
    assert b"Start etltui again" in said


def test_whoever_kept_the_shells_place_being_killed_ends_the_screen(folder):
    # A shell of its own leads the session: the kernel hangs up when the leader ends.
    shell = Terminal("bash", "-c", '"$@"; read', "bash", *ETLTUI, *config(folder))
    shell.wait_for(b"CONNECTION")
    (keeper,) = children(shell.pid)
    (engine,) = children(keeper)
    os.kill(keeper, signal.SIGKILL)
    shell.wait_for(SCREEN_SHUT)
    until_gone(engine)
    shell.type("\n")
    shell.ended()


def test_under_nohup_a_console_that_draws_nothing_notices_a_closed_terminal(folder):
    command = ["bash", "-c", "trap '' HUP; exec \"$@\"", "bash", *ETLTUI, *config(folder)]
    terminal = Terminal(*command)
    terminal.wait_for(b"CONNECTION")
    engine = terminal.drawing()
    terminal.close()
    assert terminal.ended() == 0
    until_gone(engine)


SHELL = """
import os, signal, sys
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
pid = os.fork()
if pid == 0:
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpid())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    os.execv(sys.argv[1], sys.argv[1:])
_, status = os.waitpid(pid, os.WUNTRACED)
print("STOPPED" if os.WIFSTOPPED(status) else "ENDED", flush=True)
os.kill(pid, signal.SIGCONT)
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def test_whoever_is_continued_continues_both(folder):
    terminal = Terminal(sys.executable, "-c", SHELL, *ETLTUI, *config(folder))
    terminal.wait_for(b"CONNECTION")
    terminal.type("\x1a")
    terminal.wait_for(b"STOPPED")
    assert SCREEN_SHUT in terminal.seen
    terminal.wait_for(b"CONNECTION", after=terminal.seen.index(b"STOPPED"))
    terminal.type("q")
    assert terminal.ended() == 0


JOBS = (
    SHELL[: SHELL.index("_, status")]
    + """
while True:
    _, status = os.waitpid(pid, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        sys.exit(os.waitstatus_to_exitcode(status))
    print("STOPPED", flush=True)
"""
)


def stopped(pid):
    until = time.monotonic() + LIMIT_S
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
        assert time.monotonic() < until, "it goes on"


def test_a_stop_that_came_since_is_not_undone(folder):
    terminal = Terminal(sys.executable, "-c", JOBS, *ETLTUI, *config(folder))
    terminal.wait_for(b"CONNECTION")
    (keeper,) = children(terminal.pid)
    (engine,) = children(keeper)
    terminal.type("\x1a")
    terminal.wait_for(b"STOPPED")
    here = len(terminal.seen)
    os.kill(engine, signal.SIGCONT)
    terminal.wait_for(b"CONNECTION", after=here)
    here = len(terminal.seen)
    terminal.type("\x1a")
    terminal.wait_for(SCREEN_SHUT, after=here)
    stopped(engine)
    here = len(terminal.seen)
    os.kill(keeper, signal.SIGCONT)
    terminal.wait_for(b"STOPPED", after=here)
    stopped(engine)
    os.killpg(keeper, signal.SIGCONT)
    terminal.wait_for(b"CONNECTION", after=here)
    terminal.type("q")
    assert terminal.ended() == 0


def test_where_no_shell_could_continue_it_ctrl_z_stops_nothing(folder):
    with console(*config(folder)) as terminal:
        terminal.type("\x1a")
        terminal.wait_for(b"No shell waits")
        terminal.type("q")
        assert terminal.ended() == 0
        assert terminal.seen.count(SCREEN_SHUT) == 1


def test_ctrl_z_stops_it_and_fg_draws_it_anew(folder):
    shell = Terminal("bash", "--norc", "--noprofile", "-i", PS1="READY> ")
    shell.wait_for(b"READY> ")
    shell.type(" ".join(map(str, [*ETLTUI, *config(folder)])) + "\n")
    shell.wait_for(b"CONNECTION")
    for word in ("fg", "fg"):
        here = len(shell.seen)
        shell.type("\x1a")
        shell.wait_for(b"READY> ", after=here)
        assert b"Stopped" in shell.seen[here:]
        assert SCREEN_SHUT in shell.seen[here:]
        here = len(shell.seen)
        shell.type(f"{word}\n")
        shell.wait_for(b"CONNECTION", after=here)
        assert SCREEN_OPEN in shell.seen[here:]
    here = len(shell.seen)
    shell.type("q")
    shell.wait_for(b"READY> ", after=here)
    shell.type("exit\n")
    assert shell.ended() == 0


def test_a_terminal_that_takes_nothing_holds_up_no_run(folder):
    with console(*config(folder)) as terminal:
        # Nobody reads what it draws from here on: one paint of this size fills the kernel's buffer.
        terminal.resize(300, 200)
        for _ in range(3):
            assert run(folder).code == 0
        terminal.type("d")
        assert terminal.ended() == 0


def test_without_a_terminal_it_says_what_to_do_instead():
    ended = etltui()
    assert ended.code == 2
    assert "no terminal" in ended.err
    assert "etltui serve" in ended.err


@pytest.mark.parametrize("given", [{"NO_COLOR": "1"}, {"TERM": "linux"}])
def test_few_colours(folder, given):
    with console(*config(folder), **given) as terminal:
        terminal.type("2")
        terminal.wait_for(b"never run")
        os.kill(terminal.pid, signal.SIGTERM)
        terminal.ended()
    codes = set(re.findall(rb"\x1b\[([0-9;]+)m", terminal.seen))
    numbers = {int(each) for code in codes for each in code.split(b";") if each}
    assert not numbers & {38, 48}
    if "NO_COLOR" in given:
        assert not numbers & {*range(30, 50), *range(90, 108)}
    else:
        assert numbers & {*range(30, 38)}
        assert terminal.seen.isascii()


CRASH = """
import sys
from etltui.console import base
def broken(app):
    password = "s3cret-w0rd"
    raise ValueError(f"no way in with {password}")
base.ScreenApp.action_suspend_process = broken
from etltui.cli.main import main
main()
"""


def test_a_crash_restores_the_terminal_leaves_a_report_and_no_secret(folder):
    command = [sys.executable, "-c", CRASH, *config(folder)]
    terminal = Terminal(*command, DB_PASSWORD="s3cret-w0rd")
    before = terminal.modes()
    terminal.wait_for(b"CONNECTION")
    with locked(folder, 2):
        begin(folder, terminal)
        engine = terminal.drawing()
        terminal.type("\x1a")
        assert terminal.ended() == 1
        assert terminal.modes() == before
        said = terminal.seen[terminal.seen.index(SCREEN_SHUT) :]
        assert b"the console crashed: ValueError" in said
        assert b"The engine goes on" in said
        assert b"Traceback" not in terminal.seen
        assert b"s3cret" not in terminal.seen
    until_gone(engine)
    assert status_of(folder) == "completed"
    (report,) = (folder / "state" / "logs").glob("crash-*.txt")
    text = report.read_text()
    assert "ValueError: no way in with ***" in text
    assert "broken" in text
    assert "s3cret" not in text


def test_an_engine_that_serves_is_attached_to_and_survives(folder):
    with serving(folder) as engine, console(*config(folder)) as terminal:
        assert children(terminal.drawing()) == []
        terminal.type("q")
        assert terminal.ended() == 0
        assert engine.poll() is None


def test_an_engine_of_another_configuration_is_named_and_not_joined(folder):
    other = folder / "other.toml"
    other.write_text((folder / "config.toml").read_text())
    with serving(folder) as engine:
        terminal = Terminal(*ETLTUI, "--config", other, "--state-dir", folder / "state")
        assert terminal.ended() == 2
        assert b"works with" in terminal.seen
        assert b"Use that file with --config" in terminal.seen
        assert engine.poll() is None


def test_a_first_day_without_a_configuration_has_a_console(tmp_path):
    home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": "", "XDG_STATE_HOME": ""}
    terminal = Terminal(*ETLTUI, "--state-dir", tmp_path / "state", **home)
    terminal.wait_for(b"Nothing is configured yet")
    terminal.type("q")
    assert terminal.ended() == 0
    assert not (tmp_path / "state").exists()
    named = Terminal(*ETLTUI, "--config", tmp_path / "none.toml", **home)
    assert named.ended() == 2
    assert b"no configuration found" in named.seen


def test_the_demo_opens_the_console_and_starts_its_run(tmp_path):
    terminal = Terminal(*ETLTUI, "demo", "--dir", tmp_path / "demo", "--branches", 3)
    terminal.wait_for(b"3/3")
    terminal.type("d")
    assert terminal.ended() == 0


HOLD = """
import asyncio, sys
from pathlib import Path
from etltui.bootstrap import open_records
async def hold():
    async with open_records(Path(sys.argv[1])):
        print("held", flush=True)
        await asyncio.to_thread(sys.stdin.read)
asyncio.run(hold())
"""


@pytest.mark.parametrize("leave", [False, True])
def test_a_folder_that_is_held_by_somebody_who_serves_nobody(folder, leave):
    command = [sys.executable, "-c", HOLD, str(folder / "state")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        terminal = Terminal(*ETLTUI, *config(folder))
        terminal.wait_for(b"\x1b[?1004h")
        if leave:
            os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.ended() == (0 if leave else 75)
        holder.stdin.close()
    assert SCREEN_SHUT in terminal.seen
    assert (b"held by" in terminal.seen) is not leave
    assert b"crashed" not in terminal.seen
