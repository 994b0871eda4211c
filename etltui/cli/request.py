"""Has a request fulfilled: by an engine of our own, or by the one that holds the state folder."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from etltui.bootstrap import engine, is_held, open_history
from etltui.cli.follow import EXIT, Show, exit_code, note, reported, say, worst
from etltui.cli.local import Local, Runs
from etltui.cli.runs import settled
from etltui.cli.signals import LEFT, LeftError, leaving, let_out, removed_at_once, signals
from etltui.config.schema import Config
from etltui.domain.errors import ConfigError, EtltuiError, Mistake, StateHeldError
from etltui.domain.late import tried_on
from etltui.domain.ports import Clock
from etltui.domain.progress import Snapshot
from etltui.domain.run import RunResult
from etltui.domain.words import counted, moment, words
from etltui.door.client import GoneError, NoDoorError, RemoteEngine, open_door
from etltui.door.protocol import SOCKET, Hello
from etltui.door.server import Door, serving
from etltui.encode import events as encode
from etltui.engine.clock import SystemClock
from etltui.engine.engine import Engine

DOOR_S = 60.0
"""How long a holder may take to open its door: an engine that starts finishes first what an
earlier one left."""
LOOK_S = 0.1

Start = Callable[[Runs], Awaitable[Sequence[str]]]
"""Starts runs; their ids."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What somebody wants of an engine.

    Attributes:
        start: Starts the runs.
        jobs: Whose they are, in the same order; needed only where nobody waits for them.
        as_json: Show events as JSON.
        join: Hand it to an engine that holds the folder already.
        wait: Follow the runs to their end; else only an engine that stays is asked.
        late: An engine of our own stays until nobody is tried on any more of these runs.
    """

    start: Start
    jobs: tuple[str, ...] = ()
    as_json: bool = False
    join: bool = True
    wait: bool = True
    late: bool = False


def fulfil(config: Config, state: Path, request: Request) -> int:
    """Have the runs started and follow them to their end; the exit code.

    Raises:
        ConfigError: Nothing was started; or the holder works with another configuration file.
        StateHeldError: The folder is held by somebody who takes no requests.
        NoDoorError: Nobody serves whom the request could be left with.
        EtltuiError: Whatever else starting raises.
    """
    try:
        return asyncio.run(_fulfil(config, state, request, SystemClock()))
    finally:
        let_out()


@asynccontextmanager
async def own_engine(
    config: Config,
    state: Path,
    *,
    resident: bool = False,
) -> AsyncIterator[tuple[Engine, Door]]:
    """An engine of this process that others may join, for the time of the block.

    Raises:
        StateHeldError: Another engine holds the folder.
        ConfigError: See `bootstrap.engine`, which tells what else it raises.
    """
    async with (
        engine(config, state, environ=os.environ, resident=resident) as own,
        serving(own, state, load=own.options.again) as door,
    ):
        with removed_at_once(state / SOCKET):
            yield own, door


async def _fulfil(config: Config, state: Path, request: Request, clock: Clock) -> int:
    since = clock.monotonic()
    while True:
        late = clock.monotonic() - since > DOOR_S
        code = await _own(config, state, request, late=late)
        if code is None:
            code = await _others(config, state, request, late=late)
        if code is not None:
            return code
        await clock.sleep(LOOK_S)


async def _own(config: Config, state: Path, request: Request, *, late: bool) -> int | None:
    """Fulfil the request ourselves; None where it is another engine's to do."""
    if not request.wait:
        return None
    try:
        async with own_engine(config, state) as (own, door):
            return await _here(config, own, door, request)
    except StateHeldError:
        if late or not request.join:
            raise
        return None


async def _others(config: Config, state: Path, request: Request, *, late: bool) -> int | None:
    """Hand the request over; None where there is nobody at this moment."""
    async with AsyncExitStack() as stack:
        try:
            remote = await stack.enter_async_context(open_door(state))
        except NoDoorError:
            if not request.wait and (late or not await asyncio.to_thread(is_held, state)):
                raise
            return None
        try:
            return await _there(config, state, remote, request)
        except GoneError:
            # It ended before it took anything in: the folder is free, or will be soon.
            if late or not request.wait:
                raise
            return None


