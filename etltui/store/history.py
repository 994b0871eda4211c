"""Reads what is recorded, also while an engine holds the folder."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from etltui.domain import ports
from etltui.domain.calendar import WEEKDAYS
from etltui.domain.days import business_day
from etltui.domain.errors import StateError
from etltui.domain.part import Member, Receipt
from etltui.domain.plan import Plan
from etltui.domain.progress import Snapshot
from etltui.domain.queue import QueueEntry
from etltui.domain.run import RESUMABLE, ConnectionResult
from etltui.domain.stored import ConnectionRow, PublicationRow, RunRow
from etltui.domain.usual import Usual
from etltui.store.database import Row, Statements, Value
from etltui.store.folder import DATABASE
from etltui.store.logbook import SqliteLogbook
from etltui.store.readers import Readers
from etltui.store.rows import (
    checked,
    connection_of,
    intact,
    key,
    members_of,
    plan_of,
    publication_of,
    queued_of,
    receipt_of,
    run_of,
    snapshot_of,
)
from etltui.store.runs import CRASH

_WEEKS = 10
"""In which the runs of one day of the week are looked for."""


class SqliteHistory(SqliteLogbook, ports.History):
    """The reading half of the store, on connections that cannot write."""

    def __init__(self, reader: Readers) -> None:
        super().__init__()
        self._reader = reader
        self._damaged: set[tuple[Value, ...]] = set()

    @property
    def damaged(self) -> int:
        """Rows of parts that were found damaged; their connections are to be read again."""
        return len(self._damaged)

    async def run(self, run: str) -> RunRow | None:
        """A run by its id, or by a beginning or end of it that no other run has."""

        async def find(statements: Statements) -> Row | None:
            exact = await statements.row("run", run=run)
            near = await statements.rows("runs_named", text=run) if run else []
            return near[0] if len(near) == 1 else exact

        found = await self._reader.transact(find)
        return run_of(found) if found else None

    async def unfinished(self, job: str) -> RunRow | None:
        """The newest run of the job that has a plan, if it may be resumed."""
        newest = [run_of(row) for row in await self._rows("runs_planned", job=job)]
        return newest[0] if newest and newest[0].status in RESUMABLE else None

    async def crashed(self) -> list[RunRow]:
        """Runs that a crash has stopped and nobody has taken up since, newest first."""
        rows = await self._rows("runs_crashed", reason=CRASH)
        return [run_of(row) for row in self._sound("runs", rows)]

    async def plan(self, run: str) -> Plan:
        """The frozen plan of a run.

        Raises:
            StateError: There is no such run.
        """
        found = await self._rows("plan", run=run)
        if not found:
            raise StateError(f"the state database knows no run {run}")
        return plan_of(checked("plans", found[0]))

    async def connections(self, run: str) -> list[ConnectionRow]:
        """The connections of a run, by their number.

        One of whose parts a record is missing or damaged has no result: it is not done.
        """
        connections, parts = await self._recorded(run)
        return [connection_of(row, whole=row["connection"] in parts) for row in connections]

    async def receipts(self, run: str) -> list[Receipt]:
        """The parts of a run that are recorded as durable.

        None of a connection of whose parts a record is missing or damaged.
        """
        _, parts = await self._recorded(run)
        return [receipt_of(row) for rows in parts.values() for row in rows]

    async def _recorded(self, run: str) -> tuple[list[Row], dict[Value, list[Row]]]:
        """Connections, and by their names the rows of parts where these are whole."""

        async def read(statements: Statements) -> tuple[list[Row], list[Row]]:
            # In one transaction: a checkpoint between the two would make them disagree.
            return (
                await statements.rows("connections", run=run),
                await statements.rows("parts", run=run),
            )

        connections, parts = await self._reader.transact(read)
        sound: defaultdict[Value, list[Row]] = defaultdict(list)
        for row in parts:
            if intact(row):
                sound[row["connection"]].append(row)
            else:
                self._damaged.add(key("parts", row))
        names = {
            row["connection"]: row["parts"]
            for row in connections
            if checked("run_connections", row)
        }
        whole = {name: sound[name] for name, count in names.items() if len(sound[name]) == count}
        return connections, whole

    async def publication(self, run: str, destination: int) -> PublicationRow | None:
        """How far a destination's publication is."""
        found = await self._rows("publication", run=run, destination=destination)
        return publication_of(found[0]) if found else None

    async def publications(self, run: str = "") -> list[PublicationRow]:
        """All publications of a run, or of all runs that are not cleaned."""
        if run:
            return [publication_of(row) for row in await self._rows("publications", run=run)]
        rows = await self._rows("publications_open")
        return [publication_of(row) for row in self._sound("publications", rows)]

    async def members(self, run: str, destination: int) -> list[Member]:
        """Where each part lies in a published target."""
        found = await self._rows("publication", run=run, destination=destination)
        return members_of(found[0]) if found else []

    async def published_at(self, target: str) -> list[PublicationRow]:
        """Publications to a target, that of the newest run first."""
        return [publication_of(row) for row in await self._rows("publications_at", target=target)]

    async def queued(self) -> list[QueueEntry]:
        """The entries of the queue, in the order in which they came."""
        return [queued_of(row) for row in self._sound("queue", await self._rows("queue"))]

    async def paused(self) -> list[str]:
        """Jobs that get no turn; the empty name stands for the whole queue."""
        return [str(checked("pauses", row)["job"]) for row in await self._rows("pauses")]

    async def live(self) -> Snapshot | None:
        """How an engine stood when it last told."""
        found = await self._rows("live")
        return snapshot_of(found[0]) if found else None

    async def usual(self, job: str, *, besides: str = "", runs: int = 10) -> dict[str, Usual]:
        """From a connection to what it was in the last runs of the job that completed it.

        Args:
            job: The job.
            besides: A run that does not count, nor do those after it.
            runs: How many runs to look back.
        """
        seen: defaultdict[str, list[ConnectionResult]] = defaultdict(list)
        weekday, on_it = await self._same_weekday(job, besides)
        for run in await self._rows("runs_done", job=job, besides=besides, limit=runs):
            rows = await self._rows("connections", run=run["run"])
            # 500 rows take 20 ms to read: whoever waits for a key or an answer need not.
            for result in await asyncio.to_thread(_completed, rows):
                seen[result.connection].append(result)
        return {
            name: Usual.of(
                [each.rows for each in results],
                [sum(each.seconds.values()) for each in results if each.seconds],
                [each.bytes for each in results if each.bytes],
            )
            .timed_by([_asked(each) for each in results if each.seconds])
            .on(weekday, on_it.get(name, ()))
            for name, results in seen.items()
        }

    async def _same_weekday(self, job: str, besides: str) -> tuple[str, dict[str, list[int]]]:
        """The day of the week that a run is of, and the rows of past runs of that day.

        A run's day is the one that it begins on where its operator is, less the days that its job
        looks back; that is the same for all its runs.
        """
        plan = await self._rows("plan_day", run=besides)
        if not plan:
            return "", {}
        started = datetime.fromisoformat(str(plan[0]["started"]))
        offset = started.utcoffset() or timedelta()
        usual_day = business_day(str(plan[0]["said"] or "today"), started.date())
        back = started.date() - usual_day
        day = date.fromisoformat(str(plan[0]["day"] or usual_day))
        rows = await self._rows(
            "rows_of_weekday",
            job=job,
            besides=besides,
            since=started.timestamp() - _WEEKS * timedelta(weeks=1).total_seconds(),
            shift=(offset - back).total_seconds(),
            weekday=str(day.isoweekday() % 7),
        )
        found: dict[str, list[int]] = {}
        for row in rows:
            found.setdefault(str(row["connection"]), []).append(int(row["rows"] or 0))
        return WEEKDAYS[day.weekday()], found

    async def _rows(self, query: str, **values: Value) -> list[Row]:
        return await self._reader.transact(lambda statements: statements.rows(query, **values))

    async def aclose(self) -> None:
        """Finish what is being read and close."""
        await self._reader.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()


def _asked(result: ConnectionResult) -> float:
    """How long its queries took, without the way to its database."""
    ways = ("wait", "connect")
    return sum(value for part, value in result.seconds.items() if part not in ways)


def _completed(rows: Sequence[Row]) -> list[ConnectionResult]:
    """Results of the connections that completed, in rows of a run's connections."""
    found = (connection_of(row, whole=intact(row)) for row in rows)
    return [each.result for each in found if each.done and each.result is not None]


async def open_history(folder: Path) -> SqliteHistory:
    """Open the folder's records for reading, whether or not an engine holds it.

    A folder without records has an empty history. Needs `aclose`, or `async with`.

    Raises:
        StateError: The database is damaged, or of another version than this program's.
    """
    return SqliteHistory(await Readers.open(folder / DATABASE))
