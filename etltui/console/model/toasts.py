"""What is said in passing of runs: begun, a quarter, half and three quarters done, ended."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from etltui.console.bridge import Moment
from etltui.console.view import Severity
from etltui.domain.deadline import Outlook, finishes, outlook, verdict
from etltui.domain.pools import BreakerStats
from etltui.domain.progress import RunView
from etltui.domain.run import AT_WORK, NOT_ENDED, RunStatus
from etltui.domain.words import because, counted, duration, some, words

MARKS = (25, 50, 75)
STANDS_S = 5.0
"""Seconds that a toast is there."""
_MERGED = 3
"""So many of a kind at once are one toast."""
_NAMED = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Toast:
    """Something to say in passing."""

    text: str
    severity: Severity = "information"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Seen:
    """How a run stood when it was last looked at.

    Attributes:
        mark: The last one that was told or passed.
        said: Unix time in seconds at which something was last said of it.
        risk: Whether its deadline was at risk, or missed.
    """

    status: RunStatus
    attempt: int
    mark: int
    said: float = 0.0
    risk: bool = False


class Toasts:
    """Compares each moment with the one before; what stood there at first is no news.

    Args:
        timezone: Of the times of day; empty for the machine's own.
        sign: Before what a time may be off.
    """

    def __init__(self, timezone: str = "", sign: str = "±") -> None:
        self._seen: dict[str, _Seen] | None = None
        self._down: set[str] = set()
        self._timezone = timezone
        self._sign = sign

    def take(self, moment: Moment, *, all_of_it: bool = True) -> list[Toast]:
        """What there is to say of a moment, few toasts however much happened.

        Args:
            moment: Later than all before.
            all_of_it: False: only results with errors and deadlines at risk.
        """
        before, seen = self._seen, {}
        news: dict[str, list[RunView]] = {
            each: [] for each in ("begun", "further", "again", "ended")
        }
        late = []
        for run in moment.runs:
            old = (before or {}).get(run.run)
            due = outlook(run, moment.at)
            now = _noted(run, old, risk=due is not None and due.endangered)
            if due is not None and before is not None and _at_risk(now, old):
                late.append(self._late(run, due, moment.at))
            what = _news(run, old, now, moment.at) if before is not None else ""
            if what:
                news[what].append(run)
                now = replace(now, said=moment.at)
            seen[run.run] = now
        self._seen = seen
        found = self._lines(moment.snapshot.pools.breakers, first=before is None)
        if all_of_it:
            found += [*_begun(news["begun"]), *_further(news["further"]), *_again(news["again"])]
        return found + late[:_MERGED] + _ended(news["ended"], all_of_it=all_of_it)

    def _lines(self, breakers: Sequence[BreakerStats], *, first: bool) -> list[Toast]:
        """Which lines are down since the moment before, and which are up again."""
        before, self._down = self._down, {each.name for each in breakers}
        if first:
            return []
        # Nobody waits yet when it is said, and how many will is not known.
        wait = "all behind it wait while one at a time is tried"
        down = [f"{name} is down: {wait}" for name in sorted(self._down - before)]
        up = [f"{name} is up again" for name in sorted(before - self._down)]
        return [
            *(Toast(text=said, severity="warning") for said in down[:_MERGED]),
            *(Toast(text=said) for said in up[:_MERGED]),
        ]

    def _late(self, run: RunView, found: Outlook, at: float) -> Toast:
        """That a run may miss its deadline, or has."""
        lines = [f"{_title(run)}: deadline {verdict(found, at, self._timezone)}"]
        if when := finishes(found, self._timezone, self._sign):
            lines.append(f"It {when}.")
        return Toast(text="\n".join(lines), severity="warning")


def _noted(run: RunView, old: _Seen | None, *, risk: bool) -> _Seen:
    mark, said = _mark(run), 0.0
    if old is not None and old.attempt == run.attempt:
        mark, said, risk = max(mark, old.mark), old.said, risk or old.risk
    return _Seen(status=run.status, attempt=run.attempt, mark=mark, said=said, risk=risk)


def _at_risk(now: _Seen, old: _Seen | None) -> bool:
    """Whether an attempt's deadline was not at risk so far."""
    return now.risk and (old is None or not old.risk or old.attempt != now.attempt)


