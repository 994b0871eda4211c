"""Remembers how far each run is, from the events as they come; forgets finished runs in time."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from etltui.domain.events import (
    ConnectionCompleted,
    ConnectionFailed,
    ConnectionProgress,
    ConnectionSkipped,
    ConnectionStarted,
    Event,
    RunFinished,
    RunProgress,
    RunQueued,
    RunRetrying,
    RunStarted,
    TargetPublished,
)
from etltui.domain.ports import Clock
from etltui.domain.progress import ConnectionView, Eta, RunView
from etltui.domain.run import AT_WORK, ConnectionResult, ConnectionStatus, Output, RunStatus, Step
from etltui.domain.usual import Past
from etltui.engine.eta import time_left

KEPT_S = 300.0
"""A finished run leaves memory after five minutes; the store keeps it."""


@dataclass(slots=True)
class _Course:
    """What is kept of a run's attempt beside its view.

    Attributes:
        parallel: Connections that it reads at once at most.
        outputs: Its targets in their place, by the destination's number.
        publishing_since: Unix time in seconds; None before.
    """

    past: Past = field(default_factory=Past)
    parallel: int = 1
    connections: dict[str, ConnectionView] = field(default_factory=dict)
    outputs: dict[int, Output] = field(default_factory=dict)
    publishing_since: float | None = None


class ProgressBook:
    """The runs of an engine as they stand.

    Args:
        clock: Tells the time.
        places: Sessions that all runs may have together.
    """

    def __init__(self, clock: Clock, places: Callable[[], int] = lambda: 1) -> None:
        self._clock = clock
        self._places = places
        self._runs: dict[str, RunView] = {}
        self._courses: dict[str, _Course] = {}
        self._finished: dict[str, float] = {}

    def run(self, name: str) -> RunView | None:
        """A run by its id, or the newest one of a job by the job's name; None once forgotten."""
        self.forget()
        found = self._runs.get(name)
        if found is None:
            of_job = [view for view in self._runs.values() if view.job == name]
            found = of_job[-1] if of_job else None
        return None if found is None else self._whole(found)

    def runs(self) -> tuple[RunView, ...]:
        """All runs that are remembered, in the order in which they came."""
        self.forget()
        return tuple(map(self._whole, self._runs.values()))

    def forget(self) -> None:
        """Drop runs that finished long enough ago."""
        now = self._clock.monotonic()
        for run in [run for run, ended in self._finished.items() if now - ended >= KEPT_S]:
            del self._finished[run], self._runs[run]
            self._courses.pop(run, None)

    def take(self, event: Event) -> None:
        """Learn from an event."""
        if isinstance(event, RunQueued):
            view = RunView(
                run=event.run,
                job=event.job,
                status=RunStatus.QUEUED,
                started=event.at,
                title=event.title,
                owner=event.owner,
            )
            # Behind all others: it is the newest of its job, also where it is taken up again.
            self._runs.pop(event.run, None)
            self._runs[event.run] = replace(view, changed=event.at)
            self._courses[event.run] = _Course()
            self._finished.pop(event.run, None)
        elif event.run in self._runs:
            self._runs[event.run] = replace(self._changed(event), changed=event.at)

    def _changed(self, event: Event) -> RunView:
        view = self._runs[event.run]
        match event:
            case RunStarted():
                return self._started(view, event)
            case RunProgress():
                return self._further(view, event)
            case RunRetrying():
                return replace(view, status=RunStatus.QUEUED, reason=event.reason)
            case RunFinished():
                return self._ended(view, event)
            case TargetPublished():
                self._published(event)
            case _:
                self._connection(event)
        return view

    def _started(self, view: RunView, event: RunStarted) -> RunView:
        waiting = map(_waiting, event.waiting)
        views = (*(_as_left(result, event.at) for result in event.before), *waiting)
        self._courses[event.run] = _Course(
            past=event.past,
            parallel=event.parallel,
            connections={view.connection: _compared(view, event.past) for view in views},
        )
        return replace(
            view,
            title=event.title or view.title,
            status=RunStatus.RUNNING,
            step=Step.CONNECTING,
            percent=0,
            completed=event.skipped,
            failed=0,
            total=event.total,
            skipped=event.skipped,
            attempt=event.attempt,
            started=event.at,
            reason="",
            due=event.due,
        )

    def _further(self, view: RunView, event: RunProgress) -> RunView:
        course = self._courses[event.run]
        if event.step == Step.SENDING and course.publishing_since is None:
            course.publishing_since = event.at
        return replace(
            view,
            step=event.step,
            percent=event.percent,
            completed=event.completed,
            failed=event.failed,
            rows=event.rows,
        )

    def _published(self, event: TargetPublished) -> None:
        self._courses[event.run].outputs[event.destination] = Output(
            type=event.type,
            path=event.path,
            rows=event.rows,
            bytes=event.bytes,
            final=event.final,
        )

    def _ended(self, view: RunView, event: RunFinished) -> RunView:
        self._finished[event.run] = self._clock.monotonic()
        connections = self._courses[event.run].connections
        for name, each in connections.items():
            if each.status in _AT_WORK:
                cancelled = ConnectionStatus.CANCELLED
                connections[name] = replace(each, status=cancelled, since=event.at, again_at=0.0)
        result = event.result
        return replace(
            view,
            status=result.status,
            percent=max(view.percent, 100 if result.status in _WHOLE else 0),
            completed=result.completed,
            failed=result.failed,
            total=result.total or view.total,
            rows=result.rows,
            reason=result.reason,
        )

    def _connection(self, event: Event) -> None:
        if not isinstance(event, _OfConnection):
            return
        course = self._courses[event.run]
        name = event.connection
        view = course.connections.get(name) or _compared(_waiting(name), course.past)
        course.connections[name] = _moved(view, event)

    def _whole(self, view: RunView) -> RunView:
        course = self._courses[view.run]
        connections = dict(course.connections)
        under_way = (each.rows for each in connections.values() if each.status in _AT_WORK)
        return replace(
            view,
            connections=connections,
            rows=view.rows + sum(under_way),
            eta=self._eta(course) if view.status in AT_WORK else None,
            outputs=tuple(output for _, output in sorted(course.outputs.items())),
        )

    def _eta(self, course: _Course) -> Eta | None:
        at_work = sum(view.status in AT_WORK for view in self._runs.values())
        return time_left(
            course.connections.values(),
            course.past,
            lanes=min(course.parallel, self._places() // at_work),
            now=self._clock.now().timestamp(),
            publishing_since=course.publishing_since,
        )


_OfConnection = (
    ConnectionStarted
    | ConnectionProgress
    | ConnectionCompleted
    | ConnectionFailed
    | ConnectionSkipped
)
_AT_WORK = frozenset({ConnectionStatus.RUNNING, ConnectionStatus.RETRYING})
_WHOLE = frozenset({RunStatus.COMPLETED, RunStatus.COMPLETED_WITH_ERRORS, RunStatus.FAILED})


def _waiting(name: str) -> ConnectionView:
    return ConnectionView(connection=name, status=ConnectionStatus.WAITING)


def _as_left(result: ConnectionResult, at: float) -> ConnectionView:
    """A connection that stays as an earlier attempt left it."""
    return ConnectionView(
        connection=result.connection,
        status=result.status,
        rows=result.rows,
        since=at,
        trouble=result.trouble,
        seconds=result.seconds,
        notes=result.notes,
        judged=result.judged,
        limit=result.limit,
        server=result.server,
        odd=result.odd,
        controls=result.controls,
        provisional=result.provisional,
    )


def _compared(view: ConnectionView, past: Past) -> ConnectionView:
    """The view with what is usual."""
    usual = past.usual.get(view.connection)
    if usual is None:
        return view
    return replace(view, usual_rows=usual.rows, usual_s=usual.seconds)


def _moved(
    view: ConnectionView,
    event: _OfConnection,
) -> ConnectionView:
    """The view after an event."""
    match event:
        case ConnectionStarted():
            return replace(
                view,
                status=ConnectionStatus.RUNNING,
                tries=event.tries,
                rows=0,
                bytes=0,
                since=event.at,
                again_at=0.0,
            )
        case ConnectionProgress():
            return replace(view, step=event.step, rows=event.rows, bytes=event.bytes)
        case ConnectionCompleted():
            return replace(
                view,
                status=ConnectionStatus.COMPLETED,
                rows=event.result.rows,
                since=event.at,
                trouble=None,
                seconds=event.result.seconds,
                notes=event.result.notes,
                judged=event.result.judged,
                limit=event.result.limit,
                server=event.result.server,
                odd=event.result.odd,
                controls=event.result.controls,
                provisional=event.result.provisional,
            )
        case ConnectionSkipped():
            skipped = ConnectionStatus.SKIPPED
            return replace(view, status=skipped, since=event.at, trouble=event.trouble)
        case _:
            again = event.will_retry
            return replace(
                view,
                status=ConnectionStatus.RETRYING if again else ConnectionStatus.FAILED,
                rows=0,
                since=event.at,
                trouble=event.trouble,
                seconds=event.seconds,
                again_at=event.at + event.wait_s if again else 0.0,
            )
