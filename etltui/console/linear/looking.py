"""Commands of the linear console that change nothing."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

from etltui.console.bridge import Moment
from etltui.console.cells import Cell, joined, text_of
from etltui.console.commands import Command, parsed
from etltui.console.frame import gauges, totals
from etltui.console.linear.commands import help_lines, needed, understood
from etltui.console.linear.ground import Ground
from etltui.console.linear.sheets import (
    FLEET,
    JOBS,
    POOLS,
    RUN,
    RUNS,
    SAVED,
    TURNS,
    failures,
    run_line,
    tested_line,
)
from etltui.console.linear.tables import plain
from etltui.console.model.acted import who_began
from etltui.console.model.before import estimate_lines
from etltui.console.model.checkpoints import (
    Saved,
    changed_plan,
    hindrance,
    queued_runs,
    row_of_saved,
    unfinished,
)
from etltui.console.model.connection_rows import row_of_connection
from etltui.console.model.connections import Fleet, fleet_line, live_views, pasts, summed_up
from etltui.console.model.history import Ink, RunLine, past_runs
from etltui.console.model.job_rows import row_of_job
from etltui.console.model.jobs import Known, by_job, job_lines, reading
from etltui.console.model.listing import test_of
from etltui.console.model.logs import Sieve, line_of
from etltui.console.model.pool_rows import row_of_pool
from etltui.console.model.pools import Known as KnownPools
from etltui.console.model.pools import keys_of, pool_lines
from etltui.console.model.pools import totals as pool_totals
from etltui.console.model.queue import entries_of, row_of_turn, turns
from etltui.console.model.queue import totals as queue_totals
from etltui.console.model.run import (
    by_urgency,
    gathered,
    subject_of_row,
    subject_of_view,
    target_lines,
)
from etltui.console.model.run_columns import Pen, RunConnection
from etltui.console.model.window import MOST, since
from etltui.console.steps import PERCENT
from etltui.domain.errors import misused
from etltui.domain.inquiry import Tested
from etltui.domain.progress import RunView
from etltui.domain.stored import RunRow
from etltui.domain.words import local, words
from etltui.engine.checkpoints import part_folders
from etltui.engine.log_files import opened, readable

_LOG_LINES = 20
_NEWEST = 20


class Looking:
    """Does them.

    Args:
        ground: What they stand on.
    """

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def enabled(self, command: Command) -> bool:
        """Whether the command makes sense now."""
        del command
        return True

    def _say(self, *cells: Cell) -> None:
        self._ground.speech.say(*map(text_of, cells))

    async def do_help(self, _: str = "") -> None:
        """Say what can be typed."""
        self._say(*help_lines())

    async def do_status(self, _: str = "") -> None:
        """Say what runs, waits and fails now."""
        self.stand(await self._ground.now())

    def stand(self, moment: Moment) -> None:
        """Say what runs, waits and fails at a moment."""
        glyphs = self._ground.glyphs
        facts = [plain(totals(moment, glyphs)), plain(gauges(moment))]
        self._say("  ".join(filter(None, facts)))
        subjects = (
            subject_of_view(run, moment.at, self._ground.timezone, moment.snapshot.pools.breakers)
            for run in moment.at_work
        )
        self._say(*(run_line(subject, glyphs) for subject in subjects))

    async def do_jobs(self, _: str = "") -> None:
        """List the jobs."""
        ground = self._ground
        if not ground.config.jobs:
            self._say("The configuration has no job yet: write one into it ([jobs.NAME]).")
            return
        moment = await ground.now()
        at, zone = moment.at, ground.timezone
        begin = since(at)
        history = ground.history
        known = Known(
            last=await history.last_by_job() or {},
            past=by_job(await history.runs(since=begin, limit=MOST)),
            owners=who_began(await history.actions(begin, MOST)),
            reads=reading(ground.config, local(at, zone).date()),
        )
        lines = job_lines(ground.config.jobs, known, moment.snapshot)
        rows = [row_of_job(line, at, ground.glyphs, zone, PERCENT) for line in lines]
        self._say(*ground.lines(JOBS, rows))

    async def do_estimate(self, text: str = "") -> None:
        """Say what a run of a job would take."""
        typed = understood(text, "--only")
        job = self._ground.job(needed(typed, "estimate"))
        found = await self._ground.call("inquiries.estimate", job=job.name, only=typed.only)
        self._say(*estimate_lines(found, self._ground.glyphs.warning))

    async def do_show(self, text: str = "") -> None:
        """Show a run, connection by connection."""
        wanted, sieve = parsed(text)
        needed(understood(wanted), "show")
        ground, moment = self._ground, await self._ground.now()
        found = await ground.run(wanted, moment)
        view = found if isinstance(found, RunView) else None
        stored = await ground.history.connections(found.run)
        usual = await ground.history.usual(found.job, besides=found.run) or {}
        if isinstance(found, RunView):
            breakers = moment.snapshot.pools.breakers
            subject = subject_of_view(found, moment.at, ground.timezone, breakers)
        else:
            subject = subject_of_row(found, stored)
        job = ground.config.jobs.get(found.job)
        retries = job.retry.retries if job else 0
        pen = Pen(glyphs=ground.glyphs, at=moment.at, retries=retries, width=PERCENT)
        each = [
            RunConnection(number=number, view=one, pen=pen)
            for number, one in by_urgency(gathered(view, stored, usual))
        ]
        shown = list(filter(_sieve(sieve, RUN), each))
        contacts = {each.name: each.contact for each in ground.config.connections}
        self._say(run_line(subject, ground.glyphs))
        self._say(*(ground.lines(RUN, shown) if shown else ["No connection is like that."]))
        self._say(*failures([each.view for each in shown], contacts))
        if subject.outputs:
            self._say(*filter(text_of, target_lines(subject, ())))

    async def do_connections(self, text: str = "") -> None:
        """List the connections, or those that a filter lets through."""
        ground, moment = self._ground, await self._ground.now()
        if not ground.config.connections:
            self._say("The configuration has no connection yet: etltui import-fleet takes a list.")
            return
        fleet = Fleet(
            at=moment.at,
            day=local(moment.at, ground.timezone).date(),
            pasts=pasts(await ground.history.outcomes(since(moment.at))),
            holds={each.connection: each for each in await ground.history.holds()},
            live=live_views(moment.runs),
        )
        rows = [
            row_of_connection(fleet_line(each, fleet), moment.at, ground.glyphs)
            for each in ground.config.connections
        ]
        shown = list(filter(_sieve(text, FLEET), rows))
        self._say(*(ground.lines(FLEET, shown) if shown else ["No connection is like that."]))

    async def do_test(self, text: str = "") -> None:
        """Ask databases for an answer."""
        typed = understood(text)
        needed(typed, "test")
        found: Sequence[Tested] = await self._ground.call(
            "inquiries.test", connections=self._ground.named(typed.words)
        )
        self._say(*map(tested_line, found))
        if len(found) > 1:
            self._say(summed_up(found, words))

    async def do_runs(self, text: str = "") -> None:
        """List the newest runs, those of a job or of all."""
        ground, typed = self._ground, understood(text)
        job = ground.job(typed.first).name if typed.words else ""
        moment = await ground.now()
        rows = await ground.history.runs(job=job, limit=_NEWEST)
        if not rows:
            self._say(f"No run{f' of {job}' if job else ''} yet: run JOB starts one.")
            return
        who = who_began(await ground.history.actions(limit=MOST))
        ink = Ink(ground.glyphs, ground.timezone)
        found = [RunLine(each, ink) for each in past_runs(rows, moment.runs, who)]
        self._say(*ground.lines(RUNS, found))

    async def do_queue(self, _: str = "") -> None:
        """List who has a turn, and who waits for one."""
        ground, moment = self._ground, await self._ground.now()
        known = entries_of(await ground.history.queued())
        glyphs, zone = ground.glyphs, ground.timezone
        found = turns(moment.snapshot, known)
        self._say(plain(queue_totals(moment.snapshot.queue, glyphs)))
        if found:
            rows = [row_of_turn(each, moment.at, glyphs, zone) for each in found]
            self._say(*ground.lines(TURNS, rows))

    async def do_pools(self, _: str = "") -> None:
        """List the pools of sessions."""
        ground, moment = self._ground, await self._ground.now()
        snapshot = moment.snapshot
        known = KnownPools(
            histories=await ground.call("pools.get_history") or (),
            keys=keys_of(ground.config.connections),
        )
        lines = pool_lines(snapshot.pool_info, snapshot.pools, known)
        numbers = pool_totals(snapshot.pool_info, snapshot.pools)
        self._say(plain(joined(numbers, ", ")))
        if lines:
            self._say(*ground.lines(POOLS, [row_of_pool(each, ground.glyphs, 0) for each in lines]))
            self._say(*(f"{each.name}: {each.error}" for each in lines if each.error))

    async def do_checkpoints(self, _: str = "") -> None:
        """List unfinished runs, what is safe of them, and whether they can go on."""
        ground, moment = self._ground, await self._ground.now()
        rows = unfinished(await ground.history.last_by_job() or {})
        if not rows:
            self._say("No unfinished runs: there is nothing to resume.")
            return
        sizes = await asyncio.to_thread(part_folders, ground.state / "parts")
        queued = queued_runs([(run.run, run.status) for run in moment.runs])
        found = [
            row_of_saved(
                Saved(
                    row=row,
                    connections=tuple(await ground.history.connections(row.run)),
                    bytes=sizes.get(row.run, 0),
                    queued=row.run in queued,
                    hindrance=await self._hindrance(row),
                ),
                moment.at,
                ground.glyphs,
                ground.timezone,
            )
            for row in rows
        ]
        self._say(*ground.lines(SAVED, found))
        if any(each.saved.resumable for each in found):
            self._say("Go on with: run JOB --resume")

    async def _hindrance(self, row: RunRow) -> str:
        config = self._ground.config
        changed = changed_plan(row, config)
        return hindrance(row, config, await self._ground.history.plan(row.run) if changed else None)

    async def do_logs(self, text: str = "") -> None:
        """Show the last lines of the log that hold some words."""
        first, rest = parsed(text)
        count, sieve = (int(first), rest) if first.isdecimal() else (_LOG_LINES, text.strip())
        try:
            passes = Sieve(text=sieve).test()
        except ValueError as error:
            raise misused("logs", str(error), "Write logs 50 branch_003") from None

        def last() -> list[bytes]:
            with opened(self._ground.state / "logs") as files:
                found = (raw for each in reversed(files) for raw in each.backwards())
                return list(islice(filter(passes, found), count))[::-1]

        lines = await asyncio.to_thread(last)
        said = [readable(line_of(raw), self._ground.timezone) for raw in lines]
        self._say(*(line for each in said for line in each.split("\n")))
        if not said:
            self._say("No line of the log is like that.")


def _sieve(text: str, fields: Sequence[Any]) -> Callable[[Any], bool]:
    """What a filter lets through.

    Raises:
        ConfigError: It is none.
    """
    try:
        return test_of(text, fields)
    except ValueError as error:
        raise misused("FILTER", str(error), "Write words, !word, /regex/ or column>value") from None
