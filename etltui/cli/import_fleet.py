"""`etltui import-fleet`: take somebody else's list of branches over into the connections file."""

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from etltui.cli.fleet_sources import from_file, from_query
from etltui.cli.options import config_option, errors_leave
from etltui.config.branches import COLUMNS, of_listing
from etltui.config.checks import nearest_or_all
from etltui.config.files import replace_text
from etltui.config.fleet import Branch, Columns, Difference, as_csv, branches, combined, numbered
from etltui.config.listing import Listing, read_csv
from etltui.config.load import find, load
from etltui.config.paths import located
from etltui.config.schema import Config
from etltui.domain.errors import ConfigError, misused
from etltui.domain.safe_text import safe_text
from etltui.domain.words import counted, today

_SHOWN = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    """What the command line says."""

    file: Path | None
    sheet: str
    sql: str | None
    source: str | None
    columns: tuple[str, ...]
    url: str
    credential: str
    target: Path | None
    config_file: Path | None


def _named(pairs: Sequence[str]) -> dict[str, list[str]]:
    """What `--column` says: our columns with those of the list."""
    found: dict[str, list[str]] = {}
    for pair in pairs:
        ours, equals, theirs = (part.strip() for part in pair.partition("="))
        if ours not in COLUMNS or not (equals and theirs):
            raise misused(
                "--column",
                f"{pair!r} does not say which column is which",
                f'Write --column "name=Branch code". {nearest_or_all(ours, COLUMNS)}',
            )
        found.setdefault(ours, []).append(theirs)
        if ours != "tags" and len(found[ours]) > 1:
            raise misused("--column", f"says {ours} twice", "Only tags may have several columns")
    return found


def _source(asked: _Asked, config: Config) -> tuple[Listing, str]:
    """The list, and what it is called."""
    queried = (asked.sql is not None, asked.source is not None)
    if asked.file is None and asked.sql is not None and asked.source is not None:
        return from_query(config, asked.source, asked.sql), f"connection {asked.source}"
    if asked.file is not None and not any(queried):
        return from_file(asked.file, asked.sheet), str(asked.file)
    raise misused("FILE", "does not say where the list is", "Name a FILE, or give --sql and --from")


def _before(target: Path) -> list[Branch]:
    """The connections file as it is; nothing where there is none.

    Raises:
        ConfigError: It is there, but cannot be read.
    """
    if not target.exists():
        return []
    found = read_csv(target)
    if found.mistakes:
        raise ConfigError(found.mistakes)
    return [line.values for line in found.lines]


def _check(found: Listing, where: str, config: Config, named: Collection[str]) -> None:
    """Refuse what `etltui check` would refuse of these lines.

    Raises:
        ConfigError: All mistakes at once.
    """
    _, mistakes = of_listing(found, where, named, config.credentials, config.path.parent)
    if mistakes:
        raise ConfigError(mistakes)


def _some(names: Sequence[str]) -> str:
    more = f", … {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"


def _summary(difference: Difference) -> list[str]:
    """What would change, a line for each kind of change."""
    changed = [f"{name} ({', '.join(columns)})" for name, columns in difference.changed]
    kinds: Mapping[str, Sequence[str]] = {
        "new": difference.new,
        "changed": changed,
        "back, closed no more": difference.back,
        "gone, closed from tomorrow": difference.gone,
    }
    lines = [f"{len(names)} {kind}: {_some(names)}" for kind, names in kinds.items() if names]
    return [*lines, f"{difference.same} as before"]


def _target(asked: _Asked, config: Config) -> Path | None:
    """The file to compare with: that of `--write`, else the configured one."""
    configured = config.settings.connections_file
    if asked.target is None and configured:
        return located(configured, config.path.parent)
    return asked.target


def _report(difference: Difference, count: int, written: Path | None) -> None:
    for line in _summary(difference):
        click.echo(safe_text(line))
    if written is None:
        click.echo("nothing was written; give --write branches.csv", err=True)
    else:
        click.echo(safe_text(f"{written}: {counted(count, 'connection')}"))


def _import(asked: _Asked) -> None:
    config = load(find(asked.config_file, os.environ), environ=os.environ, bare=True)
    found, where = _source(asked, config)
    fixed = {"credential": asked.credential} if asked.credential else {}
    columns = Columns(named=_named(asked.columns), url=asked.url, fixed=fixed)
    listed = branches(found, where, columns)
    own = {each.name for each in config.connections}
    _check(listed, where, config, own)
    target = _target(asked, config)
    day = today(config.settings.timezone)
    lines, difference = combined(_before(target) if target else [], listed, day)
    whole = Listing(header=COLUMNS, lines=tuple(numbered(lines)))
    _check(whole, str(target or where), config, own)
    if asked.target is not None:
        replace_text(asked.target, as_csv(lines))
    _report(difference, len(lines), asked.target)


@click.command("import-fleet")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--sheet", default="", help="A workbook's sheet; the first without.")
@click.option("--sql", metavar="QUERY", help="Take the list from a query instead of a file.")
@click.option("--from", "source", metavar="CONNECTION", help="Where --sql is asked.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="OURS=THEIRS",
    help=f"What a column of the list is here: {', '.join(COLUMNS)}. Without, columns that are "
    "called so are taken.",
)
@click.option(
    "--url",
    default="",
    metavar="TEMPLATE",
    help="How a url is made of columns, such as postgresql://{host}:{port}/{database}.",
)
@click.option("--credential", default="", help="The credential of all of them.")
@click.option(
    "--write",
    "target",
    type=click.Path(path_type=Path),
    help="The connections file to make or to bring up to date; without, nothing is written.",
)
@config_option
@errors_leave
def command(**options: Any) -> None:
    """Compare the list in FILE with the connections file, and bring that up to date.

    FILE is CSV (, ; or tab) or a workbook (.xlsx). Nothing is deleted: a branch that is gone
    from the list gets today as its last day. Let the configuration name the file that is written
    here: connections_file = "branches.csv".
    """
    _import(_Asked(**options))
