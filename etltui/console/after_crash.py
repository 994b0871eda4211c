"""The question after a crash: what it stopped is taken up, given up, or left for later."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from etltui.console.cells import Column, Row, Styled
from etltui.console.glyphs import Glyphs, bar
from etltui.console.view import Desk
from etltui.console.widgets.line import Line
from etltui.console.widgets.table import Table
from etltui.domain.logbook import LATELY_S, Action, rebuilt
from etltui.domain.stored import ConnectionRow, RunRow
from etltui.domain.words import counted, moment, short

COLUMNS = (
    Column(id="job", title="JOB", width=16, flexible=True, cut="middle"),
    Column(id="run", title="RUN", width=5),
    Column(id="safe", title="SAFE", width=9, align="right"),
    Column(id="part", title="", width=12, below=70),
    Column(id="began", title="BEGAN", width=19, below=50),
)
_HINT = "Resume keeps what is safe and reads the rest. Discard deletes it."


@dataclass(frozen=True, kw_only=True, slots=True)
class Stopped:
    """A run that a crash has stopped.

    Attributes:
        safe: How many of its connections are durable.
    """

    row: RunRow
    safe: int


def stopped_row(stopped: Stopped, title: str, glyphs: Glyphs, zone: str) -> Row:
    """The line of a run.

    Args:
        stopped: The run.
        title: Of its job.
        glyphs: Signs.
        zone: In which times are told.
    """
    row = stopped.row
    part = stopped.safe / row.total if row.total else 0.0
    return Row(
        key=row.run,
        cells=(
            title,
            short(row.run),
            f"{stopped.safe}/{row.total}",
            Styled(bar(glyphs, part, 12), "busy"),
            moment(row.started, zone),
        ),
    )


class AfterCrash(ModalScreen[None]):
    """Asks what is to become of runs that a crash has stopped.

    Args:
        desk: The console.
        runs: The runs, the newest first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "resume", show=False, id="crash.resume"),
        Binding("x", "discard", show=False, id="crash.discard"),
        Binding("escape,q,l", "dismiss", show=False, id="crash.later"),
    ]

    def __init__(self, desk: Desk, runs: Sequence[Stopped]) -> None:
        super().__init__()
        self._desk = desk
        self._runs = {each.row.run: each for each in runs}
        look = desk.look
        self._status = Line(look.palette)
        self.table = Table(COLUMNS, look.palette, look.glyphs)
        self._hint = Line(look.palette, bar=False)
        self._keys = Line(look.palette)

    def compose(self) -> ComposeResult:
        """What happened, the runs, what can be done."""
        yield self._status
        yield self.table
        yield self._hint
        yield self._keys

    def on_mount(self) -> None:
        """Fill it."""
        self._hint.show([_HINT])
        keys = [("r", "resume"), ("x", "discard"), ("space", "select"), ("esc", "later")]
        self._keys.show(
            [part for key, what in keys for part in (Styled(key, "accent"), f" {what}  ")]
        )
        self._fill()
        self.table.focus()

    def _fill(self) -> None:
        look = self._desk.look
        count = len(self._runs)
        was = "was" if count == 1 else "were"
        self._status.show([Styled(f"{counted(count, 'run')} {was} stopped by a crash", "warn")])
        self.table.show(
            [
                stopped_row(each, self._desk.title_of(each.row.job), look.glyphs, look.timezone)
                for each in self._runs.values()
            ]
        )

    def _settled(self, run: str) -> None:
        self._runs.pop(run, None)
        self.table.chosen.discard(run)
        if self._runs:
            self._fill()
        else:
            _ = self.dismiss(None)

    async def action_resume(self) -> None:
        """Take the selected runs up where they stopped."""
        for run in self.table.keys:
            job = self._runs[run].row.job
            if await self._desk.order("submit", job=job, resume=True):
                self._settled(run)

    def action_discard(self) -> None:
        """Delete what the selected runs hold, unless the operator undoes it."""
        for run in self.table.keys:
            what = (
                f"run {short(run)} of {self._desk.title_of(self._runs[run].row.job)} is discarded"
            )
            self._desk.later(what, partial(self._desk.order, "records.discard", run=run))
            self._settled(run)


async def after_crash(desk: Desk, show: Callable[[ModalScreen[None]], Awaitable[object]]) -> None:
    """Ask once what is to become of runs that a crash has stopped, if there are any.

    Args:
        desk: The console.
        show: Lays a screen over the views.
    """
    lately: Sequence[Action] = await desk.reads.once("actions", time.time() - LATELY_S) or ()
    if told := rebuilt(lately):
        desk.tell(told)
    rows: Sequence[RunRow] = await desk.reads.once("crashed") or ()
    if not rows:
        return
    if desk.read_only:
        desk.tell(f"{counted(len(rows), 'run')} stopped by a crash; 9 shows what is safe")
        return
    found = []
    for row in rows:
        there: Sequence[ConnectionRow] = await desk.reads.once("connections", row.run) or ()
        found.append(Stopped(row=row, safe=sum(each.done for each in there)))
    await show(AfterCrash(desk, found))
