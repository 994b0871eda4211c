"""`etltui pools`: the pools of sessions of the engine that runs, and the levers on them."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from etltui.bootstrap import operator
from etltui.cli.group import SHOW, Showing
from etltui.cli.listening import NO_POOLS, listening
from etltui.cli.options import config_option, configuration, errors_leave, state_of, state_option
from etltui.config.checks import nearest_or_all
from etltui.domain.errors import misused
from etltui.domain.pools import PoolHistory, PoolMetrics, PoolStats
from etltui.domain.safe_text import middle_cut, safe_text
from etltui.domain.words import counted
from etltui.door.client import RemoteEngine, open_door
from etltui.encode import documents
from etltui.encode import events as encode

_KEY = 46
_WIDTH = 79
_SOME = 5
_json = click.option("--json", "as_json", is_flag=True, help="As JSON.")


def totals(value: PoolMetrics) -> Iterator[str]:
    """All pools together, in a line or two."""
    leaks = f", {counted(len(value.leaks), 'leak')}" if value.leaks else ""
    paused = "; paused" if value.paused else ""
    limit = f" of {value.max_connections}" if value.max_connections else ""
    yield (
        f"POOLS   {counted(value.total_pools, 'pool')}, {value.places}{limit} sessions, "
        f"{value.waiting} waiting{leaks}{paused}"
    )
    if value.locked_credentials:
        yield f"  not tried any more: {', '.join(value.locked_credentials)}"
    for line in value.breakers:
        yield f"  {line}"
        yield f"    {line.last_error}"


def each(pools: Sequence[PoolStats]) -> Iterator[str]:
    """A line for each pool, and what is the matter with it below."""
    for pool in pools:
        yield (
            f"  {middle_cut(pool.pool, _KEY):<{_KEY}} {pool.open:>3}/{pool.size:<3} "
            f"{pool.lent:>4} {pool.idle:>4} {pool.waiting:>4}"
        )
        if pool.draining or pool.paused:
            yield f"    {'draining' if pool.draining else 'paused'}"
        if pool.last_error:
            yield f"    {pool.last_error}"
        for leak in pool.leaks:
            yield f"    held for {leak.seconds:.0f} s by {leak.holder}"


def heads() -> str:
    """What stands above the lines of `each`."""
    return f"  {'POOL':<{_KEY}} {'OPEN':>7} {'LENT':>4} {'IDLE':>4} {'WAIT':>4}"


def histories(pools: Sequence[PoolHistory]) -> Iterator[str]:
    """For each pool there has been whether its database answers, then what it was asked."""
    for pool in pools:
        yield f"  {pool.pool}"
        yield f"    {_health(pool)}"
        if pool.last_error:
            yield f"    {pool.last_error}"
        for each in pool.statements:
            yield (
                f"    {each.hash}  {counted(each.count, 'time')}, {each.total_s:.2f} s, "
                f"mean {each.mean_s:.2f}, max {each.max_s:.2f}; {counted(each.rows, 'row')}"
            )
            yield f"      {each.text}"


def _health(pool: PoolHistory) -> str:
    last = "has not answered" if pool.proved_s is None else f"answered {pool.proved_s:.0f} s ago"
    return f"{last}, {counted(pool.proofs_failed, 'failure')} since" if pool.proofs_failed else last


def fitted(lines: Sequence[str]) -> str:
    """Harmless lines, none wider than a terminal of 80 columns."""
    safe = [safe_text(line) for line in lines]
    return "\n".join(x if len(x) <= _WIDTH else f"{x[: _WIDTH - 1]}…" for x in safe)


async def _histories(state: Path) -> tuple[PoolHistory, ...]:
    async with listening(state) as remote:
        return () if remote is None else await remote.get_pool_history()


async def _found(state: Path) -> tuple[PoolMetrics, tuple[PoolStats, ...]] | None:
    async with listening(state) as remote:
        if remote is None:
            return None
        return await remote.get_pool_metrics(), await remote.get_pool_info()


@click.group("pools", cls=Showing)
def command() -> None:
    """Show the pools of sessions of the engine that runs; with a command, steer them.

    POOL is a pool as it is shown, or a part of its text that no other one has.
    """


@command.command(SHOW, short_help="Show what `pools` shows.")
@click.option(
    "--statements",
    is_flag=True,
    help="Instead: whether each database answers, and what it was asked since the engine started.",
)
@_json
@config_option
@state_option
@errors_leave
def show(
    *,
    statements: bool,
    as_json: bool,
    config_file: Path | None,
    state_dir: Path | None,
) -> None:
    """Show the pools; as JSON their numbers all together."""
    state, _ = state_of(config_file, state_dir)
    if statements:
        _show_statements(state, as_json=as_json)
        return
    found = asyncio.run(_found(state))
    if as_json:
        click.echo(encode.line(documents.pool_metrics(found[0] if found else NO_POOLS)))
    elif found is None:
        click.echo(f"No engine runs in {safe_text(str(state))}: there are no pools.")
    else:
        metrics, pools = found
        click.echo(fitted([*totals(metrics), heads(), *each(pools)]))


def _show_statements(state: Path, *, as_json: bool) -> None:
    pools = asyncio.run(_histories(state))
    if as_json:
        click.echo(encode.line(documents.pool_history(pools)))
    elif pools:
        click.echo(fitted([*histories(pools)]))
    else:
        click.echo("No pool has lent a session since the engine started, or no engine runs.")


@command.command("list", short_help="List the pools, one a line.")
@_json
@config_option
@state_option
@errors_leave
def list_(*, as_json: bool, config_file: Path | None, state_dir: Path | None) -> None:
    """List the pools; none where no engine runs."""
    state, _ = state_of(config_file, state_dir)
    found = asyncio.run(_found(state))
    pools = found[1] if found else ()
    if as_json:
        for one in documents.pool_info(pools):
            click.echo(encode.line(one))
    else:
        click.echo(fitted([heads(), *each(pools)]))


def _one_pool(pools: Sequence[PoolStats], text: str) -> str:
    """The pool that a text means.

    Raises:
        ConfigError: It means none, or more than one.
    """
    keys = [pool.pool for pool in pools]
    near = [key for key in keys if key == text] or [key for key in keys if text in key]
    if len(near) == 1:
        return near[0]
    problem = f"{text!r} means {counted(len(near), 'pool')}"
    if not keys:
        raise misused("POOL", problem, "There are none yet: one opens when a run needs it")
    some = [*(near or keys)[:_SOME], *(["…"] if len(near or keys) > _SOME else [])]
    way_out = f"Name one of {', '.join(some)}; etltui pools list shows them all"
    raise misused("POOL", problem, way_out)


async def _known_login(remote: RemoteEngine, name: str) -> None:
    """Refuse what is neither a login that is locked nor a credential of the engine.

    Raises:
        ConfigError: It is neither.
    """
    locked = (await remote.get_pool_metrics()).locked_credentials
    if name in locked:
        return
    known = [*locked, *configuration(Path(remote.hello.config)).credentials]
    if name not in known:
        way_out = nearest_or_all(name, known) if known else "No login is locked: nothing to release"
        raise misused("CREDENTIAL", f"there is no credential and no locked pool {name!r}", way_out)


async def _release(state: Path, name: str) -> bool:
    """Let a login be tried again; whether it was locked.

    Raises:
        NoDoorError: No engine runs.
        ConfigError: See `_known_login`.
    """
    async with open_door(state, who=operator()) as remote:
        await _known_login(remote, name)
        was_locked: bool = await remote.call("pools.release_credential", name=name)
        return was_locked


async def _steer(state: Path, call: str, *, pool: str = "", **arguments: Any) -> Any:
    """Have the engine do it; a pool is given by a part of its text.

    Raises:
        NoDoorError: No engine runs.
        ConfigError: There is no such pool.
    """
    async with open_door(state, who=operator()) as remote:
        if pool:
            arguments["key_text"] = _one_pool(await remote.get_pool_info(), pool)
        return await remote.call(call, **arguments)


def _of_pool(name: str, call: str, help_: str, said: str, *, required: bool) -> None:
    """Add a command that takes a pool, or none for all."""

    @command.command(name, help=help_, short_help=help_)
    @click.argument("pool", required=required, default=None if required else "")
    @config_option
    @state_option
    @errors_leave
    def steer(pool: str, *, config_file: Path | None, state_dir: Path | None) -> None:
        state, _ = state_of(config_file, state_dir)
        asyncio.run(_steer(state, call, pool=pool))
        click.echo(f"{safe_text(pool) or 'all pools'}: {said}")


_of_pool(
    "drain",
    "pools.drain",
    "Lend nothing more at POOL and close what comes back, until `resume`.",
    "draining",
    required=True,
)
_of_pool(
    "pause",
    "pools.pause",
    "Let leases at POOL, or at all, wait until `resume`.",
    "paused",
    required=False,
)
_of_pool(
    "resume",
    "pools.resume",
    "Undo `pause` and `drain` at POOL, or at all.",
    "at work",
    required=False,
)


@command.command("close-idle", short_help="Close sessions that nobody uses.")
@config_option
@state_option
@errors_leave
def close_idle(*, config_file: Path | None, state_dir: Path | None) -> None:
    """Close all idle sessions."""
    state, _ = state_of(config_file, state_dir)
    count = asyncio.run(_steer(state, "pools.close_idle"))
    click.echo(f"{counted(count, 'idle session')} closed")


@command.command("reconnect-all", short_help="Use no session again that is open now.")
@config_option
@state_option
@errors_leave
def reconnect_all(*, config_file: Path | None, state_dir: Path | None) -> None:
    """Lend no session again that is open now: idle ones close, lent ones as they come back."""
    state, _ = state_of(config_file, state_dir)
    asyncio.run(_steer(state, "pools.reconnect_all"))
    click.echo("all sessions are opened anew")


@command.command("warm-up", short_help="Have sessions open ahead of need.")
@click.argument("connection")
@click.argument("count", type=click.IntRange(1), default=1)
@config_option
@state_option
@errors_leave
def warm_up(
    connection: str,
    count: int,
    *,
    config_file: Path | None,
    state_dir: Path | None,
) -> None:
    """Have COUNT sessions (1) open to CONNECTION ahead of need, within the limits."""
    state, _ = state_of(config_file, state_dir)
    ready = asyncio.run(_steer(state, "warm_up", connection=connection, count=count))
    click.echo(f"{safe_text(connection)}: {counted(ready, 'session')} open")


@command.command("release", short_help="Let a refused login be tried again.")
@click.argument("credential")
@config_option
@state_option
@errors_leave
def release(credential: str, *, config_file: Path | None, state_dir: Path | None) -> None:
    """Let the login of CREDENTIAL be tried again that a server refused.

    For a login without a credential, CREDENTIAL is the text of its pool.
    """
    state, _ = state_of(config_file, state_dir)
    was_locked = asyncio.run(_release(state, credential))
    said = "is tried again" if was_locked else "was not locked"
    click.echo(f"{safe_text(credential)} {said}")
