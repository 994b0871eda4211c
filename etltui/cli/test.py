"""`etltui test`: open a session to each database and ask it for an answer, stage by stage."""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from etltui.bootstrap import leases
from etltui.cli.explain import as_lines, explain_all, job_of, read_by
from etltui.cli.explain import as_object as explained_object
from etltui.cli.failures import advice_lines
from etltui.cli.listening import listening
from etltui.cli.options import (
    config_option,
    configuration,
    errors_leave,
    job_names,
    profile_option,
    state_option,
)
from etltui.cli.tested import NAME, Counting, as_object, failed, line, summed
from etltui.cli.without_engine import Work, done
from etltui.cli.wrapping import wrapped
from etltui.config.checks import nearest_or_all
from etltui.config.load import state_folder
from etltui.config.schema import Config
from etltui.domain.errors import ErrorClass, misused
from etltui.domain.inquiry import Explained, Tested
from etltui.domain.job import Connection, Job
from etltui.domain.safe_text import safe_text
from etltui.domain.words import counted, local, today
from etltui.encode import events as encode
from etltui.engine.clock import SystemClock
from etltui.engine.trips import chosen, queries_of, question_of, tested

_SOME = 3
_REFUSED = frozenset({ErrorClass.LOGIN, ErrorClass.SECRET})


async def _test_all(
    config: Config,
    groups: Sequence[Sequence[Connection]],
    jobs: Sequence[Job],
    log: Path,
    tell: Callable[[Tested], None],
) -> None:
    """Ask all of a group at once, as far as the limits allow; each is told as soon as it is known.

    Args:
        config: Where they are.
        groups: The next one is asked unless a login was refused in the one before.
        jobs: Whose queries they are asked to parse.
        log: For what a crashing extractor says.
        tell: Told of each.
    """
    settings, clock = config.settings, SystemClock()
    now = local(time.time(), settings.timezone)
    async with leases(config, environ=os.environ, log=log) as lending:

        async def one(connection: Connection) -> bool:
            # In a thread: it looks up the connection's zone.
            asked = await asyncio.to_thread(queries_of, config, jobs, connection, now)
            limit_s, code = settings.request_timeout_s, question_of(jobs, connection)
            found = await tested(lending, connection, limit_s, clock, asked, code)
            tell(found)
            return _refused(found)

        for group in groups:
            async with asyncio.TaskGroup() as tasks:
                asked = [tasks.create_task(one(each), name=f"test {each.name}") for each in group]
            if any(task.result() for task in asked):
                return


def _refused(told: Tested) -> bool:
    """Whether its login was refused."""
    return told.trouble is not None and told.trouble.error_class in _REFUSED


def _grouped(
    config: Config, asked: Sequence[Connection], credential: str
) -> list[Sequence[Connection]]:
    """All together; of those that log in with a credential the first alone, then the others.

    Raises:
        ConfigError: There is no such credential, or none of them uses it.
    """
    if not credential:
        return [asked]
    if credential not in config.credentials:
        known = list(config.credentials)
        way_out = nearest_or_all(credential, known) if known else "Add a table [credentials.NAME]"
        raise misused("--credential", f"there is no credential {credential!r}", way_out)
    found = [each for each in asked if each.credential == credential]
    if not found:
        problem = f"none of the connections that are asked logs in with {credential}"
        raise misused("--credential", problem, "Leave them away to ask all that do")
    return [found[:1], found[1:]]


def _explaining(
    config: Config, connections: Sequence[str], name: str, *, as_json: bool
) -> tuple[Work, list[Explained]]:
    """What to do for `--explain`, and where each answer is kept once it has been said."""
    told: list[Explained] = []
    job = job_of(config, name, "--explain")
    asked = read_by(config, job, connections)
    contacts = {each.name: each.contact for each in asked}

    def tell(each: Explained) -> None:
        told.append(each)
        if as_json:
            click.echo(encode.line(explained_object(each)))
        elif each.trouble is None:
            click.echo("\n".join(as_lines(each)))
        else:
            name = safe_text(each.connection)
            click.echo(failed(name, each.trouble, contacts[each.connection]))

    return lambda log: explain_all(config, job, asked, log, tell), told


def _testing(
    config: Config, groups: Sequence[Sequence[Connection]], jobs: Sequence[Job], *, as_json: bool
) -> tuple[Work, list[Tested]]:
    """What to do, and where each answer is kept once it has been said."""
    told: list[Tested] = []
    asked = [each for group in groups for each in group]
    width = min(NAME, max(len(safe_text(each.name)) for each in asked))
    counting = Counting(sys.stderr, len(asked))

    def tell(each: Tested) -> None:
        told.append(each)
        counting.clear()
        click.echo(encode.line(as_object(each)) if as_json else line(each, width))
        counting.took(failed=each.trouble is not None)

    async def work(log: Path) -> None:
        try:
            await _test_all(config, groups, jobs, log, tell)
        finally:
            counting.clear()

    return work, told


