"""`etltui show`: one run, connection by connection."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import click

from etltui.bootstrap import is_held, open_history
from etltui.cli.options import config_option, errors_leave, state_of, state_option
from etltui.cli.report import failure_lines
from etltui.cli.runs import as_object, settled
from etltui.cli.words import duration, moment, number, size, words
from etltui.domain.errors import ConfigError, Mistake
from etltui.domain.plan import Plan
from etltui.domain.run import ConnectionResult, ConnectionStatus
from etltui.domain.safe_text import middle_cut, safe_text
from etltui.domain.stored import ConnectionRow, PublicationRow, RunRow
from etltui.encode import events as encode

_MARKS = {
    ConnectionStatus.COMPLETED: "✓",
    ConnectionStatus.FAILED: "✗",
    ConnectionStatus.WAITING: "·",
}
_NAME = 28


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """A run with all that belongs to it."""

    row: RunRow
    plan: Plan
    connections: list[ConnectionRow]
    publications: list[PublicationRow]


async def _find(state: Path, run: str) -> _Found:
    async with await open_history(state) as history:
        row = await history.run(run)
        if row is None:
            mistake = Mistake(
                where="command line",
                key="RUN",
                problem=f"there is no run {run!r} in {state}, or more than one ends so",
                way_out="etltui runs lists them",
            )
            raise ConfigError([mistake])
        return _Found(
            row=settled(row, held=is_held(state)),
            plan=await history.plan(row.run),
            connections=await history.connections(row.run),
            publications=await history.publications(row.run),
        )


def _result(row: ConnectionRow) -> ConnectionResult:
    waiting = ConnectionResult(
        connection=row.connection,
        status=ConnectionStatus.WAITING,
        tries=0,
    )
    return row.result or waiting


def _head(found: _Found, timezone: str) -> list[str]:
    row, result = found.row, found.row.result
    lines = [
        f"{row.job} ▸ run {row.run}  {words(row.status)}",
        f"  {row.title}; started {moment(row.started, timezone)}, attempt {row.attempt}"
        + (f", {duration(result.seconds)}" if result else ""),
    ]
    if row.reason:
        lines.append(f"  {row.reason}")
    lines.extend(
        f"  {target.target}  {target.state}  {number(target.rows)} rows  {size(target.bytes)}"
        for target in found.publications
    )
    return lines


def _line(number_: int, result: ConnectionResult) -> str:
    mark = _MARKS.get(result.status, "?")
    took = duration(sum(result.seconds.values())) if result.seconds else "–"
    rows = number(result.rows) if result.status is ConnectionStatus.COMPLETED else "–"
    notes = ", ".join(f"{count:,} {note}" for note, count in result.notes.items())
    name = middle_cut(result.connection, _NAME)
    return (
        f"{number_:>4} {name:<{_NAME}} {mark} {words(result.status):<10} {rows:>13} {took:>7}  "
        f"{notes}"
    ).rstrip()


def _print(found: _Found, timezone: str) -> None:
    contacts = {p.name: p.connection.contact for p in found.plan.connections}
    lines = [
        *_head(found, timezone),
        "",
        f"{'#':>4} {'CONNECTION':<{_NAME}}   STATUS              ROWS    TIME",
    ]
    for row in found.connections:
        result = _result(row)
        lines.append(_line(row.number, result))
        lines.extend(failure_lines(result, contacts.get(row.connection, "")))
    for line in lines:
        click.echo(safe_text(line))


@click.command("show", short_help="Show one run, connection by connection.")
@click.argument("run")
@click.option("--json", "as_json", is_flag=True, help="One object, as JSON.")
@config_option
@state_option
@errors_leave
def command(
    *,
    run: str,
    as_json: bool,
    config_file: Path | None,
    state_dir: Path | None,
) -> None:
    """Show RUN (its id, or the letters at its end), connection by connection."""
    state, timezone = state_of(config_file, state_dir)
    found = asyncio.run(_find(state, run))
    if not as_json:
        _print(found, timezone)
        return
    connections = [encode.connection(_result(row)) for row in found.connections]
    click.echo(encode.line({**as_object(found.row), "results": connections}))
