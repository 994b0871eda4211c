"""Past runs: what each of them was, and against what is usual for its job."""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from etltui.console.cells import Cell, Styled
from etltui.console.glyphs import Glyphs
from etltui.console.model.difference import COMPARED, difference, usual_of
from etltui.console.model.listing import Field
from etltui.console.model.run import RETRIED
from etltui.console.steps import run_status
from etltui.domain.progress import RunView
from etltui.domain.run import NOT_ENDED, RunStatus
from etltui.domain.stored import RunRow
from etltui.domain.usual import deviation
from etltui.domain.words import duration, local, number, short

_WHOLE = frozenset({RunStatus.COMPLETED})


@dataclass(frozen=True, kw_only=True, slots=True)
class PastRun:
    """A run as the list has it.

    Attributes:
        rows: Of all connections together; None: not known.
        usual: Rows of the runs of the job before it that completed; None: there were none.
        seconds: From its start to its end; None where it has not ended.
        who: Who asked for it, as `user@host`; empty: not known.
    """

    run: str
    job: str
    title: str
    status: RunStatus
    started: float
    total: int
    completed: int
    rows: int | None = None
    usual: int | None = None
    seconds: float | None = None
    reason: str = ""
    who: str = ""

    @property
    def lacks(self) -> int:
        """How many of its connections have not completed."""
        return self.total - self.completed

    @property
    def retried(self) -> bool:
        """Whether there is anything of it to be read again."""
        return self.status in RETRIED and self.lacks > 0


def past_runs(
    rows: Sequence[RunRow], live: Iterable[RunView], who: Mapping[str, str]
) -> list[PastRun]:
    """The runs, the newest first.

    Args:
        rows: As the store has them, the newest first.
        live: As the engine remembers them, which is newer for those at work.
        who: From a run to who asked for it.
    """
    now = {view.run: view for view in live}
    usual = _usual(rows)
    found = []
    for row in rows:
        made = _of_row(row, usual.get(row.run), who.get(row.run, ""))
        view = now.get(row.run)
        found.append(_with(made, view) if view is not None else made)
    return found


def _usual(rows: Sequence[RunRow]) -> dict[str, int | None]:
    """From a run to what the runs of its job before it were, those with all connections only."""
    before: defaultdict[str, deque[int]] = defaultdict(lambda: deque(maxlen=COMPARED))
    found = {}
    for row in reversed(rows):
        found[row.run] = usual_of(before[row.job])
        if row.result is not None and row.status in _WHOLE:
            before[row.job].append(row.result.rows)
    return found


def _of_row(row: RunRow, usual: int | None, who: str) -> PastRun:
    result = row.result
    return PastRun(
        run=row.run,
        job=row.job,
        title=row.title or row.job,
        status=row.status,
        started=row.started,
        total=row.total,
        completed=result.completed if result else 0,
        rows=result.rows if result else None,
        usual=usual,
        seconds=result.seconds if result else None,
        reason=row.reason,
        who=who,
    )


def _with(run: PastRun, view: RunView) -> PastRun:
    """A run as the engine remembers it."""
    ended = view.status not in NOT_ENDED
    return replace(
        run,
        status=view.status,
        total=view.total,
        completed=view.completed,
        rows=view.rows,
        seconds=max(view.changed - view.started, 0.0) if ended else None,
        reason=view.reason,
        who=run.who or view.owner,
    )


