"""The first use: nothing is configured yet. A demo, or a first connection, asked step by step."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from etltui.config.load import load
from etltui.config.schema import Config
from etltui.console.base import Left, ScreenApp
from etltui.console.cells import Cell, Column, Row, Styled, folded, role_of, text_of
from etltui.console.look import CurrentLook
from etltui.console.model.first import (
    CONNECTING,
    READING,
    Question,
    asked,
    refusal,
    shown,
    tables,
)
from etltui.console.new_file import why_not_written, write_new
from etltui.console.orders import agreed, told
from etltui.console.palette import screen_theme
from etltui.console.prompt import Prompt
from etltui.console.steps import advice
from etltui.console.widgets.line import Line
from etltui.console.widgets.table import Table
from etltui.domain.errors import ConfigError, EtltuiError, Mistake
from etltui.domain.inquiry import Tested

_WELCOME: Sequence[Cell] = (
    "",
    "Nothing is configured yet. Press a key:",
    "",
    "  d   make a demo: 56 branch databases with sales, and a job that gathers them",
    "  n   connect a database of your own: a few questions, then a first job",
    "  q   leave",
    "",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Means:
    """What the first use cannot do by itself.

    Attributes:
        place: The configuration file to write; it is not there yet.
        demo: Makes the demo and says where its configuration is; it takes seconds.
        test: Asks the only connection of a configuration for an answer.
    """

    place: Path
    demo: Callable[[], Path]
    test: Callable[[Config], Awaitable[Tested]]


class FirstApp(ScreenApp):
    """Asks what there is to read. The answer is in `path` when it has ended.

    Args:
        look: How things are drawn.
        means: What it needs of others.

    Attributes:
        path: The configuration file that there is now; None where the operator left.
    """

    CSS = "Screen { background: $background; color: $foreground; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "demo", show=False, id="first.demo"),
        Binding("n", "guide", show=False, id="first.guide"),
        Binding("q,ctrl+q,escape", "leave", show=False, id="first.leave"),
    ]
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False

    def __init__(self, look: CurrentLook, means: Means) -> None:
        self.look = look
        super().__init__(look.terminal)
        self._means = means
        self.path: Path | None = None
        self._status = Line(look.palette)
        self._table = Table(
            (Column(id="text", title="", width=20, flexible=True),), look.palette, look.glyphs
        )
        self._hint = Line(look.palette, bar=False)
        self.prompt = Prompt(look.palette)
        self._keys = Line(look.palette)
        self._said: list[Cell] = []
        self._busy = False
        self.animation_level = "none"

    def compose(self) -> ComposeResult:
        """Title, what was said, what may be answered, the question, keys."""
        yield self._status
        yield self._table
        yield self._hint
        yield self.prompt
        yield self._keys

    def on_mount(self) -> None:
        """Say what can be done."""
        theme = screen_theme(self.look.theme)
        self.register_theme(theme)
        self.theme = theme.name
        self._status.show([Styled("etltui", "accent"), "  first use"])
        self._keys.show(["d demo  n new connection  q leave"])
        self._say(*_WELCOME)
        self._table.focus()

    def on_resize(self) -> None:
        """Fold anew."""
        self._say()

    def _say(self, *lines: Cell) -> None:
        self._said += lines
        width = max(self.size.width - 3, 20)
        self._table.show(
            [
                Row(key=f"{number}.{part}", cells=(Styled(text, role_of(line)),))
                for number, line in enumerate(self._said)
                for part, text in enumerate(folded(text_of(line), width, 4))
            ]
        )
        self._table.action_edge(1)

    async def action_leave(self) -> None:
        """Leave; nothing has been written."""
        self.exit(Left.QUIT)

    def action_demo(self) -> None:
        """Make the demo."""
        self._begin(self._demo())

    def action_guide(self) -> None:
        """Ask step by step."""
        self._begin(self._guide())

    def _begin(self, work: Any) -> None:
        if self._busy:
            work.close()
            return
        self._busy = True
        self.run_worker(self._whole(work), name="first use")

    async def _whole(self, work: Awaitable[Path | None]) -> None:
        try:
            path = await work
        except ConfigError as error:
            self._say("", *(Styled(each, "bad") for each in told(error).split("\n")))
        except EtltuiError as error:
            self._say("", Styled(told(error), "bad"))
        else:
            if path is not None:
                self.path = path
                self.exit(Left.QUIT)
                return
        self._busy = False
        self._hint.show([])
        self._say("", "d demo, n new connection, q leave")

    async def _demo(self) -> Path:
        self._say("making the demo: 56 databases of 2,000 sales each …")
        return await asyncio.to_thread(self._means.demo)

    async def _guide(self) -> Path | None:
        answers: dict[str, str] = {}
        self._keys.show(["enter answer  esc the question before"])
        while await self._ask(CONNECTING, answers):
            if not await self._answered(answers):
                continue
            while await self._ask(READING, answers):
                path = await self._written(answers)
                if path is not None:
                    return path
        return None

    async def _ask(self, questions: Sequence[Question], answers: dict[str, str]) -> bool:
        """Ask all of them; whether the operator did not leave by the first."""
        at = 0
        while at < len(wanted := asked(questions, answers)):
            question = wanted[at]
            text = await self._one(question, answers)
            if text is None:
                if at == 0:
                    return False
                at -= 1
                continue
            answers[question.id] = text
            self._say(Styled(f"  {shown(question, answers)}", "muted"))
            at += 1
        return True

    async def _one(self, question: Question, answers: dict[str, str]) -> str | None:
        """A right answer to a question; None where the operator wants the one before."""
        usual = answers.get(question.id) or question.usual(answers)
        while True:
            self._hint.show([Styled(question.hint, "muted")])
            given = await self.prompt.ask(f"{question.label}: ", text=usual)
            if given is None:
                return None
            wrong = await asyncio.to_thread(
                refusal, question, given.strip(), self._means.place.parent
            )
            if not wrong:
                return given.strip()
            usual = given
            if question.id == "password":
                # It may be one: it is neither said nor offered again.
                usual = ""
                self.prompt.forget()
            self._say(Styled(f"  {question.label}: {wrong}", "warn"))

    async def _answered(self, answers: dict[str, str]) -> bool:
        """Whether the database answers, or is to be written down all the same."""
        config = await asyncio.to_thread(drafted, self._means.place, tables(answers))
        self._say("", f"asking {answers['connection']} …")
        found = await self._means.test(config)
        if found.trouble is None:
            self._say(Styled(f"  it answers in {found.milliseconds:,.1f} ms", "ok"), "")
            return True
        means, _ = advice(found.trouble)
        self._say(Styled(f"  {found.trouble.message}", "bad"), "".join(map(text_of, means)), "")
        self._hint.show([])
        return agreed(await self.prompt.ask("go on without an answer? y/n "))

    async def _written(self, answers: dict[str, str]) -> Path | None:
        place, made = self._means.place, tables(answers)
        try:
            await asyncio.to_thread(drafted, place, made)
            return await asyncio.to_thread(write_new, place, toml(made))
        except ConfigError as error:
            self._say(*(Styled(each, "bad") for each in told(error).split("\n")))
        except OSError as error:
            self._say(Styled(why_not_written(place, error), "bad"))
        return None


def toml(made: dict[str, Any]) -> str:
    """The text of the file."""
    import tomli_w  # noqa: PLC0415 - only who writes needs it

    head = "# Written by the console's first use. config.example.toml explains every key.\n\n"
    return head + tomli_w.dumps(made, multiline_strings=True)


def drafted(place: Path, made: dict[str, Any]) -> Config:
    """The configuration that a file of these tables would be, checked as `etltui check` does.

    Raises:
        ConfigError: All mistakes at once, or the folder cannot be written; the file they name is
            the one that is to be written.
    """
    draft = place.with_name(f".{place.name}.draft")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        draft.unlink(missing_ok=True)
        write_new(draft, toml(made))
        return load(draft, environ=os.environ)
    except ConfigError as error:
        raise ConfigError([replace(each, where=str(place)) for each in error.mistakes]) from None
    except OSError as error:
        # Of the folder: the draft itself is in nobody's way.
        problem = f"the folder cannot be written: {error.strerror}"
        mistake = Mistake(where=str(place), key="", problem=problem)
        raise ConfigError([mistake]) from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
