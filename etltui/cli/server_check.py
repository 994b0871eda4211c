"""`etltui server-check`: how loaded the servers are that branches' databases are on."""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from etltui.bootstrap import leases
from etltui.cli.options import config_option, configuration, errors_leave, profile_option
from etltui.cli.tested import failed
from etltui.cli.without_engine import done
from etltui.cli.wrapping import wrapped
from etltui.config.schema import Config
from etltui.domain.inquiry import ServerChecked
from etltui.domain.job import Connection
from etltui.domain.safe_text import safe_text
from etltui.domain.words import today
from etltui.encode import events as encode
from etltui.engine.server_check import servers, servers_checked
from etltui.engine.trips import chosen

NOTHING = "this kind of server tells nothing of its load"


def as_object(told: ServerChecked) -> dict[str, object]:
    """A server's readings for a program."""
    return {
        "type": "server_check",
        "server": told.server,
        "connection": told.connection,
        "product": told.product,
        "readings": [asdict(each) for each in told.readings],
        "error": encode.trouble(told.trouble) if told.trouble else None,
    }


def as_lines(told: ServerChecked, contact: str) -> list[str]:
    """A server's readings for people, the numbers in its first line."""
    if told.trouble is not None:
        return [failed(safe_text(told.server), told.trouble, contact)]
    mark = "!" if any(each.warns for each in told.readings) else "✓"
    seen = [f"{each.name} {each.value}" for each in told.readings if each.value]
    head = ", ".join(seen) or ("" if told.readings else NOTHING)
    named = f"{mark} {told.server}  {told.product}".rstrip()
    lines = wrapped(f"{named}: {head}" if head else named, "", "    ")
    for each in told.readings:
        if each.warns or not each.value:
            lines += wrapped(f"{each.name}: {each.meaning}", "    ", "    ")
    return lines


async def _check_all(
    config: Config,
    asked: Sequence[Connection],
    log: Path,
    tell: Callable[[ServerChecked], None],
) -> None:
    async with leases(config, environ=os.environ, log=log) as lending:
        await servers_checked(lending, asked, config.settings.request_timeout_s, tell)


@click.command("server-check")
@click.argument("connections", nargs=-1, metavar="[CONNECTION]...")
@click.option("--json", "as_json", is_flag=True, help="A server a line, as JSON.")
@config_option
@profile_option
@errors_leave
def command(
    *,
    connections: tuple[str, ...],
    as_json: bool,
    config_file: Path | None,
    profile: str | None,
) -> None:
    """Ask each server how many sessions it has, how many it allows, and what they wait for.

    CONNECTION is a name, a glob or tag:NAME; without any all that are there today. A server is
    asked once, however many databases it has; files have no server. Starts nothing. Exit code 1
    where a server does not answer.
    """
    config = configuration(config_file, profile=profile)
    asked = chosen(config, connections, today(config.settings.timezone))
    contacts = {each.name: each.contact for each in asked}
    told: list[ServerChecked] = []

    def tell(each: ServerChecked) -> None:
        told.append(each)
        if as_json:
            click.echo(encode.line(as_object(each)))
        else:
            click.echo("\n".join(as_lines(each, contacts[each.connection])))

    if not servers(asked):
        click.echo("None of these connections is at a server: files have none.", err=True)
        return
    done(lambda log: _check_all(config, asked, log, tell))
    sys.exit(int(any(each.trouble for each in told)))
