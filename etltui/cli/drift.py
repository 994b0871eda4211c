"""`etltui drift`: the columns that most connections of a job have, and which differ."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from etltui.bootstrap import open_history
from etltui.cli.options import config_option, errors_leave, job_names, state_of, state_option
from etltui.domain.columns import Column
from etltui.domain.drift import columns_in
from etltui.domain.errors import ErrorClass, misused
from etltui.domain.majority import LACKS, Schemas, schemas
from etltui.domain.plan import Plan
from etltui.domain.safe_text import middle_cut, safe_text
from etltui.domain.stored import ConnectionRow, RunRow
from etltui.domain.words import counted
from etltui.encode import events as encode

_LOOKED_AT = 20
_NAME = 28
_CELL = 20


def of_run(plan: Plan, rows: Sequence[ConnectionRow]) -> tuple[Schemas, ...]:
    """The columns of each query at the connections of a run that told theirs."""
    found: list[dict[str, tuple[Column, ...]]] = [{} for _ in plan.job.queries]
    for row in rows:
        for query, columns in zip(found, _columns(row, plan), strict=False):
            if columns:
                query[row.connection] = columns
    return tuple(
        schemas(query.name, columns) for query, columns in zip(plan.job.queries, found, strict=True)
    )


def _columns(row: ConnectionRow, plan: Plan) -> tuple[tuple[Column, ...], ...]:
    """What a connection's columns were, of each query; of one that drifted those of that query."""
    if row.done and row.result is not None:
        return row.result.columns or plan.columns
    trouble = row.result.trouble if row.result else None
    if trouble is None or trouble.error_class is not ErrorClass.DRIFT:
        return ()
    known = columns_in(trouble.facts)
    names = [query.name for query in plan.job.queries]
    place = names.index(trouble.facts.get("query", names[0]))
    return (*[()] * place, known)


async def _find(state: Path, job: str, run: str) -> tuple[RunRow, tuple[Schemas, ...]]:
    async with await open_history(state) as history:
        rows = await history.runs(job=job, limit=_LOOKED_AT)
        if run:
            row = await history.run(run)
            found = [row] if row is not None and row.job == job else []
        else:
            found = [row for row in rows if row.plan_hash and row.result]
        for row in found:
            told = of_run(await history.plan(row.run), await history.connections(row.run))
            if run or any(each.told for each in told):
                return row, told
    what = f"no run {run!r} of {job!r}" if run else f"no run of {job!r} whose columns are known"
    raise misused("JOB", f"there is {what} in {state}", "etltui runs lists them")


def _lines(row: RunRow, found: Sequence[Schemas]) -> Iterator[str]:
    yield f"{row.job} ▸ run {row.run}"
    for each in found:
        yield ""
        yield f"{each.query}: the columns of {counted(each.told, 'connection')}"
        yield f"  {'COLUMN':<{_NAME}} {'TYPE':<{_CELL}} {'HAVE IT':>7}"
        for shared in each.columns:
            few = "" if shared.usual else "  only few"
            name = middle_cut(shared.column.name, _NAME)
            yield f"  {name:<{_NAME}} {shared.column.type:<{_CELL}} {shared.count:>7}{few}"
        yield from _matrix(each)


def _matrix(found: Schemas) -> Iterator[str]:
    """The connections that differ, by the columns in which any does; a dot is as most have it."""
    if not found.differing:
        yield "  no connection differs"
        return
    names = [middle_cut(name, _CELL) for name in found.drifted]
    widths = [max(len(name), 13 if name else 0) for name in names]
    yield ""
    yield f"  {counted(len(found.differing), 'connection')} of {found.told} differ:"
    heads = "  ".join(f"{name:<{width}}" for name, width in zip(names, widths, strict=True))
    yield f"  {'CONNECTION':<{_NAME}} {heads}".rstrip()
    for connection, own in found.differing.items():
        cells = "  ".join(
            f"{own.get(name, '·'):<{width}}"
            for name, width in zip(found.drifted, widths, strict=True)
        )
        yield f"  {middle_cut(connection, _NAME):<{_NAME}} {cells}".rstrip()


def _object(row: RunRow, found: Sequence[Schemas]) -> dict[str, object]:
    return {
        "type": "drift",
        "job": row.job,
        "run": row.run,
        "queries": [
            {
                "name": each.query,
                "connections": each.told,
                "columns": [
                    {**asdict(shared.column), "connections": shared.count, "usual": shared.usual}
                    for shared in each.columns
                ],
                "differing": {
                    connection: {
                        name: None if kind == LACKS else kind for name, kind in own.items()
                    }
                    for connection, own in each.differing.items()
                },
            }
            for each in found
        ],
    }


@click.command("drift")
@click.argument("job", metavar="JOB", shell_complete=job_names)
@click.option("--run", default="", help="Of this run (its id or an end of it), not the newest.")
@click.option("--json", "as_json", is_flag=True, help="One object, as JSON; null: it lacks it.")
@config_option
@state_option
@errors_leave
def command(
    *,
    job: str,
    run: str,
    as_json: bool,
    config_file: Path | None,
    state_dir: Path | None,
) -> None:
    """Show the columns that most connections of JOB have, and which connections differ.

    It tells what the newest run has met; nothing is asked of any database.
    """
    state, _ = state_of(config_file, state_dir)
    row, found = asyncio.run(_find(state, job, run))
    if as_json:
        click.echo(encode.line(_object(row, found)))
        return
    for line in _lines(row, found):
        click.echo(safe_text(line))
