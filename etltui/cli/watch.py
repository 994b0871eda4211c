"""`etltui watch`: follow what an engine runs."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from etltui.bootstrap import open_history
from etltui.cli.follow import Show, exit_code, note, worst
from etltui.cli.options import config_option, errors_leave, json_option, state_of, state_option
from etltui.cli.request import recorded
from etltui.cli.signals import LEFT, LeftError, leaving
from etltui.domain.errors import NoSuchRunError
from etltui.domain.late import tried_on
from etltui.domain.progress import LateView, Snapshot
from etltui.domain.run import NOT_ENDED
from etltui.door.client import GoneError, NoDoorError, RemoteEngine, open_door


def under_way(snapshot: Snapshot, name: str) -> str:
    """The id of the run that has not ended and that a name means; empty for none.

    Args:
        snapshot: Of the engine.
        name: A run's id, an end of it, or a job.
    """
    runs = [(view.run, view.job) for view in snapshot.runs if view.status in NOT_ENDED]
    runs += [(entry.run, entry.job) for entry in snapshot.pending]
    return next(
        (
            run
            for run, job in runs
            if name in {run, job} or run.casefold().endswith(name.casefold())
        ),
        "",
    )


def late_of(snapshot: Snapshot, name: str) -> LateView | None:
    """The run that a name means as for `under_way`, of those whose late connections are tried on.

    None where it means none of them.
    """
    low = name.casefold()
    views = snapshot.late
    return next((v for v in views if name == v.job or v.run.casefold().endswith(low)), None)


async def _ended(state: Path, names: Sequence[str]) -> list[str]:
    """The ids of runs that have ended.

    Raises:
        NoSuchRunError: One of the names means none.
    """
    found = []
    async with await open_history(state) as history:
        for name in names:
            newest = await history.runs(job=name, limit=1)
            row = newest[0] if newest else await history.run(name)
            if row is None:
                why = "there is no such run or job"
                raise NoSuchRunError(run=name, why=why, way_out="See `etltui runs`")
            found.append(row.run)
    return found


async def _watch(state: Path, timezone: str, names: Sequence[str], *, as_json: bool) -> int:
    try:
        async with open_door(state) as remote:
            return await _follow(state, timezone, remote, names, as_json=as_json)
    except NoDoorError:
        if not names:
            raise
        return await recorded(state, await _ended(state, names))


async def _follow(
    state: Path,
    timezone: str,
    remote: RemoteEngine,
    names: Sequence[str],
    *,
    as_json: bool,
) -> int:
    before = await remote.collect()
    found = {name: under_way(before, name) for name in names}
    runs = [run for run in found.values() if run]
    ended = await _ended(state, [name for name, run in found.items() if not run])
    code = await recorded(state, ended)
    for view in filter(None, (late_of(before, name) for name in names)) if names else before.late:
        note(f"{view.run} of {view.job}: {tried_on(len(view.connections), view.until, timezone)}")
    if names and not runs:
        return code
    try:
        with leaving():
            async with Show(timezone, as_json=as_json).following(remote, runs, before):
                if not names:
                    await remote.until_gone()
                results = [await remote.wait(run) for run in runs]
    except LeftError:
        return LEFT if names else 0
    except GoneError as error:
        note(str(error))
        return worst({code, await recorded(state, runs, gone=True)})
    return worst({code, exit_code(results)})


@click.command("watch")
@click.argument("names", nargs=-1, metavar="[RUN|JOB]…")
@json_option
@config_option
@state_option
@errors_leave
def command(
    names: tuple[str, ...],
    *,
    as_json: bool,
    config_file: Path | None,
    state_dir: Path | None,
) -> None:
    """Follow runs of the engine that holds the state folder, until they end, with their exit code.

    A name is a run's id, an end of it, or a job. Without names everything is followed until
    Ctrl-C, which ends nothing but the watching.
    """
    state, timezone = state_of(config_file, state_dir)
    sys.exit(asyncio.run(_watch(state, timezone, names, as_json=as_json)))
