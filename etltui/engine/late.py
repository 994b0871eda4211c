"""The late windows: after a run has ended, those that it could not reach are tried on for a while.

Nothing of it is recorded but what runs leave anyway: an engine that starts finds in the store which
windows are open still.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from etltui.domain.errors import EtltuiError, NoSuchRunError
from etltui.domain.job import Job
from etltui.domain.late import behind, gap_s, late, late_rows, late_until, tried_on
from etltui.domain.plan import Plan
from etltui.domain.progress import LateView
from etltui.domain.run import NOT_ENDED, RunResult, RunStatus
from etltui.domain.stored import RunRow, newest_begun
from etltui.domain.words import some
from etltui.engine.log import about
from etltui.engine.returned import returned
from etltui.engine.starts import Starts
from etltui.engine.submissions import Submissions
from etltui.engine.tools import Tools

_LOOKED_AT = 200
_LOOK_S = 60.0

_log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class _Window:
    """A run whose late connections are tried on.

    Attributes:
        names: Of those that are still away.
        completed: Connections that the run's targets hold.
        behind: Whether its targets may lack what was read.
        until: Unix time in seconds at which it closes.
        next_at: … of the next look.
        looks: How many there were.
        result: How the run ended last in this engine.
        trying: Whether connections that answered are being read.
        over: Set once nobody is tried any more.
        task: Tries them.
    """

    run: str
    job: str
    until: float
    names: tuple[str, ...] = ()
    completed: int = 0
    behind: bool = False
    next_at: float = 0.0
    looks: int = 0
    result: RunResult | None = None
    trying: bool = False
    over: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] = field(init=False)

    def is_news(self, result: RunResult) -> bool:
        """Whether the run's end is more than that an attempt to patch it has brought nothing."""
        return not self.trying or self.behind or result.completed > self.completed


