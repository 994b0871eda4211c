"""What signals do to a command, and what a service manager and a closed terminal see."""

import asyncio
import os
import pty
import signal
import socket

import click
import pytest

from door_kit import until
from etltui.cli import signals as module
from etltui.cli.notify import notify
from etltui.cli.options import span
from etltui.cli.signals import LEFT, LeftError, leaving, let_go, removed_at_once, signals


def send(number):
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM, signal.SIGQUIT])
async def test_a_first_signal_stops_and_a_second_leaves_at_once(first, monkeypatch, tmp_path):
    came, left = [], []
    monkeypatch.setattr(module.os, "_exit", left.append)
    line, kept = tmp_path / "engine.sock", tmp_path / "kept.sock"
    line.touch()
    kept.touch()
    scratch = tmp_path / "scratch"
    (scratch / "data").mkdir(parents=True)
    (scratch / "data" / "branch.db").touch()
    with removed_at_once(kept):
        """Of this one nobody leaves."""
    here = removed_at_once(line), removed_at_once(scratch)
    with here[0], here[1], signals(came.append, hangup="stop"):
        send(first)
        await until(lambda: came)
        assert line.exists()
        send(signal.SIGHUP)
        send(signal.SIGINT)
        await until(lambda: left)
    assert came == [first]
    assert left == [LEFT]
    assert not line.exists()
    assert not scratch.exists()
    assert kept.exists()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.parametrize(("policy", "stops"), [("finish", []), ("stop", [signal.SIGHUP])])
async def test_n_22_a_hang_up_lets_go_of_the_terminal_and_keeps_to_the_policy(
    policy, stops, monkeypatch
):
    came, gone = [], []
    monkeypatch.setattr(module, "let_go", lambda: gone.append(1))
    with signals(came.append, hangup=policy):
        send(signal.SIGHUP)
        await until(lambda: gone)
    assert came == stops


async def test_what_was_ignored_from_the_start_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals(lambda number: pytest.fail(str(number)), hangup="stop"):
            send(signal.SIGHUP)
            for _ in range(10):
                await asyncio.sleep(0)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


async def test_leaving_is_told_from_being_cancelled():
    asyncio.get_running_loop().call_soon(send, signal.SIGINT)
    with pytest.raises(LeftError), leaving():
        await asyncio.Event().wait()
    assert asyncio.current_task().cancelling() == 0

    async def cancelled():
        with leaving():
            await asyncio.Event().wait()

    task = asyncio.create_task(cancelled())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_terminal_is_let_go_of_and_a_file_is_not(monkeypatch, tmp_path):
    screen, terminal = pty.openpty()
    with os.fdopen(terminal, "w") as out, (tmp_path / "err").open("w") as err:
        monkeypatch.setattr(module.sys, "stdout", out)
        monkeypatch.setattr(module.sys, "stderr", err)
        let_go()
        assert not os.isatty(out.fileno())
        os.close(screen)
        print("to nobody", file=out, flush=True)
        print("to a file", file=err, flush=True)
    assert (tmp_path / "err").read_text() == "to a file\n"


def test_what_cannot_be_written_does_not_fail_the_exit(monkeypatch):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as out:
        monkeypatch.setattr(module.sys, "stdout", out)
        print("to nobody", file=out)
        module.let_out()


@pytest.mark.parametrize("abstract", [False, True])
def test_a_service_manager_is_told(abstract, monkeypatch, tmp_path):
    address = f"@etltui-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address.replace("@", "\0"))
        manager.settimeout(0)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        notify("READY=1")
        assert manager.recv(100) == b"READY=1"


@pytest.mark.parametrize("address", ["", "relative", "/nowhere/notify"])
def test_without_a_service_manager_nothing_happens(address, monkeypatch):
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    notify("READY=1")


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("90", 90), ("90s", 90), ("10m", 600), ("2h", 7200)]
)
def test_spans_of_time(text, seconds):
    assert span(None, None, text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-1", "1.5h", "10 m", "1w"])
def test_what_is_no_span_is_refused(text):
    with pytest.raises(click.BadParameter, match="write 90s, 10m, 2h or 1d"):
        span(None, None, text)
