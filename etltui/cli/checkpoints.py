"""`etltui checkpoints`: what unfinished runs hold, and how to hand it on, take it over, drop it."""

import asyncio
import os
import sys
import textwrap
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from etltui.bootstrap import is_held, open_history, open_records
from etltui.cli.checkpoint_import import Adopted, adopted, refused
from etltui.cli.failures import TERMINAL, advice_lines, classes_of, failure_line, folded, width
from etltui.cli.files import new_file
from etltui.cli.group import Listing
from etltui.cli.listening import listening
from etltui.cli.noted import noted
from etltui.cli.options import (
    config_option,
    configuration,
    errors_leave,
    job_names,
    state_of,
    state_option,
)
from etltui.cli.runs import settled
from etltui.config.load import state_folder
from etltui.domain.checkpoint import CheckpointFile
from etltui.domain.ports import History
from etltui.domain.run import RESUMABLE, RunStatus
from etltui.domain.safe_text import safe_text
from etltui.domain.stored import RunRow
from etltui.domain.words import age, counted, moment, number, size, words
from etltui.encode import events as encode
from etltui.engine.checkpoints import Checkpoint, checkpoint, checkpoints, discard, named


def _say(lines: Sequence[str]) -> None:
    for line in folded(map(safe_text, lines), width()):
        click.echo(line)


def _counts(found: Checkpoint) -> str:
    return (
        f"{len(found.completed)} of {counted(found.row.total, 'connection')} done, "
        f"{len(found.failed)} failed, {len(found.waiting)} left"
    )


async def _row(history: History, text: str, state: Path) -> RunRow:
    """The newest run of a job, or a run by its id or the letters at its end.

    Raises:
        ConfigError: There is neither.
    """
    row = await named(history, text)
    if row is None:
        raise refused(
            "command line",
            f"there is no job or run {text!r} in {state}, or more than one run ends so",
            "etltui checkpoints list, or etltui runs",
        )
    return row


async def _found(state: Path, text: str) -> Checkpoint:
    held = is_held(state)
    async with await open_history(state) as history:
        row = settled(await _row(history, text, state), held=held)
        return await checkpoint(history, row, state / "parts")


async def _listed(state: Path) -> list[tuple[RunRow, Checkpoint]]:
    held = is_held(state)
    async with await open_history(state) as history:
        found = await checkpoints(history, state / "parts")
        return [(settled(each.row, held=held), each) for each in found]


def _as_object(row: RunRow, found: Checkpoint) -> dict[str, object]:
    return {
        "type": "checkpoint",
        "run": row.run,
        "status": str(row.status),
        "started": row.started,
        "attempt": row.attempt,
        "bytes": found.bytes,
        "resumable": row.status in RESUMABLE,
        "jobId": row.job,
        "jobName": row.title,
        "completedConnectionIds": found.completed,
        "failedConnectionIds": [result.connection for result in found.failed],
        "waitingConnectionIds": found.waiting,
        "totalConnections": row.total,
    }


@click.group("checkpoints", cls=Listing)
def command() -> None:
    """List what unfinished runs have gathered; with a command show, hand on, take over, delete it.

    A checkpoint is what `etltui run JOB --resume` goes on from. That of a run that completes
    is deleted by itself.
    """


@command.command("list", short_help="List unfinished runs, newest first.")
@click.option("--json", "as_json", is_flag=True, help="A checkpoint a line, as JSON.")
@config_option
@state_option
@errors_leave
def list_(*, as_json: bool, config_file: Path | None, state_dir: Path | None) -> None:
    """List what can be resumed, and what is under way; also while an engine is running."""
    state, _ = state_of(config_file, state_dir)
    found = asyncio.run(_listed(state))
    if as_json:
        for row, each in found:
            click.echo(encode.line(_as_object(row, each)))
        return
    if not found:
        click.echo("No unfinished runs: there is nothing to resume.")
        return
    now = datetime.now(UTC).timestamp()
    lines = [f"{'RUN':<23} {'JOB':<18} {'STATUS':<10} {'DONE':>9} {'AGE':>6} {'PARTS':>9}"]
    lines += [
        f"{row.run:<23} {row.job:<18} {words(row.status):<10} "
        f"{f'{len(each.completed)}/{row.total}':>9} {age(now - row.started):>6} "
        f"{size(each.bytes):>9}"
        for row, each in found
    ]
    _say([*lines, "Go on with: etltui run JOB --resume"])


@command.command("show", short_help="Show one checkpoint, connection by connection.")
@click.argument("name", metavar="JOB|RUN", shell_complete=job_names)
@config_option
@state_option
@errors_leave
def show(name: str, *, config_file: Path | None, state_dir: Path | None) -> None:
    """Show what is durable of the newest run of JOB, or of RUN, what failed and what is left."""
    state, timezone = state_of(config_file, state_dir)
    found = asyncio.run(_found(state, name))
    row = found.row
    lines = [
        f"{row.job} ▸ run {row.run}  {words(row.status)}",
        f"  {row.title}; started {moment(row.started, timezone)}, attempt {row.attempt}",
        f"  {_counts(found)}; parts: {size(found.bytes)}",
    ]
    if row.reason:
        lines.append(f"  {row.reason}")
    for title, names in (("Done", found.completed), ("Left", found.waiting)):
        if names:
            text = f"{title}: {', '.join(names)}"
            lines += textwrap.wrap(text, TERMINAL, initial_indent="  ", subsequent_indent="    ")
    if found.failed:
        lines.append("  Failed:")
    for result in found.failed:
        lines += failure_line(result, "")
    lines += [f"  {line}" for line in advice_lines(classes_of(found.failed))]
    if row.status in RESUMABLE:
        lines.append(f"Go on with: etltui run {row.job} --resume")
    _say(lines)


