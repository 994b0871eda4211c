"""`etltui cancel`: end a run."""

import asyncio
import sys
from pathlib import Path

import click

from etltui.bootstrap import operator
from etltui.cli.follow import say
from etltui.cli.options import config_option, errors_leave, state_of, state_option
from etltui.cli.watch import late_of, under_way
from etltui.domain.progress import LateView
from etltui.domain.run import RunResult, RunStatus
from etltui.domain.words import counted, words
from etltui.door.client import open_door


async def _cancel(state: Path, name: str, *, resumable: bool) -> RunResult | LateView:
    async with open_door(state, who=operator()) as remote:
        before = await remote.snapshot()
        run = under_way(before, name) or name
        view = late_of(before, name)
        if view is not None and run != view.run:
            await remote.cancel(view.run)
            return view
        verb = "stopped" if resumable else "cancelled"
        reason = f"{verb} by {operator()}"
        # Asked for first: one that waits has ended, and is forgotten, once it is cancelled.
        result, _ = await asyncio.gather(
            remote.wait(run),
            remote.cancel(run, resumable=resumable, reason=reason),
        )
        return result


@click.command("cancel")
@click.argument("run", metavar="RUN|JOB")
@click.option("--resumable", is_flag=True, help="Record it as stopped instead of cancelled.")
@config_option
@state_option
@errors_leave
def command(run: str, *, resumable: bool, config_file: Path | None, state_dir: Path | None) -> None:
    """End a run that waits or is at work in the engine that holds the state folder.

    RUN is its id, an end of it, or its job. What is durable stays, and `etltui run JOB --resume`
    goes on there. Exit code 1 where it ended by itself meanwhile. Of a run that has ended, those
    that were to be tried on until its job's late_until are not tried any more.
    """
    state, _ = state_of(config_file, state_dir)
    result = asyncio.run(_cancel(state, run, resumable=resumable))
    if isinstance(result, LateView):
        late = counted(len(result.connections), "late connection")
        say(f"{result.run} {result.job}: {late} not tried any more")
        return
    say(f"{result.run} {result.job}: {words(result.status)}")
    sys.exit(result.status not in {RunStatus.CANCELLED, RunStatus.STOPPED})
