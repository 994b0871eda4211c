"""`etltui identities`: which database each connection is known to be, and approving another."""

import asyncio
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import click

from etltui.bootstrap import open_history, open_records, operator
from etltui.cli.hold import named
from etltui.cli.listening import listening
from etltui.cli.noted import noted
from etltui.cli.options import config_option, configuration, errors_leave, state_option
from etltui.config.load import state_folder
from etltui.config.schema import Config
from etltui.domain.identity import (
    Identity,
    changed,
    changed_code,
    doubled,
    doubled_code,
    way_out,
)
from etltui.domain.safe_text import middle_cut, safe_text
from etltui.domain.words import counted, moment
from etltui.encode import events as encode
from etltui.engine.identity import approvals

_NAME = 24
_PRODUCT = 20
_CODE = 12
NOTHING: Mapping[str, str] = MappingProxyType({})


async def _known(state: Path, config: Config) -> dict[str, Identity]:
    """Of the connections that are configured, those that have answered."""
    there = {each.name for each in config.connections}
    async with await open_history(state) as history:
        found = await history.identities()
    return {each.connection: each for each in found if each.connection in there}


async def approve(
    state: Path, names: Sequence[str], expected: Mapping[str, str] = NOTHING
) -> tuple[str, ...]:
    """Take whoever answers for the right one, whether or not an engine runs; those that changed.

    Args:
        state: The state folder.
        names: Of connections.
        expected: The code that is configured, of those that have one.

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
        approved = approvals(known, names, operator(), now, expected)
        found = tuple(each.connection for each in approved)
        text = ", ".join(found) or "nothing to do"
        async with noted(store, "records.approve", ", ".join(names), outcome=text):
            await store.put_identities(approved)
    return found


def _mark(one: Identity) -> str:
    return "✗" if one.is_other else "✓"


def _lines(known: dict[str, Identity], expected: Mapping[str, str], timezone: str) -> Iterator[str]:
    if not known:
        yield "No connection has said yet which database it is: the first run asks."
        return
    codes = any(one.asked for one in known.values())
    head = f"{'CODE':<{_CODE}} " if codes else ""
    yield f"  {'CONNECTION':<{_NAME}} {'LAST SEEN':<16} {'SERVER':<{_PRODUCT}} {head}KNOWN SINCE"
    for one in known.values():
        since = moment(one.first_seen, timezone)[:16]
        by = f", approved by {one.approved_by}" if one.approved_by else ""
        yield (
            f"{_mark(one)} {middle_cut(one.connection, _NAME):<{_NAME}} "
            f"{moment(one.last_seen, timezone)[:16]} "
            f"{middle_cut(one.product, _PRODUCT):<{_PRODUCT}} "
            + (f"{middle_cut(one.answers_code, _CODE):<{_CODE}} " if codes else "")
            + f"{since}{by}"
        )
    yield from _oddities(known, expected, timezone)


def _oddities(
    known: dict[str, Identity], expected: Mapping[str, str], timezone: str
) -> Iterator[str]:
    """What is to be looked at, a line each, and the way out."""
    others = [one for one in known.values() if one.is_other]
    for one in others:
        if one.other:
            since = moment(one.other_since, timezone)[:16]
            yield f"{changed(one, known)} since {since}: known as {one.identity}, now {one.other}"
        if one.other_code:
            since = moment(one.other_code_since, timezone)[:16]
            said = expected.get(one.connection, "")
            mend = f"; {way_out(one, said)}" if said else ""
            yield f"{changed_code(one, known, said)}, since {since}{mend}"
    if any(one.other or not expected.get(one.connection) for one in others):
        yield (
            "Ask the branch whether its server was replaced or restored; if so: "
            "etltui identities approve CONNECTION"
        )
    same = _groups((one.mark, one.connection) for one in known.values() if one.answers)
    for names in same:
        yield doubled(names[0], names[1:])
    for names in _groups((one.code_mark, one.connection) for one in known.values() if one.asked):
        if names not in same:
            yield doubled_code(names[0], names[1:], known[names[0]].answers_code)


def _groups(marks: Iterable[tuple[tuple[str, str], str]]) -> list[list[str]]:
    """Names of connections that have a mark in common, of each such mark."""
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for mark, name in marks:
        found[mark].append(name)
    return [names for names in found.values() if len(names) > 1]


@click.group("identities")
def command() -> None:
    """Show which database each connection is known to be, and approve another one.

    A connection is known by what its database says of itself when it is read first: its server,
    and what its identity_query gives. Where another one answers later (a copy, a test server,
    another branch), runs name it, or with on_identity = "refuse" do not read it until it is
    approved.
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
        for line in _lines(known, _expected(config), config.settings.timezone):
            click.echo(safe_text(line))
        return
    same = _groups((one.mark, one.connection) for one in known.values() if one.answers)
    codes = _groups((one.code_mark, one.connection) for one in known.values() if one.asked)
    for one in known.values():
        alike = {"same_as": _others(one, same), "same_code_as": _others(one, codes)}
        click.echo(encode.line({"type": "identity", **asdict(one), **alike}))


def _others(one: Identity, groups: Iterable[list[str]]) -> list[str]:
    """Names of those in a group with a connection."""
    return [
        name
        for names in groups
        if one.connection in names
        for name in names
        if name != one.connection
    ]


def _expected(config: Config) -> dict[str, str]:
    """The code of each connection that is configured with one."""
    return {each.name: each.identity for each in config.connections if each.identity}


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
    state = state_folder(config, state_dir, os.environ)
    expected = _expected(config)
    found = asyncio.run(approve(state, names, expected))
    if not found:
        one = len(names) == 1
        click.echo(f"Nothing to approve: {'it is' if one else 'they are'} what was known before")
        if any(name in expected for name in names):
            click.echo("A code other than the configured `identity` is corrected, not approved")
        return
    what = safe_text(found[0]) if len(found) == 1 else counted(len(found), "connection")
    click.echo(f"{what} approved; `etltui retry` reads what a run lacks")
