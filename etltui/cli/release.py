"""`etltui release`: let runs read connections again that were held."""

import asyncio
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import click

from etltui.bootstrap import open_history, open_records
from etltui.cli.listening import listening
from etltui.cli.noted import noted
from etltui.cli.options import config_option, errors_leave, state_of, state_option
from etltui.config.checks import nearest_or_all
from etltui.domain.errors import misused
from etltui.domain.safe_text import safe_text


def meant(held: Sequence[str], words: Sequence[str]) -> list[str]:
    """The held connections that names and globs mean, each once.

    Raises:
        ConfigError: One of them means none.
    """
    names: dict[str, None] = {}
    for word in words:
        found = [name for name in held if name == word or fnmatchcase(name, word)]
        if not found:
            way_out = nearest_or_all(word, held) if held else "No connection is held"
            raise misused("CONNECTION", f"{word!r} is not held", way_out)
        names.update(dict.fromkeys(found))
    return list(names)


async def release(state: Path, words: Sequence[str]) -> list[str]:
    """Hold connections no more, whether or not an engine runs; their names.

    Raises:
        ConfigError: One of the words means none that is held.
        StateError: It could not be recorded.
    """
    async with await open_history(state) as history:
        names = meant([hold.connection for hold in await history.holds()], words)
    async with listening(state) as remote:
        if remote is not None:
            await remote.call("records.release", connections=names)
            return names
    async with open_records(state) as (store, _):
        text = ", ".join(names)
        async with noted(store, "records.release", text, outcome=text):
            await store.drop_holds(names)
    return names


@click.command("release")
@click.argument("connections", nargs=-1, required=True, metavar="CONNECTION...")
@config_option
@state_option
@errors_leave
def command(
    *,
    connections: tuple[str, ...],
    config_file: Path | None,
    state_dir: Path | None,
) -> None:
    """Let runs read CONNECTION again: a name, or a glob over what is held.

    What a run lacks of it by now, `etltui retry RUN` reads.
    """
    state, _ = state_of(config_file, state_dir)
    names = asyncio.run(release(state, connections))
    click.echo(f"{safe_text(', '.join(names))} released")
