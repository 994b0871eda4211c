"""`etltui identities`: which database each connection is known to be, and approving another."""

import asyncio
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from etltui.bootstrap import open_history, open_records, operator
from etltui.cli.hold import named
from etltui.cli.listening import listening
from etltui.cli.noted import noted
from etltui.cli.options import config_option, configuration, errors_leave, state_option
from etltui.config.load import state_folder
from etltui.config.schema import Config
from etltui.domain.identity import Identity, changed, doubled
from etltui.domain.safe_text import middle_cut, safe_text
from etltui.domain.words import counted, moment
from etltui.encode import events as encode
from etltui.engine.identity import approvals

_NAME = 24
_PRODUCT = 20


async def _known(state: Path, config: Config) -> dict[str, Identity]:
    """Of the connections that are configured, those that have answered."""
    there = {each.name for each in config.connections}
    async with await open_history(state) as history:
        found = await history.identities()
    return {each.connection: each for each in found if each.connection in there}


async def approve(state: Path, names: Sequence[str]) -> tuple[str, ...]:
    """Take whoever answers for the right one, whether or not an engine runs; those that changed.

    Raises:
        ConfigError: The engine that runs does not know one of them.
        StateError: It could not be recorded.
    """
    async with listening(state) as remote:
        if remote is not None:
            answer: tuple[str, ...] = await remote.call("records.approve", connections=names)
            return tuple(answer)
    async with open_records(state) as (store, _):
        known = {each.connection: each for each in await store.identities()}
        now = datetime.now(UTC).timestamp()
        approved = approvals(known, names, operator(), now)
        await store.put_identities(approved)
        found = tuple(each.connection for each in approved)
        text = ", ".join(found) or "nothing to do"
        await noted(store, "records.approve", ", ".join(names), outcome=text)
    return found


def _mark(one: Identity) -> str:
    return "✗" if one.other else "✓"


def _lines(known: dict[str, Identity], timezone: str) -> Iterator[str]:
    if not known:
        yield "No connection has said yet which database it is: the first run asks."
        return
    yield f"  {'CONNECTION':<{_NAME}} {'LAST SEEN':<16} {'SERVER':<{_PRODUCT}} KNOWN SINCE"
    for one in known.values():
        since = moment(one.first_seen, timezone)[:16]
        by = f", approved by {one.approved_by}" if one.approved_by else ""
        yield (
            f"{_mark(one)} {middle_cut(one.connection, _NAME):<{_NAME}} "
            f"{moment(one.last_seen, timezone)[:16]} "
            f"{middle_cut(one.product, _PRODUCT):<{_PRODUCT}} {since}{by}"
        )
    yield from _oddities(known, timezone)


def _oddities(known: dict[str, Identity], timezone: str) -> Iterator[str]:
    """What is to be looked at, a line each, and the way out."""
    others = [one for one in known.values() if one.other]
    for one in others:
        since = moment(one.other_since, timezone)[:16]
        yield f"{changed(one, known)} since {since}: known as {one.identity}, now {one.other}"
    if others:
        yield (
            "Ask the branch whether its server was replaced or restored; if so: "
            "etltui identities approve CONNECTION"
        )
    for names in _groups(known):
        yield doubled(names[0], names[1:])


def _groups(known: dict[str, Identity]) -> list[list[str]]:
    """Names of connections that are one database, of each such database."""
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for one in known.values():
        found[one.mark].append(one.connection)
    return [names for names in found.values() if len(names) > 1]


@click.group("identities")
def command() -> None:
    """Show which database each connection is known to be, and approve another one.

    A connection is known by what its database says of itself when it is read first. Where another
    one answers later (a copy, a test server, another branch), runs name it, or with
    on_identity = "refuse" do not read it until it is approved.
    """


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="A connection a line, as JSON.")
@config_option
@state_option
@errors_leave
def list_(*, as_json: bool, config_file: Path | None, state_dir: Path | None) -> None:
    """List who answered where, what has changed, and which connections are one database."""
    config = configuration(config_file)
    known = asyncio.run(_known(state_folder(config, state_dir, os.environ), config))
    if not as_json:
        for line in _lines(known, config.settings.timezone):
            click.echo(safe_text(line))
        return
    groups = {name: names for names in _groups(known) for name in names}
    for one in known.values():
        same = [name for name in groups.get(one.connection, ()) if name != one.connection]
        click.echo(encode.line({"type": "identity", **asdict(one), "same_as": same}))


@command.command("approve")
@click.argument("connections", nargs=-1, required=True, metavar="CONNECTION…")
@config_option
@state_option
@errors_leave
def approve_(
    *,
    connections: tuple[str, ...],
    config_file: Path | None,
    state_dir: Path | None,
) -> None:
    """Take whoever answers at CONNECTION now (a name, a glob or tag:NAME) for the right one."""
    config = configuration(config_file)
    names = named(config, connections)
    found = asyncio.run(approve(state_folder(config, state_dir, os.environ), names))
    if not found:
        one = len(names) == 1
        click.echo(f"Nothing to approve: {'it is' if one else 'they are'} what was known before")
        return
    what = safe_text(found[0]) if len(found) == 1 else counted(len(found), "connection")
    click.echo(f"{what} approved; `etltui retry` reads what a run lacks")
