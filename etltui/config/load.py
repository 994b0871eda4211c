"""The way of a configuration: find it, read it, check it, and hand over frozen values."""

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from etltui.config import branches, connections, jobs, run_types, settings
from etltui.config.calendars import calendars, with_days
from etltui.config.console import console
from etltui.config.document import Document, read
from etltui.config.memory import Available, available
from etltui.config.patches import parted
from etltui.config.paths import expanded, located
from etltui.config.pools import check_pools
from etltui.config.schema import Config
from etltui.config.table import Notebook, Table
from etltui.config.tags import Traits
from etltui.config.targets import check_targets
from etltui.domain.errors import ConfigError, Mistake
from etltui.domain.job import Connection, Credential

_NOTHING: Mapping[str, object] = MappingProxyType({})
_DEMO = "Make one to try with `etltui demo`, or name yours with --config"


def _home(environ: Mapping[str, str], variable: str, usual: str) -> Path:
    """A folder of the XDG rules; the variable counts only when it is absolute, as they say."""
    named = environ.get(variable, "")
    if Path(named).is_absolute():
        return Path(named)
    home = environ.get("HOME") or expanded("~")
    return Path(home) / usual


def _chosen(explicit: Path | None, environ: Mapping[str, str], variable: str) -> Path | None:
    """The path of a flag, else of a variable, else None."""
    named = str(explicit) if explicit is not None else environ.get(variable, "")
    return Path(expanded(named)).absolute() if named else None


def find(explicit: Path | None, environ: Mapping[str, str]) -> Path:
    """The absolute path of the configuration file.

    That of `--config`, else of `ETLTUI_CONFIG`, else `./etltui.toml`, else
    `$XDG_CONFIG_HOME/etltui/config.toml`. Whoever names a file gets that file or an error.

    Raises:
        ConfigError: There is none; it tells where it was looked for and how to make one.
    """
    named = _chosen(explicit, environ, "ETLTUI_CONFIG")
    places = [named] if named else [Path("etltui.toml").absolute(), usual(environ)]
    for place in places:
        # os.path's own: a folder that may not be entered is no file, not an exception.
        if os.path.exists(place) and not os.path.isdir(place):  # noqa: PTH110, PTH112
            return place
    where, key = "command line", "--config"
    if explicit is None and named:
        where, key = "environment", "ETLTUI_CONFIG"
    raise ConfigError(
        [
            Mistake(
                where=where,
                key=key,
                problem=f"no configuration found at {' or '.join(map(str, places))}",
                way_out=_DEMO,
            ),
        ],
    )


def state_folder(
    config: Config | None,
    explicit: Path | None,
    environ: Mapping[str, str],
) -> Path:
    """The absolute path of the folder of runs, parts and logs; it may not be there yet.

    That of `--state-dir`, else of `ETLTUI_STATE_DIR`, else the setting `state_dir` (from the
    file's folder), else `$XDG_STATE_HOME/etltui`.
    """
    named = _chosen(explicit, environ, "ETLTUI_STATE_DIR")
    if named:
        return named
    if config and config.settings.state_dir:
        return located(config.settings.state_dir, config.path.parent)
    return _home(environ, "XDG_STATE_HOME", ".local/state") / "etltui"


def _connections(
    root: Table,
    file: Path | None,
    logins: Mapping[str, Credential],
    folder: Path,
    traits: Traits,
) -> tuple[tuple[Connection, ...], tuple[Connection, ...], bool]:
    """The connections of the configuration, those of the connections file, whether both are read.

    Jobs are not blamed for a lost file.
    """
    here = tuple(
        connections.connection(name, table, logins, folder, traits)
        for name, table in root.table("connections").entries()
    )
    there: tuple[Connection, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    if file is not None:
        named = [each.name for each in here]
        there, mistakes = branches.connections(file, named, logins, folder, traits)
    root.book.mistakes.extend(mistakes)
    return here, there, bool(there) or not mistakes


def _decoded(
    document: Document,
    book: Notebook,
    environ: Mapping[str, str],
    overrides: Mapping[str, object],
    memory: Available,
    *,
    bare: bool,
) -> Config:
    """Everything the document says; what is wrong is noted and stands there as its default."""
    folder = document.path.parent
    values, patches = parted(document)
    root = Table(values, "", book)
    program, origins = settings.decode(
        root.table("settings"),
        document,
        environ,
        overrides,
        memory,
    )
    screen, screened = console(root.table("console"), document)
    types = run_types.run_types(root.table("run_types"), program)
    logins = {
        name: connections.credential(name, table)
        for name, table in root.table("credentials").entries()
    }
    named = "" if bare else program.connections_file
    file = located(named, folder) if named else None
    traits = Traits(root.table("tags"))
    here, listed, readable = _connections(root, file, logins, folder, traits)
    listed, strays = ((), ()) if bare else patches.onto(listed, book)
    sources = with_days(
        map(traits.settled, here + listed), calendars(root.table("calendars")), book
    )
    if readable and not bare:
        traits.note_strays(sources, book)
    check_pools(sources, logins, book, {each.name: str(file) for each in listed})
    work = [
        (table.key, jobs.job(name, table, sources, folder, program, types))
        for name, table in root.table("jobs").entries()
        if readable and not bare
    ]
    check_targets(work, sources, program, document.path, book)
    root.finish()
    return Config(
        settings=program,
        connections=sources,
        credentials=logins,
        jobs={job.name: job for _, job in work},
        path=document.path,
        origins={**origins, **screened},
        run_types=types,
        console=screen,
        strays=strays,
    )


def load(
    path: Path,
    *,
    environ: Mapping[str, str],
    overrides: Mapping[str, object] = _NOTHING,
    changes: Mapping[str, object] = _NOTHING,
    machine: Path = Path("/"),
    bare: bool = False,
) -> Config:
    """The configuration, checked as far as that goes without opening a database.

    Args:
        path: The file; `<stem>.local.toml` beside it is laid over it.
        environ: The variables, laid over both files; an empty one says nothing.
        overrides: Settings from flags, laid over all; None says nothing.
        changes: What the local file would say besides, to be checked before it is written.
        machine: Where `proc` and `sys` are, which tell how much memory there is.
        bare: Without jobs and the connections file, for who is about to make that file.

    Raises:
        ConfigError: All mistakes at once. Nothing else is raised.
    """
    document = read(path, changes)
    book = Notebook(document.where)
    book.mistakes.extend(document.mistakes)
    config = _decoded(document, book, environ, overrides, available(machine), bare=bare)
    if book.mistakes:
        raise ConfigError(book.mistakes)
    return config


def unwritten(
    path: Path, *, environ: Mapping[str, str], overrides: Mapping[str, object] = _NOTHING
) -> Config:
    """The configuration of a file that says nothing, for who is about to write it.

    Args:
        path: The file.
        environ: As for `load`.
        overrides: As for `load`.

    Raises:
        ConfigError: A variable of the environment, or a flag, is wrong.
    """
    document = Document(values={}, path=path.absolute())
    book = Notebook(document.where)
    config = _decoded(document, book, environ, overrides, available(Path("/")), bare=False)
    if book.mistakes:
        raise ConfigError(book.mistakes)
    return config


def usual(environ: Mapping[str, str]) -> Path:
    """Where the operator's own configuration is looked for last, and may be written."""
    return _home(environ, "XDG_CONFIG_HOME", ".config") / "etltui" / "config.toml"
