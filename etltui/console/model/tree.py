"""The job tree: which runs are shown, which are open, and their connections by urgency."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from etltui.domain.progress import ConnectionView, RunView, Snapshot
from etltui.domain.run import AT_WORK, NOT_ENDED, ConnectionStatus, RunStatus
from etltui.domain.stored import RunRow
from etltui.domain.words import duration

FOLD_S = 5.0
"""A completed run folds after so many seconds."""

_FEW = 3
_HEADINGS = 4
"""Lines inside an open run that are no connections: heads of groups, and how many more."""
_ENDED_BADLY = (RunStatus.FAILED, RunStatus.STOPPED, RunStatus.COMPLETED_WITH_ERRORS)


def urgency(run: RunView) -> int:
    """The place of a run among others: at work, waiting, ended badly, ended well."""
    if run.status in AT_WORK:
        return 0
    if run.status in NOT_ENDED:
        return 1
    return 2 if run.status in _ENDED_BADLY else 3


def shown_runs(runs: Sequence[RunView]) -> list[RunView]:
    """What waits or works, and of each other job its newest run; the most urgent first.

    Args:
        runs: In the order in which they came.
    """
    busy = {run.job for run in runs if run.status in NOT_ENDED}
    newest: dict[str, RunView] = {}
    for run in runs:
        if run.job not in busy:
            newest[run.job] = run
    chosen = [run for run in runs if run.status in NOT_ENDED or newest.get(run.job) is run]
    return sorted(chosen, key=lambda run: (urgency(run), -run.changed if urgency(run) > 1 else 0))


def past_runs(
    last: Mapping[str, RunRow], runs: Sequence[RunView], jobs: Collection[str]
) -> list[RunRow]:
    """Of each job that the engine remembers no run of its newest; what ended badly first.

    Args:
        last: From a job to its newest run in the store.
        runs: Those that the engine remembers.
        jobs: The jobs that there are; one that is gone has nothing to be mended.
    """
    remembered = {run.job for run in runs}
    found = [
        row
        for name, row in last.items()
        if name in jobs and name not in remembered and row.status not in NOT_ENDED
    ]
    return sorted(found, key=lambda row: (row.status not in _ENDED_BADLY, -(row.ended or 0.0)))


def ended_badly(runs: Sequence[RunView], past: Sequence[RunRow]) -> tuple[int, int]:
    """How many jobs ended badly the last time, of how many that are neither at work nor waiting.

    Args:
        runs: Those that the engine remembers.
        past: Those of other jobs.
    """
    ends = [run.status for run in shown_runs(runs) if run.status not in NOT_ENDED]
    ends += [row.status for row in past]
    return sum(status in _ENDED_BADLY for status in ends), len(ends)


def opened(run: RunView, at: float, said: Mapping[str, bool]) -> bool:
    """Whether a run's connections are shown: as the operator said, else while it is of interest."""
    if run.run in said:
        return said[run.run]
    if run.status in AT_WORK or run.status in _ENDED_BADLY:
        return True
    return run.status is RunStatus.COMPLETED and at - run.changed < FOLD_S


@dataclass(frozen=True, kw_only=True, slots=True)
class Groups:
    """The connections of a run by urgency.

    Attributes:
        failing: Failed, or about to be tried again.
        running: At work.
        done: How many completed, those of earlier attempts among them.
        waiting: How many have not begun.
        skipped: How many are not read in this run.
    """

    failing: tuple[ConnectionView, ...] = ()
    running: tuple[ConnectionView, ...] = ()
    done: int = 0
    waiting: int = 0
    skipped: int = 0


FAILING = (ConnectionStatus.FAILED, ConnectionStatus.RETRYING)


def groups(run: RunView) -> Groups:
    """The connections of a run by urgency, each group in the job's order."""
    views = run.connections.values()
    failing = tuple(view for view in views if view.status in FAILING)
    running = tuple(view for view in views if view.status is ConnectionStatus.RUNNING)
    count = dict.fromkeys(ConnectionStatus, 0)
    for view in views:
        count[view.status] += 1
    done = run.completed
    skipped = count[ConnectionStatus.SKIPPED] + count[ConnectionStatus.CANCELLED]
    waiting = max(run.total - done - len(failing) - len(running) - skipped, 0)
    return Groups(failing=failing, running=running, done=done, waiting=waiting, skipped=skipped)


def first_of(views: Sequence[ConnectionView], most: int) -> tuple[Sequence[ConnectionView], int]:
    """As many of a group as there is room for, three at least, and how many are left out."""
    most = max(most, _FEW)
    # A line that says "1 more" takes the place of that one.
    if len(views) <= most + 1:
        return views, 0
    return views[:most], len(views) - most


def share(view: ConnectionView) -> float | None:
    """How much of a run connection is done, as its past tells; None where nothing tells."""
    if view.status is ConnectionStatus.COMPLETED:
        return 1.0
    if not view.usual_rows or view.status is not ConnectionStatus.RUNNING or not view.rows:
        return None
    return min(view.rows / view.usual_rows, 0.99)


def errors_first(views: Iterable[ConnectionView]) -> list[ConnectionView]:
    """Failures for good before those that are tried again."""
    return sorted(views, key=lambda view: view.status is not ConnectionStatus.FAILED)


def room_of_failing(found: Groups, height: int, share: int) -> int:
    """How many failing connections of a run may be shown: half the screen, or what is free.

    Args:
        found: The run's connections.
        height: Lines of the tree.
        share: Those that each open run may have.
    """
    return max(height // 2, share - _HEADINGS - min(len(found.running), height // 4))


def room_of_running(found: Groups, height: int, share: int) -> int:
    """How many running connections of a run may be shown, told the same."""
    return max(height // 4, share - _HEADINGS - len(found.failing))


def begun_above(first: RunView | None, under: RunView | None) -> bool:
    """Whether the first run is at work and the one under the cursor, if any, has ended."""
    ended = under is None or under.status not in NOT_ENDED
    return ended and first is not None and first.status in AT_WORK


def turn_of(run: RunView, snapshot: Snapshot) -> str:
    """When a waiting run has its turn."""
    queue = snapshot.queue
    for place, entry in enumerate(snapshot.pending, start=1):
        if entry.run == run.run:
            if entry.not_before > snapshot.at:
                return f"in {duration(entry.not_before - snapshot.at)}"
            if queue.paused or run.job in queue.paused_jobs:
                return "paused"
            return "next" if place == 1 else f"{place - 1} before it"
    return run.reason
