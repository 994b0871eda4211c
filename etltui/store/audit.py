"""The audit on SQLite: each change takes the record of its act along; the end is kept beside."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

import aiosqlite

from etltui.domain.audit import AMISS, DOING, NOBODY, Act, Doing, Head, amiss, link
from etltui.domain.errors import StateError
from etltui.store.database import Database, Statements
from etltui.store.folder import replace_file

HEAD = "audit.head"
T = TypeVar("T")

_log = logging.getLogger(__name__)


def kept_head(folder: Path) -> Head | None:
    """The end of the chain as it is kept beside the database; None where it is lost."""
    try:
        said = json.loads((folder / HEAD).read_bytes())
        return Head(seq=int(said["seq"]), hash=str(said["hash"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


class AuditedDatabase(Database):
    """A writer whose transactions take along the record of the act that they belong to.

    The end of the chain is then written into `HEAD` beside the database, and into the log: who
    cuts the chain's end off must change both. Where that file knows more records than there are,
    the next one leaves their place empty, so that nobody forgets them.
    """

    def __init__(self, path: Path, connection: aiosqlite.Connection, *, begin: str) -> None:
        super().__init__(path, connection, begin=begin)
        self._kept = Head()
        self._end = Head()
        self._keeping = asyncio.Lock()

    async def begin_audit(self, now: float) -> None:
        """Take up the chain where it ends, and say in it where the end that was kept is another."""
        kept = await asyncio.to_thread(kept_head, self._path.parent)

        async def look(statements: Statements) -> str:
            there = await statements.row("audit_at", seq=kept.seq if kept else 0)
            end = await self._after(statements)
            return amiss(kept, str(there["hash"]) if there else "", end)

        if wrong := await super().transact(look):
            _log.error("The audit may have been tampered with: %s", wrong)
            await self.put_audit(Doing(Act(at=now, caller=NOBODY, what=AMISS, target=wrong)))
        self._kept = kept or Head()
        self._end = await super().transact(self._after)
        await self._keep()

    async def transact(self, work: Callable[[Statements], Awaitable[T]]) -> T:
        """Do the work, and record the act that it belongs to, in one transaction.

        Raises:
            StateError: Nothing of the work is kept, no record either.
        """
        doing = DOING.get()
        if doing is None or doing.recorded:
            return await super().transact(work)
        # From here on no other transaction takes it along, whoever gives up waiting for this one.
        doing.recorded = True

        async def with_record(statements: Statements) -> tuple[T, Head]:
            result = await work(statements)
            row = link(doing.act, await self._after(statements))
            await statements.change("put_audit", [asdict(row)])
            return result, Head(seq=row.seq, hash=row.hash)

        try:
            result, end = await super().transact(with_record)
        except Exception:
            doing.recorded = False
            raise
        self._end = max(self._end, end, key=lambda head: head.seq)
        act = doing.act
        said = f"{act.what} {act.target}".rstrip()
        _log.info("Audit record %d, %s: hash %s", end.seq, said, end.hash)
        await self._keep()
        return result

    async def put_audit(self, doing: Doing) -> None:
        """Record an act on its own, if no change has taken its record along.

        Raises:
            StateError: It could not be recorded.
        """

        async def nothing(_: Statements) -> None:
            pass

        if not doing.recorded:
            token = DOING.set(doing)
            try:
                await self.transact(nothing)
            finally:
                DOING.reset(token)

    async def _after(self, statements: Statements) -> Head:
        """What the next record follows."""
        row = await statements.row("audit_end")
        end = Head() if row is None else Head(seq=int(row["seq"] or 0), hash=str(row["hash"]))
        return max(end, self._kept, key=lambda head: head.seq)

    async def _keep(self) -> None:
        """Write the end beside the database; where that cannot be, the next record's will be."""
        async with self._keeping:
            end = self._end
            if end.seq <= self._kept.seq:
                return
            text = json.dumps({"seq": end.seq, "hash": end.hash}) + "\n"
            try:
                await asyncio.to_thread(replace_file, self._path.with_name(HEAD), text.encode())
            except (OSError, StateError) as error:
                _log.warning("The end of the audit is not kept beside it: %s", error)
            else:
                self._kept = end
