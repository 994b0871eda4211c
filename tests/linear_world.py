"""The linear console without a terminal: what is typed and what is said."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import console_world as cw
from etltui.config.schema import Config
from etltui.console.linear.app import LinearConsole, Options
from etltui.console.linear.speech import Speech


class Talk:
    """A linear console at work, and who talks with it."""

    def __init__(self, *, prompts: bool) -> None:
        self.text = ""
        self.speech = Speech(self._take, prompts=prompts)
        self.console: LinearConsole
        self.over: asyncio.Task[str]
        self._said = asyncio.Event()
        self._ends = 0
        self.ticks: asyncio.Queue[None] = asyncio.Queue()

    def _take(self, text: str) -> None:
        self.text += text
        self._said.set()

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    async def tick(self, _: float) -> None:
        """The clock stands still until the test turns it: `ticks`."""
        await self.ticks.get()

    async def until(self, word: str) -> None:
        """Let it talk until it has said the word."""
        while word not in self.text:
            self._said.clear()
            waits = asyncio.create_task(self._said.wait())
            await asyncio.wait({waits, self.over}, return_when=asyncio.FIRST_COMPLETED)
            waits.cancel()
            if self.over.done() and word not in self.text:
                self.over.result()
                raise AssertionError(f"it ended without {word!r}: {self.text}")

    async def type(self, *lines: str) -> list[str]:
        """What it says to these lines, which it has then done."""
        before = len(self.text)
        self._ends += 1
        end = f"end{self._ends:03d}"
        for line in (*lines, end):
            self.speech.hear(line)
        await self.until(f"{end!r}")
        said = self.text[before:].replace("\r", "").splitlines()
        return [line for line in said if end not in line]


@asynccontextmanager
async def linear(
    folder: Path,
    engine: cw.FakeEngine | None = None,
    history: Any = None,
    *,
    config: Callable[[], Config] | None = None,
    prompts: bool = False,
    width: int = 0,
    unicode: bool = True,
    **options: Any,
) -> AsyncIterator[Talk]:
    """A linear console for the time of the block.

    A configuration is read in a thread, as all files are while a loop runs.
    """
    talk = Talk(prompts=prompts)
    read = await asyncio.to_thread(config or partial(cw.configured, folder))
    talk.console = LinearConsole(
        engine or cw.FakeEngine(),
        history or cw.FakeHistory(),
        read,
        speech=talk.speech,
        state=folder,
        options=Options(**options),
        unicode=unicode,
        width=width,
        wait=talk.tick,
    )
    talk.over = asyncio.create_task(talk.console.run())
    try:
        await talk.until("help says what can be typed")
        yield talk
    finally:
        talk.console.exit("quit")
        await asyncio.wait({talk.over})
