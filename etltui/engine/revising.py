"""Records that a finished target is patched, and tells of it in the target."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from etltui.domain.part import Receipt
from etltui.domain.plan import Plan
from etltui.domain.revision import Revision, revised
from etltui.engine.tools import Tools


async def revise(plan: Plan, number: int, after: Sequence[Receipt], tools: Tools, who: str) -> Plan:
    """The plan with the revision that a target is about to become, which is recorded.

    Before the target is made: a crash in between leaves one that the next attempt takes up.

    Args:
        plan: The run's.
        number: Position of the destination in the job.
        after: What the target is to hold.
        tools: Of the engine.
        who: Who asks, as `user@host`; empty for whoever runs the engine.

    Raises:
        StateError: It could not be recorded.
    """
    if plan.job.destinations[number].is_sent:
        return plan
    latest = Revision(
        destination=number,
        number=0,
        at=tools.clock.now().timestamp(),
        who=who or tools.operator,
        changes=(),
        content=0,
    )
    before = await tools.store.members(plan.run, number)
    revisions = revised(plan.revisions, before, after, latest)
    if revisions == plan.revisions:
        return plan
    new = replace(plan, revisions=revisions)
    await tools.store.replan(new)
    return new


def told(plan: Plan, number: int) -> tuple[tuple[str, str, str], ...]:
    """Of a target each revision: its number, when and by whom, what changed."""
    return tuple(
        (str(each.number), f"{_when(each, plan)} by {each.who}", each.told)
        for each in plan.revisions
        if each.destination == number
    )


def _when(revision: Revision, plan: Plan) -> str:
    return f"{datetime.fromtimestamp(revision.at, plan.started.tzinfo):%Y-%m-%d %H:%M:%S %z}"
