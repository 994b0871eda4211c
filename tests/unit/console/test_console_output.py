"""The thread that writes to the terminal, and what is left of a text without colours."""

import threading

import pytest

from etltui.console.driver import colourless
from etltui.console.output import MOST, SLICE, Output

LIMIT_S = 20
PAINT = "p" * 1000


class Tty:
    """A terminal that takes nothing until it is let."""

    def __init__(self):
        self.taken = b""
        self.told = []
        self.now = 100.0
        self.broken = False
        self.asked = threading.Semaphore(0)
        self.may = threading.Semaphore(0)
        self.lost = threading.Event()

    def send(self, some):
        self.asked.release()
        assert self.may.acquire(timeout=LIMIT_S)
        if self.broken:
            raise OSError(5, "gone")
        self.taken += some
        return len(some)

    def is_busy(self):
        """Wait until it has been given something that it has not taken."""
        assert self.asked.acquire(timeout=LIMIT_S)

    def read_on(self, times=100_000):
        self.may.release(times)


@pytest.fixture
def tty():
    return Tty()


@pytest.fixture
def output(tty):
    made = Output(
        tty.send,
        gone=lambda: tty.told.append("gone"),
        lost=tty.lost.set,
        clock=lambda: tty.now,
    )
    made.start()
    yield made
    tty.read_on()
    made.stop()
    assert not made.is_alive()


def test_writing_does_not_wait_for_the_terminal_and_keeps_the_order(tty, output):
    output.write("one ")
    tty.is_busy()
    for _ in range(1000):
        output.write("two ")
    assert (output.queued, output.written) == (4004, 0)
    tty.read_on()
    output.write("end")
    output.stop()
    assert tty.taken == b"one " + b"two " * 1000 + b"end"
    assert (output.queued, output.written) == (0, 4007)


def test_a_burst_is_measured_from_its_first_byte_to_its_last(tty, output):
    output.write("one")
    tty.is_busy()
    tty.now = 101.0
    output.write("two")
    tty.now = 102.5
    tty.read_on()
    output.stop()
    assert output.drained == 2.5


def test_a_terminal_that_has_gone_is_told_once_and_never_written_to_again(tty, output):
    tty.broken = True
    output.write("one")
    tty.read_on()
    output.join(LIMIT_S)
    output.write("two")
    assert tty.told == ["gone"]
    assert (tty.taken, output.queued) == (b"", 0)


def test_a_terminal_far_behind_is_repainted_and_keeps_its_modes(tty, output):
    output.write(PAINT)
    tty.is_busy()
    output.write("\x1b[?25l")
    for _ in range(MOST // len(PAINT)):
        output.write(PAINT)
    assert output.queued <= MOST
    output.write("x" * MOST)
    assert output.queued < 2 * SLICE
    tty.read_on()
    assert tty.lost.wait(LIMIT_S)
    output.stop()
    assert tty.taken.startswith(PAINT.encode() + b"\x1b[?25l")
    assert len(tty.taken) < 2 * SLICE


def test_the_end_waits_for_modes_and_not_for_paints(tty, output):
    output.write("first")
    tty.is_busy()
    output.write(PAINT)
    output.write("\x1b[?1049l")
    tty.read_on()
    output.stop()
    assert tty.taken == b"first\x1b[?1049l"
    assert not tty.lost.is_set()


def test_what_an_encoding_lacks_becomes_a_question_mark(tty):
    output = Output(tty.send, encoding="ascii", gone=str, lost=str)
    output.start()
    tty.read_on()
    output.write("a█b")
    output.stop()
    assert tty.taken == b"a?b"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("plain", "plain"),
        ("\x1b[1;31mred\x1b[0m", "\x1b[1mred\x1b[0m"),
        ("\x1b[38;2;1;2;3;48;5;7;4mx", "\x1b[4mx"),
        ("\x1b[39;49mx\x1b[97;107mx\x1b[7mx", "xx\x1b[7mx"),
        ("\x1b[22;24;27mx", "\x1b[22;24;27mx"),
        ("\x1b[38;2;31;41;51mx", "x"),
        ("\x1b[3;9;4;10mx", "\x1b[3;9;4;10mx"),
        ("\x1b[?1049h\x1b[3;40H", "\x1b[?1049h\x1b[3;40H"),
    ],
)
def test_without_colours_weight_and_reverse_video_stay(text, left):
    assert colourless(text) == left
