"""The fleet: which connections answer, how well, and who holds one back."""

import asyncio
from collections.abc import Sequence
from typing import Any, ClassVar

from etltui.console.bridge import Moment
from etltui.console.cells import Cell, Row, Styled, joined, role_of
from etltui.console.commands import Command, bindings
from etltui.console.model.connection_rows import FIELDS, FleetRow, row_of_connection
from etltui.console.model.connections import (
    Answer,
    Fleet,
    Past,
    chunks,
    fleet_line,
    live_views,
    pasts,
    summed_up,
    tag_changes,
)
from etltui.console.model.fleet_page import (
    Sheet,
    class_only,
    failure_of,
    pool_of,
    server_of,
    sheet_lines,
)
from etltui.console.model.jobs import reading
from etltui.console.model.listing import Field, row_of
from etltui.console.starting import start
from etltui.console.steps import advice
from etltui.console.view import Desk
from etltui.console.views.list_view import LIST_COMMANDS, ListView
from etltui.domain.errors import Trouble
from etltui.domain.inquiry import Tested
from etltui.domain.logbook import Hold, Outcome
from etltui.domain.run import ConnectionStatus
from etltui.domain.stored import ConnectionRow
from etltui.domain.words import counted, local, words
from etltui.domain.words import moment as time_of

MINE = (
    Command(
        id="connections.open",
        keys="enter",
        title="open",
        help="Show its last runs, what went wrong, whom to call, its pool.",
    ),
    Command(
        id="connections.test",
        keys="T",
        title="test",
        help="Ask the selected databases for an answer; reads no rows.",
    ),
    Command(
        id="connections.run",
        keys="r",
        title="run a job",
        help="Run a job on the selected connections only.",
        name="run-job",
        takes="JOB",
        changes=True,
    ),
    Command(
        id="connections.hold",
        keys="H",
        title="hold",
        help="Let no run read the selected ones, with a reason; or release them again.",
        takes="REASON",
        changes=True,
    ),
    Command(
        id="connections.tagged",
        keys="number_sign",
        title="tag",
        help="Show only connections that have a tag; without one, all again.",
        name="tagged",
        takes="TAG",
    ),
    Command(
        id="connections.tag",
        keys="plus",
        title="edit tags",
        help="Change the tags of the selected ones: +north -old.",
        takes="CHANGES",
        changes=True,
        footer=False,
    ),
)
_DAY = 86400
_PAST_DAYS = 28
_SHOWN_RUNS = 30
_URGENCY = {"bad": 0, "warn": 1}
_TOGETHER = 8
"""Databases in one call: answers come in while others are still asked."""
_CALLS = 2


