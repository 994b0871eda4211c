"""The driver: keys come in, a terminal that has gone is noticed once, nothing is left waiting."""

import asyncio
import os
import signal

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


async def test_an_app_that_has_ended_is_told_nothing(driver, app):
    os.close(driver.typed)
    ended = asyncio.new_event_loop()
    ended.close()
    driver._loop = ended
    await asyncio.to_thread(driver._run_input_thread)
    assert app.told == []
