"""The linear console: says what changes, and does what is typed, one after the other."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

from etltui.config.reading import Reading
from etltui.config.schema import Config
from etltui.console.base import Left
from etltui.console.bridge import Link, Moment
from etltui.console.commands import Command, nearest_word, parsed
from etltui.console.glyphs import ASCII, UNICODE
from etltui.console.linear.adjusting import Adjusting
from etltui.console.linear.commands import BY_WORD
from etltui.console.linear.deadlines import Deadlines
from etltui.console.linear.ground import Ground
from etltui.console.linear.looking import Looking
from etltui.console.linear.speech import Speech
from etltui.console.linear.steering import Steering
from etltui.console.linear.talk import Talk
from etltui.console.model.pace import Paces
from etltui.console.options import Options
from etltui.console.orders import Doer, done, why_not
from etltui.domain.errors import EtltuiError
from etltui.domain.events import Event, Overflow
from etltui.domain.logbook import LATELY_S, rebuilt
from etltui.domain.ports import History
from etltui.domain.words import counted
from etltui.encode.changes import Changes

__all__ = ["LinearConsole", "Options", "Talk"]

LOOK_S = 5.0
"""How often runs with a deadline are looked at."""
NARROW, WIDE, USUAL = 40, 160, 120
"""Columns between which lines are laid out, and those where nobody tells how wide it is."""


class LinearConsole:
    """Shows an engine and takes orders for it, line after line.

    Args:
        link: The engine.
        history: Its store, for reading.
        config: What the engine works with.
        speech: Whom it talks with.
        state: The state folder.
        options: How it is opened.
        unicode: Whether characters besides ASCII can be shown.
        width: Of the terminal; 0 where that is not known.
        wait: Waits so many seconds; tests turn the clock.
    """

    def __init__(  # noqa: PLR0913 - what a console is made of
        self,
        link: Link,
        history: History,
        config: Config,
        *,
        speech: Speech,
        state: Path,
        options: Options,
        unicode: bool = True,
        width: int = 0,
        wait: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        chosen = config.console.glyphs
        drawn = unicode if chosen == "auto" else chosen == "unicode"
        self._speech = speech
        self._wait = wait
        self._changes = Changes(config.settings.timezone)
        self._deadlines = Deadlines(config.settings.timezone)
        self._left: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._ground = Ground(
            link=link,
            history=history,
            speech=speech,
            config=config,
            reading=Reading(config, os.environ),
            state=state,
            glyphs=UNICODE if drawn else ASCII,
            width=min(max(width or USUAL, NARROW), WIDE),
            options=options,
            leave=self.exit,
        )
        self._looking = Looking(self._ground)
        self._doers: tuple[Doer, ...] = (
            self._looking,
            Steering(self._ground),
            Adjusting(self._ground, BY_WORD["settings"]),
        )

    @property
    def options(self) -> Options:
        """How it was opened."""
        return self._ground.options

    @options.setter
    def options(self, options: Options) -> None:
        self._ground.options = options

    def exit(self, left: str) -> None:
        """End it in a way of `base.Left`; the first one counts."""
        if not self._left.done():
            self._left.set_result(left)

    async def run(self) -> str:
        """Talk until somebody leaves; how they left.

        Raises:
            EtltuiError: There is no engine.
        """
        try:
            await self._until(self._greet())
            if not self._left.done():
                await self._until(self._listen(), self._obey(), self._watch())
        finally:
            self._speech.end()
        return await self._left

    async def _until(self, *works: Coroutine[Any, Any, None]) -> None:
        """Do some work until one of it is done, or somebody leaves."""
        tasks = [asyncio.create_task(work) for work in works]
        waited: set[asyncio.Future[Any]] = {*tasks, self._left}
        try:
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                # Who leaves meanwhile needs no engine any more.
                if task.done() and not self._left.done():
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _greet(self) -> None:
        """Say whose engine it is, how everything stands, and what a crash has left."""
        ground, say = self._ground, self._speech.say
        moment = Moment(snapshot=await ground.link.collect(), paces=Paces())
        for run in moment.at_work:
            self._changes.begun(run.run, run.completed, run.total)
        self._deadlines.begin(moment.at_work)
        where = "started here" if self.options.embedded else "already at work"
        say(f"etltui: engine of {moment.snapshot.holder}, {where}; help says what can be typed")
        if self.options.read_only:
            say("this console only shows: nothing can be changed from it")
        self._looking.stand(moment)
        if told := rebuilt(await ground.history.actions(time.time() - LATELY_S)):
            say(told)
        crashed = await ground.history.crashed()
        if crashed:
            was = "was" if len(crashed) == 1 else "were"
            say(
                f"{counted(len(crashed), 'run')} {was} stopped by a crash: checkpoints says what "
                "is safe, run JOB --resume goes on"
            )

    async def _listen(self) -> None:
        """Say what changes until the engine ends."""
        async for event in self._ground.link.events():
            self._told(event)
        self._speech.say("the engine has ended")
        self.exit(Left.QUIT)

    async def _watch(self) -> None:
        """Say which runs may miss their deadline, for as long as any has one."""
        while True:
            await self._wait(LOOK_S)
            if self._deadlines.watched:
                # The last answer of an engine that has gone is its end, which is heard.
                with suppress(EtltuiError):
                    moment = await self._ground.now()
                    self._speech.say(*self._deadlines.look(moment.at_work, moment.at))

    def _told(self, event: Event) -> None:
        self._deadlines.take(event)
        if isinstance(event, Overflow):
            self._speech.say(f"{counted(event.lost, 'change')} missed: status says how it stands")
        elif line := self._changes.stamped(event):
            self._speech.say(line)

    async def _obey(self) -> None:
        """Do what is typed until nothing more can be."""
        while (line := await self._speech.ask()) is not None:
            word, text = parsed(line)
            if word:
                await self._do(word, text)
            if self._left.done():
                return
        await self._part()
        self.exit(Left.GONE)

    async def _part(self) -> None:
        """Say what becomes of what runs; what has changed by now is said before."""
        count = 0
        if self.options.embedded:
            with suppress(EtltuiError):
                count = len((await self._ground.now()).at_work)
        goes_on = self._ground.config.settings.on_hangup == "finish"
        becomes = "goes on without this console" if goes_on else "is stopped and can be resumed"
        self._speech.say(f"end of input: what runs {becomes}" if count else "end of input")

    async def _do(self, word: str, text: str) -> None:
        command = BY_WORD.get(word.lower())
        if command is None:
            near = nearest_word(word.lower(), BY_WORD)
            hint = f"did you mean {near}?" if near else "help says what there is"
            self._speech.tell(f"there is no command {word!r}; {hint}", "error")
            return
        doer = self._doer(command)
        enabled = doer.enabled(command)
        if refused := why_not(command, read_only=self.options.read_only, enabled=enabled):
            self._speech.tell(refused, "warning")
            return
        confirm = self._ground.config.console.confirm
        await done(command, doer, self._speech, text=text, confirm=confirm)

    def _doer(self, command: Command) -> Doer:
        return next(each for each in self._doers if hasattr(each, command.method))
