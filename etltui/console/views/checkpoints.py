"""What unfinished runs hold: gone on with, handed on, deleted."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import ClassVar

from etltui.console.bridge import Moment
from etltui.console.cells import Cell, Styled, joined
from etltui.console.commands import Command, bindings
from etltui.console.model.checkpoints import (
    FIELDS,
    Saved,
    SavedRow,
    changed_plan,
    hindrance,
    kept_bytes,
    queued_runs,
    row_of_saved,
    unfinished,
)
from etltui.console.new_file import why_not_written, write_new
from etltui.console.view import Desk
from etltui.console.views.list_view import LIST_COMMANDS, ListView
from etltui.domain.plan import Plan
from etltui.domain.stored import ConnectionRow, RunRow
from etltui.domain.words import because, counted, short, size, words
from etltui.engine.checkpoints import part_folders

MINE = (
    Command(
        id="checkpoints.open", keys="enter", title="open", help="Look into the unfinished run."
    ),
    Command(
        id="checkpoints.resume",
        keys="o",
        title="resume",
        help="Take the selected runs up where they stopped.",
        changes=True,
    ),
    Command(
        id="checkpoints.delete",
        keys="x,delete",
        title="delete",
        help="Give the selected runs up and delete their parts, in ten seconds.",
        changes=True,
    ),
    Command(
        id="list.export",
        keys="E",
        title="hand on",
        help="Write which connections of the run are done into a new .json file.",
        takes="FILE",
    ),
)
COMMANDS = (*MINE, *(each for each in LIST_COMMANDS if each.id != "list.export"))
_LOOK_S = 10.0
"""How often the parts of runs at work are measured anew."""


class Checkpoints(ListView[SavedRow]):
    """Shows of each job the newest run, where that is unfinished."""

    NAME = "checkpoints"
    TITLE = "Checkpoints"
    FIELDS = FIELDS
    EMPTY = (
        "No run is unfinished: there is nothing to resume.",
        "What a run has gathered is kept here when it stops or fails.",
    )
    COMMANDS: ClassVar[tuple[Command, ...]] = COMMANDS
    BINDINGS = bindings(each for each in MINE if each.id != "list.export")

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._bytes: Mapping[str, int] | None = None
        self._measured: tuple[float, tuple[RunRow, ...]] = (0.0, ())

    def enter(self, argument: str) -> None:
        """Come into sight; an argument is a filter."""
        super().enter(argument)
        self._measured = (0.0, ())
        self.desk.reads.stale("last_by_job", "connections")
        if argument:
            self.call_later(self.filter_by, argument)

    def key(self, record: SavedRow) -> str:
        """The run's id."""
        return record.saved.row.run

    def records(self, moment: Moment) -> Sequence[SavedRow]:
        """The unfinished runs, the newest first."""
        look = self.desk.look
        rows = unfinished(self.desk.reads.get("last_by_job") or {})
        self._measure(moment, tuple(rows))
        queued = queued_runs([(run.run, run.status) for run in moment.runs])
        return [
            row_of_saved(self._saved(row, queued), moment.at, look.glyphs, look.timezone)
            for row in rows
        ]

    def _saved(self, row: RunRow, queued: frozenset[str]) -> Saved:
        reads, config = self.desk.reads, self.desk.config
        known: Sequence[ConnectionRow] | None = reads.get("connections", row.run)
        plan: Plan | None = reads.get("plan", row.run) if changed_plan(row, config) else None
        return Saved(
            row=row,
            connections=None if known is None else tuple(known),
            bytes=None if self._bytes is None else self._bytes.get(row.run, 0),
            queued=row.run in queued,
            hindrance=hindrance(row, config, plan),
        )

    def _measure(self, moment: Moment, rows: tuple[RunRow, ...]) -> None:
        """Look how large the parts are: when the runs are others, and now and then while one works.

        The disk is never waited for here.
        """
        at, before = self._measured
        late = bool(moment.at_work) and abs(moment.at - at) >= _LOOK_S
        if rows and (rows != before or late):
            self._measured = (moment.at, rows)
            if late:
                self.desk.reads.stale("connections")
            self.run_worker(self._weigh(), name="checkpoints")

    async def _weigh(self) -> None:
        found = await asyncio.to_thread(part_folders, self.desk.state / "parts")
        if found != self._bytes:
            self._bytes = found
            self.desk.redraw()

    def nothing(self) -> Sequence[str]:
        """What stands there without rows."""
        if not self.desk.reads.known("last_by_job"):
            return ("", f"reading {self.desk.look.glyphs.ellipsis}")
        return super().nothing()

    def status(self, moment: Moment) -> tuple[Sequence[Cell], Sequence[Cell]]:
        """How many runs can go on, and what their parts weigh."""
        del moment
        all_of_them = [row.saved for row in self._records.values()]
        stuck = sum(bool(saved.hindrance) for saved in all_of_them)
        parts: list[Cell] = [f"{counted(len(all_of_them), 'run')} unfinished"]
        if stuck:
            parts.append(Styled(f"{stuck} cannot go on", "warn"))
        if self._bytes is not None and all_of_them:
            parts.append(f"{size(kept_bytes(all_of_them))} of parts")
        return joined(parts, f" {self.desk.look.glyphs.between} "), self.marks()

    def hint(self) -> tuple[Sequence[Cell], Sequence[Cell]]:
        """Why the run stopped, and why it cannot go on."""
        if self.current is None:
            return (), ()
        saved = self.current.saved
        why = because(words(saved.row.status), saved.row.reason)
        failed = f" {saved.failed} failed." if saved.failed else ""
        if saved.hindrance:
            return (Styled(saved.hindrance, "warn"), f" {why}"), ()
        if saved.queued:
            done = "" if saved.done is None else f" {saved.done} of {saved.row.total} done."
            return (f"It waits for its turn or has it.{done}{failed}",), ()
        return (f"{why}.{failed}",), ("o goes on where it stopped",)

    def enabled(self, command: Command) -> bool:
        """Whether a command makes sense for the run under the cursor."""
        if command.id == "checkpoints.resume":
            return any(row.saved.resumable for row in self.selected)
        if command.id == "checkpoints.delete":
            return any(not row.saved.queued for row in self.selected)
        if command.id in {"checkpoints.open", "list.export"}:
            return self.current is not None
        return True

    def on_table_opened(self) -> None:
        """Look into what was clicked."""
        self.action_command("checkpoints.open")

    async def do_open(self, _: str = "") -> None:
        """Look into the run under the cursor."""
        if self.current is not None:
            self.desk.go("run", self.current.saved.row.run)

    async def do_resume(self, _: str = "") -> None:
        """Take the selected runs up where they stopped."""
        for saved in [row.saved for row in self.selected]:
            if saved.resumable and await self.desk.order("submit", job=saved.row.job, resume=True):
                self.desk.tell(f"{self.desk.title_of(saved.row.job)} goes on")

    async def do_delete(self, _: str = "") -> None:
        """Give the selected runs up, in ten seconds."""
        for saved in [row.saved for row in self.selected]:
            if not saved.queued:
                run = saved.row.run
                what = f"the checkpoint of {saved.row.job} ({short(run)}) goes"
                self.desk.later(what, partial(self.desk.attempt, "records.discard", run=run))
        self.table.choose_none()

    async def do_export(self, text: str = "") -> None:
        """Write which connections of the run under the cursor are done into a new file."""
        if self.current is None:
            return
        saved = self.current.saved
        if saved.connections is None:
            self.desk.tell("its connections are still being read; try again", "warning")
            return
        path = text or await self.desk.ask("write to: ", text=f"{saved.row.job}.json")
        if not path:
            return
        made = saved.checkpoint().file(datetime.now(UTC))
        try:
            place = await asyncio.to_thread(write_new, Path(path), made.text())
        except OSError as error:
            self.desk.tell(why_not_written(Path(path), error), "error")
        else:
            done = counted(len(made.completed), "connection")
            self.desk.tell(f"{done} of {made.total} in {place}")


VIEW = Checkpoints
