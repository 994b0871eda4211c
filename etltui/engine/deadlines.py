"""Warns of runs that may miss their deadline while somebody can still do something."""

import logging
from collections.abc import Callable

from etltui.domain.deadline import Chance, Outlook, clock_of, finishes, outlook
from etltui.domain.progress import RunView, Snapshot
from etltui.engine.log import about

_log = logging.getLogger(__name__)


class DeadlineWatch:
    """Says of each attempt of a run once that it is at risk, and once that it is too late.

    Args:
        timezone: Of the times that it says; empty for the machine's own.
    """

    def __init__(self, timezone: Callable[[], str]) -> None:
        self._timezone = timezone
        self._said: dict[tuple[str, int], int] = {}

    def look(self, snapshot: Snapshot) -> None:
        """Warn of what is new; what is not at work any more is forgotten."""
        said = {}
        for run in snapshot.runs:
            found = outlook(run, snapshot.at)
            if found is None:
                continue
            rank = _RANK.get(found.chance, 0) if found.chance else 0
            before = self._said.get((run.run, run.attempt), 0)
            if rank > before:
                with about(run=run.run):
                    _log.warning("%s", warning(run, found, snapshot.at, self._timezone()))
            said[run.run, run.attempt] = max(rank, before)
        self._said = said


_RANK = {Chance.AT_RISK: 1, Chance.MISSED: 2}
"""How bad a chance is. Once it is too late nobody is told that it might become late."""


def warning(run: RunView, found: Outlook, now: float, timezone: str) -> str:
    """What is said of a run that is at risk or too late."""
    due = clock_of(found.due, now, timezone)
    when = finishes(found, timezone)
    how = f"it {when}" if when else f"{run.completed} of {run.total} connections are read"
    what = "has missed" if found.chance is Chance.MISSED else "may miss"
    return f"{run.job} {what} its deadline {due}: {how}"