@dataclass(frozen=True, slots=True)
class Ink:
    """With what the list is drawn."""

    glyphs: Glyphs
    timezone: str


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run, and with what it is drawn."""

    past: PastRun
    ink: Ink


def _against(line: RunLine) -> Cell:
    past, minus = line.past, line.ink.glyphs.minus
    if past.rows is None or past.status in NOT_ENDED:
        return ""
    far = deviation(past.rows, past.usual)
    return Styled(difference(past.rows, past.usual, minus), "warn" if far else "muted")


def _rows(line: RunLine) -> Cell:
    rows = line.past.rows
    return Styled(line.ink.glyphs.none, "muted") if rows is None else number(rows)


def _time(line: RunLine) -> Cell:
    seconds = line.past.seconds
    return Styled(line.ink.glyphs.none, "muted") if seconds is None else duration(seconds)


def _done(line: RunLine) -> Cell:
    past = line.past
    bad = past.status not in NOT_ENDED and past.completed < past.total
    return Styled(f"{past.completed:,}/{past.total:,}", "bad" if bad else "")


def _when(line: RunLine) -> Cell:
    return f"{local(line.past.started, line.ink.timezone):%m-%d %H:%M}"


def _change(line: RunLine) -> float | None:
    past = line.past
    if past.rows is None or not past.usual:
        return None
    return (past.rows - past.usual) / past.usual * 100


FIELDS: tuple[Field[RunLine], ...] = (
    Field(
        id="when",
        title="BEGAN",
        width=11,
        cell=_when,
        value=lambda line: f"{local(line.past.started, line.ink.timezone):%Y-%m-%d %H:%M}",
        keep=True,
    ),
    Field(
        id="job",
        title="JOB",
        width=10,
        cell=lambda line: line.past.title,
        value=lambda line: f"{line.past.title} {line.past.job}",
        flexible=True,
        cut="middle",
        keep=True,
    ),
    Field(
        id="status",
        title="STATUS",
        width=13,
        cell=lambda line: run_status(line.ink.glyphs, line.past.status),
        value=lambda line: f"{line.past.status} {line.past.status.replace('_', ' ')}",
    ),
    Field(
        id="done",
        title="DONE",
        width=7,
        cell=_done,
        value=lambda line: line.past.completed,
        align="right",
    ),
    Field(
        id="lacks",
        title="LACKS",
        width=5,
        cell=lambda line: number(line.past.lacks),
        value=lambda line: line.past.lacks,
        align="right",
        shown=False,
    ),
    Field(
        id="rows",
        title="ROWS",
        width=9,
        cell=_rows,
        value=lambda line: line.past.rows,
        align="right",
        below=74,
    ),
    Field(
        id="usual",
        title="USUAL",
        width=6,
        cell=_against,
        value=_change,
        align="right",
        below=52,
    ),
    Field(
        id="time",
        title="TIME",
        width=5,
        cell=_time,
        value=lambda line: line.past.seconds,
        align="right",
    ),
    Field(
        id="who",
        title="WHO",
        width=8,
        cell=lambda line: Styled(line.past.who, "muted"),
        below=66,
    ),
    Field(
        id="run",
        title="RUN",
        width=5,
        cell=lambda line: Styled(short(line.past.run), "muted"),
        value=lambda line: line.past.run,
        shown=False,
    ),
)
"""The columns of the list of runs."""


def compared(chosen: Sequence[PastRun], runs: Sequence[PastRun]) -> tuple[PastRun, PastRun] | None:
    """Which two runs to compare, the older first; None where there is no second one.

    Args:
        chosen: Two runs, or one that is compared with the one of its job before it.
        runs: All of them, the newest first.
    """
    if len(chosen) == 2:
        older, newer = sorted(chosen, key=lambda each: (each.started, each.run))
        return older, newer
    if len(chosen) != 1:
        return None
    (one,) = chosen
    at = next((n for n, each in enumerate(runs) if each.run == one.run), len(runs))
    before = next((each for each in runs[at + 1 :] if each.job == one.job), None)
    return None if before is None else (before, one)


def to_try_again(runs: Iterable[PastRun]) -> tuple[list[PastRun], int]:
    """Of each job the newest run that lacks something, and how many older ones there are.

    A job has one run at a time: the older ones can follow when that one has ended.
    """
    lacking = [each for each in runs if each.retried]
    found = sorted(lacking, key=lambda each: each.run, reverse=True)
    newest: dict[str, PastRun] = {}
    for each in found:
        newest.setdefault(each.job, each)
    return list(newest.values()), len(found) - len(newest)
