"""One run: how it stands, its connections, and what of them is to be read again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from etltui.console.bridge import Moment
from etltui.console.cells import Cell, Styled
from etltui.console.frame import failing
from etltui.console.glyphs import Glyphs
from etltui.console.model.difference import difference
from etltui.console.steps import run_status
from etltui.domain.deadline import Chance, Outlook, finishes, outlook, verdict
from etltui.domain.errors import ErrorClass
from etltui.domain.pools import BreakerStats
from etltui.domain.progress import ConnectionView, Eta, RunView
from etltui.domain.run import (
    AT_WORK,
    NOT_ENDED,
    RESUMABLE,
    ConnectionStatus,
    Output,
    RunStatus,
    Step,
)
from etltui.domain.stored import ConnectionRow, RunRow
from etltui.domain.usual import Usual
from etltui.domain.words import counted, duration, number, size

RETRIED = RESUMABLE | {RunStatus.COMPLETED_WITH_ERRORS}
"""Runs whose missing connections can be read again."""
_STEPS = frozenset({"", *Step})


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """A run, whether the engine remembers it or the store alone.

    Attributes:
        failing: Connections that failed, or whose last try did.
        seconds: From its start to its end, or to now; None where it has not begun or crashed.
        planned: Whether it ever got a plan.
        outlook: How it stands against its deadline; None where it has none.
        at: Unix time in seconds of that.
        timezone: Of the times of day; empty for the machine's own.
        stage: Of a run that begins with few connections; empty once it reads all.
    """

    run: str
    job: str
    title: str
    status: RunStatus
    total: int
    completed: int
    failing: int = 0
    rows: int = 0
    seconds: float | None = None
    eta: Eta | None = None
    reason: str = ""
    outputs: tuple[Output, ...] = ()
    planned: bool = True
    outlook: Outlook | None = None
    at: float = 0.0
    timezone: str = ""
    stage: str = ""
    down: tuple[str, ...] = ()

    @property
    def retried(self) -> bool:
        """Whether there is anything of it to be read again."""
        return self.status in RETRIED and self.planned and self.completed < self.total


def subject_of_view(
    view: RunView, at: float, timezone: str = "", breakers: Sequence[BreakerStats] = ()
) -> Subject:
    """A run that the engine remembers; of the lines that are down those that it waits for."""
    begun = view.status is not RunStatus.QUEUED
    until = at if view.status in NOT_ENDED else view.changed
    return Subject(
        run=view.run,
        job=view.job,
        title=view.title or view.job,
        status=view.status,
        total=view.total,
        completed=view.completed,
        failing=failing(view),
        rows=view.rows,
        seconds=max(until - view.started, 0.0) if begun else None,
        eta=view.eta,
        reason=view.reason,
        outputs=view.outputs,
        planned=begun,
        outlook=outlook(view, at),
        at=at,
        timezone=timezone,
        stage=view.step.lower() if view.status in AT_WORK and view.step not in _STEPS else "",
        down=tuple(map(str, awaited(view, breakers))),
    )


def awaited(view: RunView, breakers: Sequence[BreakerStats]) -> list[BreakerStats]:
    """The lines that connections of a run wait for, or try."""
    if view.status not in AT_WORK:
        return []
    return [
        each
        for each in breakers
        if not view.connections.keys().isdisjoint((*each.waiting, each.probing))
    ]


def subject_of_row(row: RunRow, connections: Iterable[ConnectionRow]) -> Subject:
    """A run that the store alone remembers."""
    results = [each.result for each in connections if each.result is not None]
    result = row.result
    count = {
        status: sum(each.status is status for each in results)
        for status in (ConnectionStatus.COMPLETED, ConnectionStatus.FAILED)
    }
    return Subject(
        run=row.run,
        job=row.job,
        title=row.title or row.job,
        status=row.status,
        total=row.total,
        completed=result.completed if result else count[ConnectionStatus.COMPLETED],
        failing=result.failed if result else count[ConnectionStatus.FAILED],
        rows=result.rows if result else sum(each.rows for each in results),
        seconds=result.seconds if result else None,
        reason=row.reason,
        outputs=result.outputs if result else (),
        planned=bool(row.plan_hash),
    )


def head(subject: Subject, glyphs: Glyphs, *, wide: bool) -> tuple[list[Cell], list[Cell]]:
    """The run in one line: how it stands and how far it is; for how long, and which one."""
    between = f" {glyphs.between} "
    left: list[Cell] = [run_status(glyphs, subject.status)]
    if subject.total:
        left.append(f"  {subject.completed}/{subject.total} done")
    if subject.stage:
        left += [between, Styled(subject.stage, "accent")]
    for said in _wrong(subject):
        left += [between, Styled(said, "bad")]
    if when := _when(subject, glyphs):
        left += [between, *when]
    if subject.rows:
        left.append(f"{between}{counted(subject.rows, 'row')}")
    if subject.reason:
        left += [between, Styled(subject.reason, "warn")]
    right: list[Cell] = [Styled(f"{subject.run}  ", "muted")] if wide else []
    if subject.seconds is not None:
        right.append(duration(subject.seconds))
    return left, right


def _wrong(subject: Subject) -> list[str]:
    """How many connections fail, and which lines are down."""
    word = "failing" if subject.status in NOT_ENDED else "failed"
    return [*([f"{subject.failing} {word}"] if subject.failing else []), *subject.down]


_CHANCES = {Chance.SAFE: "ok", Chance.AT_RISK: "warn", Chance.MISSED: "bad"}


def _when(subject: Subject, glyphs: Glyphs) -> list[Cell]:
    """When the run is done, and by when it has to be; nothing where nobody knows."""
    if subject.outlook is not None:
        return _due(subject, subject.outlook, glyphs.about)
    return [f"eta {_eta(subject.eta, glyphs)}"] if subject.eta is not None else []


def _due(subject: Subject, found: Outlook, sign: str) -> list[Cell]:
    """When the run ends and what becomes of its deadline."""
    when = finishes(found, subject.timezone, sign)
    role = _CHANCES[found.chance] if found.chance else ""
    text = verdict(found, subject.at, subject.timezone)
    return [f"{when}, " if when else "due ", Styled(text, role)]


def _eta(eta: Eta, glyphs: Glyphs) -> str:
    band = f" {glyphs.about}{duration(eta.band_s)}" if eta.band_s else ""
    return f"{'~' if eta.guess else ''}{duration(eta.left_s)}{band}"


def stored_view(row: ConnectionRow, usual: Mapping[str, Usual]) -> ConnectionView:
    """A run connection that the store alone remembers; one without a result never ended."""
    past = usual.get(row.connection)
    rows, seconds = (past.rows, past.seconds) if past else (None, None)
    result = row.result
    if result is None:
        return ConnectionView(
            connection=row.connection,
            status=ConnectionStatus.WAITING,
            usual_rows=rows,
            usual_s=seconds,
        )
    return ConnectionView(
        connection=row.connection,
        status=result.status,
        rows=result.rows,
        tries=result.tries,
        trouble=result.trouble,
        seconds=result.seconds,
        notes=result.notes,
        server=result.server,
        odd=result.odd,
        controls=result.controls,
        provisional=result.provisional,
        judged=result.judged,
        limit=result.limit,
        usual_rows=rows,
        usual_s=seconds,
    )


def gathered(
    run: RunView | None, rows: Sequence[ConnectionRow], usual: Mapping[str, Usual]
) -> list[tuple[int, ConnectionView]]:
    """Every connection of a run with its number, in the job's order.

    Args:
        run: As the engine remembers it, which is newer than what the store says.
        rows: As the store has them; of a run that has just begun none may be there yet.
        usual: From a connection to what it usually is.
    """
    live = run.connections if run is not None else {}
    stored = {row.connection for row in rows}
    found = [
        (row.number, live[row.connection] if row.connection in live else stored_view(row, usual))
        for row in rows
    ]
    return found + [(0, view) for name, view in live.items() if name not in stored]


def by_urgency(found: Iterable[tuple[int, ConnectionView]]) -> list[tuple[int, ConnectionView]]:
    """What failed, what will be tried again, what is at work, then the others as they are."""
    first = (ConnectionStatus.FAILED, ConnectionStatus.RETRYING, ConnectionStatus.RUNNING)
    rank = {status: place for place, status in enumerate(first)}
    return sorted(found, key=lambda each: rank.get(each[1].status, len(first)))


def classes_of(views: Iterable[ConnectionView]) -> list[ErrorClass]:
    """The classes of the failures that stand, each once."""
    found = {
        view.trouble.error_class
        for view in views
        if view.trouble is not None and view.status is ConnectionStatus.FAILED
    }
    return sorted(found)


def against_usual(view: ConnectionView, glyphs: Glyphs) -> Cell:
    """How far the rows of a connection that completed are from usual, else what is usual."""
    usual = view.usual_rows
    if usual is None:
        return Styled(glyphs.none, "muted")
    if view.status is not ConnectionStatus.COMPLETED:
        return Styled(number(usual), "muted")
    role = "warn" if view.far else "muted"
    return Styled(difference(view.rows, usual, glyphs.minus), role)


def took(view: ConnectionView, at: float) -> float | None:
    """Seconds of a connection's last try, or so far; None where there was none."""
    if view.status is ConnectionStatus.RUNNING:
        return max(at - view.since, 0.0) if view.since else None
    return sum(view.seconds.values()) if view.seconds else None