async def _here(config: Config, own: Engine, door: Door, request: Request) -> int:
    """Fulfil the request with our own engine; others may hand it theirs meanwhile."""
    stops: list[asyncio.Task[None]] = []

    def stop(number: signal.Signals) -> None:
        door.close()
        stops.append(asyncio.create_task(own.stop(f"stopped by {number.name}")))

    show = _show(config, request)
    if own.records.rebuilt:
        note(own.records.rebuilt)
    with Local(own) as runs, signals(stop, hangup=config.settings.on_hangup):
        before = await runs.collect()
        try:
            names = await request.start(runs)
        except EtltuiError:
            await door.finish()
            raise
        async with show.following(runs, names, before):
            results = [await runs.wait(name) for name in names]
        if not request.as_json:
            reported(results, config)
        if patches := own.patches:
            note(f"reading days again that were not closed: {counted(len(patches), 'run')}")
            ended = [await handle.wait() for handle in patches]
            if not request.as_json:
                reported(ended, config)
        results = await _tried_on(config, own, runs, show, request, results)
        if others := door.handed:
            note(f"waiting for {counted(others, 'run')} that joined this engine")
        await door.finish()
    return exit_code(results)


async def _tried_on(
    config: Config,
    own: Engine,
    runs: Runs,
    show: Show,
    request: Request,
    results: list[RunResult],
) -> list[RunResult]:
    """How the runs stand once all that were late have come, or their time is over."""
    names = {result.run for result in results}
    late = [view for view in own.late.views() if view.run in names]
    for view in late:
        said = tried_on(len(view.connections), view.until, config.settings.timezone)
        who = "the console or etltui serve"
        how = f"leave with Ctrl-C, {who} goes on" if request.late else f"by {who}"
        note(f"{view.job}: {said}; {how}")
    if not late or not request.late:
        return results
    async with show.following(runs, [view.run for view in late], await runs.collect()):
        ended = [await own.late.wait(result) for result in results]
    if not request.as_json:
        reported([now for now in ended if now not in results], config)
    return ended


async def _there(config: Config, state: Path, remote: RemoteEngine, request: Request) -> int:
    """Hand the request to the engine that holds the folder."""
    hello = remote.hello
    await asyncio.to_thread(same_file, config, hello)
    if not request.wait and not hello.resident:
        raise NoDoorError(
            f"the engine of {hello.holder}, process {hello.pid}, ends with its own runs. "
            "Leave --no-wait out, or start an engine that stays with `etltui serve`",
        )
    before = await remote.collect()
    names = await request.start(remote)
    if not request.wait:
        _left(request, names, before)
        return 0
    since = moment(hello.since, config.settings.timezone)
    note(f"joined the engine of {hello.holder}, process {hello.pid}, since {since}")
    show = _show(config, request)
    try:
        with leaving():
            async with show.following(remote, names, before):
                results = [await remote.wait(name) for name in names]
    except LeftError:
        for name in names:
            note(f"{name} goes on in the engine of {hello.holder}; end it: etltui cancel {name}")
        return LEFT
    except GoneError as error:
        note(str(error))
        return await recorded(state, names, gone=True)
    if not request.as_json:
        reported(results, config)
    return exit_code(results)


def _left(request: Request, names: Sequence[str], before: Snapshot) -> None:
    """Say which runs were left with an engine, and which of them it had before."""
    there = {view.run for view in before.runs}
    for name, job in zip(names, request.jobs, strict=True):
        joined = name in there
        if request.as_json:
            say(encode.line({"run": name, "job": job, "joined": joined}))
            continue
        if joined:
            note(f"{job} has a run already: joined {name}")
        say(name)


def _show(config: Config, request: Request) -> Show:
    settings = config.settings
    return Show(settings.timezone, as_json=request.as_json, quiet=not settings.streaming)


def same_file(config: Config, hello: Hello) -> None:
    """Make sure that an engine works with this configuration.

    Raises:
        ConfigError: It works with another file.
    """
    if Path(hello.config).resolve() == config.path.resolve():
        return
    raise ConfigError(
        [
            Mistake(
                where=str(config.path),
                key="",
                problem=f"the engine that holds the state folder works with {hello.config}",
                way_out="Use that file with --config, or another folder with --state-dir",
            ),
        ],
    )


async def recorded(state: Path, names: Sequence[str], *, gone: bool = False) -> int:
    """Say how runs stand that nobody can be asked about any more; their exit code.

    Args:
        state: The folder.
        names: Their ids.
        gone: Their engine is known to have ended: the kernel may keep its process a little longer.
    """
    codes = set()
    held = not gone and await asyncio.to_thread(is_held, state)
    async with await open_history(state) as history:
        for name in names:
            row = await history.run(name)
            if row is None:
                codes.add(1)
                continue
            row = settled(row, held=held)
            done = sum(each.done for each in await history.connections(name))
            why = f": {row.reason}" if row.reason else ""
            note(f"{name} of {row.job} is {words(row.status)}, {done}/{row.total} done{why}")
            codes.add(EXIT.get(row.status, 4))
    return worst(codes)
