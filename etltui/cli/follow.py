"""Runs jobs in an engine of this process and follows them: signals, progress, exit code."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType

from etltui.bootstrap import engine
from etltui.cli.progress import Lines, Painter, Silent
from etltui.cli.report import report
from etltui.config.schema import Config
from etltui.domain.ports import Subscription
from etltui.domain.run import RunResult, RunStatus
from etltui.encode import events as encode
from etltui.engine.engine import Engine

EXIT = MappingProxyType(
    {
        RunStatus.COMPLETED: 0,
        RunStatus.COMPLETED_WITH_ERRORS: 3,
        RunStatus.FAILED: 1,
        RunStatus.STOPPED: 4,
        RunStatus.CANCELLED: 130,
    },
)
_WORST = (1, 130, 4, 3, 0)
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_AT_ONCE = 130


def exit_code(results: Sequence[RunResult]) -> int:
    """Of several runs the worst: failed, cancelled, stopped, with errors, completed."""
    codes = {EXIT[result.status] for result in results}
    return next(code for code in _WORST if code in codes)


def run_jobs(
    config: Config,
    state: Path,
    jobs: Sequence[str],
    *,
    only: Sequence[str] = (),
    resume: bool | None = None,
    as_json: bool = False,
) -> int:
    """Run the jobs and follow them to their end; the exit code.

    Raises:
        ConfigError: There is no such job, or no such connection; nothing was started.
        PlanChangedError: An unfinished run does not fit any more; nothing was started.
        StateHeldError: Another engine holds the state folder.
    """
    return asyncio.run(
        _run_jobs(config, state, tuple(dict.fromkeys(jobs)), only, resume, as_json=as_json),
    )


async def _run_jobs(
    config: Config,
    state: Path,
    jobs: Sequence[str],
    only: Sequence[str],
    resume: bool | None,  # noqa: FBT001 - three answers: yes, no, as configured
    *,
    as_json: bool,
) -> int:
    async with engine(config, state, environ=os.environ) as running:
        for job in jobs:
            await running.check(job, only=only, resume=resume)
        with running.events() as events, _signals(running):
            view = Silent() if as_json else _view(config.settings.timezone)
            watching = asyncio.create_task(_watch(events, view, as_json=as_json))
            handles = [await running.submit(job, only=only, resume=resume) for job in jobs]
            results = [await handle.wait() for handle in handles]
            # What the bus still holds is shown before the engine ends the stream.
            running.end_events()
            await watching
    if not as_json:
        for result in results:
            _say(report(result, config))
    return exit_code(results)


def _view(timezone: str) -> Painter | Lines:
    """A live picture on a terminal, plain lines elsewhere."""
    terminal = sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"
    return Painter(sys.stderr, timezone) if terminal else Lines(sys.stderr, timezone)


async def _watch(
    events: Subscription,
    view: Painter | Lines | Silent,
    *,
    as_json: bool,
) -> None:
    """Show every event; a terminal that has gone ends the showing, not the run."""
    with view:
        async for event in events:
            view.take(event)
            if as_json:
                _say(encode.line(encode.encoded(event)))


def _say(text: str) -> None:
    with suppress(OSError):
        print(text, flush=True)  # noqa: T201 - results go to stdout


@contextmanager
def _signals(running: Engine) -> Iterator[None]:
    """INT, TERM and HUP stop resumably; a second INT leaves at once."""
    loop = asyncio.get_running_loop()
    stopping: list[asyncio.Task[None]] = []

    def stop(number: signal.Signals) -> None:
        if stopping and number is signal.SIGINT:
            # Parts are durable and marks are committed one by one: there is nothing to save.
            os._exit(_AT_ONCE)
        if not stopping:
            stopping.append(asyncio.create_task(running.stop(f"stopped by {number.name}")))

    for number in _STOPPING:
        loop.add_signal_handler(number, stop, number)
    try:
        yield
    finally:
        for number in _STOPPING:
            loop.remove_signal_handler(number)
