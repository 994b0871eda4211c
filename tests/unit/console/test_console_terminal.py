"""What a terminal is held to be able to do."""

import pytest

from etltui.console.rate import next_interval
from etltui.console.terminal import terminal

UTF = {"LANG": "en_GB.UTF-8"}


def decided(*, tty=True, encoding="utf-8", size=(80, 24), **environ):
    return terminal({**UTF, **environ}, tty=tty, encoding=encoding, size=size)


def test_a_usual_terminal_has_a_screen():
    found = decided(TERM="xterm-256color")
    assert (found.kind, found.colour, found.unicode, found.why) == ("screen", "256", True, "")


@pytest.mark.parametrize("name", ["", "dumb", "unknown"])
def test_a_terminal_nobody_knows_gets_lines_and_is_told_why(name):
    found = decided(TERM=name)
    assert (found.kind, found.colour) == ("linear", "none")
    assert "TERM is" in found.why


def test_where_there_is_no_terminal_nothing_is_drawn():
    found = decided(TERM="xterm", tty=False)
    assert found.kind == "none"
    assert "no terminal" in found.why


@pytest.mark.parametrize(
    ("size", "kind"),
    [((19, 24), "linear"), ((80, 5), "linear"), ((20, 6), "screen"), ((0, 0), "screen")],
)
def test_a_tiny_terminal_gets_lines(size, kind):
    assert decided(TERM="xterm", size=size).kind == kind


@pytest.mark.parametrize(
    ("environ", "colour"),
    [
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, "none"),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, "256"),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "truecolor"),
        ({"TERM": "xterm-kitty"}, "truecolor"),
        ({"TERM": "xterm"}, "16"),
        ({"TERM": "linux", "COLORTERM": "truecolor"}, "16"),
        ({"TERM": "vt100"}, "16"),
        ({"TERM": "rxvt-16color"}, "16"),
        ({"TERM": "vt100-m"}, "none"),
    ],
)
def test_colours(environ, colour):
    assert decided(**environ).colour == colour


@pytest.mark.parametrize(
    ("environ", "encoding", "drawn"),
    [
        ({}, "UTF-8", True),
        ({}, "ascii", False),
        ({"LANG": "C"}, "utf-8", False),
        ({"LANG": ""}, "utf-8", False),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, "utf-8", False),
        ({"LANG": "C", "LC_CTYPE": "de_DE.UTF-8"}, "utf-8", True),
        ({"LANG": "C", "LC_ALL": "C.UTF-8", "LC_CTYPE": "C.UTF-8"}, "utf-8", True),
        ({"LC_ALL": "POSIX"}, "utf-8", False),
        ({"TERM": "linux"}, "utf-8", False),
    ],
)
def test_glyphs(environ, encoding, drawn):
    assert decided(**{"TERM": "xterm", **environ}, encoding=encoding).unicode is drawn


@pytest.mark.parametrize(
    ("base", "drained", "interval"),
    [(0.5, 0.0, 0.5), (0.5, 0.5, 1.0), (0.5, 60.0, 2.0), (0.01, 0.0, 0.1), (5.0, 0.0, 2.0)],
)
def test_a_slow_terminal_is_painted_less_often(base, drained, interval):
    assert next_interval(base, drained) == interval