def _news(run: RunView, old: _Seen | None, now: _Seen, at: float) -> str:
    """What is new of a run, in a word; empty for nothing.

    No mark is told while the last toast of the run stands: a fast run would pile them up.
    """
    if run.status in AT_WORK:
        if old is None or old.status not in AT_WORK or old.attempt != now.attempt:
            return "begun"
        return "further" if now.mark > old.mark and at - now.said >= STANDS_S else ""
    if run.status is RunStatus.QUEUED:
        return "again" if old is not None and old.status in AT_WORK and run.reason else ""
    return "ended" if old is None or old.status in NOT_ENDED else ""


def _mark(run: RunView) -> int:
    return max((mark for mark in MARKS if run.percent >= mark), default=0)


def _title(run: RunView) -> str:
    return run.title or run.job


def _names(runs: Sequence[RunView]) -> str:
    return some([_title(run) for run in runs], _NAMED)


def _begun(runs: Sequence[RunView]) -> list[Toast]:
    if len(runs) >= _MERGED:
        return [Toast(text=f"{len(runs)} runs started: {_names(runs)}")]
    return [
        Toast(text=f"{_title(run)} started, {counted(run.total - run.skipped, 'connection')}")
        for run in runs
    ]


def _further(runs: Sequence[RunView]) -> list[Toast]:
    shown = [
        f"{_title(run)}: {_mark(run)} %, {run.completed} of {run.total} done"
        for run in runs[:_NAMED]
    ]
    if len(runs) > _NAMED:
        shown.append(f"and {len(runs) - _NAMED} more")
    return [Toast(text="\n".join(shown))] if shown else []


def _again(runs: Sequence[RunView]) -> list[Toast]:
    return [
        Toast(text=f"{_title(run)} will be tried again: {run.reason}", severity="warning")
        for run in runs[:_NAMED]
    ]


def _ended(runs: Sequence[RunView], *, all_of_it: bool) -> list[Toast]:
    well = [run for run in runs if run.status is RunStatus.COMPLETED]
    cancelled = [run for run in runs if run.status in {RunStatus.CANCELLED, RunStatus.DISCARDED}]
    badly = [run for run in runs if run not in well and run not in cancelled]
    found: list[Toast] = []
    if all_of_it:
        for group in (well, cancelled):
            if len(group) >= _MERGED:
                text = f"{len(group)} runs {words(group[0].status)}: {_names(group)}"
                found.append(Toast(text=text))
            else:
                found += [result(run) for run in group]
    if len(badly) > _MERGED:
        text = f"{len(badly)} runs ended with errors: {_names(badly)}"
        return [*found, Toast(text=text, severity="error")]
    return found + [result(run) for run in badly]


def result(run: RunView) -> Toast:
    """How a run ended: how much of it, how long it took, where its rows are, and why it stopped."""
    head = f"{_title(run)} {because(words(run.status), run.reason)}"
    facts = [f"{run.completed} of {run.total} done"]
    if run.failed:
        facts.append(f"{run.failed} failed")
    if run.rows:
        facts.append(counted(run.rows, "row"))
    facts.append(duration(max(run.changed - run.started, 0.0)))
    lines = [head, ", ".join(facts)]
    final = [output.path for output in run.outputs if output.final]
    if final:
        lines.append(some(final, 1))
    if run.status is RunStatus.STOPPED:
        lines.append("It can be resumed: 9 shows what it holds.")
    severity: Severity = "information"
    if run.status in {RunStatus.FAILED, RunStatus.STOPPED}:
        severity = "error"
    elif run.status is RunStatus.COMPLETED_WITH_ERRORS:
        severity = "warning"
    return Toast(text="\n".join(lines), severity=severity)
