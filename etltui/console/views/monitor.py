"""The monitor: the job tree, what is wrong first, then what runs, then how much is left."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual.app import ComposeResult

from etltui.console.bridge import Moment
from etltui.console.cells import Cell, Column, Row, Styled
from etltui.console.commands import Command, bindings
from etltui.console.frame import totals
from etltui.console.glyphs import Glyphs
from etltui.console.model.ended import ended_row
from etltui.console.model.run import Subject, head, subject_of_row, subject_of_view, took
from etltui.console.model.tree import (
    FAILING,
    begun_above,
    ended_badly,
    errors_first,
    first_of,
    groups,
    opened,
    past_runs,
    room_of_failing,
    room_of_running,
    shown_runs,
    turn_of,
)
from etltui.console.orders import CANCELLED
from etltui.console.starting import start
from etltui.console.steps import (
    advice,
    connection_status,
    note,
    progress,
    run_share,
    run_status,
)
from etltui.console.view import Desk, View, job_of
from etltui.console.widgets.table import Table
from etltui.domain.late import tried_on
from etltui.domain.progress import ConnectionView, RunView
from etltui.domain.queue import Ask, Mode
from etltui.domain.run import AT_WORK, NOT_ENDED, RunStatus
from etltui.domain.stored import RunRow
from etltui.domain.words import counted, duration, local, number

COMMANDS = (
    Command(
        id="monitor.open", keys="enter", title="open", help="Look into a run, or a connection."
    ),
    Command(
        id="monitor.run",
        keys="r",
        title="run",
        help="Run the job now; what it would take is shown before.",
        changes=True,
    ),
    Command(
        id="monitor.cancel",
        keys="x",
        title="cancel",
        help="End the run; what finished stays and can be resumed.",
        changes=True,
    ),
    Command(
        id="monitor.retry",
        keys="f",
        title="re-run failed",
        help="Read again what the run lacks, and patch its targets.",
        name="retry-failed",
        changes=True,
    ),
    Command(
        id="monitor.fold",
        keys="left,right,o",
        title="fold",
        help="Show or hide the connections of a run.",
        footer=False,
    ),
    Command(
        id="monitor.order",
        keys="t",
        title="order",
        help="List all connections in the job's own order, or by urgency.",
        footer=False,
    ),
)

_NOTHING = (
    "",
    "Nothing runs, and no job has run yet.",
    "2 shows the jobs; r runs one there. 8 shows what was.",
)
COLUMNS = (
    Column(id="name", title="JOB / CONNECTION", width=20, flexible=True, cut="middle"),
    Column(id="status", title="STATUS", width=15),
    Column(id="rows", title="ROWS", width=10, align="right", below=66),
    Column(id="pace", title="ROWS/S", width=7, align="right", below=74),
    Column(id="time", title="TIME", width=5, align="right"),
    Column(id="progress", title="PROGRESS", width=16, flexible=True),
)


class Monitor(View):
    """Shows every run that waits, works or has just ended, with its connections.

    Below them stands how the other jobs ended the last time, under whatever engine that was.
    """

    NAME = "monitor"
    TITLE = "Monitor"
    COMMANDS: ClassVar[tuple[Command, ...]] = COMMANDS
    BINDINGS = bindings(COMMANDS)

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.table = Table(COLUMNS, desk.look.palette, desk.look.glyphs)
        self._said: dict[str, bool] = {}
        self._past: dict[str, RunRow] = {}
        self._by_urgency = True
        self._entered = False
        self._room = 0
        self._share = 0
        """Lines for what is inside each open run, so that all of them are in sight."""

    def compose(self) -> ComposeResult:
        """The tree."""
        yield self.table

    def enter(self, argument: str) -> None:
        """Come into sight: what runs is looked at first."""
        super().enter(argument)
        self._entered = True

    def show(self, moment: Moment) -> None:
        """Show the tree of this moment.

        A cursor that was left on the first row, or was not seen meanwhile, leaves what has ended
        for what has begun above it: else that would be out of sight.
        """
        reads = self.desk.reads
        last = reads.get("last_by_job") or {}
        past = past_runs(last, moment.runs, self.desk.config.jobs)
        self._past = {row.run: row for row in past}
        self.table.empty = (
            _NOTHING if reads.known("last_by_job") else ("", f"reading {self._glyphs.ellipsis}")
        )
        was_first = bool(self.table.rows) and self.table.key == self.table.rows[0].key
        self.table.show(list(self._rows(moment)))
        if (was_first or self._entered) and self.table.rows:
            first, under = moment.run(self.table.rows[0].key), self._under()[0]
            if begun_above(first, under):
                self.table.go_to(self.table.rows[0].key)
        self._entered = False

    def shows(self, run: RunView) -> bool:
        """It shows all of them."""
        del run
        return True

    def restyle(self) -> None:
        """Paint with the colours and signs of the desk."""
        self.table.look(self.desk.look.palette, self.desk.look.glyphs)

    def status(self, moment: Moment) -> tuple[Sequence[Cell], Sequence[Cell]]:
        """What runs, waits and fails."""
        parts = totals(moment, self._glyphs)
        if down := len(moment.snapshot.pools.breakers):
            parts += [f" {self._glyphs.between} ", Styled(f"{counted(down, 'line')} down", "bad")]
        for late in moment.snapshot.late:
            said = tried_on(len(late.connections), late.until, self.desk.look.timezone)
            parts += [f" {self._glyphs.between} ", Styled(said, "warn")]
        bad, jobs = ended_badly(moment.runs, tuple(self._past.values()))
        if bad and not any(run.status in AT_WORK for run in moment.runs):
            text = f"{bad} of {counted(jobs, 'job')} ended badly"
            parts += [f" {self._glyphs.between} ", Styled(text, "bad")]
        return parts, ()

    @property
    def _glyphs(self) -> Glyphs:
        return self.desk.look.glyphs

    def _rows(self, moment: Moment) -> Iterator[Row]:
        # Asked once for a picture: the answer costs as much as a row.
        self._room = self.table.width_of("progress")
        runs = shown_runs(moment.runs)
        open_ones = {run.run for run in runs if self._is_open(run, moment.at)}
        lines = self.table.size.height - 1 - len(runs) - len(self._past)
        self._share = max(lines, 0) // max(len(open_ones), 1)
        for run in runs:
            is_open = run.run in open_ones
            yield self._run_row(moment, run, is_open=is_open)
            if is_open:
                yield from self._inside(moment, run)
        for row in self._past.values():
            yield ended_row(
                row,
                self.desk.title_of(row.job),
                self._glyphs,
                at=moment.at,
                timezone=self.desk.look.timezone,
            )

    def _is_open(self, run: RunView, at: float) -> bool:
        return opened(run, at, self._said) and bool(run.connections)

    def _run_row(self, moment: Moment, run: RunView, *, is_open: bool) -> Row:
        glyphs = self.desk.look.glyphs
        sign = glyphs.open if is_open else glyphs.shut
        count = f" ({run.total})" if run.total else ""
        name = f"{sign} {self.desk.title_of(run.job)}{count}"
        pace = moment.paces.rows_per_s(run.run)
        return Row(
            key=run.run,
            cells=(
                name,
                run_status(glyphs, run.status),
                number(run.rows) if run.rows else Styled(glyphs.none, "muted"),
                number(round(pace)) if pace else Styled(glyphs.none, "muted"),
                self._time(moment, run),
                self._end(moment, run),
            ),
        )

    def _time(self, moment: Moment, run: RunView) -> Cell:
        if run.status in AT_WORK:
            return duration(moment.at - run.started)
        if run.status in NOT_ENDED:
            return Styled(self.desk.look.glyphs.none, "muted")
        return duration(max(run.changed - run.started, 0.0))

    def _end(self, moment: Moment, run: RunView) -> Cell:
        glyphs = self.desk.look.glyphs
        if run.status in AT_WORK:
            return progress(glyphs, run_share(run), self._room)
        if run.status in NOT_ENDED:
            return Styled(turn_of(run, moment.snapshot), "muted")
        if run.reason:
            return Styled(run.reason, "bad" if run.status is RunStatus.FAILED else "warn")
        # The time of day, not how long ago: a screen on which nothing happens stands still.
        ended = local(run.changed, self.desk.look.timezone)
        return f"{run.completed}/{run.total} at {ended:%H:%M}"

    def _inside(self, moment: Moment, run: RunView) -> Iterator[Row]:
        if not self._by_urgency:
            for view in run.connections.values():
                yield self._connection_row(moment, run, view)
            return
        glyphs = self.desk.look.glyphs
        found = groups(run)
        if found.failing:
            title = f"  {glyphs.failed} {len(found.failing)} failing"
            yield Row(key=f"{run.run}/failing", cells=(Styled(title, "bad"),), heading=True)
            most = room_of_failing(found, self.table.size.height, self._share)
            yield from self._some(moment, run, errors_first(found.failing), most)
        if found.running:
            title = f"  {glyphs.running} {len(found.running)} running"
            yield Row(key=f"{run.run}/running", cells=(Styled(title, "busy"),), heading=True)
            most = room_of_running(found, self.table.size.height, self._share)
            yield from self._some(moment, run, found.running, most)
        counts = [f"{found.done} completed"] if found.done else []
        counts += [f"{found.waiting} waiting"] if found.waiting else []
        counts += [f"{found.skipped} skipped"] if found.skipped else []
        if counts:
            sign = glyphs.done if found.done else glyphs.waiting
            text = f"  {sign} " + f" {glyphs.between} ".join(counts)
            yield Row(key=f"{run.run}/rest", cells=(Styled(text, "muted"),), heading=True)

    def _some(
        self, moment: Moment, run: RunView, views: Sequence[ConnectionView], most: int
    ) -> Iterator[Row]:
        """The first of a group, and how many more there are: other runs are to stay in sight."""
        shown, more = first_of(views, most)
        for view in shown:
            yield self._connection_row(moment, run, view)
        if more:
            text = Styled(f"    {self.desk.look.glyphs.ellipsis}{more} more", "muted")
            group = "failing" if views[0].status in FAILING else "running"
            yield Row(key=f"{run.run}/more {group}", cells=(text, "", "", "", "", ""))

    def _connection_row(self, moment: Moment, run: RunView, view: ConnectionView) -> Row:
        glyphs = self.desk.look.glyphs
        pace = moment.paces.rows_per_s(run.run, view.connection)
        job = job_of(self.desk, run.job)
        retries = job.retry.retries if job else 0
        none = Styled(glyphs.none, "muted")
        seconds = took(view, moment.at)
        return Row(
            key=f"{run.run}/{view.connection}",
            cells=(
                f"    {view.connection}",
                connection_status(glyphs, view),
                number(view.rows) if view.rows else none,
                number(round(pace)) if pace else none,
                none if seconds is None else duration(seconds),
                note(glyphs, view, moment.at, retries, self._room),
            ),
        )

    def _under(self) -> tuple[RunView | None, ConnectionView | None]:
        """The run and the connection under the cursor."""
        name, _, connection = self.table.key.partition("/")
        run = self.desk.moment.run(name)
        return run, run.connections.get(connection) if run and connection else None

    def _subject(self) -> Subject | None:
        """The run under the cursor, whoever remembers it."""
        run, _ = self._under()
        if run is not None:
            return subject_of_view(run, self.desk.moment.at, self.desk.look.timezone)
        row = self._past.get(self.table.key)
        if row is None:
            return None
        counted_there = row.result is not None
        rows = () if counted_there else self.desk.reads.get("connections", row.run) or ()
        return subject_of_row(row, rows)

    def hint(self) -> tuple[Sequence[Cell], Sequence[Cell]]:
        """What the failure under the cursor means, or why a run ended so."""
        _, view = self._under()
        if view is not None:
            return advice(view.trouble, self.desk.contact_of(view.connection))
        subject = self._subject()
        return head(subject, self._glyphs, wide=False) if subject is not None else ((), ())

    def enabled(self, command: Command) -> bool:
        """Whether a command makes sense for what is under the cursor now."""
        subject = self._subject()
        if subject is None:
            return command.id == "monitor.order"
        match command.id:
            case "monitor.cancel":
                return subject.status in NOT_ENDED
            case "monitor.retry":
                return subject.retried
            case "monitor.run":
                return subject.status not in NOT_ENDED
            case "monitor.fold":
                return self.table.key not in self._past
            case _:
                return True

    def on_table_moved(self) -> None:
        """Let hint and footer follow the cursor."""
        self.desk.redraw()

    def on_table_opened(self) -> None:
        """Look into what was clicked."""
        self.action_command("monitor.open")

    async def do_open(self, _: str = "") -> None:
        """Look into a run, or into a connection of it."""
        _run, view = self._under()
        subject = self._subject()
        if subject is not None:
            self.desk.go("run", f"{subject.run} {view.connection}" if view else subject.run)

    async def do_fold(self, _: str = "") -> None:
        """Show or hide the connections of the run under the cursor."""
        run, _view = self._under()
        if run is not None:
            self._said[run.run] = not opened(run, self.desk.moment.at, self._said)
            self.table.go_to(run.run)
            self.desk.redraw()

    async def do_order(self, _: str = "") -> None:
        """List connections by urgency or in the job's own order."""
        self._by_urgency = not self._by_urgency
        self.desk.redraw()

    async def do_run(self, _: str = "") -> None:
        """Run the job under the cursor now."""
        subject = self._subject()
        if subject is not None:
            await start(self.desk, subject.job)

    async def do_cancel(self, _: str = "") -> None:
        """End the run under the cursor."""
        run, _view = self._under()
        if run is None:
            return
        question = f"Cancel {self.desk.title_of(run.job)}, {run.completed} of {run.total} done?"
        if not self.desk.config.console.confirm or await self.desk.confirm(question):
            await self.desk.attempt("cancel", run=run.run, reason=CANCELLED)

    async def do_retry(self, _: str = "") -> None:
        """Read again what the run under the cursor lacks."""
        subject = self._subject()
        if subject is not None:
            started = await self.desk.order("retry", run=subject.run, ask=Ask(mode=Mode.RETRY))
            if started:
                left = subject.total - subject.completed
                self.desk.tell(f"{counted(left, 'connection')} again")


VIEW = Monitor
