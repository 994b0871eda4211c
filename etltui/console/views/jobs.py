"""Every job: how it went last, how far it is now, when it runs next."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, ClassVar

from etltui.console.bridge import Moment
from etltui.console.cells import Cell, Styled, joined
from etltui.console.commands import Command, bindings
from etltui.console.model.acted import who_began
from etltui.console.model.before import dry_run_lines, plan_lines
from etltui.console.model.job_rows import FIELDS, NEXT, JobRow, row_of_job
from etltui.console.model.jobs import JobLine, Known, by_job, job_lines, reading
from etltui.console.model.window import MOST, since
from etltui.console.starting import offered, selectors, start
from etltui.console.view import Desk
from etltui.console.views.list_view import LIST_COMMANDS, ListView
from etltui.domain.inquiry import DryRun, Explained
from etltui.domain.queue import Ask, Mode
from etltui.domain.run import RunStatus
from etltui.domain.usual import deviation
from etltui.domain.words import because, counted, local, number, short, words

MINE = (
    Command(id="jobs.open", keys="enter", title="open", help="Look into the job's newest run."),
    Command(
        id="jobs.run",
        keys="r",
        title="run",
        help="Show what a run would take, then start it.",
        name="start",
        changes=True,
    ),
    Command(
        id="jobs.retry",
        keys="f",
        title="re-run failed",
        help="Read again what the newest run lacks, and patch its targets.",
        name="retry-failed",
        changes=True,
    ),
    Command(
        id="jobs.resume",
        keys="o",
        title="resume",
        help="Take the newest run up where it stopped.",
        changes=True,
    ),
    Command(
        id="jobs.some",
        keys="R",
        title="run some",
        help="Run the job on some of its connections: names, globs, tag:NAME.",
        name="run-only",
        changes=True,
        takes="CONNECTIONS",
        footer=False,
    ),
    Command(
        id="jobs.dry_run",
        keys="D",
        title="dry run",
        help="Run the job's queries at one connection, into no target, and show what comes.",
        takes="CONNECTION",
        footer=False,
    ),
    Command(
        id="jobs.explain",
        keys="X",
        title="explain",
        help="Show how one connection would answer the job's queries; none of them is run.",
        takes="CONNECTION",
        footer=False,
    ),
    Command(
        id="jobs.history",
        keys="h",
        title="history",
        help="Show the past runs of the job.",
        name="past",
        footer=False,
    ),
    Command(
        id="jobs.pause",
        keys="P",
        title="pause",
        help="Give runs of the job no turn, or let them have it again.",
        changes=True,
        footer=False,
    ),
    Command(
        id="jobs.enable",
        keys="e",
        title="on/off",
        help="Let the job be started, or not; a run that waits or works goes on.",
        changes=True,
        footer=False,
    ),
)
_SENSIBLE: Mapping[str, Callable[[JobLine], bool]] = {
    "jobs.open": lambda line: line.result is not None,
    "jobs.run": lambda line: line.job.enabled,
    "jobs.some": lambda line: line.job.enabled,
    "jobs.retry": lambda line: line.patchable and line.job.enabled,
    "jobs.resume": lambda line: line.resumable and line.job.enabled,
}
"""For which jobs a command makes sense; those that are not here do for all."""


class Jobs(ListView[JobRow]):
    """Shows every job of the configuration."""

    NAME = "jobs"
    TITLE = "Jobs"
    FIELDS = FIELDS
    EMPTY = (
        "The configuration has no job yet.",
        "Write one into it ([jobs.NAME]); `etltui demo` makes one to look at.",
    )
    COMMANDS: ClassVar[tuple[Command, ...]] = (*MINE, *LIST_COMMANDS)
    BINDINGS = bindings(MINE)

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._asking = ""
        self._reading: tuple[object, date | None, dict[str, tuple[str, ...]]] = (None, None, {})

    def key(self, record: JobRow) -> str:
        """The job's name."""
        return record.line.job.name

    def records(self, moment: Moment) -> Sequence[JobRow]:
        """Every job as it stands."""
        look = self.desk.look
        width = self.table.width_of("next") or NEXT
        lines = job_lines(self.desk.config.jobs, self._known(moment.at), moment.snapshot)
        return [row_of_job(line, moment.at, look.glyphs, look.timezone, width) for line in lines]

    def _known(self, at: float) -> Known:
        reads = self.desk.reads
        begin = since(at)
        return Known(
            last=reads.get("last_by_job") or {},
            read=reads.known("last_by_job"),
            past=by_job(reads.get("runs", since=begin, limit=MOST) or ()),
            owners=who_began(reads.get("actions", begin, MOST) or ()),
            reads=self._reads_of(at),
        )

    def _reads_of(self, at: float) -> dict[str, tuple[str, ...]]:
        """The connections of each job; told anew for another configuration or another day."""
        config, day = self.desk.config, local(at, self.desk.look.timezone).date()
        if self._reading[0] is not config or self._reading[1] != day:
            self._reading = (config, day, reading(config, day))
        return self._reading[2]

    def status(self, moment: Moment) -> tuple[Sequence[Cell], Sequence[Cell]]:
        """How many jobs there are, and how many ended badly."""
        del moment
        lines = [row.line for row in self._records.values()]
        bad = sum(
            line.result is not None
            and line.result.status in (RunStatus.FAILED, RunStatus.COMPLETED_WITH_ERRORS)
            for line in lines
        )
        working = sum(line.live is not None for line in lines)
        parts: list[Cell] = [counted(self.total, "job")]
        if working:
            parts.append(f"{working} running")
        if bad:
            parts.append(Styled(f"{bad} ended badly", "bad"))
        return joined(parts, f" {self.desk.look.glyphs.between} "), self.marks()

    def hint(self) -> tuple[Sequence[Cell], Sequence[Cell]]:
        """What became of the job under the cursor, and what keeps it from running."""
        if self._asking:
            return (Styled(self._asking, "busy"),), ()
        if self.current is None:
            return (), ()
        line = self.current.line
        if not line.job.enabled:
            return ("It is off: nobody can start it. e lets it be started.",), ()
        if line.paused:
            whole = self.desk.moment.snapshot.queue.paused
            text = "The whole queue is paused; 6 lets it go on." if whole else "P lets it go on."
            return (Styled(f"Paused: runs of it wait. {text}", "warn"),), ()
        return self._became(line), _way_out(line)

    def _became(self, line: JobLine) -> Sequence[Cell]:
        result = line.result
        if result is None:
            return (f"It reads {counted(line.connections, 'connection')}. r shows what it takes.",)
        failed = f"{result.failed} of {result.total} failed. " if result.failed else ""
        text = f"{failed}{short(result.run)} {because(words(result.status), result.reason)}"
        far = "" if result.at_work else deviation(result.rows or 0, line.usual)
        if not far:
            return (text,)
        return Styled(f"{number(result.rows or 0)} rows: {far}. ", "warn"), text

    def enabled(self, command: Command) -> bool:
        """Whether a command makes sense for the job under the cursor now."""
        if command.id.startswith("list."):
            return True
        if self.current is None:
            return False
        sensible = _SENSIBLE.get(command.id)
        return sensible is None or sensible(self.current.line)

    def on_table_opened(self) -> None:
        """Look into the run of what was clicked."""
        self.action_command("jobs.open")

    def _names(self) -> tuple[str, ...]:
        return tuple(row.line.job.name for row in self.selected)

    async def do_open(self, _: str = "") -> None:
        """Look into the newest run of the job."""
        if self.current is not None and self.current.line.result is not None:
            self.desk.go("run", self.current.line.result.run)

    async def do_history(self, _: str = "") -> None:
        """Show the past runs of the job."""
        if self.current is not None:
            self.desk.go("history", self.current.line.job.name)

    async def do_run(self, _: str = "") -> None:
        """Show what a run takes, then start it."""
        for name in self._names():
            await start(self.desk, name)

    async def do_some(self, text: str = "") -> None:
        """Ask for connections, then run the job on them."""
        if self.current is None:
            return
        name = self.current.line.job.name
        there = self._reads_of(self.desk.moment.at)[name]
        choices = offered(self.desk.config, there)
        wanted = text or await self.desk.ask(f"run {name} on: ", choices=choices)
        if wanted and selectors(wanted):
            await start(self.desk, name, selectors(wanted))

    async def do_dry_run(self, text: str = "") -> None:
        """Ask for a connection, then show what the job's queries bring there."""
        found: DryRun | None = await self._asked("inquiries.dry_run", "dry run of", text)
        if found is not None:
            title = f"Dry run of {self.desk.title_of(found.job)} at {found.connection}"
            self.desk.page(title, dry_run_lines(found, self.desk.contact_of(found.connection)))

    async def do_explain(self, text: str = "") -> None:
        """Ask for a connection, then show how it would answer the job's queries."""
        found: Explained | None = await self._asked("inquiries.explain", "plan of", text)
        if found is not None:
            title = f"Plan of {self.desk.title_of(found.job)} at {found.connection}"
            self.desk.page(title, plan_lines(found, self.desk.contact_of(found.connection)))

    async def _asked(self, call: str, what: str, text: str) -> Any:
        """What one connection of the job under the cursor answers; None where none is asked."""
        if self.current is None:
            return None
        name = self.current.line.job.name
        there = self._reads_of(self.desk.moment.at)[name]
        wanted = text or await self.desk.ask(f"{what} {name} at: ", choices=there)
        if not wanted or not wanted.strip():
            return None
        connection = wanted.strip()
        self._asking = f"asking {connection} {self.desk.look.glyphs.ellipsis}"
        self.desk.redraw()
        found = await self.desk.inquire(call, job=name, connection=connection)
        self._asking = ""
        self.desk.redraw()
        return found

    async def do_retry(self, _: str = "") -> None:
        """Read again what the newest run of the job lacks."""
        result = self.current.line.result if self.current else None
        if result is not None:
            await self.desk.order("retry", run=result.run, ask=Ask(mode=Mode.RETRY))

    async def do_resume(self, _: str = "") -> None:
        """Take the newest run of the job up where it stopped."""
        if self.current is not None:
            await self.desk.order("submit", job=self.current.line.job.name, resume=True)

    async def do_pause(self, _: str = "") -> None:
        """Give runs of the selected jobs no turn, or let them have it again."""
        if self.current is None:
            return
        paused = self.desk.moment.snapshot.queue.paused_jobs
        pause = self.current.line.job.name not in paused
        for name in self._names():
            await self.desk.attempt("queue.pause", job=name, paused=pause)

    async def do_enable(self, _: str = "") -> None:
        """Let the selected jobs be started, or not."""
        if self.current is None:
            return
        enabled = not self.current.line.job.enabled
        for name in self._names():
            await self.desk.attempt("options.enable", job=name, enabled=enabled)
        await self.desk.reread()


def _way_out(line: JobLine) -> Sequence[Cell]:
    if line.patchable:
        return ("f reads what it lacks",)
    return ("o goes on where it stopped",) if line.resumable else ()


VIEW = Jobs
