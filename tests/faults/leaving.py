"""Whatever a server or its line does: control comes back in time, half a result is never whole.

Each trial opens a session in an extractor process through a proxy, begins to read, lets one thing
go wrong, and holds what follows against the promise. `python tests/faults/leaving.py --times 100`
prints how long control took for every kind of database and fault; the tests do a few of each.
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from etltui.domain.columns import Column
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.job import Connection
from etltui.domain.task import QueryTask, SessionTask
from extractor_kit import World, process_of
from faults.proxy import FaultProxy

LIMIT_S = 1.0
"""Of a query or a stall in a trial; and of an opening, doubled."""
CONTROL_S = 2.0
"""Within which control is back after a cancel."""
OVER_S = 0.5
"""By which a time limit may be overstepped."""
GONE_S = 3.0
"""Within which the server's query is gone after a cancel."""
DEAD_S = 10.0
"""Within which an extractor is dead whose driver does not come back."""
LONG_S = 30.0
"""Only a trial that hangs reaches it."""


def _to_proxy(task: SessionTask, port: int) -> SessionTask:
    return replace(task, host="127.0.0.1", port=port)


@dataclass(frozen=True, kw_only=True)
class Source:
    """A database to leave.

    Attributes:
        name: Of the driver, as a report names it.
        task: How to open a session there; host and port are the server's own.
        flowing: A query of so many rows that it cannot be over when its first rows are there.
        blocked: A query that gives no row for a minute.
        at_work: Counts the server's queries of ours; None where no server tells.
        remote: Whether there is a line to break.
        buffered: Whether its driver takes in a whole result before it gives the first row: then
            the line is broken while it does that.
        socket: The path of the server's socket, where it has one.
        through: The task that goes by way of a proxy at this port of this machine.
    """

    name: str
    task: SessionTask
    flowing: str
    blocked: str
    at_work: Callable[[], int] | None = None
    remote: bool = True
    buffered: bool = False
    socket: str = ""
    through: Callable[[SessionTask, int], SessionTask] = _to_proxy


@dataclass(kw_only=True)
class Trial:
    """What came of one.

    Attributes:
        crashed: Whether the driver took its process down with it, or did not come back in time.
        seconds: Until control was back, from what went wrong (or from its time limit).
        wrong: What broke the promise; empty where it was kept.
    """

    crashed: bool = False
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)


class Leaving(World):
    """Extractors that read through a proxy."""

    def __init__(self, folder: Path, source: Source) -> None:
        super().__init__(folder, "process", limit=1)
        self.source = source
        self.port = source.task.port
        self.connect_timeout_s = 2 * LIMIT_S
        self.patient = True

    async def session_task(self, _connection: Connection) -> SessionTask:
        """The source's, by way of the proxy."""
        made = self.source.task
        if self.source.remote:
            made = self.source.through(made, self.port)
        limit = LONG_S if self.patient else self.connect_timeout_s
        return replace(made, connect_timeout_s=limit)

    def reading(self, sql: str, **limits):
        """An extract of one query into a CSV part."""
        query = QueryTask(name="q", sql=sql, columns=(Column(name="x"),), drift="align")
        return self.task(query, **limits)


class _Rows:
    """Progress; `came` is set with the first rows."""

    def __init__(self) -> None:
        self.came = asyncio.Event()

    def __call__(self, progress) -> None:
        if progress.rows:
            self.came.set()


