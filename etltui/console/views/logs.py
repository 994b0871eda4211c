"""The log as it is written: sifted, searched, followed."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult

from etltui.console.bridge import Moment
from etltui.console.cells import Cell, Styled, joined
from etltui.console.commands import Command, bindings
from etltui.console.log_reader import LogReader
from etltui.console.model.logs import CAPACITY, STEPS, Ring, Sieve, pieces, sifted
from etltui.console.new_file import why_not_written, write_new
from etltui.console.view import Desk, View
from etltui.console.views.logs_keys import COLUMNS, COMMANDS, CONTEXTS, ROLES
from etltui.console.widgets.ring import RingView
from etltui.domain.words import counted, moment, short
from etltui.engine.log_files import LogLine


class Logs(View):
    """Shows the newest lines of the log, and those that come."""

    NAME = "logs"
    TITLE = "Logs"
    COMMANDS: ClassVar[tuple[Command, ...]] = COMMANDS
    BINDINGS = bindings(COMMANDS)

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.ring = Ring()
        self.sieve = Sieve()
        self._around = 0
        self._wanted = ""
        self._seen = 0
        self.view = RingView(self.ring, self._cells, COLUMNS, desk.look.palette, desk.look.glyphs)
        self._reader: LogReader | None = None

    def compose(self) -> ComposeResult:
        """The lines."""
        yield self.view

    def on_mount(self) -> None:
        """Begin to read."""
        loop = asyncio.get_running_loop()

        def arrived(lines: list[bytes]) -> None:
            with suppress(RuntimeError):  # the console has ended
                loop.call_soon_threadsafe(self.take, lines)

        self._reader = LogReader(self.desk.state / "logs", CAPACITY, arrived)
        self._reader.start()

    def on_unmount(self) -> None:
        """Read no more."""
        if self._reader is not None:
            self._reader.close()

    def on_hide(self) -> None:
        """Rest while another view is in sight."""
        if self._reader is not None:
            self._reader.rest()

    def on_show(self) -> None:
        """Read what has come meanwhile."""
        if self._reader is not None:
            self._reader.go_on()

    def enter(self, argument: str) -> None:
        """Come into sight; an argument names a run, a connection or both."""
        super().enter(argument)
        words = argument.split()
        known = {each.name for each in self.desk.config.connections}
        connection = next((word for word in words if word in known), "")
        run = next((word for word in words if word not in known), "")
        if argument:
            self._sift(replace(self.sieve, run=run, connection=connection))

    def take(self, lines: list[bytes]) -> None:
        """Take lines in that have been read."""
        self.ring.take(lines)
        self.desk.redraw()

    def show(self, moment: Moment) -> None:
        """Show what there is."""
        del moment
        self.view.empty = self._nothing()
        if self.view.following:
            self._seen = self.ring.end
        self.view.show()

    def _nothing(self) -> Sequence[str]:
        if self.ring.total:
            return ("", "No line is like that.", "A shows all lines again.")
        return ("", "Nothing has been logged yet: lines come with the first run.")

    def restyle(self) -> None:
        """Paint with the colours and signs of the desk."""
        self.view.look(self.desk.look.palette, self.desk.look.glyphs)

    def status(self, moment: Moment) -> tuple[Sequence[Cell], Sequence[Cell]]:
        """What is shown of what there is, and whether it follows."""
        del moment
        sieve = self.sieve
        named = [
            f"{sieve.level} and up" if sieve.level != STEPS[0] else "",
            f"run {short(sieve.run)}" if sieve.run else "",
            sieve.connection,
            f"/{sieve.text}" if sieve.text else "",
            f"±{self._around}" if self._around and not sieve.open else "",
        ]
        count = f"{self.ring.hits:,}/{self.ring.total:,}"
        filters = [Styled(each, "accent") for each in named if each]
        left = joined([count if filters else f"{self.ring.total:,} lines", *filters])
        return left, [self._place()]

    def _place(self) -> Cell:
        if self.view.following:
            return Styled("following", "muted")
        new = len(self.ring) - self.ring.place(self._seen)
        return Styled(f"paused, {new:,} new" if new else "paused", "warn")

    def _cells(self, number: int) -> tuple[Cell, ...]:
        line, hit = self.ring.line(number), self.ring.is_hit(number)
        role = ROLES.get(line.level, "") if hit else "muted"
        when = moment(line.time, self.desk.look.timezone)[-8:] if line.time else ""
        return (
            Styled(when, "muted"),
            Styled(line.level or "?", role),
            Styled(short(line.run) if line.run else "", "muted"),
            Styled(line.connection, "" if hit else "muted"),
            Styled(line.message, role),
        )

    def hint(self) -> tuple[Sequence[Cell], Sequence[Cell]]:
        """The rest of a message that does not fit."""
        line, room = self._current, self.view.width_of("message")
        if line is None or len(line.message) <= room:
            return (), ()
        return (Styled(self.desk.look.glyphs.ellipsis + line.message[room - 1 :], "muted"),), ()

    @property
    def _current(self) -> LogLine | None:
        number = self.view.number
        return self.ring.line(number) if number >= 0 else None

    def on_ring_view_moved(self) -> None:
        """Let the lines around follow the cursor."""
        self.desk.redraw()

    def on_ring_view_opened(self) -> None:
        """Show the line that was clicked."""
        self.action_command("logs.open")

    def enabled(self, command: Command) -> bool:
        """Whether a command makes sense for what is under the cursor now."""
        line = self._current
        match command.id:
            case "logs.open" | "logs.copy" | "logs.export" | "logs.next" | "logs.previous":
                return line is not None
            case "logs.this_run":
                return bool(self.sieve.run or (line and line.run))
            case "logs.this_connection":
                return bool(self.sieve.connection or (line and line.connection))
            case _:
                return True

    def _sift(self, sieve: Sieve, context: int | None = None) -> None:
        """Show only what passes; the cursor stays where it was, as far as that is shown.

        Raises:
            ValueError: A pattern in it is none.
        """
        passes = None if sieve.open else sieve.test()
        self.sieve = sieve
        self._around = self._around if context is None else context
        if passes is None or not self.ring.total:
            self._use(sieve, passes, (0, ()))
        else:
            self.run_worker(self._sifted(sieve, passes), group="sift", exclusive=True)

    async def _sifted(self, sieve: Sieve, passes: Callable[[bytes], bool]) -> None:
        # Fifty thousand lines take a tenth of a second: too long for a picture to wait.
        number, lines = self.ring.snapshot()
        found: list[int] = []
        for piece in pieces(lines):
            number, more = sifted(number, piece, passes)
            found += more
            await asyncio.sleep(0)
        self._use(sieve, passes, (number, found))

    def _use(
        self,
        sieve: Sieve,
        passes: Callable[[bytes], bool] | None,
        known: tuple[int, Sequence[int]],
    ) -> None:
        if sieve is self.sieve:
            self.ring.use(passes, self._around, known)
            self.desk.redraw()

    async def do_open(self, _: str = "") -> None:
        """Show the whole line."""
        line = self._current
        if line is None:
            return
        head = [
            f"when        {moment(line.time, self.desk.look.timezone)}" if line.time else "",
            f"level       {line.level}" if line.level else "",
            f"run         {line.run}" if line.run else "",
            f"connection  {line.connection}" if line.connection else "",
        ]
        role = ROLES.get(line.level, "")
        body = [*line.message.split("\n"), "", *line.traceback.splitlines()]
        lines: list[Cell] = [*(Styled(each, "muted") for each in head if each), ""]
        lines += [Styled(each, role if n == 0 else "") for n, each in enumerate(body)]
        self.desk.page("Line of the log", lines)

    async def do_follow(self, _: str = "") -> None:
        """Follow what comes, or stop."""
        if self.view.following:
            self.view.stay()
        else:
            self.view.follow()

    async def do_level(self, text: str = "") -> None:
        """Show heavier lines only."""
        if text and text not in STEPS:
            self.desk.tell(f"there is no level {text!r}; there are {', '.join(STEPS)}", "error")
            return
        at = STEPS.index(self.sieve.level) + 1
        self._sift(replace(self.sieve, level=text or STEPS[at % len(STEPS)]))

    async def do_filter(self, text: str = "") -> None:
        """Show lines only that say something; it holds while it is typed."""
        before = self.sieve

        def typed(part: str) -> None:
            with suppress(ValueError):  # it is not typed to its end yet
                self._sift(replace(before, text=part.strip()))

        wanted = text or await self.desk.ask("/", text=before.text, changed=typed)
        try:
            self._sift(before if wanted is None else replace(before, text=wanted.strip()))
        except ValueError as error:
            self._sift(before)
            self.desk.tell(str(error), "error")

    async def do_this_run(self, text: str = "") -> None:
        """Show lines only of a run, or of all."""
        line = self._current
        run = text or ("" if self.sieve.run or line is None else line.run)
        self._sift(replace(self.sieve, run=run))

    async def do_this_connection(self, text: str = "") -> None:
        """Show lines only of a connection, or of all."""
        line = self._current
        name = text or ("" if self.sieve.connection or line is None else line.connection)
        self._sift(replace(self.sieve, connection=name))

    async def do_context(self, _: str = "") -> None:
        """Show more or fewer lines around each that passes."""
        at = CONTEXTS.index(self._around) + 1
        self._sift(replace(self.sieve), CONTEXTS[at % len(CONTEXTS)])

    async def do_all(self, _: str = "") -> None:
        """Show every line again."""
        self._sift(Sieve())

    async def do_find(self, text: str = "") -> None:
        """Go to a line that says something."""
        wanted = text or await self.desk.ask("find: ", text=self._wanted)
        if wanted is None:
            return
        self._wanted = wanted.strip()
        await self._go(1)

    async def do_next(self, _: str = "") -> None:
        """Go to the next one."""
        await self._go(1)

    async def do_previous(self, _: str = "") -> None:
        """Go to the one before."""
        await self._go(-1)

    async def _go(self, step: int) -> None:
        """Go to the next line that was looked for, round at the end."""
        if not len(self.ring):
            return
        text = self._wanted
        try:
            test = (Sieve(text=text) if text else Sieve(level="warning")).test()
        except ValueError as error:
            self.desk.tell(str(error), "error")
            return
        ring, count = self.ring, len(self.ring)
        at = ring.place(self.view.number)
        numbers = [ring.number((at + step * n) % count) for n in range(1, count + 1)]
        lines = [ring.raw(number) for number in numbers]
        looked = 0
        for piece in pieces(lines):
            found = next((n for n, line in enumerate(piece, looked) if test(line)), -1)
            if found >= 0:
                self.view.go_to(numbers[found])
                return
            looked += len(piece)
            await asyncio.sleep(0)
        self.desk.tell(f"no line says {text}" if text else "no line is a warning or worse")

    async def do_export(self, text: str = "") -> None:
        """Write the lines that are shown into a file."""
        name = f"etltui-log-{datetime.now(UTC):%Y%m%d-%H%M%S}.jsonl"
        path = text or await self.desk.ask("write to: ", text=name)
        if not path:
            return
        ring = self.ring
        lines = [ring.raw(ring.number(place)) for place in range(len(ring))]
        made = b"".join(line + b"\n" for line in lines).decode("utf-8", "replace")
        try:
            place = await asyncio.to_thread(write_new, Path(path), made)
        except OSError as error:
            self.desk.tell(why_not_written(Path(path), error), "error")
        else:
            self.desk.tell(f"{counted(len(lines), 'line')} in {place}")

    async def do_copy(self, _: str = "") -> None:
        """Copy the line under the cursor."""
        line = self._current
        if line is not None:
            self.desk.copy("\n".join(filter(None, (line.message, line.traceback))))


VIEW = Logs
