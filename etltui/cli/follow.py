"""Follows runs to their end, wherever their engine is: progress, reports, exit code."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from types import MappingProxyType

from etltui.cli.failures import width
from etltui.cli.local import Runs
from etltui.cli.progress import PAINT_S, Lines, Painter, Silent
from etltui.cli.report import report
from etltui.config.schema import Config
from etltui.domain.events import (
    ConnectionProgress,
    ConnectionStarted,
    Event,
    Moment,
    Overflow,
    RunProgress,
    RunStarted,
)
from etltui.domain.progress import RunView, Snapshot
from etltui.domain.run import AT_WORK, ConnectionStatus, RunResult, RunStatus
from etltui.encode import events as encode

EXIT = MappingProxyType(
    {
        RunStatus.COMPLETED: 0,
        RunStatus.COMPLETED_WITH_ERRORS: 3,
        RunStatus.FAILED: 1,
        RunStatus.STOPPED: 4,
        RunStatus.CANCELLED: 130,
        RunStatus.QUEUED: 4,  # it keeps its place for the next engine
    },
)
_WORST = (1, 130, 4, 3, 0)


def exit_code(results: Sequence[RunResult]) -> int:
    """Of several runs the worst: failed, cancelled, stopped, with errors, completed."""
    return worst({EXIT[result.status] for result in results})


def worst(codes: set[int]) -> int:
    """The exit code that says most of several; 0 for none."""
    return next((code for code in _WORST if code in codes), 0)


def say(text: str) -> None:
    """Say something on stdout; a terminal that has gone does not stop the run."""
    with suppress(OSError):
        print(text, flush=True)  # noqa: T201 - results go to stdout


def note(text: str) -> None:
    """Say something on stderr; a terminal that has gone does not stop the run."""
    with suppress(OSError):
        print(f"etltui: {text}", file=sys.stderr, flush=True)  # noqa: T201 - progress goes to stderr


def reported(results: Sequence[RunResult], config: Config) -> None:
    """Say on stdout how the runs ended."""
    for result in results:
        say(report(result, config, width()))


class Show:
    """Shows events: on stderr for people, or as JSON on stdout for programs.

    Args:
        timezone: Of the times.
        as_json: An event a line, instead of a picture.
        live: Repaint the picture where stderr is a terminal; else a line for each change.
        quiet: Show nothing.
    """

    def __init__(
        self,
        timezone: str,
        *,
        as_json: bool = False,
        live: bool = True,
        quiet: bool = False,
    ) -> None:
        self._as_json = as_json
        if as_json or quiet:
            self._view = Silent()
        elif live and sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb":
            self._view = Painter(sys.stderr, timezone)
        else:
            self._view = Lines(sys.stderr, timezone)

    @asynccontextmanager
    async def following(
        self,
        runs: Runs,
        names: Sequence[str],
        before: Snapshot,
    ) -> AsyncIterator[None]:
        """Show the runs, or all for no names, for the time of the block.

        Args:
            runs: Where they run; its `collect` has been called.
            names: Their ids.
            before: How they stood then: of those at work it is shown how far they were.
        """
        watching = asyncio.create_task(self._watch(runs, names, before), name="watching")
        try:
            yield
            # What has happened by now is shown before it ends.
            await runs.enough()
            await watching
        finally:
            watching.cancel()
            await asyncio.wait({watching})

    async def _watch(self, runs: Runs, names: Sequence[str], before: Snapshot) -> None:
        with self._view:
            ticking = asyncio.create_task(self._tick(), name="ticking")
            try:
                self._catch_up(names, before)
                async for event in runs.events(names):
                    self._take(event)
                    if isinstance(event, Overflow):
                        self._catch_up(names, await runs.snapshot())
            finally:
                ticking.cancel()
                await asyncio.wait({ticking})

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(PAINT_S)
            self._view.tick()

    def _catch_up(self, names: Sequence[str], snapshot: Snapshot) -> None:
        for view in snapshot.runs:
            if view.status in AT_WORK and (not names or view.run in names):
                for event in under_way(view):
                    self._take(event)

    def _take(self, event: Event) -> None:
        self._view.take(event)
        if self._as_json:
            say(encode.line(encode.encoded(event)))


def under_way(view: RunView) -> Iterator[Event]:
    """The events that bring whoever joins in to where a run is.

    What completed before counts as done before.
    """
    moment: Moment = {"at": view.changed, "run": view.run, "job": view.job}
    yield RunStarted(**moment, total=view.total, skipped=view.completed, attempt=view.attempt)
    yield RunProgress(
        **moment,
        step=view.step,
        percent=view.percent,
        completed=view.completed,
        failed=view.failed,
        total=view.total,
        rows=sum(
            each.rows
            for each in view.connections.values()
            if each.status is ConnectionStatus.COMPLETED
        ),
    )
    for each in view.connections.values():
        if each.status is ConnectionStatus.RUNNING:
            yield ConnectionStarted(**moment, connection=each.connection, tries=each.tries)
            yield ConnectionProgress(
                **moment,
                connection=each.connection,
                step=each.step,
                rows=each.rows,
                bytes=each.bytes,
            )
