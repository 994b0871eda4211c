"""`etltui state`: look at the state database, copy it, put it back, make it smaller or anew."""

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path

import click

from etltui import custody
from etltui.cli.options import config_option, errors_leave, state_of, state_option
from etltui.cli.wrapping import wrapped
from etltui.domain.safe_text import safe_text
from etltui.domain.words import number, size
from etltui.encode import events as encode

_TIDY = {
    "vacuum": "Give the space of forgotten runs back to the disk.",
    "analyze": "Let SQLite look at what there is, so that it reads by the best way.",
    "reindex": "Make all indexes anew.",
}


def _say(text: str) -> None:
    for line in wrapped(safe_text(text), "", "  "):
        click.echo(line)


def _holder() -> str:
    return " ".join(["etltui", *sys.argv[1:]])


@click.group("state")
def command() -> None:
    """Look after the state database: what runs were, what is done, what waits.

    A damaged one is set aside and made anew by the next engine that starts, from what of it and
    beside it proves itself. `check` and `backup` work while an engine runs; the others need the
    state folder for themselves (exit code 75 where it is held).
    """


def _of_state(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the state folder in place of the options that say where it is."""

    @config_option
    @state_option
    @errors_leave
    @wraps(function)
    def with_state(config_file: Path | None, state_dir: Path | None, **asked: object) -> None:
        state, _ = state_of(config_file, state_dir)
        function(state, **asked)

    return with_state


@command.command("check", short_help="Look for damage, row by row.")
@click.option("--json", "as_json", is_flag=True, help="What was found, as JSON.")
@_of_state
def check(state: Path, *, as_json: bool) -> None:
    """Look at all of the database: its structure, its indexes, the sum of each row.

    Also while an engine is running. Exit code 1 where something is damaged.
    """
    found, there = custody.check(state), custody.files(state)
    if as_json:
        click.echo(
            encode.line(
                {
                    "type": "state",
                    "sound": found.sound,
                    "version": found.version,
                    "problem": found.problem,
                    "damaged": list(found.rows),
                    "bytes": there.database,
                    "logBytes": there.log,
                    "pages": found.pages,
                    "freePages": found.free_pages,
                    "setAside": list(there.aside),
                },
            ),
        )
    else:
        verdict = "sound" if found.sound else f"damaged: {found.why}"
        _say(f"The state database is {verdict}")
        _say(
            f"version {found.version}, {size(there.database)} and {size(there.log)} of "
            f"write-ahead log; {number(found.free_pages)} of {number(found.pages)} pages are free"
        )
        if not found.sound:
            _say("The next `etltui run` sets it aside and makes it anew; so does state rebuild")
        if there.aside:
            _say(f"Set aside: {', '.join(there.aside)} ({size(there.aside_bytes)})")
    sys.exit(0 if found.sound else 1)


@command.command("backup", short_help="Copy the database into a file.")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@_of_state
def backup(state: Path, *, file: Path | None) -> None:
    """Copy the database into FILE, which must be new, else into the folder `backups` in the state.

    Also while an engine is running: the copy is of one moment. Parts are not in it.
    """
    made = custody.backup(state, file)
    _say(f"{size(made.stat().st_size)} in {made}")


@command.command("restore", short_help="Put a copy in the database's place.")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_of_state
def restore(state: Path, *, file: Path) -> None:
    """Put a copy that `backup` made in the place of the database, which is kept beside it.

    What was recorded since is not known any more: parts of later runs are read again.
    """
    aside = custody.restore(state, file, _holder())
    _say(f"{file} is the state database now" + (f"; the former one is {aside}" if aside else ""))


@command.command("rebuild", short_help="Make the database anew from what proves itself.")
@_of_state
def rebuild(state: Path) -> None:
    """Set the database aside and make it anew, whether or not it is damaged.

    What is taken over: its rows whose sums fit, and the marks of runs that may go on.
    """
    _say(custody.rebuild(state, _holder()))


def _tidying(name: str, text: str) -> None:
    @command.command(name, short_help=text, help=text)
    @_of_state
    def tidy(state: Path) -> None:
        before, after = custody.work(state, name, _holder())
        _say(f"{name}: {custody.told(before, after)}")


for _name, _text in _TIDY.items():
    _tidying(_name, _text)
