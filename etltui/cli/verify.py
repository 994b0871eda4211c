"""`etltui verify`: a run's targets read back, cell by cell, and held against what was written."""

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from etltui.bootstrap import files, is_held, open_history
from etltui.cli.options import (
    USAGE,
    config_option,
    errors_leave,
    job_names,
    state_of,
    state_option,
)
from etltui.cli.runs import settled
from etltui.domain.errors import Failure, misused
from etltui.domain.ports import Parts
from etltui.domain.read_back import ReadBack, TargetRead
from etltui.domain.safe_text import safe_text
from etltui.domain.stored import RunRow
from etltui.domain.words import number, words
from etltui.encode import events as encode
from etltui.engine.read_back import Candidate, candidates

DIFFERS = 1
_AGREES, _DIFFERS, _GONE = "✓", "✗", "·"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Verified:
    """A target and what was found; `read` is None where it cannot be read back."""

    target: str
    type: str
    queries: tuple[str, ...] = ()
    gone: str = ""
    read: TargetRead | None = None


async def _find(state: Path, run: str) -> tuple[RunRow, list[Candidate]]:
    """A run by its id, the end of it or its job's name, and its targets."""
    async with await open_history(state) as history:
        newest = await history.runs(job=run, limit=1) if run else []
        row = newest[0] if newest else await history.run(run)
        if row is None:
            problem = f"there is no run or job {run!r} in {state}, or more than one run ends so"
            raise misused("RUN|JOB", problem, "etltui runs lists them")
        found = await candidates(history, row.run) if row.plan_hash else []
        return settled(row, held=is_held(state)), found


async def _verified(state: Path, run: str) -> tuple[RunRow, list[_Verified]]:
    row, found = await _find(state, run)
    async with files(log=state / "logs" / "extractor.log") as parts:
        return row, [await _one(parts, each) for each in found]


async def _one(parts: Parts, each: Candidate) -> _Verified:
    if each.task is None:
        return _Verified(target=each.target, type=each.type, gone=each.gone)
    if not await asyncio.to_thread(Path(each.target).exists):
        return _Verified(target=each.target, type=each.type, gone="is not there any more")
    try:
        read = await parts.read_back(each.task)
    except Failure as failure:
        read = TargetRead(problem=failure.message)
    return _Verified(target=each.target, type=each.type, queries=each.task.queries, read=read)


def _lines(row: RunRow, found: list[_Verified]) -> Iterator[str]:
    yield f"{row.job} ▸ run {row.run}  {words(row.status)}"
    if not found:
        yield "  It has no target: it did not begin."
    for each in found:
        yield from _target(each)


def _target(each: _Verified) -> Iterator[str]:
    if each.read is None:
        yield f"{_GONE} {each.target} {each.gone}"
        return
    told = each.read.connections
    differences = each.read.differences
    # of a workbook that holds the rows twice they are counted once, its cells as often as they are
    once = {(one.connection, one.query): one for one in reversed(told)}.values()
    sums = (
        f"{number(len({one.connection for one in told}))} connections, "
        f"{number(sum(one.written for one in once))} rows written, "
        f"{number(sum(one.read or 0 for one in once))} read back, "
        f"{number(sum(one.cells for one in told))} cells"
    )
    yield f"{_DIFFERS if differences else _AGREES} {each.target}  {sums}"
    yield from (f"    {said}" for said in differences)
    if differences:
        yield "    What is there is not what the run wrote: run the job again, or take a copy back."


def _object(row: RunRow, found: list[_Verified]) -> dict[str, object]:
    """The whole answer for a program."""
    return {
        "type": "verified",
        "run": row.run,
        "job": row.job,
        "agrees": _code(found) == 0,
        "targets": [
            {
                "path": each.target,
                "type": each.type,
                "gone": each.gone or None,
                "agrees": each.read is not None and not each.read.differences,
                "problem": each.read.problem or None if each.read else None,
                "connections": [
                    _connection(one, each.queries)
                    for one in (each.read.connections if each.read else ())
                ],
            }
            for each in found
        ],
    }


def _connection(one: ReadBack, queries: tuple[str, ...]) -> dict[str, object]:
    return {
        "connection": one.connection,
        "query": queries[one.query],
        "variant": one.variant,
        "rows_written": one.written,
        "rows_read_back": one.read,
        "cells": one.cells,
        "checksum": one.checksum,
        "problem": one.sentence or None,
    }


def _code(found: list[_Verified]) -> int:
    if any(each.read is not None and each.read.differences for each in found):
        return DIFFERS
    return 0 if found and not any(each.gone for each in found) else USAGE


@click.command("verify")
@click.argument("run", metavar="RUN|JOB", shell_complete=job_names)
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
    """Read every cell of the targets of RUN (of JOB the newest) back, and name what differs.

    \b
    Exit codes: 0 all agrees, 1 something differs, 2 there is no such run,
    or a target of it is not there any more.
    """  # noqa: D301 - \b is click's mark for lines to keep
    state, _ = state_of(config_file, state_dir)
    row, found = asyncio.run(_verified(state, run))
    if as_json:
        click.echo(encode.line(_object(row, found)))
    else:
        for line in _lines(row, found):
            click.echo(safe_text(line))
    sys.exit(_code(found))
