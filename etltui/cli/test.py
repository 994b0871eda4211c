"""`etltui test`: open a session to each database and ask it for an answer."""

import asyncio
import os
import sys
import textwrap
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from etltui.bootstrap import leases
from etltui.cli.explain import as_lines, as_object, explain_all, job_of, read_by
from etltui.cli.failures import advice_lines
from etltui.cli.options import (
    config_option,
    configuration,
    errors_leave,
    job_names,
    profile_option,
)
from etltui.config.schema import Config
from etltui.domain.errors import Trouble
from etltui.domain.inquiry import Explained, Tested
from etltui.domain.job import Connection
from etltui.domain.safe_text import middle_cut, safe_text
from etltui.domain.words import counted, today, words
from etltui.encode import events as encode
from etltui.engine.clock import SystemClock
from etltui.engine.trips import chosen, tested

_WIDTH = 79
_NAME = 28
_LAST_WORDS = 10
_SOME = 3
_Work = Callable[[Path], Coroutine[Any, Any, None]]


async def _test_all(
    config: Config,
    asked: Sequence[Connection],
    log: Path,
    tell: Callable[[Tested], None],
) -> None:
    """Ask all at once, as far as the limits allow; each is told as soon as it is known."""
    limit_s, clock = config.settings.request_timeout_s, SystemClock()
    async with leases(config, environ=os.environ, log=log) as lending, asyncio.TaskGroup() as group:

        async def one(connection: Connection) -> None:
            tell(await tested(lending, connection, limit_s, clock))

        for each in asked:
            group.create_task(one(each), name=f"test {each.name}")


def _object(told: Tested) -> dict[str, object]:
    return {
        "type": "connection_tested",
        "connection": told.connection,
        "answers": told.trouble is None,
        "round_trip_ms": None if told.trouble else round(told.milliseconds, 2),
        "error": encode.trouble(told.trouble) if told.trouble else None,
        "contact": told.contact,
    }


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(
        safe_text(text),
        _WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_on_hyphens=False,
        break_long_words=False,
    )


def _line(told: Tested, width: int) -> str:
    name = middle_cut(safe_text(told.connection), width)
    if told.trouble is None:
        return f"✓ {name:<{width}}  {told.milliseconds:>8,.1f} ms"
    return _failed(name, told.trouble, told.contact)


def _failed(name: str, trouble: Trouble, contact: str) -> str:
    texts = [f"{words(trouble.error_class)}: {trouble.message}"]
    if contact:
        texts.append(f"Contact: {contact}.")
    lines = [line for text in texts for line in _wrapped(text, "    ", "    ")]
    return "\n".join([f"✗ {name}", *lines])


def _exit_code(told: Sequence[Tested | Explained]) -> int:
    good = sum(each.trouble is None for each in told)
    return 0 if good == len(told) else _SOME if good else 1


def _asked(
    config: Config, connections: Sequence[str], explain: str, *, as_json: bool
) -> tuple[_Work, list[Tested | Explained]]:
    """What to do, and where each answer is kept once it has been said."""
    told: list[Tested | Explained] = []
    if explain:
        job = job_of(config, explain)
        asked = read_by(config, job, connections)
        contacts = {each.name: each.contact for each in asked}

        def tell_plan(each: Explained) -> None:
            told.append(each)
            if as_json:
                click.echo(encode.line(as_object(each)))
            elif each.trouble is None:
                click.echo("\n".join(as_lines(each)))
            else:
                name = safe_text(each.connection)
                click.echo(_failed(name, each.trouble, contacts[each.connection]))

        return lambda log: explain_all(config, job, asked, log, tell_plan), told
    asked = chosen(config, connections, today(config.settings.timezone))
    width = min(_NAME, max(len(safe_text(each.name)) for each in asked))

    def tell(each: Tested) -> None:
        told.append(each)
        click.echo(encode.line(_object(each)) if as_json else _line(each, width))

    return lambda log: _test_all(config, asked, log, tell), told


def _last_words(log: Path) -> None:
    """What a crashing extractor left behind."""
    if not log.exists():
        return
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_WORDS:]:
        click.echo(f"extractor: {safe_text(line)}", err=True)


@click.command("test")
@click.argument("connections", nargs=-1, metavar="[CONNECTION|tag:NAME|GLOB]…")
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
@errors_leave
def command(
    connections: tuple[str, ...],
    *,
    explain: str,
    as_json: bool,
    config_file: Path | None,
    profile: str | None,
) -> None:
    """Open a session to each CONNECTION, or to all, and measure how soon it answers.

    Reads no rows and needs no state folder, so it may be used while an engine is running; a login
    that one server refuses is not tried anywhere else.

    Exit code 0 when all answer, 3 when some do, 1 when none does.
    """
    config = configuration(config_file, profile=profile)
    work, told = _asked(config, connections, explain, as_json=as_json)
    with TemporaryDirectory(prefix="etltui-") as folder:
        log = Path(folder) / "extractor.log"
        asyncio.run(work(log))
        _last_words(log)
    if not as_json:
        good = sum(each.trouble is None for each in told)
        classes = (each.trouble.error_class for each in told if each.trouble)
        lines = [line for each in advice_lines(classes) for line in _wrapped(each, "", "  ")]
        click.echo("\n".join([*lines, f"{good:,} of {counted(len(told), 'connection')} answered"]))
    sys.exit(_exit_code(told))
