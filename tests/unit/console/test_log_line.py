"""The log line at a moment: asked for once, in a thread, and the newest answer stands."""

import asyncio
import threading

from etltui.console.log_line import LineAt, line_in
from etltui.engine.log_files import LogLine


class Looks:
    """Finds a line for each moment, and waits at the moments that are held."""

    def __init__(self):
        self.asked = []
        self.held = {}
        self.reached = asyncio.Event()
        self.loop = asyncio.get_running_loop()

    def hold(self, at):
        self.held[at] = threading.Event()
        return self.held[at]

    def __call__(self, at):
        self.asked.append(at)
        if at in self.held:
            self.loop.call_soon_threadsafe(self.reached.set)
            assert self.held[at].wait(30)
        return LogLine(raw="", message=f"at {at}", time=at)


async def test_each_moment_is_asked_for_once():
    looks, arrived = Looks(), []
    line = LineAt(looks, lambda: arrived.append(line.line.message))
    for at in (1.0, 1.0, None):
        line.want(at)
    line.want(1.0)
    await line.settled()
    assert (line.known, line.line.message) == (True, "at 1.0")
    line.want(1.0)
    await line.settled()
    assert (looks.asked, arrived) == ([1.0], ["at 1.0"])
    line.want(None)
    assert (line.known, line.line) == (False, None)


async def test_of_moments_that_come_meanwhile_the_last_one_is_asked_for():
    looks, arrived = Looks(), []
    line = LineAt(looks, lambda: arrived.append(line.line.message))
    let_go = looks.hold(1.0)
    line.want(1.0)
    await looks.reached.wait()
    line.want(2.0)
    line.want(3.0)
    let_go.set()
    await line.settled()
    assert looks.asked == [1.0, 3.0]
    assert line.line.message == "at 3.0"
    assert arrived[-1] == "at 3.0"


async def test_an_answer_that_nobody_wants_any_more_is_no_answer():
    looks = Looks()
    line = LineAt(looks, lambda: None)
    let_go = looks.hold(1.0)
    line.want(1.0)
    await looks.reached.wait()
    line.close()
    let_go.set()
    await line.settled()
    assert (line.known, line.line) == (False, None)


def test_a_log_that_cannot_be_read_has_no_line(tmp_path):
    (tmp_path / "etltui.jsonl").mkdir()
    assert line_in(tmp_path, 1.0) is None
    assert line_in(tmp_path / "none", 1.0) is None
