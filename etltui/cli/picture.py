"""The live picture of a run as lines of text: overall bar, running connections, rows a second."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from etltui.domain.events import (
    ConnectionCompleted,
    ConnectionFailed,
    ConnectionProgress,
    ConnectionSkipped,
    ConnectionStarted,
    Event,
    RunFinished,
    RunProgress,
    RunRetrying,
    RunStarted,
)
from etltui.domain.run import Step
from etltui.domain.safe_text import middle_cut, safe_text
from etltui.domain.words import duration, number

_BLOCKS = " ▏▎▍▌▋▊▉█"
_BAR = 12
_NAME = 18
_RATE_S = 5.0
"""Rows a second are the mean of so many seconds."""


def bar(share: float, width: int = _BAR) -> str:
    """A bar of eighths of a character."""
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    whole, rest = divmod(eighths, 8)
    return ("█" * whole + (_BLOCKS[rest] if rest else "")).ljust(width)


@dataclass(slots=True)
class _Running:
    """A run connection that is being read now."""

    since: float
    step: str = ""
    rows: int = 0


@dataclass(slots=True)
class _Run:
    """A run as the picture knows it."""

    job: str
    since: float
    total: int
    done: int = 0
    failed: int = 0
    retrying: int = 0
    rows: int = 0
    sending: bool = False
    ended: bool = False


class Picture:
    """Takes events in and draws what an operator wants to see first.

    A connection's own share of its rows is not known before it ends; its bar shows its rows
    against the largest connection that has completed.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._runs: dict[str, _Run] = {}
        self._running: dict[tuple[str, str], _Running] = {}
        self._largest = 0
        self._rates: deque[tuple[float, int]] = deque()

    def take(self, event: Event) -> None:
        """Remember what the event changes."""
        if isinstance(event, RunStarted):
            self._runs[event.run] = _Run(job=event.job, since=self._clock(), total=event.total)
        elif run := self._runs.get(event.run):
            self._take_run(run, event)
            self._take_connection(run, event)

    def _take_run(self, run: _Run, event: Event) -> None:
        match event:
            case RunProgress():
                run.done, run.failed, run.rows = event.completed, event.failed, event.rows
                run.sending = event.step == Step.SENDING
            case RunFinished() | RunRetrying():
                run.ended, run.sending = True, False
            case _:
                pass

    def _take_connection(self, run: _Run, event: Event) -> None:
        key = (event.run, getattr(event, "connection", ""))
        match event:
            case ConnectionStarted():
                self._running[key] = _Running(since=self._clock())
                run.retrying -= event.tries > 1
            case ConnectionProgress() if key in self._running:
                self._running[key].step, self._running[key].rows = event.step, event.rows
            case ConnectionCompleted():
                self._running.pop(key, None)
                self._largest = max(self._largest, event.result.rows)
            case ConnectionFailed():
                self._running.pop(key, None)
                run.retrying += event.will_retry
            case ConnectionSkipped():
                run.retrying -= event.tries > 0
            case _:
                pass

    def lines(self, width: int, height: int) -> list[str]:
        """The picture: at most `height` lines of at most `width` characters."""
        rate = self._rate()
        lines = [self._head(key, run, rate) for key, run in self._runs.items() if not run.ended]
        lines.extend(f"  ◐ {Step.SENDING}" for run in self._runs.values() if run.sending)
        room = max(0, height - len(lines) - 1)
        running = list(self._running.items())
        lines.extend(self._line(name, one) for (_, name), one in running[:room])
        if len(running) > room:
            lines.append(f"  …{len(running) - room} more")
        return [line[:width] for line in lines[:height]]

    def _rows(self, run_id: str, run: _Run) -> int:
        """Rows of a run so far, those of its running connections among them."""
        running = (one.rows for (key, _), one in self._running.items() if key == run_id)
        return run.rows + sum(running)

    def _head(self, run_id: str, run: _Run, rate: float) -> str:
        ended = run.done + run.failed
        share = ended / run.total if run.total else 1.0
        trouble = "".join(
            f"  {mark} {count} {word}"
            for mark, count, word in (("✗", run.failed, "failed"), ("↻", run.retrying, "retrying"))
            if count
        )
        return (
            f"{safe_text(run.job)}  {bar(share)} {share:4.0%}  {run.done}/{run.total}{trouble}  "
            f"{number(self._rows(run_id, run))} rows  {number(round(rate))}/s  "
            f"{duration(self._clock() - run.since)}"
        )

    def _line(self, name: str, one: _Running) -> str:
        share = one.rows / self._largest if self._largest else 0.0
        shown = middle_cut(safe_text(name), _NAME).ljust(_NAME)
        return (
            f"  ◐ {shown} {bar(share)} {number(one.rows):>11}  "
            f"{duration(self._clock() - one.since):>6}  {one.step}"
        )

    def _rate(self) -> float:
        """Rows a second over the last few seconds, finished and running ones together."""
        now = self._clock()
        rows = sum(self._rows(key, run) for key, run in self._runs.items())
        self._rates.append((now, rows))
        while now - self._rates[0][0] > _RATE_S:
            self._rates.popleft()
        since, before = self._rates[0]
        return max(0.0, (rows - before) / (now - since)) if now > since else 0.0