class Connections(ListView[FleetRow]):
    """Shows every connection of the configuration."""

    NAME = "connections"
    TITLE = "Connections"
    FIELDS = FIELDS
    EMPTY = (
        "The configuration has no connection yet.",
        "Write one into it ([connections.NAME]); `etltui import` takes them from a list.",
    )
    COMMANDS: ClassVar[tuple[Command, ...]] = (*MINE, *LIST_COMMANDS)
    BINDINGS = bindings(MINE)

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._known = False
        self._tests: dict[str, Answer] = {}
        self._outcomes: Sequence[Outcome] = ()
        self._pasts: dict[str, Past] = {}
        self._before: tuple[Any, ...] = ()
        self._made: tuple[FleetRow, ...] = ()
        self._drawn: dict[str, tuple[FleetRow, Row]] = {}
        self._drawn_as: tuple[str, ...] = ()

    def enter(self, argument: str) -> None:
        """Come into sight; an argument is a filter."""
        super().enter(argument)
        self.desk.reads.stale("holds")
        if argument:
            self.filter_by(argument)

    def key(self, record: FleetRow) -> str:
        """The connection's name."""
        return record.line.connection.name

    def fields(self) -> tuple[Field[FleetRow], ...]:
        """The columns; that of tests once there was one."""
        shown = super().fields()
        return shown if self._tests else tuple(each for each in shown if each.id != "answer")

    def show(self, moment: Moment) -> None:
        """Show the fleet; what is wrong is under the cursor as soon as it is known."""
        known = self._known
        super().show(moment)
        if self._known and not known:
            self.table.action_edge(-1)

    def records(self, moment: Moment) -> Sequence[FleetRow]:
        """Every connection as it stands; the same rows as before where nothing has changed."""
        fleet = self._fleet(moment)
        self._known = fleet.read
        glyphs, minute = self.desk.look.glyphs, int(moment.at // 60)
        config = self.desk.config
        now = (
            config,
            glyphs,
            minute,
            self._pasts,
            fleet.holds,
            fleet.live,
            dict(self._tests),
            fleet.read,
        )
        if now == self._before:
            return self._made
        # Ages and signs change all rows together; else only what stands otherwise is made anew.
        alike = self._before[1:3] == (glyphs, minute)
        known = {self.key(row): row for row in self._made} if alike else {}
        made = []
        for connection in config.connections:
            line = fleet_line(connection, fleet)
            row = known.get(connection.name)
            if row is None or row.line != line:
                row = row_of_connection(line, moment.at, glyphs)
            made.append(row)
        # What is wrong stands first; within that the order of the configuration.
        made.sort(key=lambda row: _URGENCY.get(role_of(row.status), len(_URGENCY)))
        self._before, self._made = now, tuple(made)
        return self._made

    def rows(self, records: Sequence[FleetRow]) -> Sequence[Row]:
        """The lines; of a record that is as it was the same line."""
        fields = self.fields()
        shown = tuple(field.id for field in fields)
        if shown != self._drawn_as:
            self._drawn, self._drawn_as = {}, shown
        found = []
        for record in records:
            name = record.line.connection.name
            drawn = self._drawn.get(name)
            if drawn is None or drawn[0] is not record:
                drawn = self._drawn[name] = (record, row_of(record, name, fields))
            found.append(drawn[1])
        return found

    def _fleet(self, moment: Moment) -> Fleet:
        reads = self.desk.reads
        since = float(moment.at // _DAY * _DAY - _PAST_DAYS * _DAY)
        outcomes = reads.get("outcomes", since) or ()
        if outcomes is not self._outcomes:
            self._outcomes, self._pasts = outcomes, pasts(outcomes)
        holds: Sequence[Hold] = reads.get("holds") or ()
        return Fleet(
            at=moment.at,
            day=local(moment.at, self.desk.look.timezone).date(),
            pasts=self._pasts,
            holds={each.connection: each for each in holds},
            live=live_views(moment.runs),
            tests=self._tests,
            read=reads.known("outcomes", since),
        )

    def status(self, moment: Moment) -> tuple[Sequence[Cell], Sequence[Cell]]:
        """How many there are, how many failed last, how many are held."""
        del moment
        lines = [row.line for row in self._made]
        bad = sum(
            line.past.last is not None and line.past.last.status is ConnectionStatus.FAILED
            for line in lines
        )
        held = sum(line.hold is not None for line in lines)
        asked = sum(each.found is None for each in self._tests.values())
        parts: list[Cell] = [counted(len(lines), "connection")]
        if bad:
            parts.append(Styled(f"{bad} failed last", "bad"))
        if held:
            parts.append(Styled(f"{held} held", "warn"))
        if asked:
            parts.append(Styled(f"{asked} being asked", "busy"))
        return joined(parts, f" {self.desk.look.glyphs.between} "), self.marks()

    def hint(self) -> tuple[Sequence[Cell], Sequence[Cell]]:
        """What the connection under the cursor meets, and whom to call."""
        if self.current is None:
            return (), ()
        line = self.current.line
        contact = line.connection.contact
        trouble = line.answer.found.trouble if line.answer and line.answer.found else None
        if trouble is None and line.live is not None:
            trouble = line.live.trouble
        if trouble is not None:
            return advice(trouble, contact)
        if line.hold is not None:
            since = time_of(line.hold.since, self.desk.look.timezone)
            text = f"Held by {line.hold.who} since {since}: {line.hold.reason}"
            return (Styled(text, "warn"),), ("H releases it",)
        last = line.past.last
        if last is not None and last.error_class is not None:
            found = Trouble(error_class=last.error_class, message="")
            return advice(found, contact)
        if last is not None and last.far:
            return (Styled(last.far, "warn"),), ()
        return (contact,), ()

    def on_table_opened(self) -> None:
        """Show what was clicked in full."""
        self.action_command("connections.open")

    def enabled(self, command: Command) -> bool:
        """Whether a command makes sense now."""
        always = command.id.startswith("list.") or command.id == "connections.tagged"
        return always or self.current is not None

    def _names(self) -> tuple[str, ...]:
        return tuple(self.key(row) for row in self.selected)

    async def do_open(self, _: str = "") -> None:
        """Show the connection under the cursor in full."""
        if self.current is None:
            return
        line = self.current.line
        name = line.connection.name
        outcomes: Sequence[Outcome] = (
            await self.desk.reads.once("connection_history", name, _SHOWN_RUNS) or ()
        )
        failed = failure_of(outcomes)
        rows = await self.desk.reads.once("connections", outcomes[0].run) if outcomes else ()
        server, odd = server_of(line, rows or ())
        sheet = Sheet(
            line=line,
            outcomes=outcomes,
            trouble=await self._trouble(failed) if failed else None,
            failed=failed.run if failed else "",
            pool=pool_of(line.connection, self.desk.moment.snapshot.pool_info),
            server=server,
            odd=odd,
        )
        look = self.desk.look
        lines = sheet_lines(sheet, look.glyphs, self.desk.moment.at, look.timezone)
        self.desk.page(name, lines)

    async def _trouble(self, failed: Outcome) -> Trouble | None:
        rows: Sequence[ConnectionRow] = await self.desk.reads.once("connections", failed.run) or ()
        found = (
            row.result.trouble
            for row in rows
            if row.connection == failed.connection and row.result is not None
        )
        return next((each for each in found if each is not None), None) or class_only(failed)

    async def do_test(self, _: str = "") -> None:
        """Ask the selected databases for an answer."""
        absent = {row.line.connection.name for row in self.selected if row.line.absent}
        names = [name for name in self._names() if name not in absent]
        if not names:
            self.desk.tell("it is closed or not yet open: nothing is asked", "warning")
            return
        self._tests.update((name, Answer()) for name in names)
        self.desk.redraw()
        room = asyncio.Semaphore(_CALLS)
        answers = await asyncio.gather(
            *(self._ask_some(group, room) for group in chunks(names, _TOGETHER))
        )
        found = [each for group in answers for each in group]
        if len(names) > 1 and found:
            self.desk.tell(summed_up(found, words))

    async def _ask_some(self, names: Sequence[str], room: asyncio.Semaphore) -> Sequence[Tested]:
        async with room:
            found: Sequence[Tested] | None = await self.desk.inquire(
                "inquiries.test", connections=tuple(names)
            )
        for name in names:
            self._tests.pop(name, None)
        at = self.desk.moment.at
        self._tests.update((each.connection, Answer(found=each, at=at)) for each in found or ())
        self.desk.redraw()
        return found or ()

    async def do_run(self, text: str = "") -> None:
        """Ask for a job, then run it on the selected connections."""
        names = self._names()
        config = self.desk.config
        reads = reading(config, local(self.desk.moment.at, self.desk.look.timezone).date())
        wanted = set(names)
        jobs = [job for job, there in reads.items() if not wanted.isdisjoint(there)]
        if not jobs:
            self.desk.tell("no job reads what is selected", "warning")
            return
        job = text.strip() or (jobs[0] if len(jobs) == 1 else "")
        if not job:
            question = f"run on {counted(len(names), 'connection')} the job: "
            job = (await self.desk.ask(question, choices=jobs) or "").strip()
        if job and job not in reads:
            self.desk.tell(f"there is no job {job!r}; there are {', '.join(jobs)}", "error")
        elif job:
            there = set(reads[job])
            only = [name for name in names if name in there]
            if len(only) < len(names):
                left = counted(len(names) - len(only), "connection")
                self.desk.tell(f"{job} does not read {left} of those selected", "warning")
            if only:
                await start(self.desk, job, only)

    async def do_hold(self, text: str = "") -> None:
        """Hold the selected connections, or release them where all are held."""
        lines = [row.line for row in self.selected]
        names = self._names()
        if all(line.hold is not None for line in lines) and not text:
            await self.desk.order("records.release", connections=names)
            return
        what = names[0] if len(names) == 1 else counted(len(names), "connection")
        reason = text or await self.desk.ask(f"hold {what}, because: ")
        if reason and reason.strip():
            await self.desk.attempt("records.hold", connections=names, reason=reason.strip())

    async def do_tagged(self, text: str = "") -> None:
        """Ask for a tag, and show only what has it."""
        tags = sorted({tag for each in self.desk.config.connections for tag in each.tags})
        wanted = text or await self.desk.ask("#", choices=tags)
        if wanted is None:
            return
        self.filter_by(" ".join(f"tag={tag}" for tag in wanted.split()))

    async def do_tag(self, text: str = "") -> None:
        """Ask what to change in the tags of the selected connections."""
        names = self._names()
        tags = sorted({tag for each in self.desk.config.connections for tag in each.tags})
        now = sorted({tag for row in self.selected for tag in row.line.connection.tags})
        what = names[0] if len(names) == 1 else counted(len(names), "connection")
        choices = [*(f"+{tag}" for tag in tags), *(f"-{tag}" for tag in now)]
        wanted = text or await self.desk.ask(f"tags of {what} (+new -old): ", choices=choices)
        if not wanted:
            return
        try:
            add, remove = tag_changes(wanted)
        except ValueError as error:
            self.desk.tell(str(error), "error")
            return
        if await self.desk.attempt("options.tag", connections=names, add=add, remove=remove):
            await self.desk.reread()


VIEW = Connections
