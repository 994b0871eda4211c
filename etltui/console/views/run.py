"""One run, connection by connection: what is wrong first, and all that is known of one of them."""

from collections.abc import Mapping, Sequence

from textual.app import ComposeResult
from textual.geometry import Region

from etltui.console.bridge import Moment
from etltui.console.cells import Cell, Row, Styled
from etltui.console.commands import Command, bindings
from etltui.console.model.connection import as_text
from etltui.console.model.listing import row_of
from etltui.console.model.run import (
    Subject,
    by_urgency,
    classes_of,
    gathered,
    head,
    named_run,
    newest_run,
    subject_of_row,
    subject_of_view,
    target_lines,
)
from etltui.console.model.run_columns import FIELDS, Pen, RunConnection
from etltui.console.orders import CANCELLED
from etltui.console.steps import advice
from etltui.console.view import Desk, Text, job_of
from etltui.console.views.list_view import LIST_COMMANDS, ListView
from etltui.console.views.run_details import all_about
from etltui.console.views.run_keys import COMMANDS
from etltui.console.widgets.line import Line
from etltui.console.widgets.lines import Lines
from etltui.domain.errors import ErrorClass
from etltui.domain.progress import RunView
from etltui.domain.queue import Ask, Mode
from etltui.domain.run import NOT_ENDED
from etltui.domain.usual import Usual
from etltui.domain.words import short

WIDE = 100
"""Columns from which the whole id of a run stands there."""
TALL = 30
"""Lines of a screen from which details stand below the list."""
_PANE = 13
_NEWEST = 1


