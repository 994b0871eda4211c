"""The terminal of a tab: keys in, paints out, sizes, hanging up."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from etltui.web import tab as tab_module
from etltui.web.tab import MOST, open_tab, surroundings

LIMIT_S = 30
"""A safety net: what does not come in this time does not come at all."""


def descriptors():
    return set(Path("/proc/self/fd").iterdir())


async def until(tab, word):
    seen = b""
    async with asyncio.timeout(LIMIT_S):
        while word not in seen:
            some = await tab.read()
            assert some, seen
            seen += some
    return seen


def opened(script, **more):
    return open_tab(["sh", "-c", script], columns=93, lines=31, environ={**os.environ, **more})


async def test_a_command_has_a_terminal_of_its_size_and_what_is_typed():
    tab = await opened('tty -s && stty size; read word; echo "got $word"; read word')
    await until(tab, b"31 93")
    tab.type("é\n")
    await until(tab, "got é".encode())
    await tab.close()


async def test_a_command_hears_of_another_size():
    tab = await opened("trap 'stty size; exit' WINCH; echo ready; while :; do read word; done")
    await until(tab, b"ready")
    tab.resize(120, 40)
    await until(tab, b"40 120")
    await tab.close()


async def test_the_end_of_the_command_is_the_end_of_what_it_writes():
    tab = await opened("echo last words")
    await until(tab, b"last words")
    async with asyncio.timeout(LIMIT_S):
        while await tab.read():
            pass
    tab.type("into nothing")
    tab.resize(80, 24)
    await tab.close()


async def test_hanging_up_ends_the_command():
    tab = await opened("echo ready; read word; sleep 1000")
    await until(tab, b"ready")
    await tab.close()
    assert tab._process.returncode == -signal.SIGHUP


async def test_what_does_not_end_is_ended(monkeypatch):
    monkeypatch.setattr(tab_module, "PATIENCE_S", 0.01)
    tab = await opened("trap '' HUP; echo ready; while :; do sleep 1000; done")
    await until(tab, b"ready")
    await tab.close()
    assert tab._process.returncode == -signal.SIGKILL


async def test_keys_that_nobody_reads_wait_without_holding_anything_up():
    tab = await opened("stty raw -echo; echo ready; read go; head -c 300000 | wc -c; read go")
    await until(tab, b"ready")
    tab.type("x" * 100_000)
    tab.type("\n" + "y" * 300_000)
    assert tab._typed
    await until(tab, b"300000")
    tab.type("z" * (MOST + 1))
    assert not tab._typed
    await tab.close()


async def test_a_command_that_cannot_start_leaves_nothing_open():
    before = descriptors()
    with pytest.raises(ValueError, match="null byte"):
        await open_tab(["\0"], columns=80, lines=24, environ={})
    assert descriptors() == before


def test_nothing_of_the_servers_own_terminal_is_handed_on():
    found = surroundings({"TMUX": "/tmp/x", "LINES": "10", "TERM": "dumb", "DB_PASSWORD": "1"})
    assert found == {
        "DB_PASSWORD": "1",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LC_ALL": "C.UTF-8",
    }
