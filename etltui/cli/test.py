"""`etltui test`: open a session to each database and ask it for an answer."""

import asyncio
import os
import sys
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import click

from etltui.bootstrap import leases
from etltui.cli.failures import advice_lines
from etltui.cli.options import config_option, configuration, errors_leave, profile_option
from etltui.config.schema import Config
from etltui.config.select import matches, suggestion
from etltui.domain.errors import ConfigError, ErrorClass, Failure, Mistake, Trouble
from etltui.domain.job import Connection
from etltui.domain.ports import Leases, Session
from etltui.domain.safe_text import middle_cut, safe_text
from etltui.domain.words import counted, today, words
from etltui.encode import events as encode

_WIDTH = 79
_NAME = 28
_LAST_WORDS = 10
_TRIPS = 3
"""The quickest of so many: what else this machine does should not count."""
_SOME = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Tested:
    """What came of asking one database.

    Attributes:
        milliseconds: From asking to the answer, over a session that was open by then; the least.
        trouble: Why there is none.
    """

    connection: Connection
    milliseconds: float = 0.0
    trouble: Trouble | None = None


def _chosen(config: Config, selectors: Sequence[str]) -> tuple[Connection, ...]:
    """The connections to test, each once; without a selector those that there are today.

    Raises:
        ConfigError: There is none, or a selector matches none.
    """
    there = config.connections
    if not selectors:
        day = today(config.settings.timezone)
        found = tuple(each for each in there if each.exists(day))
        if not found:
            problem = "there is no connection to test"
            raise ConfigError([Mistake(where=str(config.path), key="connections", problem=problem)])
        return found
    groups = matches(there, selectors)
    mistakes = [
        Mistake(
            where="command line",
            key="CONNECTION",
            problem=f'"{selector}" matches no connection',
            way_out=suggestion(there, selector),
        )
        for selector, group in groups
        if not group
    ]
    if mistakes:
        raise ConfigError(mistakes)
    return tuple({each.name: each for _, group in groups for each in group}.values())


async def _trip(session: Session, limit_s: float) -> float:
    """Seconds from asking to the answer."""
    asked = monotonic()
    try:
        async with asyncio.timeout(limit_s):
            await session.ping()
    except TimeoutError:
        text = f"no answer within request_timeout_s = {limit_s:g} s"
        raise Failure(ErrorClass.TIMEOUT, text) from None
    return monotonic() - asked


async def _tested(lending: Leases, connection: Connection, limit_s: float) -> Tested:
    """Ask one database, in its turn."""
    try:
        async with lending.lease(connection, holder="test") as session:
            trips = [await _trip(session, limit_s) for _ in range(_TRIPS)]
            return Tested(connection=connection, milliseconds=1000 * min(trips))
    except Failure as failure:
        return Tested(connection=connection, trouble=Trouble.of(failure))


async def _test_all(
    config: Config,
    chosen: Sequence[Connection],
    log: Path,
    tell: Callable[[Tested], None],
) -> None:
    """Ask all at once, as far as the limits allow; each is told as soon as it is known."""
    async with leases(config, environ=os.environ, log=log) as lending, asyncio.TaskGroup() as group:

        async def one(connection: Connection) -> None:
            tell(await _tested(lending, connection, config.settings.request_timeout_s))

        for each in chosen:
            group.create_task(one(each), name=f"test {each.name}")


def _object(tested: Tested) -> dict[str, object]:
    return {
        "type": "connection_tested",
        "connection": tested.connection.name,
        "answers": tested.trouble is None,
        "round_trip_ms": None if tested.trouble else round(tested.milliseconds, 2),
        "error": encode.trouble(tested.trouble) if tested.trouble else None,
        "contact": tested.connection.contact,
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


def _line(tested: Tested, width: int) -> str:
    name = middle_cut(safe_text(tested.connection.name), width)
    if tested.trouble is None:
        return f"✓ {name:<{width}}  {tested.milliseconds:>8,.1f} ms"
    texts = [f"{words(tested.trouble.error_class)}: {tested.trouble.message}"]
    if tested.connection.contact:
        texts.append(f"Contact: {tested.connection.contact}.")
    lines = [line for text in texts for line in _wrapped(text, "    ", "    ")]
    return "\n".join([f"✗ {name}", *lines])


def _exit_code(told: Sequence[Tested]) -> int:
    good = sum(each.trouble is None for each in told)
    return 0 if good == len(told) else _SOME if good else 1


def _last_words(log: Path) -> None:
    """What a crashing extractor left behind."""
    if not log.exists():
        return
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_WORDS:]:
        click.echo(f"extractor: {safe_text(line)}", err=True)


@click.command("test")
@click.argument("connections", nargs=-1, metavar="[CONNECTION|tag:NAME|GLOB]…")
@click.option("--json", "as_json", is_flag=True, help="A connection a line, as JSON.")
@config_option
@profile_option
@errors_leave
def command(
    connections: tuple[str, ...],
    *,
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
    chosen = _chosen(config, connections)
    width = min(_NAME, max(len(safe_text(each.name)) for each in chosen))
    told: list[Tested] = []

    def tell(tested: Tested) -> None:
        told.append(tested)
        click.echo(encode.line(_object(tested)) if as_json else _line(tested, width))

    with TemporaryDirectory(prefix="etltui-") as folder:
        log = Path(folder) / "extractor.log"
        asyncio.run(_test_all(config, chosen, log, tell))
        _last_words(log)
    if not as_json:
        good = sum(each.trouble is None for each in told)
        classes = (each.trouble.error_class for each in told if each.trouble)
        lines = [line for each in advice_lines(classes) for line in _wrapped(each, "", "  ")]
        click.echo("\n".join([*lines, f"{good:,} of {counted(len(told), 'connection')} answered"]))
    sys.exit(_exit_code(told))