async def _first(event: asyncio.Event, work: asyncio.Task) -> None:
    """Wait for an event, or for the end of the work that should have brought it.

    Raises:
        Failure: The work ended so.
    """
    waiting = asyncio.create_task(event.wait())
    try:
        async with asyncio.timeout(LONG_S):
            await asyncio.wait({waiting, work}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
    if work.done():
        work.result()


async def _until(true: Callable[[], bool], seconds: float) -> bool:
    """Whether a condition comes to hold in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if await asyncio.to_thread(true):
            return True
        await asyncio.sleep(0.05)
    return False


class Trials:
    """Trials of one source, one after the other, in one folder.

    Args:
        slack: Seconds that a busy machine may add to a promise.
    """

    def __init__(self, folder: Path, source: Source, *, slack: float = 0.0) -> None:
        self._source = source
        self._slack = slack
        self._world = Leaving(folder, source)
        self._numbers = count(1)

    async def close(self) -> None:
        """End the extractors."""
        await self._world.close()

    def held(self) -> tuple[int, int]:
        """Threads and descriptors of the extractor that is kept."""
        (client,) = self._world.supervisor._clients
        child = process_of(client)
        return child.num_threads(), child.num_fds()

    async def run(self, fault: str) -> Trial:
        """One trial of a fault."""
        trial = Trial()
        host = self._source.socket or self._source.task.host or "127.0.0.1"
        with FaultProxy(host, self._source.task.port) as proxy:
            self._world.port = proxy.port
            await FAULTS[fault](self, trial, proxy)
            await self._look(trial)
        return trial

    def _connection(self) -> Connection:
        """One that no trial has read: one that has killed two extractors would be parked."""
        return Connection(name=f"c{next(self._numbers)}", kind=self._source.task.kind, url="")

    async def _look(self, trial: Trial) -> None:
        """Nothing may be left of it: a driver that does not come back costs its extractor."""
        if trial.crashed:
            # What a dead process has left the next start of an engine sweeps away.
            await _until(lambda: not self._world.books()["leaving"], DEAD_S + self._slack)
            for path in self._world.files():
                path.unlink()
        if left := self._world.files():
            trial.wrong.append(f"left behind: {', '.join(path.name for path in left)}")
        if not await _until(lambda: not any(self._world.books().values()), DEAD_S + self._slack):
            trial.wrong.append(f"the books say {self._world.books()}")
        at_work = self._source.at_work
        if at_work is not None and not await _until(lambda: not at_work(), DEAD_S + self._slack):
            trial.wrong.append("the server is still at work")

    async def _begun(self, sql: str, **limits):
        """A session that reads, and the reading of it."""
        self._world.patient = True
        session = await self._world.supervisor.open(self._connection())
        rows = _Rows()
        work = asyncio.create_task(session.extract(self._world.reading(sql, **limits), rows))
        return session, work, rows

    async def _flows(self, rows: _Rows, work: asyncio.Task) -> None:
        """Wait until the result is under way."""
        at_work = self._source.at_work
        if self._source.buffered and at_work is not None:
            await _until(lambda: at_work() > 0, LONG_S)
        else:
            await _first(rows.came, work)

    async def _ended(self, session, work, trial: Trial, *, within: float) -> BaseException | None:
        """How the work ends, and that it ends in time."""
        begun = time.monotonic()
        died = None
        try:
            async with asyncio.timeout(LONG_S):
                await work
            trial.wrong.append("it was taken as complete")
        except (Failure, asyncio.CancelledError) as error:
            died = error
        except TimeoutError:
            trial.wrong.append("control did not come back")
        trial.seconds = time.monotonic() - begun
        if trial.seconds > within + self._slack:
            trial.wrong.append(f"control took {trial.seconds:.2f} s, {within:.2f} s allowed")
        await session.close()
        client = session._client
        trial.crashed = self._world.supervisor.leaving(client) or not client.alive
        return died

    async def cancel_between_batches(self, trial: Trial, _proxy: FaultProxy) -> None:
        """Somebody cancels while rows come."""
        session, work, rows = await self._begun(self._source.flowing)
        await self._flows(rows, work)
        work.cancel()
        await self._ended(session, work, trial, within=CONTROL_S)

    async def cancel_blocked(self, trial: Trial, _proxy: FaultProxy) -> None:
        """Somebody cancels while the server thinks."""
        session, work, _ = await self._begun(self._source.blocked)
        at_work = self._source.at_work
        if at_work is None:
            await asyncio.sleep(0.2)
        elif not await _until(lambda: at_work() > 0, LONG_S):
            trial.wrong.append("the query never began")
        work.cancel()
        await self._ended(session, work, trial, within=CONTROL_S)
        if at_work is not None and not await _until(lambda: not at_work(), GONE_S + self._slack):
            trial.wrong.append("the server's query is not gone")

    async def limit_blocked(self, trial: Trial, _proxy: FaultProxy) -> None:
        """The server thinks for longer than the query's limit."""
        session, work, _ = await self._begun(self._source.blocked, query_timeout_s=LIMIT_S)
        died = await self._ended(session, work, trial, within=LIMIT_S + OVER_S)
        _expect(trial, died, ErrorClass.TIMEOUT)

    async def black_hole(self, trial: Trial, proxy: FaultProxy) -> None:
        """The line goes silent in the middle of the rows; the stall limit ends it."""
        await self._silent(trial, proxy, proxy.black_hole)

    async def half_open(self, trial: Trial, proxy: FaultProxy) -> None:
        """The server is gone and nobody says so; the stall limit ends it."""
        await self._silent(trial, proxy, proxy.half_open)

    async def packets_dropped(self, trial: Trial, proxy: FaultProxy) -> None:
        """The network is gone with all that was under way on it; the stall limit ends it."""
        await self._silent(trial, proxy, lambda: _loopback("down"))
        _loopback("up")

    async def _silent(self, trial: Trial, proxy: FaultProxy, fault: Callable[[], None]) -> None:
        limit = "query_timeout_s" if self._source.buffered else "stall_timeout_s"
        session, work, rows = await self._begun(self._source.flowing, **{limit: LIMIT_S})
        await self._flows(rows, work)
        fault()
        died = await self._ended(session, work, trial, within=LIMIT_S + OVER_S)
        _expect(trial, died, ErrorClass.STALLED, ErrorClass.TIMEOUT, ErrorClass.LOST)
        proxy.flow()

    async def cancel_in_black_hole(self, trial: Trial, proxy: FaultProxy) -> None:
        """Somebody cancels when the line has gone silent."""
        session, work, rows = await self._begun(self._source.flowing)
        await self._flows(rows, work)
        proxy.black_hole()
        work.cancel()
        await self._ended(session, work, trial, within=CONTROL_S)
        proxy.flow()

    async def reset(self, trial: Trial, proxy: FaultProxy) -> None:
        """The line is reset in the middle of the rows."""
        await self._lost(trial, proxy.reset)

    async def finish(self, trial: Trial, proxy: FaultProxy) -> None:
        """The server ends the line in the middle of the rows."""
        await self._lost(trial, proxy.finish)

    async def _lost(self, trial: Trial, fault: Callable[[], None]) -> None:
        session, work, rows = await self._begun(self._source.flowing)
        await self._flows(rows, work)
        await asyncio.to_thread(fault)
        died = await self._ended(session, work, trial, within=CONTROL_S)
        _expect(trial, died, ErrorClass.LOST, ErrorClass.DRIVER_CRASH)

    async def silent_accept(self, trial: Trial, proxy: FaultProxy) -> None:
        """The host takes the connection and never says a word."""
        # A process that starts, and loads a driver, takes a time of its own.
        await (await self._world.supervisor.open(self._connection())).close()
        proxy.silent_accept = True
        self._world.patient = False
        begun = time.monotonic()
        limit = self._world.connect_timeout_s
        try:
            async with asyncio.timeout(LONG_S):
                await self._world.supervisor.open(self._connection())
            trial.wrong.append("a session was opened")
        except Failure as failure:
            _expect(trial, failure, ErrorClass.TIMEOUT, ErrorClass.UNREACHABLE)
        except TimeoutError:
            trial.wrong.append("control did not come back")
        trial.seconds = time.monotonic() - begun
        if trial.seconds > limit + OVER_S + self._slack:
            trial.wrong.append(f"it took {trial.seconds:.2f} s, {limit:g} s are allowed")


def _loopback(state: str) -> None:
    """Take the network away from everybody in this network namespace, or give it back."""
    subprocess.run(["ip", "link", "set", "lo", state], check=True)


def _expect(trial: Trial, died: BaseException | None, *classes: ErrorClass) -> None:
    if died is None:
        return  # what came instead has been said
    found = died.error_class if isinstance(died, Failure) else type(died).__name__
    if found not in classes:
        trial.wrong.append(f"it says {found} ({died}) instead of {' or '.join(classes)}")


FAULTS = {
    "cancel between batches": Trials.cancel_between_batches,
    "cancel, blocked query": Trials.cancel_blocked,
    "limit, blocked query": Trials.limit_blocked,
    "black hole": Trials.black_hole,
    "cancel in a black hole": Trials.cancel_in_black_hole,
    "half-open": Trials.half_open,
    "reset": Trials.reset,
    "finish": Trials.finish,
    "silent accept": Trials.silent_accept,
}
DROPPED = "packets dropped"
"""Only for who has a network of his own: `unshare --net`."""
LOCAL = ("cancel between batches", "cancel, blocked query", "limit, blocked query")
"""Faults of a database without a line."""


async def _measured(folder, source: Source, faults: Iterable[str], asked) -> bool:
    """A line for each fault; whether all promises were kept."""
    good = True
    (folder / source.name).mkdir()
    for fault in (each for each in faults if asked.fault in each):
        trials = Trials(folder / source.name, source, slack=asked.slack)
        try:
            done = [await trials.run(fault) for _ in range(asked.times)]
        finally:
            await trials.close()
        wrong = [words for trial in done for words in trial.wrong]
        took = sorted(trial.seconds for trial in done)
        p99 = took[min(len(took) - 1, len(took) * 99 // 100)]
        print(
            f"{source.name:<24}{fault:<26}{len(done):>4} trials  "
            f"median {took[len(took) // 2]:6.3f} s  p99 {p99:6.3f} s  "
            f"worst {took[-1]:6.3f} s  {len(wrong)} wrong",
            flush=True,
        )
        for words in sorted(set(wrong)):
            print(f"    {wrong.count(words)} × {words}", flush=True)
        good = good and not wrong
    return good


def main() -> None:
    """Measure every database that there is here."""
    from faults.leaving_sources import at_hand

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--only", default="", help="part of a driver's name")
    parser.add_argument("--slack", type=float, default=0.0, help="seconds that promises may take")
    parser.add_argument("--fault", default="", help="part of a fault's name")
    parser.add_argument("--dropped", action="store_true", help="in a network of one's own")
    asked = parser.parse_args()
    good = True
    if asked.dropped:
        _loopback("up")
        FAULTS[DROPPED] = Trials.packets_dropped
    with tempfile.TemporaryDirectory() as name, ExitStack() as closes:
        folder = Path(name)
        for driver, make in at_hand(folder, closes).items():
            if asked.only not in driver:
                continue
            source = make()
            faults = [DROPPED] if asked.dropped else FAULTS if source.remote else LOCAL
            good = asyncio.run(_measured(folder, source, faults, asked)) and good
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
