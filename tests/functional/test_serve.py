"""`etltui serve` as a service, and what a closed terminal does to it and to `run`."""

import os
import pty
import signal
import socket
import sys
from pathlib import Path

import pytest

from etltui.cli import demo
from etltui.cli.demo_data import Demo
from functional.cli_kit import (
    LIMIT_S,
    Ended,
    configure,
    end,
    endless,
    environ,
    etltui,
    interrupt,
    locked,
    mend,
    run,
    serving,
    start,
    wait_for,
)

BRANCHES = 6

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def folder(tmp_path) -> Path:
    made = tmp_path / "demo"
    demo.prepare(made, Demo(seed=3, branches=BRANCHES, rows=50))
    return made


@pytest.fixture
def manager(tmp_path):
    """A service manager's socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(LIMIT_S)
        yield listening


def test_a_service_says_when_it_is_ready_and_lets_what_runs_end(folder, manager):
    process = start(
        "serve",
        "--config",
        folder / "config.toml",
        NOTIFY_SOCKET=manager.getsockname(),
    )
    assert manager.recv(100) == b"READY=1"
    with locked(folder, 2):
        client = start("run", "gst_sales", "--json", "--config", folder / "config.toml")
        wait_for(client, '"connection_completed"')
        process.terminate()
        assert manager.recv(100) == b"STOPPING=1"
        # Nothing new begins.
        late = etltui("run", "gst_sales", "--no-wait", "--config", folder / "config.toml")
        assert late.code == 75
        assert "about to end" in late.err
    assert end(client).code == 0
    ended = end(process)
    assert ended.code == 0
    assert "gst_sales queued by" in ended.err
    assert "completed: 6 done, 0 failed, 300 rows" in ended.err
    assert ended.out == ""


def test_what_does_not_end_in_time_is_stopped_resumably(folder):
    endless(folder, 1)
    configure(folder, "[settings]", "[settings]\nshutdown_timeout_s = 1")
    with serving(folder) as process:
        client = start("run", "gst_sales", "--json", "--config", folder / "config.toml")
        wait_for(client, '"connection_completed"')
        process.terminate()
        stopped = end(client)
        assert end(process).code == 0
    assert stopped.code == 4
    assert stopped.finished["reason"] == "the engine was stopped by SIGTERM"
    mend(folder, 1)
    assert run(folder).code == 0


def test_a_second_signal_leaves_at_once(folder):
    endless(folder, 1)
    with serving(folder) as process:
        client = start("run", "gst_sales", "--json", "--config", folder / "config.toml")
        wait_for(client, '"connection_completed"')
        os.kill(process.pid, signal.SIGSTOP)
        process.terminate()
        interrupt(process)
        os.kill(process.pid, signal.SIGCONT)
        assert end(process).code == 130
        assert end(client).code == 4


def test_a_quiet_service_writes_nothing(folder, manager):
    process = start(
        "serve",
        "--quiet",
        "--config",
        folder / "config.toml",
        NOTIFY_SOCKET=manager.getsockname(),
    )
    manager.recv(100)
    assert run(folder).code == 0
    process.terminate()
    assert end(process) == Ended(code=0, out="", err="")


class Terminal:
    """A command on a terminal of its own, which can be closed."""

    def __init__(self, *arguments, before=""):
        command = [sys.executable, "-m", "etltui", *map(str, arguments)]
        self.pid, self._screen = pty.fork()
        if self.pid == 0:
            words = ["bash", "-c", f'{before} exec "$@"', "bash", *command]
            os.execvpe("bash", words, environ(TERM="xterm"))
        self._seen = b""

    def wait_for(self, word):
        while word not in self._seen:
            self._seen += os.read(self._screen, 65536)

    def close(self):
        os.close(self._screen)

    def ended(self):
        """The exit code, or the signal as a negative number."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def status_of(folder):
    row = etltui("runs", "--json", "--config", folder / "config.toml").events[0]
    return row["status"]


@pytest.mark.parametrize(
    ("policy", "code", "status"), [("finish", 0, "completed"), ("stop", 4, "stopped")]
)
def test_n_22_a_run_whose_terminal_is_closed(folder, policy, code, status):
    configure(folder, "[settings]", f'[settings]\non_hangup = "{policy}"')
    with locked(folder, 2):
        terminal = Terminal("run", "gst_sales", "--config", folder / "config.toml")
        terminal.wait_for(b"5/6")
        terminal.close()
        if policy == "stop":
            assert terminal.ended() == code
    if policy == "finish":
        assert terminal.ended() == code
    assert status_of(folder) == status


@pytest.mark.parametrize("policy", ["finish", "stop"])
def test_n_22_a_service_whose_terminal_is_closed(folder, policy):
    configure(folder, "[settings]", f'[settings]\non_hangup = "{policy}"')
    terminal = Terminal("serve", "--config", folder / "config.toml")
    terminal.wait_for(b"serving")
    terminal.close()
    if policy == "finish":
        joined = run(folder)
        assert joined.code == 0
        assert f"process {terminal.pid}" in joined.err
        os.kill(terminal.pid, signal.SIGTERM)
    assert terminal.ended() == 0


def test_a_hang_up_that_was_ignored_from_the_start_stays_ignored(folder):
    configure(folder, "[settings]", '[settings]\non_hangup = "stop"')
    with locked(folder, 2):
        terminal = Terminal(
            "run", "gst_sales", "--config", folder / "config.toml", before="trap '' HUP;"
        )
        terminal.wait_for(b"5/6")
        terminal.close()
    assert terminal.ended() == 0
    assert status_of(folder) == "completed"


def test_a_client_whose_terminal_is_closed_leaves_and_its_run_goes_on(folder):
    with serving(folder), locked(folder, 2):
        terminal = Terminal("run", "gst_sales", "--config", folder / "config.toml")
        terminal.wait_for(b"5/6")
        terminal.close()
        assert terminal.ended() == 130
        assert status_of(folder) == "running"
