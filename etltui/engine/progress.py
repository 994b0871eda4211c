"""Remembers how far each run is, from the events as they come; forgets finished runs in time."""

from dataclasses import replace

from etltui.domain.events import (
    ConnectionCompleted,
    ConnectionFailed,
    ConnectionProgress,
    ConnectionStarted,
    Event,
    RunFinished,
    RunProgress,
    RunQueued,
    RunRetrying,
    RunStarted,
)
from etltui.domain.ports import Clock
from etltui.domain.progress import ConnectionView, RunView
from etltui.domain.run import ConnectionStatus, RunStatus, Step

KEPT_S = 300.0
"""A finished run leaves memory after five minutes; the store keeps it."""


class ProgressBook:
    """The runs of an engine as they stand."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._runs: dict[str, RunView] = {}
        self._connections: dict[str, dict[str, ConnectionView]] = {}
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
            self._connections.pop(run, None)

    def take(self, event: Event) -> None:
        """Learn from an event."""
        if isinstance(event, RunQueued):
            view = RunView(run=event.run, job=event.job, status=RunStatus.QUEUED, started=event.at)
            # Behind all others: it is the newest of its job, also where it is taken up again.
            self._runs.pop(event.run, None)
            self._runs[event.run] = replace(view, changed=event.at)
            self._finished.pop(event.run, None)
        elif event.run in self._runs:
            self._runs[event.run] = replace(self._changed(event), changed=event.at)

    def _changed(self, event: Event) -> RunView:
        view = self._runs[event.run]
        match event:
            case RunStarted():
                return self._started(view, event)
            case RunProgress():
                return replace(
                    view,
                    step=event.step,
                    percent=event.percent,
                    completed=event.completed,
                    failed=event.failed,
                    rows=event.rows,
                )
            case RunRetrying():
                return replace(view, status=RunStatus.QUEUED, reason=event.reason)
            case RunFinished():
                return self._ended(view, event)
            case ConnectionStarted() | ConnectionProgress() | ConnectionCompleted():
                self._connection(event)
            case ConnectionFailed():
                self._connection(event)
            case _:
                pass
        return view

    def _started(self, view: RunView, event: RunStarted) -> RunView:
        self._connections[event.run] = {}
        return replace(
            view,
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
        )

    def _ended(self, view: RunView, event: RunFinished) -> RunView:
        self._finished[event.run] = self._clock.monotonic()
        connections = self._connections.get(event.run, {})
        for name, each in connections.items():
            if each.status in _AT_WORK:
                connections[name] = replace(each, status=ConnectionStatus.CANCELLED, since=event.at)
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

    def _connection(
        self,
        event: ConnectionStarted | ConnectionProgress | ConnectionCompleted | ConnectionFailed,
    ) -> None:
        views = self._connections[event.run]
        name = event.connection
        view = views.get(name) or ConnectionView(
            connection=name,
            status=ConnectionStatus.RUNNING,
            since=event.at,
        )
        views[name] = _moved(view, event)

    def _whole(self, view: RunView) -> RunView:
        connections = dict(self._connections.get(view.run, {}))
        under_way = (each.rows for each in connections.values() if each.status in _AT_WORK)
        return replace(view, connections=connections, rows=view.rows + sum(under_way))


_AT_WORK = frozenset({ConnectionStatus.RUNNING, ConnectionStatus.RETRYING})
_WHOLE = frozenset({RunStatus.COMPLETED, RunStatus.COMPLETED_WITH_ERRORS, RunStatus.FAILED})


def _moved(
    view: ConnectionView,
    event: ConnectionStarted | ConnectionProgress | ConnectionCompleted | ConnectionFailed,
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
            )
        case _:
            status = ConnectionStatus.RETRYING if event.will_retry else ConnectionStatus.FAILED
            return replace(view, status=status, rows=0, since=event.at, trouble=event.trouble)
