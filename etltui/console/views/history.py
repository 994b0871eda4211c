"""History: past runs, and beside them each connection day by day."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult

from etltui.console.bridge import Moment
from etltui.console.cells import Cell, Styled
from etltui.console.commands import Command, bindings
from etltui.console.model.acted import who_began
from etltui.console.model.comparing import comparison, pairs
from etltui.console.model.heat import again
from etltui.console.model.history import (
    FIELDS,
    Ink,
    PastRun,
    RunLine,
    compared,
    past_runs,
    to_try_again,
)
from etltui.console.view import Desk
from etltui.console.views.history_map import WIDE, HistoryMap
from etltui.console.views.list_view import LIST_COMMANDS, ListView
from etltui.domain.queue import Ask, Mode
from etltui.domain.words import because, counted, words

MINE = (
    Command(
        id="history.open",
        keys="enter",
        title="open",
        help="Look into the run; of a cell of the map into the connection there.",
    ),
    Command(
        id="history.retry",
        keys="f",
        title="re-run failed",
        help="Read again what failed in the selected runs, or in the cell, connection or day of "
        "the map, and patch the finished targets.",
        name="retry-failed",
        changes=True,
    ),
    Command(
        id="history.compare",
        keys="c",
        title="compare",
        help="Show two selected runs beside each other, or one and the one before it.",
    ),
    Command(
        id="history.map",
        keys="m",
        title="map",
        help="Go from the runs to the map of connections and days, and back.",
    ),
    Command(
        id="history.job",
        keys="",
        title="job",
        help="Show the runs and the map of one job only; without a name all again.",
        takes="JOB",
        footer=False,
    ),
)
NEWEST = 500
"""Runs that are read."""
_ACTIONS = 2 * NEWEST
_NEXT = "older runs of the same job can follow when that one has ended"


class History(ListView[RunLine]):
    """Shows what has run."""

    NAME = "history"
    TITLE = "History"
    FIELDS = FIELDS
    EMPTY = ("Nothing has run yet.", "2 shows the jobs; r runs one there.")
    COMMANDS: ClassVar[tuple[Command, ...]] = (*MINE, *LIST_COMMANDS)
    BINDINGS = bindings(MINE)
    DEFAULT_CSS = """
    History { layout: horizontal; }
    History HeatMap { width: 50; margin-left: 1; }
    History.narrow HeatMap { width: 1fr; margin-left: 0; display: none; }
    History.narrow.map HeatMap { display: block; }
    History.narrow.map Table { display: none; }
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.map = HistoryMap(desk)
        self._job = ""
        self._runs: list[PastRun] = []
        self._read: tuple[object, ...] = ()
        self._lines: dict[str, RunLine] = {}

    def compose(self) -> ComposeResult:
        """The runs, and the map."""
        yield self.table
        yield self.map

    def enter(self, argument: str) -> None:
        """Come into sight; an argument is a job, or a filter."""
        super().enter(argument)
        if argument in self.desk.config.jobs:
            self._job = argument
        elif argument:
            self.filter_by(argument)

    @property
    def on_map(self) -> bool:
        """Whether the map has the keyboard."""
        return self.map.has_focus

    def on_resize(self) -> None:
        """One beside the other where there is room."""
        self.set_class(self.app.size.width < WIDE, "narrow")

    def show(self, moment: Moment) -> None:
        """Show the runs and the map as they are now."""
        super().show(moment)
        self.map.draw(moment, self._job)

    def records(self, moment: Moment) -> Sequence[RunLine]:
        """The runs, the newest first; of one that is as it was the same line."""
        reads, look = self.desk.reads, self.desk.look
        rows = reads.get("runs", job=self._job, limit=NEWEST) or ()
        actions = reads.get("actions", limit=_ACTIONS) or ()
        now = (rows, actions, moment.runs)
        if any(one is not other for one, other in zip(now, self._read or (None,) * 3, strict=True)):
            self._read = now
            self._runs = past_runs(rows, moment.runs, who_began(actions))
        ink = Ink(look.glyphs, look.timezone)
        known, self._lines = self._lines, {}
        for each in self._runs:
            line = known.get(each.run)
            fresh = line is None or line.past != each or line.ink != ink
            self._lines[each.run] = RunLine(each, ink) if fresh or line is None else line
        return list(self._lines.values())

    def key(self, record: RunLine) -> str:
        """The run."""
        return record.past.run

    def nothing(self) -> Sequence[str]:
        """What stands there without runs."""
        if not self.desk.reads.known("runs", job=self._job, limit=NEWEST):
            return ("", f"reading {self.desk.look.glyphs.ellipsis}")
        if self._job and not self.total:
            title = self.desk.title_of(self._job)
            return ("", f"{title} has not run yet.", ":job shows all jobs again.")
        return super().nothing()

    def restyle(self) -> None:
        """Paint with the colours and signs of the desk."""
        super().restyle()
        self.map.look(self.desk.look.palette, self.desk.look.glyphs)

    def crumbs(self) -> Sequence[str]:
        """The job, where it is one's."""
        return (self.TITLE, self.desk.title_of(self._job)) if self._job else (self.TITLE,)

    def status(self, moment: Moment) -> tuple[Sequence[Cell], Sequence[Cell]]:
        """How many there are, and what is filtered."""
        del moment
        if self.on_map:
            return self.map.status(), ()
        word = "newest " if len(self._runs) >= NEWEST else ""
        return [f"{word}{counted(len(self._runs), 'run')}", *self.marks()], ()

    def hint(self) -> tuple[Sequence[Cell], Sequence[Cell]]:
        """What the run was, or what happened in the cell."""
        if self.on_map:
            return self.map.hint()
        line = self.current
        if line is None:
            return (), ()
        past = line.past
        said: list[Cell] = [because(words(past.status), past.reason)]
        if past.retried:
            said.append(f"; f reads {counted(past.lacks, 'connection')} again")
        return said, [Styled(past.run, "muted")]

    def enabled(self, command: Command) -> bool:
        """Whether a command makes sense for what is under the cursor now."""
        match command.id:
            case "history.open":
                return bool(self._opened()[0])
            case "history.retry":
                return bool(self.map.lost()) if self.on_map else bool(self._to_retry()[0])
            case "history.compare":
                return not self.on_map and self._compared() is not None
            case _:
                return True

    def _to_retry(self) -> tuple[list[PastRun], int]:
        return to_try_again(line.past for line in self.selected)

    def _compared(self) -> tuple[PastRun, PastRun] | None:
        return compared([line.past for line in self.selected], self._runs)

    def on_heat_map_moved(self) -> None:
        """Let hint and footer follow the cursor."""
        self.desk.redraw()

    def on_heat_map_opened(self) -> None:
        """Look into what was clicked."""
        self.action_command("history.open")

    def on_table_opened(self) -> None:
        """Look into what was clicked."""
        self.action_command("history.open")

    def on_descendant_focus(self) -> None:
        """Let hint and footer follow the keyboard."""
        self.set_class(self.on_map, "map")
        self.desk.redraw()

    def focus_default(self) -> None:
        """Go on where the operator was."""
        self.screen.set_focus(self.map if self.has_class("map") else self.table)

    def _opened(self) -> tuple[str, str]:
        """The view to open, and about what; empty for nothing."""
        if self.on_map:
            return self.map.opened()
        return ("run", self.current.past.run) if self.current else ("", "")

    async def do_open(self, _: str = "") -> None:
        """Look into the run, or into the connection of the cell."""
        view, argument = self._opened()
        if view:
            self.desk.go(view, argument)

    async def do_map(self, _: str = "") -> None:
        """Go to the map, or back to the runs."""
        self.set_class(not self.on_map, "map")
        self.call_after_refresh(self.focus_default)

    async def do_job(self, text: str = "") -> None:
        """Show one job only, or all."""
        if text and text not in self.desk.config.jobs:
            known = ", ".join(sorted(self.desk.config.jobs))
            self.desk.tell(f"there is no job {text!r}; there are {known}", "error")
            return
        self._job = self.argument = text
        self.desk.redraw()

    async def do_retry(self, _: str = "") -> None:
        """Read again what failed in what is selected."""
        wanted: list[tuple[str, tuple[str, ...], int]]
        if self.on_map:
            found, older = again(self.map.lost())
            wanted = [(each.run, each.connections, len(each.connections)) for each in found]
        else:
            runs, older = self._to_retry()
            wanted = [(each.run, (), each.lacks) for each in runs]
        count = 0
        for run, only, lacks in wanted:
            ask = Ask(mode=Mode.RETRY, only=only)
            count += lacks if await self.desk.order("retry", run=run, ask=ask) else 0
        if count:
            said = f"{counted(count, 'connection')} again"
            self.desk.tell(f"{said}; {_NEXT}" if older else said)
            self.table.chosen = set()

    async def do_compare(self, _: str = "") -> None:
        """Show two runs beside each other."""
        runs = self._compared()
        if runs is None:
            return
        reads, look = self.desk.reads, self.desk.look
        then, now = [await reads.once("connections", each.run) for each in runs]
        if then is None or now is None:
            return
        lines = comparison(runs, pairs(then, now), look.glyphs, look.timezone)
        titles = f" {look.glyphs.arrow} ".join(each.title for each in runs)
        self.desk.page(titles if runs[0].job != runs[1].job else runs[0].title, lines)

    async def do_filter(self, text: str = "") -> None:
        """Ask for a filter of the runs; on the map for a part of a connection's name."""
        await (self.map.ask_filter(text) if self.on_map else super().do_filter(text))

    async def do_export(self, text: str = "") -> None:
        """Write the runs into a file, or the map as CSV."""
        await (self.map.export(text) if self.on_map else super().do_export(text))


VIEW = History
