"""The queue: who has a turn, who is next, and the levers on their order."""

from collections.abc import Sequence
from typing import ClassVar

from etltui.config.schema import PRIORITY
from etltui.console.bridge import Moment
from etltui.console.cells import Cell, Styled
from etltui.console.commands import Command, bindings
from etltui.console.model.queue import (
    FIELDS,
    Turn,
    TurnRow,
    entries_of,
    row_of_turn,
    totals,
    turns,
    waits_for,
)
from etltui.console.orders import CANCELLED
from etltui.console.views.list_view import LIST_COMMANDS, ListView
from etltui.domain.queue import QueueEntry
from etltui.domain.words import counted, short

MINE = (
    Command(
        id="queue.open", keys="enter", title="open", help="Look into the run under the cursor."
    ),
    Command(
        id="queue.sooner",
        keys="plus",
        title="sooner",
        help="Make the selected runs one step more urgent: a lower number is served first.",
        changes=True,
    ),
    Command(
        id="queue.later",
        keys="minus",
        title="later",
        help="Make the selected runs one step less urgent.",
        changes=True,
    ),
    Command(
        id="queue.cancel",
        keys="x,delete",
        title="cancel",
        help="End the selected runs; what finished stays and can be resumed.",
        changes=True,
        ask="Cancel the selected runs?",
    ),
    Command(
        id="queue.pause",
        keys="P",
        title="pause",
        help="Give nobody a turn any more, or let the queue go on; what runs goes on.",
        changes=True,
    ),
    Command(
        id="queue.clear",
        keys="c",
        title="clear",
        help="Cancel whatever waits; what runs goes on.",
        changes=True,
    ),
    Command(
        id="queue.again",
        keys="r",
        title="run again",
        help="Start the job of the run under the cursor once more.",
        changes=True,
        footer=False,
    ),
    Command(
        id="queue.priority",
        keys="",
        title="priority",
        help="Give the selected runs this priority, 0 to 1000; lower is served first.",
        takes="NUMBER",
        changes=True,
        footer=False,
    ),
)


class Queue(ListView[TurnRow]):
    """Shows the runs that have their turn, then those that wait, in the order of their turns."""

    NAME = "queue"
    TITLE = "Queue"
    FIELDS = FIELDS
    EMPTY = (
        "Nothing runs and nothing waits.",
        "2 shows the jobs; r runs one there.",
    )
    COMMANDS: ClassVar[tuple[Command, ...]] = (*MINE, *LIST_COMMANDS)
    BINDINGS = bindings(MINE)

    def key(self, record: TurnRow) -> str:
        """The run's id."""
        return record.turn.run

    def records(self, moment: Moment) -> Sequence[TurnRow]:
        """Every run that has not ended."""
        look = self.desk.look
        known = entries_of(self.desk.reads.get("queued") or ())
        return [
            row_of_turn(turn, moment.at, look.glyphs, look.timezone)
            for turn in turns(moment.snapshot, known)
        ]

    def status(self, moment: Moment) -> tuple[Sequence[Cell], Sequence[Cell]]:
        """The queue in numbers."""
        return totals(moment.snapshot.queue, self.desk.look.glyphs), self.marks()

    def hint(self) -> tuple[Sequence[Cell], Sequence[Cell]]:
        """What the run under the cursor waits for."""
        if self.current is None:
            if self.desk.moment.snapshot.queue.paused:
                return (Styled("The queue is paused: P lets it go on.", "warn"),), ()
            return (), ()
        turn = self.current.turn
        text = waits_for(turn, self.desk.moment.at)
        return (Styled(text, "warn") if turn.paused else text,), ()

    def enabled(self, command: Command) -> bool:
        """Whether a command makes sense for what is under the cursor now."""
        match command.id:
            case "queue.open" | "queue.cancel" | "queue.again":
                return self.current is not None
            case "queue.sooner" | "queue.later" | "queue.priority":
                return any(not turn.working for turn in self._turns())
            case "queue.clear":
                return bool(self.desk.moment.snapshot.pending)
            case _:
                return True

    def on_table_opened(self) -> None:
        """Look into what was clicked."""
        self.action_command("queue.open")

    def _turns(self) -> list[Turn]:
        return [row.turn for row in self.selected]

    async def do_open(self, _: str = "") -> None:
        """Look into the run under the cursor."""
        if self.current is not None:
            self.desk.go("run", self.current.turn.run)

    async def do_sooner(self, _: str = "") -> None:
        """Make the selected runs one step more urgent."""
        await self._move(-1)

    async def do_later(self, _: str = "") -> None:
        """Make the selected runs one step less urgent."""
        await self._move(1)

    async def _move(self, step: int) -> None:
        for turn in self._turns():
            if turn.entry is not None and not turn.working:
                wanted = min(max(turn.entry.priority + step, PRIORITY.low), PRIORITY.high)
                await self._give(turn, wanted)

    async def _give(self, turn: Turn, priority: int) -> None:
        """Give a waiting run a priority."""
        if turn.entry is None or turn.entry.priority == priority:
            return
        found = await self.desk.order("queue.reprioritise", run=turn.run, priority=priority)
        if found is False:
            self.desk.tell(f"{short(turn.run)} does not wait any more", "warning")

    async def do_priority(self, text: str = "") -> None:
        """Give the selected runs a priority."""
        wanted = text or await self.desk.ask(f"priority, {PRIORITY.allowed}: ")
        if not wanted:
            return
        number = int(wanted) if wanted.strip().isdecimal() else -1
        if not PRIORITY.low <= number <= PRIORITY.high:
            self.desk.tell(f"{wanted!r} is no priority; write {PRIORITY.allowed}", "error")
            return
        for turn in self._turns():
            if not turn.working:
                await self._give(turn, number)

    async def do_cancel(self, _: str = "") -> None:
        """End the selected runs."""
        for turn in self._turns():
            await self.desk.attempt("cancel", run=turn.run, reason=CANCELLED)
        self.table.choose_none()

    async def do_pause(self, _: str = "") -> None:
        """Give nobody a turn any more, or let the queue go on."""
        paused = not self.desk.moment.snapshot.queue.paused
        if await self.desk.attempt("queue.pause", job="", paused=paused):
            text = "the queue is paused; what runs goes on" if paused else "the queue goes on"
            self.desk.tell(text)

    async def do_clear(self, _: str = "") -> None:
        """Cancel whatever waits, after saying how much that is."""
        waiting = self.desk.moment.snapshot.pending
        what = f"{counted(len(waiting), 'run')} of {counted(_jobs(waiting), 'job')}"
        if self.desk.config.console.confirm and not await self.desk.confirm(
            f"Cancel what waits, {what}?"
        ):
            return
        cleared = await self.desk.order("queue.clear")
        if cleared is not None:
            self.desk.tell(f"{counted(cleared, 'run')} cancelled")

    async def do_again(self, _: str = "") -> None:
        """Start the job of the run under the cursor once more."""
        if self.current is not None:
            turn = self.current.turn
            if await self.desk.order("submit", job=turn.job, overlap="queue"):
                self.desk.tell(f"{self.desk.title_of(turn.job)} is queued once more")


def _jobs(entries: Sequence[QueueEntry]) -> int:
    return len({entry.job for entry in entries})


VIEW = Queue
