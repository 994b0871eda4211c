"""The queue in words: who has a turn, who is next, and what each waits for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from etltui.console.cells import Cell, Styled, joined
from etltui.console.glyphs import Glyphs
from etltui.console.model.jobs import clock, place
from etltui.console.model.listing import Field
from etltui.domain.progress import RunView, Snapshot
from etltui.domain.queue import QueueEntry, QueueMetrics
from etltui.domain.run import AT_WORK
from etltui.domain.words import age, counted, duration, short


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """A run that has its turn, or waits for it.

    Attributes:
        title: Of its job.
        entry: None where nobody knows any more how it was asked for.
        place: In the order of turns, from 1; 0: it has its turn, or is not due.
        due: Unix time in seconds before which it does not begin; 0: it is due.
        paused: Whether it is the queue, or its job, that gets no turn.
        after: The run of its job that has a turn; empty for none.
    """

    run: str
    job: str
    title: str
    owner: str = ""
    submitted: float = 0.0
    working: bool = False
    entry: QueueEntry | None = None
    place: int = 0
    due: float = 0.0
    paused: str = ""
    after: str = ""

    @property
    def state(self) -> str:
        """In a word."""
        if self.working:
            return "running"
        if self.paused:
            return "paused"
        return "delayed" if self.due else "waiting"


def turns(snapshot: Snapshot, known: Mapping[str, QueueEntry]) -> list[Turn]:
    """Runs that have their turn, then those that wait, in the order of their turns.

    Args:
        snapshot: How the engine stands.
        known: The entries that are recorded, by run: of runs that have their turn.
    """
    views = {run.run: run for run in snapshot.runs}
    working = [run for run in snapshot.runs if run.status in AT_WORK]
    found = [_working(run, known.get(run.run)) for run in working]
    at_work = {run.job: run.run for run in working}
    # Those that are not due yet are the last: they push nobody's place.
    for count, entry in enumerate(snapshot.pending, start=1):
        late = entry.not_before > snapshot.at
        view = views.get(entry.run)
        found.append(
            Turn(
                run=entry.run,
                job=entry.job,
                title=view.title if view and view.title else entry.job,
                owner=entry.owner,
                submitted=entry.submitted,
                entry=entry,
                place=0 if late else count,
                due=entry.not_before if late else 0.0,
                paused=_paused(entry, snapshot.queue),
                after=at_work.get(entry.job, ""),
            )
        )
    return found


def _working(run: RunView, entry: QueueEntry | None) -> Turn:
    return Turn(
        run=run.run,
        job=run.job,
        title=run.title or run.job,
        owner=run.owner or (entry.owner if entry else ""),
        submitted=entry.submitted if entry else run.started,
        working=True,
        entry=entry,
    )


def _paused(entry: QueueEntry, metrics: QueueMetrics) -> str:
    if metrics.paused:
        return "queue"
    return "job" if entry.job in metrics.paused_jobs else ""


_STATES: Mapping[str, tuple[str, str]] = {
    "running": ("running", "busy"),
    "waiting": ("waiting", ""),
    "delayed": ("waiting", "muted"),
    "paused": ("paused", "warn"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class TurnRow:
    """A run in the queue, and what its row says."""

    turn: Turn
    state: Cell
    when: Cell
    priority: Cell
    kind: Cell
    since: Cell
    tries: Cell
    owner: Cell


FIELDS: tuple[Field[TurnRow], ...] = (
    Field(id="run", title="RUN", width=5, cell=lambda row: short(row.turn.run), keep=True),
    Field(
        id="job",
        title="JOB",
        width=18,
        cell=lambda row: row.turn.title,
        flexible=True,
        cut="middle",
    ),
    Field(id="state", title="STATE", width=10, cell=lambda row: row.state),
    Field(id="turn", title="TURN", width=9, cell=lambda row: row.when),
    Field(
        id="prio",
        title="PRIO",
        width=4,
        cell=lambda row: row.priority,
        value=lambda row: row.turn.entry.priority if row.turn.entry else None,
        align="right",
    ),
    Field(id="type", title="TYPE", width=8, cell=lambda row: row.kind, below=64),
    Field(
        id="since",
        title="SINCE",
        width=6,
        cell=lambda row: row.since,
        value=lambda row: row.turn.submitted,
        align="right",
    ),
    Field(
        id="tries",
        title="TRY",
        width=3,
        cell=lambda row: row.tries,
        value=lambda row: row.turn.entry.tries if row.turn.entry else None,
        align="right",
        below=56,
    ),
    Field(
        id="owner",
        title="OWNER",
        width=12,
        cell=lambda row: row.owner,
        cut="middle",
        below=72,
    ),
)


def row_of_turn(turn: Turn, at: float, glyphs: Glyphs, zone: str) -> TurnRow:
    """What the row of a run says.

    Args:
        turn: The run.
        at: The moment, Unix time in seconds.
        glyphs: Signs.
        zone: In which times are told.
    """
    none = Styled(glyphs.none, "muted")
    entry = turn.entry
    sign, role = _STATES[turn.state]
    return TurnRow(
        turn=turn,
        state=Styled(f"{getattr(glyphs, sign)} {turn.state}", role),
        when=_when(turn, at, zone),
        priority=str(entry.priority) if entry else none,
        kind=entry.type if entry else none,
        since=age(at - turn.submitted),
        tries=str(entry.tries) if entry else none,
        owner=turn.owner or none,
    )


def _when(turn: Turn, at: float, zone: str) -> str:
    if turn.working:
        return "now"
    return f"at {clock(turn.due, at, zone)}" if turn.due else place(turn.place)


def waits_for(turn: Turn, at: float) -> str:
    """What a run waits for, as a sentence."""
    cases = (
        (turn.working, "It has its turn. The queue gives the next one when a run ends."),
        (turn.paused == "queue", "The queue is paused: nobody gets a turn. P lets it go on."),
        (bool(turn.paused), "Its job is paused: it gets no turn. P at the job (2) lets it go on."),
        (bool(turn.due), f"It is not due for another {duration(turn.due - at)}."),
        (bool(turn.after), f"It waits for the end of {short(turn.after)}, of the same job."),
        (turn.place == 1, "It is next: it waits for room among the runs at work."),
    )
    before = f"{counted(turn.place - 1, 'run')} before it."
    return next((text for holds, text in cases if holds), before)


def totals(metrics: QueueMetrics, glyphs: Glyphs) -> list[Cell]:
    """The numbers of the status line."""
    waiting = f"{metrics.pending} waiting"
    delayed = f" ({metrics.delayed} delayed)" if metrics.delayed else ""
    jobs = len(metrics.paused_jobs)
    mean = duration(metrics.average_ms / 1000) if metrics.total_processed else glyphs.none
    parts: list[Cell] = [
        Styled(f"{glyphs.paused} paused", "warn") if metrics.paused else "",
        Styled(f"{counted(jobs, 'job')} paused", "warn") if jobs else "",
        f"{metrics.running} running",
        f"{waiting}{delayed}",
        f"{metrics.completed} completed",
        Styled(f"{metrics.failed} failed", "bad") if metrics.failed else "0 failed",
        f"{metrics.retried} retried",
        f"mean {mean}",
        f"{metrics.total_processed} processed",
    ]
    return joined(parts, f" {glyphs.between} ")


def entries_of(recorded: Sequence[QueueEntry]) -> dict[str, QueueEntry]:
    """Entries by their runs."""
    return {entry.run: entry for entry in recorded}