@command.command("export", short_help="Hand a checkpoint on as JSON.")
@click.argument("name", metavar="JOB|RUN", shell_complete=job_names)
@click.argument("file", type=click.Path(path_type=Path), required=False)
@config_option
@state_option
@errors_leave
def export(
    name: str,
    file: Path | None,
    *,
    config_file: Path | None,
    state_dir: Path | None,
) -> None:
    """Write what is done of a run as JSON into FILE, which must be new, or to stdout.

    The fields are jobId, jobName, completedConnectionIds, failedConnectionIds,
    totalConnections and lastUpdated.
    """
    state, _ = state_of(config_file, state_dir)
    made: CheckpointFile = asyncio.run(_found(state, name)).file(datetime.now(UTC))
    if file is None:
        click.echo(made.text(), nl=False)
        return
    with new_file(file, "FILE") as out:
        out.write(made.text())
    _say([f"{counted(len(made.completed), 'connection')} of {made.total} in {file}"])


@command.command("import", short_help="Take a checkpoint of another program over.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--job", default="", help="The job that it is of, if the file does not say.")
@click.option(
    "--as-left-out",
    is_flag=True,
    help="Let the next resumed run leave out what the file calls completed.",
)
@config_option
@state_option
@errors_leave
def import_(
    file: Path,
    *,
    job: str,
    as_left_out: bool,
    config_file: Path | None,
    state_dir: Path | None,
) -> None:
    """Take over from FILE which connections of a job are done.

    Such a file names connections and holds no rows: a target that etltui makes cannot hold what
    was gathered elsewhere. With --as-left-out the next `etltui run JOB --resume` gathers the
    others, and the Index lists these as skipped.
    """
    config = configuration(config_file)
    found = adopted(file, config, job)
    if not as_left_out:
        raise found.without_rows()
    state = state_folder(config, state_dir, os.environ)
    asyncio.run(_adopt(found, state))


async def _adopt(found: Adopted, state: Path) -> None:
    plan = found.plan()
    async with open_records(state) as (store, _):
        if (row := await store.unfinished(found.job.name)) is not None:
            raise refused(
                "command line",
                f"{found.job.name} has the unfinished run {row.run}, which could not be resumed "
                "any more",
                f"Finish it with etltui run {found.job.name} --resume, or drop it with "
                f"etltui checkpoints delete {found.job.name}",
            )
        async with noted(store, "checkpoints import", found.job.name, outcome=plan.run):
            await store.create_run(plan, RunStatus.STOPPED)
    left = counted(len(found.left), "connection")
    lines = [f"{plan.run}: {left} of {found.total} to gather, {len(found.done)} left out"]
    if found.unknown:
        lines.append(f"  Not of this job, passed over: {', '.join(found.unknown)}")
    lines += [
        f"  {target} is there and will be replaced by one without these {len(found.done)}: "
        "give the former one another name first"
        for target in plan.targets
        if await asyncio.to_thread(Path(target).exists)
    ]
    _say([*lines, f"Go on with: etltui run {found.job.name} --resume"])


@command.command("delete", short_help="Give an unfinished run up.")
@click.argument("name", metavar="JOB|RUN", shell_complete=job_names)
@click.option("--yes", is_flag=True, help="Do not ask.")
@config_option
@state_option
@errors_leave
def delete(name: str, *, yes: bool, config_file: Path | None, state_dir: Path | None) -> None:
    """Delete the parts of an unfinished run; it stays in the list of runs as discarded.

    Where an engine serves the state folder, it does that. Exit code 75 where one holds the folder
    and nobody can reach it.
    """
    state, _ = state_of(config_file, state_dir)
    found = asyncio.run(_found(state, name))
    row = found.row
    _check_unfinished(row)
    if not yes:
        _say([f"{row.job}, run {row.run}: {_counts(found)}; parts: {size(found.bytes)}"])
        if not (sys.stdin.isatty() and click.confirm("Delete what it has gathered?")):
            raise refused("command line", "nothing was deleted", "Say --yes to delete it")
    asyncio.run(_discard(state, row.run))
    _say([f"{row.run} discarded, {number(found.bytes)} bytes of parts deleted"])


def _check_unfinished(row: RunRow) -> None:
    if row.status not in RESUMABLE | {RunStatus.RUNNING, RunStatus.PUBLISHING}:
        raise refused(
            "command line",
            f"the run {row.run} is {words(row.status)}: there is no checkpoint to delete",
            "etltui checkpoints list",
        )


async def _discard(state: Path, run: str) -> None:
    async with listening(state) as remote:
        if remote is not None:
            await remote.call("records.discard", run=run)
            return
    async with open_records(state) as (store, mirror):
        row = await _row(store, run, state)
        _check_unfinished(row)
        async with noted(store, "records.discard", row.run, outcome=row.run):
            await discard(store, mirror, state / "parts", row)