class LateWindows:
    """Owns the late windows of an engine, a task each.

    Args:
        tools: Of the engine.
        starts: Knows what was asked of a run.
        submissions: Let the runs into the queue that patch the targets.
        over: Told how a run ended, and its job; None where it never began. Not that an attempt to
            patch it has brought nothing.
        chance: Numbers from [0, 1), which keep windows apart.
    """

    def __init__(
        self,
        tools: Tools,
        starts: Starts,
        submissions: Submissions,
        over: Callable[[RunResult, Job | None], None],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._tools = tools
        self._starts = starts
        self._submissions = submissions
        self._over = over
        self._chance = chance
        self._windows: dict[str, _Window] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._given_up: set[str] = set()
        self._closing = False

    async def start(self) -> None:
        """Go on with the windows that an earlier engine has left open."""
        store = self._tools.store
        for row in newest_begun(await store.runs(limit=_LOOKED_AT)).values():
            try:
                if row.plan_hash and row.status not in NOT_ENDED:
                    await self._found(row, await store.plan(row.run))
            except EtltuiError as error:
                _log.warning("Late connections of %s are not tried on: %s", row.run, error)

    async def _found(self, row: RunRow, plan: Plan) -> None:
        until = self._until(row.status, plan)
        if not until:
            return
        rows = await self._tools.store.connections(row.run)
        window = _Window(run=row.run, job=row.job, until=until, names=late_rows(plan, rows))
        window.completed = sum(each.done for each in rows)
        window.behind = behind(row.status, plan)
        self._open(window)

    def ended(self, result: RunResult, plan: Plan | None) -> None:
        """A run has ended for good.

        Args:
            result: How.
            plan: Its plan; None where it never began.
        """
        window = self._windows.get(result.run)
        if window is None or window.is_news(result):
            self._over(result, plan.job if plan else None)
        if plan is None or self._closing or result.run in self._given_up:
            return
        for older in [each for each in self._windows.values() if each.job == result.job]:
            if older.run < result.run:
                self._shut(older, f"{result.run} is a newer run")
        if window is None:
            window = _Window(run=result.run, job=result.job, until=0.0)
        window.until = self._until(result.status, plan)
        window.names = late(plan, result.connections)
        window.behind = behind(result.status, plan)
        window.completed = result.completed
        window.result = result
        self._open(window)

    def views(self) -> tuple[LateView, ...]:
        """What is tried on, in the order in which the runs ended."""
        return tuple(
            LateView(
                run=each.run,
                job=each.job,
                connections=each.names,
                until=each.until,
                next_at=each.next_at,
            )
            for each in self._windows.values()
        )

    async def wait(self, result: RunResult) -> RunResult:
        """How a run stands once nobody of it is tried any more.

        Args:
            result: How it ended.
        """
        window = self._windows.get(result.run)
        if window is None:
            return result
        await window.over.wait()
        return window.result or result

    async def close(self, name: str) -> str:
        """Let nobody of a run be tried any more, in this engine and in any later one.

        Args:
            name: The run, an end of its id, or its job.

        Returns:
            The run; empty where there is no window of that name.
        """
        low = name.casefold()
        near = [
            each
            for each in self._windows.values()
            if name and (each.job == name or each.run.casefold().endswith(low))
        ]
        if len(near) != 1:
            return ""
        window = near[0]
        self._given_up.add(window.run)
        self._shut(window, "somebody has said so")
        plan = await self._tools.store.plan(window.run)
        await self._tools.store.replan(replace(plan, late="ended"))
        return window.run

    def stop(self) -> None:
        """Try nobody any more in this engine; the next one goes on."""
        self._closing = True
        for window in tuple(self._windows.values()):
            self._shut(window, "")

    async def aclose(self) -> None:
        """End."""
        self.stop()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _until(self, status: RunStatus, plan: Plan) -> float:
        """Until when it is tried on; 0 where it is not."""
        until = late_until(status, plan, self._starts.config.settings.timezone)
        return until if until > self._now() else 0.0

    def _open(self, window: _Window) -> None:
        """Begin a window, or go on with it; close it where nobody is late any more."""
        if not window.until or not (window.names or window.behind):
            if window.run in self._windows:
                self._shut(window, "nobody is late any more")
            return
        if window.run in self._windows:
            return
        self._windows[window.run] = window
        with about(run=window.run):
            zone = self._starts.config.settings.timezone
            said = tried_on(len(window.names), window.until, zone)
            _log.info("%s: %s: %s", window.job, said, some(window.names))
        self._wait(window)
        window.task = asyncio.create_task(self._try_on(window), name=f"late {window.run}")
        self._tasks.add(window.task)
        window.task.add_done_callback(self._tasks.discard)

    def _shut(self, window: _Window, why: str) -> None:
        del self._windows[window.run]
        window.task.cancel()
        if why:
            with about(run=window.run):
                _log.info("Late connections of %s are not tried any more: %s", window.job, why)
        window.over.set()

    def _wait(self, window: _Window) -> None:
        """Say when the next look is due."""
        gap = gap_s(window.looks, self._chance())
        window.next_at = min(self._now() + gap, window.until)

    async def _try_on(self, window: _Window) -> None:
        """Look again and again, until nobody is late any more or it is too late."""
        with about(run=window.run):
            while True:
                while (left := window.next_at - self._now()) > 0:
                    # The wall clock may jump, and a machine may sleep: it is looked at often.
                    await self._tools.clock.sleep(min(left, _LOOK_S))
                if self._now() >= window.until:
                    return self._shut(window, "its time is over")
                window.looks += 1
                if why := await self._look(window):
                    return self._shut(window, why)
                self._wait(window)

    async def _look(self, window: _Window) -> str:
        """Read who answers; why nobody is tried any more, empty where they are."""
        try:
            runs = await self._tools.store.runs(job=window.job, limit=_LOOKED_AT)
            newest = newest_begun(runs).get(window.job)
            if newest is None or newest.run != window.run:
                return "it is not the newest run any more"
            await self._read(window, await self._answering(window))
        except NoSuchRunError as error:
            return str(error)
        except EtltuiError as error:
            _log.warning("Late connections of %s were not looked at: %s", window.job, error)
        return ""

    async def _answering(self, window: _Window) -> Sequence[str]:
        plan = await self._tools.store.plan(window.run)
        # Where they are reached may have been mended since the run began.
        now = {each.name: each for each in plan.as_now(self._starts.config.connections)}
        asked = [
            replace(planned, connection=now[planned.name])
            for planned in plan.connections
            if planned.name in window.names
        ]
        limit_s = self._starts.config.settings.request_timeout_s
        return await returned(self._tools, plan, asked, limit_s)

    async def _read(self, window: _Window, names: Sequence[str]) -> None:
        """Read those that answer, and patch them into the run's targets."""
        if not names and not window.behind:
            return
        _log.info("Of %d late connections %d answer", len(window.names), len(names))
        handle = await self._submissions.late(window.run, window.job, names)
        if handle is None:
            return
        window.trying = True
        try:
            await handle.wait()
        finally:
            window.trying = False

    def _now(self) -> float:
        return self._tools.clock.now().timestamp()
