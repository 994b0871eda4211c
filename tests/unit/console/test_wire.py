"""The bytes of a picture: a terminal that reads them shows what was painted, and few are needed."""

import pyte
from hypothesis import given
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from etltui.console.wire import Slim, slim, written

RED = Style(color="#ff0000", bgcolor="#000000")
BOLD = Style(bold=True)
WIDTH, HEIGHT = 20, 3

TRUE = ColorSystem.TRUECOLOR


def shown(data):
    screen = pyte.Screen(WIDTH, HEIGHT)
    pyte.Stream(screen).feed(data)
    return screen


def strip(*parts):
    return Strip([Segment(text, style) for text, style in parts])


def test_a_style_is_written_where_it_changes_and_nowhere_else():
    data = written([(0, 0, strip(("ab", RED), ("cd", RED), ("e", None)))], TRUE)
    assert data == "\x1b[1;1H\x1b[38;2;255;0;0;48;2;0;0;0mabcd\x1b[0me"


def test_a_style_goes_on_over_lines_and_ends_with_the_picture():
    data = written([(0, 0, strip(("a", BOLD))), (4, 2, strip(("b", BOLD)))], TRUE)
    assert data == "\x1b[1;1H\x1b[1ma\x1b[3;5Hb\x1b[0m"


def test_a_style_takes_nothing_over_from_the_one_before():
    screen = shown(written([(0, 0, strip(("a", BOLD), ("b", RED)))], TRUE))
    assert screen.buffer[0][0].bold
    assert not screen.buffer[0][1].bold
    assert screen.buffer[0][1].fg == "ff0000"


def test_a_changed_span_is_written_from_where_it_begins():
    line = strip(("name      ", None), ("12,345    ", RED))
    update = ChopsUpdate([{0: line}], [(0, 10, 16)], [[WIDTH]])
    assert Slim(update, "truecolor").render_segments(None).startswith("\x1b[1;11H")
    screen = shown("~" * WIDTH + Slim(update, "truecolor").render_segments(None))
    assert screen.display[0] == "~~~~~~~~~~12,345~~~~"


def test_a_whole_picture_is_written_line_by_line():
    update = LayoutUpdate([[strip(("ab", None))], [strip(("cd", RED))]], Region(0, 1, 2, 2))
    screen = shown(Slim(update, "16").render_segments(None))
    assert [line.rstrip() for line in screen.display] == ["", "ab", "cd"]


def test_what_is_no_update_stays_as_it_is():
    assert slim("text", "truecolor") == "text"
    assert slim(None, "truecolor") is None


STYLES = st.sampled_from([None, RED, BOLD, Style(reverse=True), Style(color="#00ff00")])
PARTS = st.lists(st.tuples(st.text("ab ", min_size=1, max_size=6), STYLES), min_size=1, max_size=3)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, HEIGHT - 1), PARTS), max_size=5))
def test_any_pieces_look_as_if_each_were_written_by_itself(pieces):
    together = [(x, y, strip(*parts)) for x, y, parts in pieces]
    one_by_one = "".join(written([piece], TRUE) for piece in together)
    both = shown(written(together, TRUE)), shown(one_by_one)
    assert both[0].buffer == both[1].buffer