class OneRun(ListView[RunConnection]):
    """Shows a run, at work or past, with each of its connections."""

    NAME = "run"
    TITLE = "Run"
    FIELDS = FIELDS
    COMMANDS = (*COMMANDS, *LIST_COMMANDS)
    BINDINGS = bindings(COMMANDS)
    DEFAULT_CSS = """
    OneRun { layout: vertical; }
    OneRun Lines { display: none; }
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._head = Line(desk.look.palette, bar=False)
        self._pane = Lines(desk.look.palette)
        self._pen = Pen()
        self._by_urgency = True
        self._pane_wanted = True
        self._run = ""
        self._wanted_connection = ""
        self._live: RunView | None = None
        self._subject: Subject | None = None
        self._page: Text | None = None
        self._page_about = ""
        self._drawn: dict[str, tuple[RunConnection, Row]] = {}
        self._drawn_with: tuple[object, ...] = ()

    def on_mount(self) -> None:
        """Draw with what the terminal can show."""
        self.restyle()

    def compose(self) -> ComposeResult:
        """The run in a line, its connections, all about one of them."""
        yield self._head
        yield self.table
        yield self._pane

    def enter(self, argument: str) -> None:
        """Show `RUN [CONNECTION]`, where RUN may be a job; without anything the newest run."""
        self.argument = argument
        before = self._run
        self._run, _, self._wanted_connection = argument.partition(" ")
        if argument and (self._run != before or self._wanted_connection):
            # What was looked for in one run would hide what is wrong in another.
            self.unfilter()
        self._live = self._subject = None
        self.table.chosen = set()

    def show(self, moment: Moment) -> None:
        """Show the run as it is at this moment."""
        self._find(moment)
        super().show(moment)
        if self._wanted_connection and self.table.go_to(self._wanted_connection):
            self._wanted_connection = ""
        if self._subject is not None:
            wide = self.size.width >= WIDE
            self._head.show(*head(self._subject, self.desk.look.glyphs, wide=wide))
        else:
            self._head.show([])
        self._show_details(moment)

    def _find(self, moment: Moment) -> None:
        """Learn which run it is, and how it stands."""
        reads = self.desk.reads
        if not self._run:
            newest = newest_run(moment) or next(iter(reads.get("runs", limit=_NEWEST) or ()), None)
            # From now on this one: another that begins must not take its place under the cursor.
            self._run = newest.run if newest is not None else ""
        self._live = named_run(moment, self._run) if self._run else None
        if self._live is not None:
            self._run = self._live.run
            self._subject = subject_of_view(
                self._live,
                moment.at,
                self.desk.look.timezone,
                moment.snapshot.pools.breakers,
            )
            return
        row = reads.get("run", self._run) if self._run else None
        if row is None and self._run in self.desk.config.jobs:
            row = next(iter(reads.get("runs", job=self._run, limit=_NEWEST) or ()), None)
        if row is not None:
            self._run = row.run
            self._subject = subject_of_row(row, reads.get("connections", row.run) or ())

    def records(self, moment: Moment) -> Sequence[RunConnection]:
        """The connections of the run, what is wrong first."""
        subject, look = self._subject, self.desk.look
        if subject is None:
            return []
        job = job_of(self.desk, subject.job)
        self._pen.glyphs, self._pen.at = look.glyphs, moment.at
        self._pen.retries = job.retry.retries if job else 0
        reads = self.desk.reads
        rows = (reads.get("connections", subject.run) or ()) if subject.planned else ()
        usual: Mapping[str, Usual] = {}
        if self._live is None:
            usual = reads.get("usual", subject.job, besides=subject.run) or {}
        found = gathered(self._live, rows, usual)
        if self._by_urgency:
            found = by_urgency(found)
        return [RunConnection(number=number_, view=view, pen=self._pen) for number_, view in found]

    def key(self, record: RunConnection) -> str:
        """Its name."""
        return record.view.connection

    def rows(self, records: Sequence[RunConnection]) -> Sequence[Row]:
        """The lines; those of connections that are not at work are drawn once."""
        fields = self.fields()
        self._pen.width = self.table.width_of("note")
        drawn_with = (self._pen.width, self._pen.glyphs, self._pen.retries, fields)
        known = self._drawn if drawn_with == self._drawn_with else {}
        self._drawn, self._drawn_with = {}, drawn_with
        found = []
        for record in records:
            name = record.view.connection
            old = known.get(name)
            if (
                old is not None
                and not record.busy
                and old[0].number == record.number
                and (old[0].view is record.view or old[0].view == record.view)
            ):
                row = old[1]
            else:
                row = row_of(record, name, fields)
            self._drawn[name] = (record, row)
            found.append(row)
        return found

    def nothing(self) -> Sequence[str]:
        """What stands there without connections."""
        reads, subject = self.desk.reads, self._subject
        if self.filter and self.total:
            return super().nothing()
        if subject is not None and not subject.planned:
            return ("", "It waits for its turn; its connections are listed when it begins.")
        known = reads.known("run", self._run) if self._run else reads.known("runs", limit=_NEWEST)
        if subject is not None or not known:
            return ("", f"reading {self.desk.look.glyphs.ellipsis}")
        if not self._run:
            return ("", "Nothing has run yet.", "2 shows the jobs; r runs one there.")
        return ("", f"There is no run {self._run}.", "8 shows the runs that there are.")

    def shows(self, run: RunView) -> bool:
        """Whether it is the run in sight."""
        return run.run == self._run

    def free(self) -> Region:
        """All but the head and the details."""
        pane = _PANE if self._pane.display else 0
        return self.region.shrink((1, 0, pane, 0))

    def restyle(self) -> None:
        """Paint with the colours and signs of the desk."""
        super().restyle()
        look = self.desk.look
        for each in (self._head, self._pane):
            each.look(look.palette, look.glyphs.ellipsis)

    def crumbs(self) -> Sequence[str]:
        """The job and the run."""
        if self._subject is None:
            return (self.TITLE,)
        return (self._subject.title, f"run {short(self._subject.run)}")

    def _title_of(self, what: str) -> str:
        return f" {self.desk.look.glyphs.crumb} ".join((*self.crumbs(), what))

    def status(self, moment: Moment) -> tuple[Sequence[Cell], Sequence[Cell]]:
        """The filter, the selection, the place."""
        del moment
        return self.marks(), ()

    def hint(self) -> tuple[Sequence[Cell], Sequence[Cell]]:
        """What the failure under the cursor means."""
        record = self.current
        if record is None:
            return (), ()
        return advice(record.view.trouble, self.desk.contact_of(record.view.connection))

    def _show_details(self, moment: Moment) -> None:
        """Fill the pane, and the page where it is open."""
        tall = self.app.size.height >= TALL and self._pane_wanted
        record = self.current
        self._pane.display = tall and record is not None
        if self._page is not None and self._page.is_attached:
            about = next(
                (each for name, (each, _) in self._drawn.items() if name == self._page_about), None
            )
            if about is not None:
                self._page.show(self._text_of(about, moment))
        if not self._pane.display or record is None:
            return
        self._pane.styles.height = _PANE
        title = f" {record.view.connection} "
        rule = self.desk.look.glyphs.rule
        width = self.size.width
        line = rule + title + rule * max(width - len(title) - 1, 0)
        lines = all_about(self.desk, self._subject, record, moment, width=width)
        self._pane.show([[Styled(line, "muted")], *lines])

    def _text_of(self, record: RunConnection, moment: Moment) -> list[Cell]:
        """The details as a page has them."""
        width = max(self.app.size.width - 3, 20)
        return as_text(all_about(self.desk, self._subject, record, moment, width=width))

    def enabled(self, command: Command) -> bool:
        """Whether a command makes sense for the run in sight."""
        subject = self._subject
        match command.id:
            case "run.details":
                return self.current is not None
            case "run.cancel":
                return subject is not None and subject.status in NOT_ENDED
            case "run.retry":
                return subject is not None and subject.retried
            case "run.retry_class":
                return subject is not None and subject.retried and bool(self._failed_with())
            case "run.targets":
                return subject is not None and subject.planned
            case _:
                return True

    def _failed_with(self) -> list[ErrorClass]:
        return classes_of(each.view for each, _ in self._drawn.values())

    def on_table_opened(self) -> None:
        """Show all about what was clicked."""
        self.action_command("run.details")

    async def do_details(self, _: str = "") -> None:
        """Show all that is known of the connection under the cursor, over the whole screen."""
        record = self.current
        if record is not None:
            self._page_about = record.view.connection
            lines = self._text_of(record, self.desk.moment)
            self._page = self.desk.page(self._title_of(self._page_about), lines)

    async def do_pane(self, _: str = "") -> None:
        """Show or hide the details below the list."""
        self._pane_wanted = not self._pane_wanted
        self.desk.redraw()

    async def do_order(self, _: str = "") -> None:
        """List by urgency or in the job's own order."""
        self._by_urgency = not self._by_urgency
        self.desk.redraw()

    async def do_cancel(self, _: str = "") -> None:
        """End the run."""
        await self.desk.attempt("cancel", run=self._run, reason=CANCELLED)

    async def do_retry(self, _: str = "") -> None:
        """Read again what the run lacks, of the selected connections where there are any."""
        only = tuple(name for name in self.table.keys if name in self.table.chosen)
        await self._again(Ask(mode=Mode.RETRY, only=only))

    async def do_retry_class(self, text: str = "") -> None:
        """Read again what failed with one class."""
        known = [str(each) for each in self._failed_with()]
        only_one = known[0] if len(known) == 1 else ""
        wanted = text or await self.desk.ask("class of error: ", text=only_one, choices=known)
        if not wanted:
            return
        if wanted not in known:
            self.desk.tell(
                f"no connection failed with {wanted!r}; there are {', '.join(known)}", "error"
            )
            return
        await self._again(Ask(mode=Mode.RETRY, only_failed=True, classes=(ErrorClass(wanted),)))

    async def _again(self, ask: Ask) -> None:
        started = await self.desk.order("retry", run=self._run, ask=ask)
        if not started:
            return
        self.table.chosen = set()
        asked = ask.only or ask.classes
        self.desk.tell("they will be read again" if asked else "what it lacks will be read again")

    async def do_targets(self, _: str = "") -> None:
        """Show where the run's rows are."""
        subject = self._subject
        if subject is None:
            return
        plan = self.desk.reads.get("plan", subject.run)
        lines = target_lines(subject, plan.targets if plan else ())
        self.desk.page(self._title_of("targets"), lines)


VIEW = OneRun
