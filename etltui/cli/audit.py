"""`etltui audit`: who did what and when, and whether anybody has changed the record of it."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from etltui.bootstrap import SqliteHistory, kept_head, open_history
from etltui.cli.logs import since
from etltui.cli.options import config_option, errors_leave, state_of, state_option
from etltui.domain.audit import BEFORE_ALL, Link, Problem, problems
from etltui.domain.safe_text import safe_text
from etltui.domain.words import counted, moment
from etltui.encode import events as encode

WRONG = 1
_SHOWN = 10
_PAGE = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class _Book:
    """The audit as it stands.

    Attributes:
        links: Those that are asked for.
        count: Of all.
        problems: Where the chain is not what was written.
    """

    links: tuple[Link, ...]
    count: int
    problems: tuple[Problem, ...]


async def _pages(history: SqliteHistory) -> AsyncIterator[Link]:
    after = BEFORE_ALL
    while page := await history.audit(after, _PAGE):
        for each in page:
            yield each
        after = page[-1].seq


async def _read(state: Path, begin: float) -> _Book:
    # The end first: records that come meanwhile lie behind it.
    head = await asyncio.to_thread(kept_head, state)
    async with await open_history(state) as history:
        links = [each async for each in _pages(history)]
    return _Book(
        links=tuple(each for each in links if _time(_said(each)) >= begin),
        count=len(links),
        problems=tuple(problems(links, head)),
    )


def _said(link: Link) -> Mapping[str, Any]:
    """What a record says; one that cannot be read says nothing."""
    with suppress(ValueError):
        said = json.loads(link.record)
        if isinstance(said, dict):
            return said
    return {}


def _time(said: Mapping[str, Any]) -> float:
    """When a record was made; one that does not say is always shown."""
    try:
        return datetime.fromisoformat(str(said.get("at"))).timestamp()
    except ValueError:
        return float("inf")


def _line(link: Link, timezone: str) -> str:
    said = _said(link)
    at = moment(_time(said), timezone) if _time(said) < float("inf") else "?"
    details = said.get("details")
    told = details.items() if isinstance(details, dict) else ()
    words = " ".join(f"{name}={value}" for name, value in told)
    parts = (said.get("act", "?"), said.get("object", ""), words)
    return f"{link.seq:>6} {at}  {_who(said)}  {' '.join(str(part) for part in parts if part)}"


def _who(said: Mapping[str, Any]) -> str:
    """Who did it: the user, who logged in, where they sit, and who they say they are."""
    who = f"{said.get('user', '?')}@{said.get('host', '?')}"
    more = (
        f"login {said['login']}" if said.get("login") else "",
        str(said.get("terminal") or ""),
        f"from {said['address']}" if said.get("address") else "",
        f"as {said['said']}" if said.get("said") else "",
    )
    told = ", ".join(filter(None, more))
    return f"{who} ({told})" if told else who


def _object(link: Link) -> dict[str, Any]:
    """The record with its hashes; `record` is what the hash is over, behind `previous`."""
    said = _said(link)
    return {
        "type": "audit",
        **said,
        "seq": link.seq,
        "record": link.record,
        "previous": link.previous,
        "hash": link.hash,
    }


def _verdict(book: _Book) -> Iterator[str]:
    if not book.problems:
        end = f", the last of them {book.links[-1].hash}" if book.links else ""
        yield f"✓ {counted(book.count, 'record')}, none changed, none missing{end}"
        return
    for each in book.problems[:_SHOWN]:
        yield f"✗ record {each.seq}: {each.sentence}"
    if len(book.problems) > _SHOWN:
        yield f"✗ and {len(book.problems) - _SHOWN} more"
    yield "Somebody has changed what was recorded, or the disk has: hold a backup of the state"
    yield "folder, or the hashes in the log, against it."


@click.command("audit")
@click.option("--verify", is_flag=True, help="Only say whether it is what was recorded.")
@click.option("--json", "as_json", is_flag=True, help="A record a line, as JSON, with its hashes.")
@click.option("--since", "since_text", metavar="WHEN", help="2h, 30m, 3d, or 2026-11-22T04:00.")
@config_option
@state_option
@errors_leave
def command(
    *,
    verify: bool,
    as_json: bool,
    since_text: str | None,
    config_file: Path | None,
    state_dir: Path | None,
) -> None:
    """Show who ran, cancelled, deleted and changed what, the oldest first.

    Each record carries a hash over itself and the one before, and the last one is kept beside the
    database too: what was changed, removed or put in between is found and named. It is not found
    where somebody has written the whole chain and its end anew; hold it against the hashes in the
    log, or against a copy.

    \b
    Exit codes: 0 as recorded, 1 it is not.
    """  # noqa: D301 - \b is click's mark for lines to keep
    state, timezone = state_of(config_file, state_dir)
    begin = since(since_text, datetime.now(UTC), timezone) if since_text else 0.0
    book = asyncio.run(_read(state, begin))
    if as_json:
        for link in () if verify else book.links:
            click.echo(encode.line(_object(link)))
        for problem in book.problems:
            found = {"type": "problem", "seq": problem.seq, "problem": problem.sentence}
            click.echo(encode.line(found))
    else:
        for link in () if verify else book.links:
            click.echo(safe_text(_line(link, timezone)))
        if verify or book.problems:
            for line in _verdict(book):
                click.echo(safe_text(line))
    sys.exit(WRONG if book.problems else 0)