def _sum_up(told: Sequence[Tested | Explained], more: Sequence[str]) -> None:
    good = sum(each.trouble is None for each in told)
    classes = (each.trouble.error_class for each in told if each.trouble)
    said = [*advice_lines(classes), *more]
    lines = [part for each in said for part in wrapped(each, "", "  ")]
    click.echo("\n".join([*lines, f"{good:,} of {counted(len(told), 'connection')} answered"]))


def _credential_said(name: str, told: Sequence[Tested], total: int) -> list[str]:
    """What came of a login that was changed."""
    if left := total - len(told):
        return [f"{counted(left, 'connection')} not asked: {name} was refused at the first"]
    if any(map(_refused, told)):
        return []
    said = (
        f"No server refused {name}. An engine that has locked it tries it again after "
        f"`etltui pools release {name}`, or with --release here"
    )
    return [said]


async def _released(state: Path, name: str) -> bool:
    async with listening(state) as remote:
        if remote is None:
            return False
        was_locked: bool = await remote.call("pools.release_credential", name=name)
        return was_locked


def _release(name: str, state: Path) -> str:
    """Let an engine that runs try the login again, in words."""
    was_locked = asyncio.run(_released(state, name))
    return f"{name} is tried again" if was_locked else f"No engine has {name} locked"


_job_option = click.option(
    "--job",
    default="",
    metavar="JOB",
    shell_complete=job_names,
    help="Have each database parse the queries of JOB only, not of all jobs that read it.",
)
_credential_option = click.option(
    "--credential",
    default="",
    metavar="NAME",
    help="Ask those that log in with NAME: one, and where that is not refused all others.",
)
_release_option = click.option(
    "--release",
    is_flag=True,
    help="With --credential: where no server refused it, let a running engine try it again.",
)


@click.command("test")
@click.argument("connections", nargs=-1, metavar="[CONNECTION|tag:NAME|GLOB]…")
@_job_option
@_credential_option
@_release_option
@click.option(
    "--explain",
    default="",
    metavar="JOB",
    shell_complete=job_names,
    help="Say instead how each database would answer the queries of JOB; none of them is run.",
)
@click.option("--json", "as_json", is_flag=True, help="A connection a line, as JSON.")
@config_option
@profile_option
@state_option
@errors_leave
def command(  # noqa: PLR0913 - click hands every option over by name
    connections: tuple[str, ...],
    *,
    job: str,
    credential: str,
    release: bool,
    explain: str,
    as_json: bool,
    config_file: Path | None,
    profile: str | None,
    state_dir: Path | None,
) -> None:
    """Ask each CONNECTION, or all, stage by stage: name, line, login, database, queries.

    Reads no rows and needs no state folder, so it may be used while an engine is running; a login
    that one server refuses is not tried anywhere else. The queries of jobs are parsed, not run; an
    identity_query is run.

    Exit code 0 when all answer, 3 when some do, 1 when none does.
    """
    config = configuration(config_file, profile=profile)
    if release and not credential:
        raise misused("--release", "no credential is named", "Name it with --credential")
    if explain:
        sys.exit(_explain(config, connections, explain, as_json=as_json))
    jobs = [job_of(config, job, "--job")] if job else list(config.jobs.values())
    asked = chosen(config, connections, today(config.settings.timezone))
    told = _test(config, asked, jobs, credential, as_json=as_json)
    if release and not any(map(_refused, told)):
        click.echo(_release(credential, state_folder(config, state_dir, os.environ)), err=True)
    sys.exit(_exit_code(told))


def _explain(config: Config, connections: Sequence[str], name: str, *, as_json: bool) -> int:
    """Do what `--explain` says; the exit code."""
    work, told = _explaining(config, connections, name, as_json=as_json)
    done(work)
    if not as_json:
        _sum_up(told, ())
    return _exit_code(told)


def _test(
    config: Config,
    asked: Sequence[Connection],
    jobs: Sequence[Job],
    credential: str,
    *,
    as_json: bool,
) -> list[Tested]:
    """Ask, and say what came of it."""
    groups = _grouped(config, asked, credential)
    work, told = _testing(config, groups, jobs, as_json=as_json)
    done(work)
    more = list(summed(told))
    if credential:
        more += _credential_said(credential, told, sum(map(len, groups)))
    if not as_json:
        _sum_up(told, more)
    return told


def _exit_code(told: Sequence[Tested | Explained]) -> int:
    good = sum(each.trouble is None for each in told)
    return 0 if good == len(told) else _SOME if good else 1
