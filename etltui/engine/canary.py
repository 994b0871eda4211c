"""How a run begins with few connections: whether they carry the rest, decided without a wait."""

from collections.abc import Iterable, Mapping, Sequence

from etltui.domain.plan import PlanConnection
from etltui.domain.run import ConnectionResult, ConnectionStatus
from etltui.domain.usual import Usual

STAGES = (1, 5)
"""Connections of each stage; all others follow the last one."""


def in_order(
    waiting: Iterable[PlanConnection],
    usual: Mapping[str, Usual],
) -> list[PlanConnection]:
    """Those that completed before come first: a branch that is often away says little of a query.

    Args:
        waiting: What is to be read, in the job's order.
        usual: Of the connections that completed in the last runs.
    """
    return sorted(waiting, key=lambda planned: planned.name not in usual)


def passed(results: Iterable[ConnectionResult]) -> bool:
    """Whether a stage proved something: where all of it is held, others take its place."""
    return any(result.status is ConnectionStatus.COMPLETED for result in results)


def why_stopped(results: Sequence[ConnectionResult], *, completed: int, total: int) -> str:
    """Why a run goes no further behind a stage; empty where it does.

    Args:
        results: Of the stage.
        completed: Connections of the run that have completed by now.
        total: Connections of the run.
    """
    failed = next((each for each in results if each.status is ConnectionStatus.FAILED), None)
    if failed is None:
        return ""
    what = failed.trouble.message if failed.trouble else "it did not complete"
    rest = f"only {completed} of {total} connections were read" if completed else "nothing was read"
    return f"canary: {failed.connection} failed: {what}; {rest}"


def step(count: int, total: int) -> str:
    """What a stage is called while it is at work."""
    return f"Canary {count} of {total}"
