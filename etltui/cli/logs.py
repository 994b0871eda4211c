"""`etltui logs`: the log as lines to read, as they are, or as they come."""

import json
import os
import re
import select
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import translate
from io import UnsupportedOperation
from itertools import islice
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo

import click

from etltui.cli.files import new_file
from etltui.cli.options import config_option, errors_leave, state_of, state_option
from etltui.domain.errors import misused
from etltui.domain.safe_text import safe_text
from etltui.domain.words import counted
from etltui.engine.log import LEVELS
from etltui.engine.log_files import (
    Follower,
    LogFile,
    LogLine,
    backwards,
    forwards,
    opened,
    readable,
)

_LINES = 50
_LOOK_S = 0.25
_AGO = re.compile(r"(\d{1,5})\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def since(text: str, now: datetime, timezone: str) -> float:
    """The Unix time that `2h` (ago) or `2026-11-22 04:00` (in the settings' zone) means.

    Raises:
        ConfigError: It is neither.
    """
    if ago := _AGO.fullmatch(text.strip()):
        return (now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})).timestamp()
    try:
        said = datetime.fromisoformat(text.strip())
    except ValueError:
        raise misused(
            "--since", f"{text!r} is no time", "Write 2h, 3d or 2026-11-22T04:00"
        ) from None
    if said.tzinfo is None:
        said = said.replace(tzinfo=ZoneInfo(timezone)) if timezone else said.astimezone()
    return said.timestamp()


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Which lines to show.

    Attributes:
        run: A run's id, or a beginning or end of it.
        connection: A glob over names; None for any, also for none.
        level: The least weight.
        pattern: Searched in message and traceback.
        since: Unix time.
    """

    run: str = ""
    connection: re.Pattern[str] | None = None
    level: str = "debug"
    pattern: re.Pattern[str] | None = None
    since: float = 0.0

    def __call__(self, line: LogLine) -> bool:
        """Whether to show the line."""
        run, asked = line.run.casefold(), self.run.casefold()
        return (
            line.time >= self.since
            and line.weighs(self.level)
            and bool(not asked or (run and (run.startswith(asked) or run.endswith(asked))))
            and (self.connection is None or self.connection.match(line.connection) is not None)
            and (
                self.pattern is None
                or self.pattern.search(f"{line.message}\n{line.traceback}") is not None
            )
        )


def as_it_is(line: LogLine, _: str) -> str:
    """The line's JSON; what could move a terminal is escaped, as JSON allows."""
    if safe_text(line.raw) == line.raw:
        return line.raw
    return "".join(c if safe_text(c) == c else json.dumps(c)[1:-1] for c in line.raw)


def _chosen(files: list[LogFile], wanted: Wanted, count: int | None) -> Iterable[LogLine]:
    """The last lines that are wanted, or all of them."""
    if count is None:
        return filter(wanted, forwards(files, wanted.since))
    last = deque(islice(filter(wanted, backwards(files)), count))
    return reversed(last)


def _reader_is_there() -> bool:
    """Wait a little; whether somebody still reads what is printed."""
    watch = select.poll()
    with suppress(UnsupportedOperation):
        # Nothing is asked for: only an end is told, the other end of a pipe or a terminal gone.
        watch.register(sys.stdout.fileno(), 0)
    return not watch.poll(_LOOK_S * 1000)


@contextmanager
def _place(export: Path | None) -> Iterator[TextIO]:
    """Where the lines go."""
    if export is None:
        yield sys.stdout
        return
    with new_file(export, "--export") as file:
        yield file


@click.command("logs")
@click.option("-f", "--follow", is_flag=True, help="Go on with what is logged from now on.")
@click.option("--run", default="", help="Only of this run: its id, or the letters at its end.")
@click.option("--connection", metavar="GLOB", help="Only of connections whose name matches.")
@click.option("--level", type=click.Choice(list(LEVELS)), default="debug", help="The least weight.")
@click.option("--grep", metavar="REGEX", help="Only lines in which this is found.")
@click.option("--since", "since_text", metavar="WHEN", help="2h, 30m, 3d, or 2026-11-22T04:00.")
@click.option(
    "-n",
    "--lines",
    "count",
    type=click.IntRange(0),
    help=f"The last N lines. Default: {_LINES}; with --since or --export all.",
)
@click.option("--json", "as_json", is_flag=True, help="The JSON lines as they are.")
@click.option("--export", type=click.Path(path_type=Path), metavar="FILE", help="Into a new file.")
@config_option
@state_option
@errors_leave
def command(  # noqa: PLR0913 - each is an option of the command
    *,
    follow: bool,
    run: str,
    connection: str | None,
    level: str,
    grep: str | None,
    since_text: str | None,
    count: int | None,
    as_json: bool,
    export: Path | None,
    config_file: Path | None,
    state_dir: Path | None,
) -> None:
    """Show the log, also while an engine is running.

    With --follow until Ctrl-C.
    """
    state, timezone = state_of(config_file, state_dir)
    if follow and export:
        raise misused("--follow", "does not go with --export", "Leave one of them out")
    wanted = Wanted(
        run=run,
        connection=None if connection is None else re.compile(translate(connection)),
        level=level,
        pattern=None if grep is None else _pattern(grep),
        since=since(since_text, datetime.now(UTC), timezone) if since_text else 0.0,
    )
    if count is None and not (since_text or export):
        count = _LINES
    write = as_it_is if as_json else readable
    # Ctrl-C is how following ends; anything else that it ends is not whole.
    interrupts = suppress(KeyboardInterrupt) if follow else nullcontext()
    with _place(export) as out, interrupts:
        lines = _all_lines(state / "logs", wanted, count, follow=follow)
        number = 0
        for number, line in enumerate(lines, start=1):  # noqa: B007 - told at the end
            print(write(line, timezone), file=out, flush=follow)
    _end(number, export, quiet=follow or as_json)


def _end(number: int, export: Path | None, *, quiet: bool) -> None:
    """Say how many lines there were, where that is not plain to see."""
    if export is not None:
        click.echo(f"{counted(number, 'line')} in {safe_text(os.fspath(export))}")
    elif not (number or quiet):
        click.echo("No line of the log is like that.", err=True)


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        problem = f"{text!r} is no pattern: {error}"
        raise misused("--grep", problem, "Put \\ before . ( [ * + ?") from None


def _all_lines(
    folder: Path,
    wanted: Wanted,
    count: int | None,
    *,
    follow: bool,
) -> Iterator[LogLine]:
    """What is there, then what comes."""
    with opened(folder) as files:
        yield from _chosen(files, wanted, count)
        if not follow:
            return
        follower = Follower(folder, files[-1] if files else None)
    with follower:
        sys.stdout.flush()
        yield from filter(wanted, follower.lines(_reader_is_there))
