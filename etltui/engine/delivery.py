"""Puts an assembled target in its place; where that cannot be, in sight beside it until it can."""

import asyncio
import logging
import shutil
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.part import Published
from etltui.domain.plan import Plan
from etltui.domain.stored import PublicationRow, PublicationState
from etltui.domain.targets import beside_path, temporary_path
from etltui.engine.claims import Claims
from etltui.engine.held import Holder, holder
from etltui.engine.tools import Tools

NOT_PUBLISHED = "not published: "
"""How the reason of a run begins that has its rows and not its targets."""
BESIDE = "beside"
"""The fact of a failure that names the file in sight which holds the rows meanwhile."""
_ASSEMBLED = PublicationState.ASSEMBLED

_log = logging.getLogger(__name__)


async def put(tools: Tools, claims: Claims, row: PublicationRow, published: Published) -> bool:
    """Put a target in its place, and record that; False where it has to be assembled again.

    Args:
        tools: Of the engine.
        claims: Of the run; they hold the target then.
        row: Of what was assembled, or delivered by an earlier attempt.
        published: What was.

    Raises:
        Failure: Of class `target`: it cannot be, and stays assembled; where it lies in sight the
            fact `beside` names the file. Of class `disk`.
    """
    await claims.hold(row.target)
    now = claims.now()
    held = await held_by(tools, row, now)
    if held is not None and (place := await _beside(tools, row, published, held.why, now)):
        raise _waits(f"{row.target} {held.words}", row, published, place)
    # Not there to be put beside: it has its place, or nobody has it.
    try:
        done = await tools.parts.deliver(row.temporary, row.target, published)
    except Failure as failure:
        if failure.error_class is not ErrorClass.TARGET:
            raise
        place = await _beside(tools, row, published, "not replaced", now)
        raise (_waits(failure.message, row, published, place) if place else failure) from failure
    if done and row.state is _ASSEMBLED:
        await tools.store.move_publication(row, PublicationState.DELIVERED)
    return done


async def clean(tools: Tools, plan: Plan) -> None:
    """Remove the parts of a completed run, then record that they are gone.

    Raises:
        StateError: It cannot be recorded.
    """
    await asyncio.to_thread(shutil.rmtree, tools.parts_folder / plan.run, ignore_errors=True)
    for row in await tools.store.publications(plan.run):
        await tools.store.move_publication(row, PublicationState.CLEANED)
    await tools.mirror.delete(plan.job.name)


async def held_by(tools: Tools, row: PublicationRow, now: datetime) -> Holder | None:
    """Who keeps an assembled target from its place, None where nobody does or it does not count."""
    if row.state is not _ASSEMBLED or tools.on_held == "replace":
        return None
    try:
        return await asyncio.to_thread(holder, Path(row.target), now)
    except OSError as error:
        # Whoever renames is told the same, in words that an operator can use.
        _log.info("Whether somebody holds %s cannot be told: %s", row.target, error.strerror)
        return None


def in_sight(row: PublicationRow) -> bool:
    """Whether what was assembled lies beside its place under a name that people see."""
    return row.temporary != str(temporary_path(Path(row.target)))


async def _beside(
    tools: Tools, row: PublicationRow, published: Published, why: str, now: datetime
) -> str:
    """Put what was assembled in sight; where that is, empty where it could not be.

    Recorded before it is done: what a crash in between leaves is assembled again, and no file in
    sight is forgotten.
    """
    if row.state is not _ASSEMBLED:
        return ""
    place = row.temporary if in_sight(row) else str(beside_path(Path(row.target), why, now))
    await tools.store.move_publication(replace(row, temporary=place), _ASSEMBLED)
    try:
        if await tools.parts.deliver(row.temporary, place, published):
            return place
    except Failure as failure:
        _log.warning("%s was not put beside its place: %s", row.target, failure)
    await tools.store.move_publication(row, _ASSEMBLED)
    return ""


def _waits(what: str, row: PublicationRow, published: Published, place: str) -> Failure:
    return Failure(
        ErrorClass.TARGET,
        f"{what}. Its rows are in {place} and are put in their place as soon as that can be",
        {
            "path": row.target,
            BESIDE: place,
            "rows": str(published.rows),
            "bytes": str(published.bytes),
        },
    )
