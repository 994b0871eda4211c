"""The logbook on SQLite: samples, actions, holds, identities and outcomes, read and written."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import asdict

import msgspec

from etltui.domain.audit import BEFORE_ALL, Doing, Link
from etltui.domain.errors import ErrorClass
from etltui.domain.identity import Identity
from etltui.domain.logbook import Action, Hold, Logbook, LogbookWriter, Outcome, Sample, Spent
from etltui.domain.run import ConnectionResult, ConnectionStatus, RunStatus
from etltui.domain.stored import RunRow
from etltui.store.audit import AuditedDatabase
from etltui.store.database import Row, Statements, Value
from etltui.store.rows import checked, intact, named_row, run_of, seal

MINUTE_S = 60.0
_STATUSES = frozenset(map(str, ConnectionStatus))
_CLASSES = frozenset({None, *map(str, ErrorClass)})


class SqliteLogbook(Logbook, ABC):
    """The reading half of the logbook."""

    def __init__(self) -> None:
        self._flaws: set[str] = set()

    @property
    def flaws(self) -> list[str]:
        """Damaged rows that were left out of lists, such as `20261121T230500Z-7F3K of runs`."""
        return sorted(self._flaws)

    def _sound(self, table: str, rows: Sequence[Row]) -> list[Row]:
        """The rows that are what was written; one that is not must not hide the others."""
        sound = []
        for row in rows:
            if intact(row):
                sound.append(row)
            else:
                self._flaws.add(named_row(table, row))
        return sound

    @abstractmethod
    async def _rows(self, query: str, **values: Value) -> list[Row]:
        """What a query finds."""

    async def samples(self, since: float, until: float, points: int = 200) -> list[Sample]:
        """How engines stood between two times, the oldest first, in at most so many samples."""
        width = max((until - since) / points, 1e-6)
        (known,) = await self._rows("sampled", since=since)
        coarse = by_the_minute(width, fine=known["fine"], coarse=known["coarse"])
        rows = await self._rows(
            "samples", since=since, until=until, width=width, coarse=int(coarse)
        )
        return msgspec.convert(rows, list[Sample])

    async def actions(self, since: float = 0.0, limit: int = 200) -> list[Action]:
        """What was done from a time on, the newest first."""
        rows = await self._rows("actions", since=since, limit=limit)
        return msgspec.convert(rows, list[Action])

    async def holds(self) -> list[Hold]:
        """The connections that are held, by name; one whose time has passed may be among them."""
        rows = [checked("holds", row) for row in await self._rows("holds")]
        return msgspec.convert(rows, list[Hold])

    async def identities(self) -> list[Identity]:
        """Which database each connection is known to be, by its name."""
        rows = [checked("identities", row) for row in await self._rows("identities")]
        return msgspec.convert(rows, list[Identity])

    async def audit(self, after: int = BEFORE_ALL, limit: int = 1000) -> list[Link]:
        """Records of the audit behind one, in their order."""
        return msgspec.convert(await self._rows("audit", after=after, limit=limit), list[Link])

    async def outcomes(self, since: float) -> list[Outcome]:
        """How connections ended in all runs from a time on, the oldest first."""
        return outcomes_of(await self._rows("outcomes", since=since))

    async def connection_history(self, connection: str, limit: int = 30) -> list[Outcome]:
        """How a connection ended in its last runs, the newest first."""
        return outcomes_of(await self._rows("outcomes_of", connection=connection, limit=limit))

    async def runs(
        self,
        *,
        job: str = "",
        status: Collection[RunStatus] = (),
        since: float = 0.0,
        limit: int = 50,
    ) -> list[RunRow]:
        """Runs of a job, in one of these statuses, begun from a time on; the newest first.

        Args:
            job: Empty for all.
            status: Empty for any.
            since: Unix time in seconds.
            limit: At most so many; -1 for all.
        """
        statuses = f",{','.join(status)}," if status else ""
        rows = await self._rows("runs", job=job, statuses=statuses, since=since, limit=limit)
        return [run_of(row) for row in self._sound("runs", rows)]

    async def last_by_job(self) -> dict[str, RunRow]:
        """The newest run of each job, of those that have begun."""
        rows = [run_of(row) for row in self._sound("runs", await self._rows("runs_last"))]
        return {row.job: row for row in rows}


class SqliteLogbookWriter(LogbookWriter):
    """The writing half of the logbook."""

    _writer: AuditedDatabase

    async def put_audit(self, doing: Doing) -> None:
        """Record an act on its own, if no change has taken its record along."""
        await self._writer.put_audit(doing)

    async def put_samples(self, samples: Sequence[Sample]) -> None:
        """Add samples, later than all before, and add up their minutes."""
        rows: list[Row] = [asdict(sample) for sample in samples]
        if not rows:
            return

        async def put(statements: Statements) -> None:
            await statements.change("put_sample", rows)
            await statements.change("put_minutes", rows[:1])

        await self._writer.transact(put)

    async def put_actions(self, actions: Sequence[Action]) -> None:
        """Add what was done."""
        await self._change("put_action", [asdict(action) for action in actions])

    async def put_holds(self, holds: Sequence[Hold]) -> None:
        """Hold connections; one that is held already is held so from now on."""
        await self._change("put_hold", [seal(asdict(hold)) for hold in holds])

    async def drop_holds(self, connections: Sequence[str]) -> None:
        """Hold connections no more."""
        await self._change("drop_hold", [{"connection": name} for name in connections])

    async def put_identities(self, identities: Sequence[Identity]) -> None:
        """Record which databases connections are known to be."""
        await self._change("put_identity", [seal(asdict(each)) for each in identities])

    async def drop_spent(self, until: Spent) -> None:
        """Forget what has served its time."""
        times = (
            ("drop_samples", until.fine),
            ("drop_minutes", until.coarse),
            ("drop_actions", until.actions),
            ("drop_holds_over", until.holds),
        )

        async def drop(statements: Statements) -> None:
            for query, time in times:
                await statements.change(query, [{"until": time}])

        await self._writer.transact(drop)

    async def _change(self, query: str, rows: Sequence[Row]) -> None:
        await self._writer.transact(lambda statements: statements.change(query, rows))


def by_the_minute(width: float, *, fine: Value, coarse: Value) -> bool:
    """Whether samples are to be read by the minute.

    Args:
        width: Seconds that one of them is to stand for.
        fine: When the oldest was taken that is there as it was taken.
        coarse: The oldest minute that is asked for.
    """
    if width >= MINUTE_S or fine is None:
        return True
    return coarse is not None and float(coarse) < float(fine) - MINUTE_S


def outcome_row(run: str, result: ConnectionResult, at: float) -> Row:
    """What of a result stands in the table of outcomes."""
    return {
        "run": run,
        "connection": result.connection,
        "at": at,
        "status": str(result.status),
        "rows": result.rows,
        "seconds": sum(result.seconds.values()),
        "error_class": str(result.trouble.error_class) if result.trouble else "",
    }


def outcomes_of(rows: Sequence[Row]) -> list[Outcome]:
    """The outcomes in rows; a word that this program does not know stands for a mistake of it."""
    try:
        # At once: there may be tens of thousands, and everything else waits.
        return msgspec.convert(rows, list[Outcome])
    except msgspec.ValidationError:
        return msgspec.convert([_known(row) for row in rows], list[Outcome])


def _known(row: Row) -> Row:
    status, error_class = row["status"], row["error_class"]
    return {
        **row,
        "status": status if status in _STATUSES else ConnectionStatus.FAILED,
        "error_class": error_class if error_class in _CLASSES else ErrorClass.INTERNAL,
    }
