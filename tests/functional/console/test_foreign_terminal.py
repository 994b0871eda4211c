"""All bytes that a terminal gets while everything has a hostile name: each sequence is ours."""

import contextlib
import os
import re
import signal
import sys
from pathlib import Path

import pytest

from console_foreign import hidden_in
from etltui.console.registry import ENTRIES
from functional.console.terminal_kit import SCREEN_OPEN, SCREEN_SHUT, Terminal

CHILD = Path(__file__).with_name("foreign_console.py")
TESTS = CHILD.parents[2]
SIGNS = {"comma": ","}
HEADS = {"run": "TOTAL"}
"""What stands there of a view that is titled by what it shows."""
MODES = "1000|1003|1004|1006|1015|1016|1049|2004|2026|2048|25|7"
SEQUENCE = re.compile(
    rf"\x1b(?:\[[0-9]+;[0-9]+H|\[[0-9;]*m|\[\?(?:{MODES})[hl]|\[\?(?:2026|2048)\$p"
    r"|\[>[0-9]+u|\[<u|\]22;default\x07|\]52;c;[A-Za-z0-9+/=]*\x07)"
)
"""Where the cursor goes, styles, the modes that the console sets and asks for, the keyboard's
levels, the pointer's shape, and the clipboard."""
CLIPBOARD = "\x1b]52;"

pytestmark = pytest.mark.timeout(120)


def told_apart(some: bytes) -> tuple[list[str], str]:
    """The sequences of what was written, and all other text."""
    whole = some.decode("utf-8")
    return SEQUENCE.findall(whole), SEQUENCE.sub("", whole)


@pytest.fixture(params=[1, 2])
def terminal(request):
    """A console whose engine, store and settings are in somebody else's hands."""
    path = os.pathsep.join([str(TESTS), str(TESTS.parent)])
    made = Terminal(sys.executable, CHILD, request.param, PYTHONPATH=path)
    try:
        made.wait_for(SCREEN_OPEN)
        made.wait_for(b"CONNECTION")
        yield made
    finally:
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(made.pid, signal.SIGTERM)
            made.ended()


def test_no_sequence_on_the_wire_is_anybody_elses(terminal):
    def press(keys: str, sign: str) -> None:
        at = len(terminal.seen)
        terminal.type(keys)
        terminal.wait_for(sign.encode(), after=at)

    for entry in (*ENTRIES[1:], ENTRIES[0]):
        press(SIGNS.get(entry.digit, entry.digit), HEADS.get(entry.name, entry.load().TITLE))
    press("?", "Help")
    press("q", "JOB")
    press("2", "Jobs")
    press("r", "Refused")
    press("\x10", "Palette")
    press("\x1b", "Jobs")
    before, _ = told_apart(terminal.seen)
    assert not [each for each in before if each.startswith(CLIPBOARD)]
    press("3", "Connections")
    press("y", CLIPBOARD)
    press("\x11", SCREEN_SHUT.decode())
    assert terminal.ended() == 0
    sequences, rest = told_apart(terminal.seen)
    assert len(sequences) > 100
    assert sum(each.startswith(CLIPBOARD) for each in sequences) == 1
    assert not hidden_in(rest) - {"\r", "\n"}, sorted(map(ascii, hidden_in(rest)))
    assert "<U+" in rest
