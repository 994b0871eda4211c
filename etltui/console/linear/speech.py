"""A talk in lines: what is said, the prompt below it, what is answered."""

import asyncio
from collections.abc import Callable

from etltui.console.orders import agreed
from etltui.console.view import Severity
from etltui.domain.safe_text import safe_text

PROMPT = "> "


class Speech:
    """Says lines and hears answers; never writes an escape sequence.

    Args:
        write: Takes text, with its line ends, and never waits.
        prompts: Whether somebody types, who is to see a prompt.
    """

    def __init__(self, write: Callable[[str], None], *, prompts: bool) -> None:
        self._write = write
        self._prompts = prompts
        self._prompt = ""
        self._heard: asyncio.Queue[str | None] = asyncio.Queue()
        self._over = False

    def hear(self, line: str | None) -> None:
        """Take in a line that was typed; None: there are no more."""
        self._heard.put_nowait(line)

    def say(self, *lines: str) -> None:
        """Say lines; a prompt that stands there stands below them then."""
        text = "".join(f"{safe_text(line.rstrip())}\n" for line in lines)
        if text:
            # Overwritten by the first line, which is longer: it would only be in the way.
            self._write(f"\r{text}{self._prompt}" if self._prompt else text)

    def tell(self, text: str, severity: Severity = "information") -> None:
        """Say something in passing; what is wrong is said to be."""
        before = "" if severity == "information" else f"{severity}: "
        self.say(*f"{before}{text}".split("\n"))

    async def confirm(self, question: str) -> bool:
        """Whether the answer is yes; where there is none it is no."""
        return agreed(await self.ask(f"{question} y/n "))

    async def ask(self, prompt: str = PROMPT) -> str | None:
        """The next line; None when there are no more."""
        if self._over:
            return None
        if self._prompts:
            self._prompt = safe_text(prompt)
            self._write(self._prompt)
        elif prompt != PROMPT:
            self.say(prompt)
        line = await self._heard.get()
        if line is None:
            self._over = True
            self.end()
        self._prompt = ""
        return line

    def end(self) -> None:
        """Leave no prompt behind."""
        if self._prompt:
            self._write("\n")
            self._prompt = ""
