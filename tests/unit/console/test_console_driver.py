"""The driver: keys come in, a terminal that has gone is noticed once, nothing is left waiting."""

import asyncio
import os
import pty
import signal
import threading
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from textual import events

from etltui.console.driver import ConsoleDriver


class App:
    colourless = True

    def __init__(self):
        self.told = []
        self.keys = []
        self.came = asyncio.Queue()

    def terminal_gone(self):
        self.told.append("gone")

    async def _post_message(self, message):
        if isinstance(message, events.Key):
            self.keys.append(message.character)
            self.came.put_nowait(message.character)


@pytest.fixture
def app():
    return App()


@pytest.fixture
async def driver(app):
    """A driver whose keys come from a pipe; and the pipe's other end."""
    former = {number: signal.getsignal(number) for number in (signal.SIGTSTP, signal.SIGCONT)}
    made = ConsoleDriver(app)
    made.fileno, made.typed = os.pipe2(os.O_DIRECT)  # what is written at once is read at once
    yield made
    os.close(made.fileno)
    for number, handler in former.items():
        signal.signal(number, handler)


async def test_the_end_of_input_is_a_terminal_that_has_gone(driver, app):
    os.close(driver.typed)
    await asyncio.to_thread(driver._run_input_thread)
    driver._gone()
    await asyncio.sleep(0)
    assert app.told == ["gone"]


async def test_keys_come_in_also_broken_ones(driver, app):
    os.write(driver.typed, b"a\xff")
    os.write(driver.typed, "ä".encode()[:1])
    reading = asyncio.create_task(asyncio.to_thread(driver._run_input_thread))
    while await app.came.get() != "a":
        pass
    os.write(driver.typed, "ä".encode()[1:] + b"q")
    while await app.came.get() != "q":
        pass
    driver.exit_event.set()
    await reading
    os.close(driver.typed)
    assert app.keys[0] == "a"
    assert app.keys[-2:] == ["ä", "q"]
    assert app.told == []


async def test_input_that_fails_is_a_terminal_that_has_gone(driver, app):
    os.close(driver.typed)
    pipe = driver.fileno
    driver.fileno = os.open(".", os.O_RDONLY)  # reading a folder fails
    await asyncio.to_thread(driver._run_input_thread)
    os.close(driver.fileno)
    driver.fileno = pipe
    await asyncio.sleep(0)
    assert app.told == ["gone"]


async def test_before_and_after_the_screen_nothing_is_written(driver):
    os.close(driver.typed)
    driver.write("lost")
    driver.stop_application_mode()
    assert (driver.queued, driver.written, driver.drained) == (0, 0, 0.0)
    driver._sigcont_application()
    assert driver._output is None


@contextmanager
def stopped_on_a_terminal(app):
    """A driver on a terminal of its own, as it is after Ctrl-Z."""
    handled = (signal.SIGTSTP, signal.SIGCONT, signal.SIGTTOU, signal.SIGTTIN, signal.SIGWINCH)
    former = {number: signal.getsignal(number) for number in handled}
    made = ConsoleDriver(app)
    other, made.fileno = pty.openpty()
    made._stdout = SimpleNamespace(fileno=lambda: made.fileno, encoding="utf-8")
    made._must_signal_resume = True
    try:
        yield made
        made.suspend_application_mode()
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
        for descriptor in (made.fileno, other):
            os.close(descriptor)


def threads_of_a_screen():
    names = ("output", "textual-input")
    return sorted(each.name for each in threading.enumerate() if each.name in names)


def test_continued_twice_at_once_opens_one_screen(app):
    async def continued():
        with stopped_on_a_terminal(app) as driver:
            begin = driver._enable_mouse_support

            def again():
                driver._enable_mouse_support = begin
                signal.raise_signal(signal.SIGCONT)
                begin()

            driver._enable_mouse_support = again
            signal.raise_signal(signal.SIGCONT)
            # Of two threads that read one would wait for a key that the other has taken.
            assert threads_of_a_screen() == ["output", "textual-input"]
        assert threads_of_a_screen() == []

    asyncio.run(continued())


def test_continued_in_the_background_first_it_opens_when_continued_again(app):
    async def continued():
        with stopped_on_a_terminal(app) as driver:
            resume, refused = driver.resume_application_mode, []

            def in_the_background():
                if refused:
                    resume()
                    return
                refused.append("the terminal stops it again")
                signal.raise_signal(signal.SIGCONT)  # the shell's `fg`

            driver.resume_application_mode = in_the_background
            signal.raise_signal(signal.SIGCONT)
            assert refused
            assert threads_of_a_screen() == ["output", "textual-input"]

    asyncio.run(continued())


async def test_an_app_that_has_ended_is_told_nothing(driver, app):
    os.close(driver.typed)
    ended = asyncio.new_event_loop()
    ended.close()
    driver._loop = ended
    await asyncio.to_thread(driver._run_input_thread)
    assert app.told == []
