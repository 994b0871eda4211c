"""The console over ssh: a line that breaks or stalls in mid-run harms no run and wakes nobody."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from etltui.cli import demo
from etltui.cli.demo_data import Demo
from functional.cli_kit import etltui, locked
from functional.console.terminal_kit import (
    ETLTUI,
    LIMIT_S,
    SCREEN_SHUT,
    UTF,
    Terminal,
    children,
    console,
    until_gone,
)

BRANCHES = 6
WINDOW_S = 1.0
MOST_CPU = 0.2
"""Of one core, in a window: who spins takes a whole one."""

pytestmark = pytest.mark.timeout(180)


@dataclass(frozen=True, kw_only=True)
class Server:
    """An sshd of our own."""

    pid: int
    port: int
    keys: Path

    def terminal(self, *command: object) -> Terminal:
        """The command at the other end, on a terminal that ssh brings along."""
        said = {**UTF, "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
        options = {
            "IdentityFile": self.keys / "user",
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": self.keys / "known",
            "StrictHostKeyChecking": "accept-new",
            "LogLevel": "ERROR",
        }
        return Terminal(
            "ssh",
            *("-F", "/dev/null", "-tt", "-p", self.port),
            *(f"-o{name}={value}" for name, value in options.items()),
            "127.0.0.1",
            *("exec", "env", *(f"{name}={value}" for name, value in said.items())),
            *command,
        )


def _tool(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed here")
    return found


def _key(path: Path) -> None:
    command = [_tool("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", path]
    subprocess.run(command, check=True)


def _daemon() -> list[str]:
    """The command of sshd; started by root it wants a folder that only its service makes."""
    daemon = _tool("sshd")
    if os.geteuid() != 0 or Path("/run/sshd").is_dir():
        return [daemon]
    made = 'mount -t tmpfs none /run && mkdir -m 755 /run/sshd && exec "$@"'
    return [_tool("unshare"), "--mount", "sh", "-c", made, "sh", daemon]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


@pytest.fixture
def sshd(tmp_path) -> Iterator[Server]:
    daemon = _daemon()
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    for name in ("host", "user"):
        _key(keys / name)
    port = _free_port()
    lines = {
        "ListenAddress": "127.0.0.1",
        "Port": port,
        "HostKey": keys / "host",
        "PidFile": "none",
        "AuthorizedKeysFile": keys / "user.pub",
        "PermitRootLogin": "prohibit-password",
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "StrictModes": "no",
        "UsePAM": "no",
        "PrintMotd": "no",
    }
    file = keys / "sshd_config"
    file.write_text("".join(f"{name} {value}\n" for name, value in lines.items()))
    checked = subprocess.run(
        [*daemon, "-t", "-f", file], check=False, capture_output=True, text=True
    )
    if checked.returncode:
        pytest.skip(f"sshd cannot run here: {checked.stderr.strip()}")
    process = subprocess.Popen([*daemon, "-D", "-e", "-f", file], stderr=subprocess.PIPE, text=True)
    try:
        for line in process.stderr:
            if "listening" in line:
                break
        yield Server(pid=process.pid, port=port, keys=keys)
    finally:
        for each in psutil.Process(process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                each.terminate()
        process.terminate()
        process.wait(LIMIT_S)
        process.stderr.close()


@pytest.fixture
def folder(tmp_path) -> Path:
    made = tmp_path / "demo"
    demo.prepare(made, Demo(seed=3, branches=BRANCHES, rows=50))
    return made


def config(folder):
    return ("--config", folder / "config.toml")


def status_of(folder):
    return etltui("runs", "--json", *config(folder)).events[0]["status"]


def drawing(sshd) -> tuple[int, int]:
    """The process that keeps the shell's place at the other end, and the one that draws."""
    below = psutil.Process(sshd.pid).children(recursive=True)
    keeper = next(each.pid for each in below if each.cmdline()[:3] == list(ETLTUI))
    (engine,) = children(keeper)
    return keeper, engine


def until_quiet(*pids: int) -> None:
    """Wait for a window in which none of the processes takes more than a little of a core."""
    watched = [psutil.Process(pid) for pid in pids]
    until = time.monotonic() + LIMIT_S
    while True:
        before, began = _seconds(watched), time.monotonic()
        time.sleep(WINDOW_S)
        took = (_seconds(watched) - before) / (time.monotonic() - began)
        if took < MOST_CPU:
            return
        assert time.monotonic() < until, f"it takes {took:.0%} of a core"


def _seconds(watched) -> float:
    return sum(sum(each.cpu_times()[:2]) for each in watched)


@contextmanager
def over_ssh(sshd, folder) -> Iterator[Terminal]:
    """The console over ssh, with a run in its middle: branch 2 is locked by somebody else."""
    terminal = sshd.terminal(*ETLTUI, *config(folder))
    try:
        terminal.wait_for(b"CONNECTION")
        yield terminal
    finally:
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(terminal.pid, signal.SIGKILL)
            terminal.ended()


def begin(folder, terminal):
    started = etltui("run", "gst_sales", "--no-wait", *config(folder))
    assert started.code == 0, started.err
    terminal.wait_for(b"5 completed")


def test_n_22_a_run_outlives_a_line_that_breaks_and_can_be_looked_at_again(sshd, folder):
    """M-7: over SSH, beside a machine's runs that need no screen, with the keyboard."""
    with over_ssh(sshd, folder) as terminal:
        with locked(folder, 2):
            begin(folder, terminal)
            keeper, engine = drawing(sshd)
            os.kill(terminal.pid, signal.SIGKILL)
            assert terminal.ended() == -signal.SIGKILL
            until_gone(keeper)
            until_quiet(engine, *children(engine))
            assert status_of(folder) == "running"
            with console(*config(folder)) as again:
                again.wait_for(b"5 completed")
                assert children(again.drawing()) == []
                again.type("d")
                assert again.ended() == 0
        until_gone(engine)
    assert status_of(folder) == "completed"


def test_a_line_that_stalls_holds_up_no_run(sshd, folder):
    with over_ssh(sshd, folder) as terminal:
        with locked(folder, 2):
            begin(folder, terminal)
            _, engine = drawing(sshd)
            os.kill(terminal.pid, signal.SIGSTOP)
            until_quiet(engine, *children(engine))
        followed = etltui("run", "gst_sales", "--json", *config(folder))
        assert followed.finished["status"] == "completed"
        until_quiet(engine, *children(engine))
        here = len(terminal.seen)
        os.kill(terminal.pid, signal.SIGCONT)
        terminal.type("2")
        terminal.wait_for(b"LAST RUN", after=here)
        terminal.type("q")
        terminal.wait_for(SCREEN_SHUT)
        assert terminal.ended() == 0


def test_ctrl_z_over_ssh_freezes_nothing(sshd, folder):
    with over_ssh(sshd, folder) as terminal:
        terminal.type("\x1a")
        terminal.wait_for(b"No shell waits")
        terminal.type("q")
        assert terminal.ended() == 0


def test_what_etltui_says_without_a_screen_arrives_as_it_is(sshd, folder):
    terminal = sshd.terminal(sys.executable, "-m", "etltui", "jobs", *config(folder))
    assert terminal.ended() == 0
    assert b"gst_sales" in terminal.seen
