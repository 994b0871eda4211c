"""`etltui loadtest`: put load on the engine to order, and tell how it bore that."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Unpack

import click
from click.core import ParameterSource

from etltui.bootstrap import is_held, open_history, open_records
from etltui.cli.files import new_file
from etltui.cli.follow import note, say
from etltui.cli.load_options import Said, load_options, order_of
from etltui.cli.options import (
    config_option,
    configuration,
    errors_leave,
    state_of,
    state_option,
)
from etltui.cli.signals import LEFT, let_out, removed_at_once, signals
from etltui.config.load import state_folder
from etltui.config.schema import Config
from etltui.domain.errors import StateHeldError, misused
from etltui.domain.words import some
from etltui.loadtest import borrowed, farm, record, servers
from etltui.loadtest.compare import compared, differences
from etltui.loadtest.drive import Drive
from etltui.loadtest.figures import Report
from etltui.loadtest.ground import Ground
from etltui.loadtest.html import page
from etltui.loadtest.judge import judged
from etltui.loadtest.order import Order
from etltui.loadtest.reporting import machine, report
from etltui.loadtest.taking import Taken
from etltui.loadtest.text import lines

_NOT_OF_JOBS = ("connections", "jobs", "rows", "latency_ms", "stall", "failures", "seed", "url")
"""Options that order what a configured job says itself, or what is not to be done to it."""


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where things are.

    Attributes:
        state: The operator's state folder.
        reports: Where the report is stored.
        config: Of `--job`; None: nobody needs one.
    """

    state: Path
    timezone: str
    reports: Path
    config: Config | None


@click.command("loadtest")
@load_options
@config_option
@state_option
@click.pass_context
@errors_leave
def command(context: click.Context, **said: Unpack[Said]) -> None:
    """Put load on this program and tell how it bore that.

    Several jobs at once read many connections, round after round: SQLite files made in a
    temporary folder, servers (--url), or what is configured (--job). Some may be slow, stall or
    fail, as ordered. The exit code is 0 when every row came exactly once from each connection
    that was not to fail, and nothing leaked; else 1. Ctrl-C ends it with the report so far (130).

    The report goes to stdout, and as JSON into the state folder. Servers feel the load as they
    feel that of a run: at most 20 sessions each, unless the configuration says otherwise.
    """
    order = _order(context, said)
    before = record.read(said["against"]) if said["against"] else None
    _check_page(said["html"])
    place = _place(said)
    with _scratch(keep=said["keep"]) as folder:
        ground = _ground(said, order, folder, place)
        taken = _driven(ground, folder)
        found = report(ground, taken, judged(ground, taken), machine())
    note(f"stored: {record.stored(found, place.reports)}")
    _tell(found, before, said, place.timezone)
    let_out()
    sys.exit(LEFT if found.stopped else int(not found.passed))


def _order(context: click.Context, said: Said) -> Order:
    named = [
        f"--{name.removesuffix('_ms')}"
        for name in _NOT_OF_JOBS
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    if said["named"] and named:
        raise click.UsageError(f"--job reads what is configured: leave out {some(named)}")
    if (said["user"] or said["password"]) and not said["url"]:
        raise click.UsageError("--user and --password are of --url")
    return order_of(said, "url" if said["url"] else "sqlite")


def _check_page(html: Path | None) -> None:
    """Refuse now what could not be written in the end."""
    if html is not None and (html.exists() or not os.access(html.parent, os.W_OK)):
        problem = f"{html} is there already, or its folder cannot be written"
        way_out = "Name a file that is not there yet, in a folder that you may write"
        raise misused("--html", problem, way_out)


def _place(said: Said) -> _Place:
    """Where things are; the state folder is made where the report needs it."""
    config = configuration(said["config_file"]) if said["named"] else None
    if config is None:
        state, timezone = state_of(said["config_file"], said["state_dir"])
    else:
        state = state_folder(config, said["state_dir"], os.environ)
        timezone = config.settings.timezone
    if said["folder"] is None:
        asyncio.run(made(state))
    reports = said["folder"] or state / record.FOLDER
    return _Place(state=state, timezone=timezone, reports=reports, config=config)


async def made(state: Path) -> None:
    """Make the state folder as an engine would; a report in an empty one would keep engines out."""
    try:
        if not await asyncio.to_thread(is_held, state):
            async with open_records(state):
                pass
    except StateHeldError:
        # Somebody has just begun to use it: it is one.
        return


@contextmanager
def _scratch(*, keep: bool) -> Iterator[Path]:
    """A folder for the time of the block."""
    folder = Path(mkdtemp(prefix="etltui-loadtest-"))
    if keep:
        yield folder
        note(f"kept: {folder}")
        return
    try:
        with removed_at_once(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _ground(said: Said, order: Order, folder: Path, place: _Place) -> Ground:
    if place.config is not None:
        held = asyncio.run(_held(place.state))
        return borrowed.lent(folder, order, place.config, said["named"], held)
    if said["url"]:
        kind, colon, path = said["password"].partition(":")
        # The configuration that it stands in lies elsewhere.
        password = f"file:{Path(path).absolute()}" if kind == "file" else kind + colon + path
        login = servers.Login(user=said["user"], password=password)
        return servers.pointed(folder, order, said["url"], login)
    note(f"making {order.connections:,} databases of {order.rows:,} rows …")
    return farm.made(folder, order)


async def _held(state: Path) -> frozenset[str]:
    """Connections that nobody is to read: an operator has said so."""
    async with await open_history(state) as history:
        now = datetime.now(UTC).timestamp()
        held = await history.holds()
    return frozenset(hold.connection for hold in held if hold.in_force(now))


def _driven(ground: Ground, folder: Path) -> Taken:
    async def drive() -> Taken:
        driven = Drive(ground, folder / "state", tell=note)
        stops: list[asyncio.Task[None]] = []

        def stop(number: signal.Signals) -> None:
            stops.append(asyncio.create_task(driven.stop(f"stopped by {number.name}")))

        with signals(stop, hangup="stop"):
            return await driven.run()

    return asyncio.run(drive())


def _tell(found: Report, before: Report | None, said: Said, timezone: str) -> None:
    ratios = compared(found, before) if before else ()
    unlike = tuple(differences(found, before)) if before else ()
    if said["html"] is not None:
        with new_file(said["html"], "--html") as file:
            file.write(page(found, ratios, unlike, timezone=timezone))
    if said["as_json"]:
        say(record.as_json(found, ratios).rstrip())
        return
    for line in lines(found, ratios, unlike):
        say(line)
