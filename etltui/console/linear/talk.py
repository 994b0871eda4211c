"""A talk with whoever is at the other end of two descriptors."""

import asyncio
import os
from collections.abc import Awaitable
from contextlib import suppress
from typing import Protocol

from etltui.console.base import Left
from etltui.console.linear.ear import Ear
from etltui.console.linear.mouth import Mouth
from etltui.console.linear.speech import Speech
from etltui.console.output import to_descriptor


class Talker(Protocol):
    """The linear console."""

    def exit(self, left: str) -> None:
        """End it."""
        ...

    def run(self) -> Awaitable[str]:
        """Talk until somebody leaves."""
        ...


class Talk:
    """Hears and says lines without ever holding up the loop.

    Attributes:
        speech: What is said and heard.

    Args:
        out: What is written to.
        encoding: Of it.
        typed: What commands are read from; None where nobody types any.
        loop: Whose callbacks take what is heard.
    """

    def __init__(
        self, *, out: int, encoding: str, typed: int | None, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._loop = loop
        self._talker: Talker | None = None
        self._mouth = Mouth(to_descriptor(out), encoding=encoding, gone=self._deaf)
        prompts = typed is not None and os.isatty(typed) and os.isatty(out)
        self.speech = Speech(self._mouth.write, prompts=prompts)
        self._ear = Ear(typed, self._hear) if typed is not None else None

    async def around(self, talker: Talker) -> str:
        """Let it talk until somebody leaves; how they left."""
        self._talker = talker
        self._mouth.start()
        if self._ear is not None:
            self._ear.start()
        try:
            return await talker.run()
        finally:
            if self._ear is not None:
                await asyncio.to_thread(self._ear.close)
            await asyncio.to_thread(self._mouth.close)

    def _hear(self, line: str | None) -> None:
        with suppress(RuntimeError):  # the loop has ended meanwhile
            self._loop.call_soon_threadsafe(self.speech.hear, line)

    def _deaf(self) -> None:
        """Nobody reads what is said any more."""
        if self._talker is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._talker.exit, Left.GONE)