def named_run(moment: Moment, wanted: str) -> RunView | None:
    """A run in the engine's memory by its id, by an end of it that no other has, or by its job."""
    exact = moment.run(wanted) or moment.newest(wanted)
    if exact is not None:
        return exact
    found = [run for run in moment.runs if run.run.endswith(wanted.upper())]
    return found[0] if len(found) == 1 else None


def newest_run(moment: Moment) -> RunView | None:
    """The run that is at work, else waits, else ended last; None where none is remembered."""
    at_work = moment.at_work
    begun = [run for run in at_work if run.status is not RunStatus.QUEUED]
    return next(iter((*reversed(begun), *at_work, *reversed(moment.runs))), None)


def target_lines(subject: Subject, planned: Sequence[str]) -> list[Cell]:
    """Where the rows of a run are, or will be."""
    lines: list[Cell] = []
    for output in subject.outputs:
        waits = "partial: the run has not ended"
        if subject.status not in NOT_ENDED:
            waits = "beside its place, until that is free"
        state = "" if output.final else f"  {waits}"
        facts = f"{output.type}, {counted(output.rows, 'row')}, {size(output.bytes)}{state}"
        lines += [output.path, Styled(f"  {facts}", "muted"), ""]
    if lines:
        return lines
    at_work = subject.status in NOT_ENDED
    said = "Nothing is there yet. It will be:" if at_work else "It has published nothing to:"
    return [Styled(said, "muted"), "", *planned]
