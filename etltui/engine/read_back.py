"""Has targets read back: before they get their names, and on any day after."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import takewhile
from pathlib import Path

from etltui.config.folders import remove
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.part import Published, Receipt
from etltui.domain.plan import Plan
from etltui.domain.ports import History, Parts
from etltui.domain.read_back import ReadTask
from etltui.domain.stored import PublicationRow, PublicationState
from etltui.domain.targets import temporary_path

_SHOWN = 3
"""Differences in a sentence."""
_THERE = {PublicationState.DELIVERED, PublicationState.CLEANED}


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A target of a run.

    Attributes:
        task: None where it cannot be read back.
        gone: Why not, as the end of a sentence; empty where it can.
    """

    type: str
    target: str
    task: ReadTask | None = None
    gone: str = ""


def reading(
    plan: Plan, number: int, target: str, published: Published, receipts: Sequence[Receipt]
) -> ReadTask:
    """What reads a target of a plan back.

    Args:
        plan: The run's.
        number: Position of the destination in the job.
        target: Where its bytes are now.
        published: What was assembled there.
        receipts: Of the run's parts, those of other destinations among them.
    """
    job = plan.job
    destination = job.destinations[number]
    queries = tuple(query.name for query in job.queries)
    return ReadTask(
        type=destination.type,
        target=target,
        options=asdict(destination.options),
        published=published,
        receipts=tuple(r for r in receipts if r.destination == number),
        connections=tuple(planned.name for planned in plan.connections),
        queries=queries,
        query=queries.index(destination.query) if destination.query else None,
        title=job.title,
    )


async def prove(
    parts: Parts,
    plan: Plan,
    row: PublicationRow,
    published: Published,
    receipts: Sequence[Receipt],
) -> None:
    """Read every cell of an assembled target before it takes the place of anything, if asked for.

    Raises:
        Failure: Of class `corrupt`, naming the connections that differ; the old target stays.
    """
    if plan.job.verify != "full" or plan.job.destinations[row.destination].is_sent:
        return
    task = reading(plan, row.destination, row.temporary, published, receipts)
    differences = (await parts.read_back(task)).differences
    if not differences:
        return
    await asyncio.to_thread(remove, Path(row.temporary))
    more = len(differences) - _SHOWN
    said = "; ".join(differences[:_SHOWN]) + (f"; and {more:,} more" if more > 0 else "")
    raise Failure(
        ErrorClass.CORRUPT,
        f"{row.target} was read back and is not what was written, so the former one stays: {said}",
        {"path": row.target},
    )


def proof_of(plan: Plan, temporary: str) -> tuple[tuple[str, str], ...]:
    """What is known of a final target as soon as it has its name, if that is more than usual.

    Until then it is a temporary file, which no reader takes for the target.
    """
    final = temporary in {str(temporary_path(Path(target))) for target in plan.targets}
    if plan.job.verify != "full" or not final:
        return ()
    return (("Read back", "every cell, before this file got its name"),)


async def candidates(history: History, run: str) -> list[Candidate]:
    """The targets of a run, in the order of its destinations.

    Args:
        history: Where it is recorded.
        run: Its whole id; it has begun.
    """
    plan = await history.plan(run)
    receipts = await history.receipts(run)
    rows = {row.destination: row for row in await history.publications(run)}
    found = []
    for number, target in enumerate(plan.targets):
        destination = plan.job.destinations[number]
        row = rows.get(number)
        gone = await _gone(history, row)
        task = None
        if row is not None and destination.is_sent:
            gone = "was sent to a receiver, which nobody can read it back from"
        elif row is not None and not gone:
            members = tuple(await history.members(run, number))
            published = Published(bytes=row.bytes, crc=row.crc, rows=row.rows, members=members)
            task = reading(plan, number, row.target, published, receipts)
        found.append(Candidate(type=destination.type, target=target, task=task, gone=gone))
    return found


async def _gone(history: History, row: PublicationRow | None) -> str:
    """Why a target is not this run's, as far as the records tell; empty where it is."""
    if row is None or row.state not in _THERE:
        return f"is not published yet ({row.state})" if row else "was never published"
    newest_first = await history.published_at(row.target)
    later = takewhile(lambda other: other.run != row.run, newest_first)
    by = next((other.run for other in later if other.state in _THERE), "")
    return f"was replaced by the run {by}" if by else ""
