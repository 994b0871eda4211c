"""`etltui hold`: keep runs from reading connections, and list what is held."""

import asyncio
import os
import re
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from etltui.bootstrap import open_history, open_records, operator
from etltui.cli.listening import listening
from etltui.cli.noted import noted
from etltui.cli.options import config_option, configuration, errors_leave, state_of, state_option
from etltui.cli.pools import fitted
from etltui.config.load import state_folder
from etltui.config.schema import Config
from etltui.config.select import matches, suggestion
from etltui.domain.errors import misused
from etltui.domain.logbook import Hold
from etltui.domain.safe_text import middle_cut, safe_text
from etltui.domain.words import counted, moment
from etltui.encode import events as encode
from etltui.engine.records import holds_of

_NAME = 18
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def until_of(text: str, now: float, timezone: str) -> float:
    """The Unix time at which a hold ends by itself; 0 for none.

    Args:
        text: A span such as `2h`, or a time such as `2026-11-23 08:00`.
        now: Unix time in seconds.
        timezone: Of a time that names none; empty for the machine's own.

    Raises:
        ConfigError: It is neither.
    """
    if not text:
        return 0.0
    if span := re.fullmatch(r"(\d{1,9})([smhd])", text):
        return now + int(span[1]) * _UNITS[span[2]]
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        problem = f"{text!r} is no time"
        raise misused("--until", problem, "Write 10m, 2h, 3d or 2026-11-23T08:00") from error
    if time.tzinfo is None:
        time = time.replace(tzinfo=ZoneInfo(timezone)) if timezone else time.astimezone()
    return time.timestamp()


def named(config: Config, selectors: Sequence[str]) -> list[str]:
    """Names of the connections that selectors mean, each once.

    Raises:
        ConfigError: One of them means none.
    """
    names: dict[str, None] = {}
    for selector, found in matches(config.connections, selectors):
        if not found:
            problem = f"{selector!r} matches no connection"
            raise misused("CONNECTION", problem, suggestion(config.connections, selector))
        names.update((each.name, None) for each in found)
    return list(names)


async def _holds(state: Path) -> list[Hold]:
    now = datetime.now(UTC).timestamp()
    async with await open_history(state) as history:
        return [hold for hold in await history.holds() if hold.in_force(now)]


async def hold(
    state: Path, config: Config, names: Sequence[str], reason: str, until: float
) -> None:
    """Hold connections, whether or not an engine runs.

    Raises:
        ConfigError: It makes no sense, or the engine that runs does not know one of them.
        StateError: It could not be recorded.
    """
    async with listening(state) as remote:
        if remote is not None:
            await remote.call("records.hold", connections=names, reason=reason, until=until)
            return
    now, who = datetime.now(UTC).timestamp(), operator()
    like = Hold(connection="", reason=reason, who=who, since=now, until=until)
    holds = holds_of(config.connections, names, like)
    what, detail = "records.hold", f"reason={reason}"
    async with (
        open_records(state) as (store, _),
        noted(store, what, ", ".join(names), detail),
    ):
        await store.put_holds(holds)


def _lines(holds: Sequence[Hold], timezone: str) -> list[str]:
    if not holds:
        return ["No connection is held."]
    lines = [f"{'CONNECTION':<{_NAME}} {'SINCE':<16} {'UNTIL':<16} WHO, REASON"]
    for each in holds:
        until = moment(each.until, timezone)[:16] if each.until else "–"
        lines.append(
            f"{middle_cut(each.connection, _NAME):<{_NAME}} "
            f"{moment(each.since, timezone)[:16]} {until:<16} {each.who}: {each.reason}",
        )
    return [*lines, "Let them go with: etltui release CONNECTION"]


@click.command("hold")
@click.argument("connections", nargs=-1, metavar="[CONNECTION]...")
@click.option("--reason", default="", help="Why, for everybody who misses their rows.")
@click.option(
    "--until",
    default="",
    metavar="TIME",
    help="Let it end by itself: after 10m, 2h, 3d, or at 2026-11-23T08:00.",
)
@click.option("--json", "as_json", is_flag=True, help="A held connection a line, as JSON.")
@config_option
@state_option
@errors_leave
def command(
    *,
    connections: tuple[str, ...],
    reason: str,
    until: str,
    as_json: bool,
    config_file: Path | None,
    state_dir: Path | None,
) -> None:
    """Let no run read CONNECTION: a name, a glob or tag:NAME. Without any, list what is held.

    A run lists a held connection as skipped, with the reason, and is completed with errors; what
    is being read at this moment is finished. `etltui release` ends it, and `etltui retry` then
    reads what a run lacks.
    """
    if not connections:
        state, timezone = state_of(config_file, state_dir)
        holds = asyncio.run(_holds(state))
        if as_json:
            for each in holds:
                click.echo(encode.line({"type": "hold", **asdict(each)}))
        else:
            click.echo(fitted(_lines(holds, timezone)))
        return
    config = configuration(config_file)
    now = datetime.now(UTC).timestamp()
    ends = until_of(until, now, config.settings.timezone)
    names = named(config, connections)
    state = state_folder(config, state_dir, os.environ)
    asyncio.run(hold(state, config, names, reason, ends))
    over = f" until {moment(ends, config.settings.timezone)}" if ends else ""
    what = safe_text(names[0]) if len(names) == 1 else counted(len(names), "connection")
    click.echo(f"{what} held{over}: no run reads {'it' if len(names) == 1 else 'them'}")
