"""`etltui config`: what holds and where it comes from, and changing it without an editor."""

import asyncio
import json
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from etltui.cli.noted import changing
from etltui.cli.options import config_option, configuration, errors_leave, profile_option
from etltui.config.checks import Flag, RefusedError, nearest_or_all, shown
from etltui.config.load import find, load, state_folder
from etltui.config.local import write_local
from etltui.config.schema import Config
from etltui.config.secrets import shown_reference
from etltui.config.setting_views import (
    CONSOLE,
    all_rules,
    origin_of,
    place_of,
    value_of,
    views,
)
from etltui.config.settings import typed
from etltui.config.tags import reading_of
from etltui.domain.errors import misused
from etltui.domain.safe_text import safe_text
from etltui.domain.words import some


@click.group("config")
def command() -> None:
    """Show the settings that hold, or set one in the local file beside the configuration."""


def _settings(config: Config) -> dict[str, dict[str, Any]]:
    """Each setting with its value, its origin and what it may be."""
    return {
        each.name: {
            "value": each.value,
            "origin": each.source,
            "allowed": each.allowed,
            "environment": each.environment,
            "help": each.help,
        }
        for each in views(config)
    }


def _object(config: Config) -> dict[str, Any]:
    """The configuration as JSON shows it; of a password only the kind of its reference."""
    found = _settings(config)
    console = {name for name in found if name.startswith(CONSOLE)}
    return {
        "path": str(config.path),
        "settings": {name: each for name, each in found.items() if name not in console},
        "console": {name.removeprefix(CONSOLE): found[name] for name in found if name in console},
        "keys": dict(config.console.keys),
        "run_types": {
            each.name: {"priority": each.priority, "limit": each.limit}
            for each in config.run_types.values()
        },
        "credentials": {
            each.name: {"user": each.user, "password": shown_reference(each.password)}
            for each in config.credentials.values()
        },
        "connections": len(config.connections),
        "reading": {
            each.name: reading for each in config.connections if (reading := reading_of(each))
        },
        "jobs": list(config.jobs),
    }


def _value(value: object) -> str:
    return "(each job says)" if value is None else shown(value)


def _reading(config: Config) -> Iterator[str]:
    """How connections are read that are not read as ever, those that are read alike together."""
    alike: dict[str, list[str]] = {}
    for each in config.connections:
        said = ", ".join(f"{name} = {shown(value)}" for name, value in reading_of(each).items())
        if said:
            alike.setdefault(said, []).append(each.name)
    for said, names in alike.items():
        yield f"connections read with {said}: {some(names)}"


def _lines(config: Config) -> Iterator[str]:
    """The configuration in columns, as TOML would say it."""
    found = views(config)
    said = {each.name: f"{each.name} = {_value(each.value)}" for each in found}
    width = max(map(len, said.values()))
    origins = max(len(each.source) for each in found)
    yield f"{config.path}"
    group = ""
    for each in found:
        if each.group != group:
            group = each.group
            yield group
        yield f"  {said[each.name]:<{width}}  {each.source:<{origins}}  {each.allowed}"
    for binding, keys in config.console.keys.items():
        yield f"keys of {binding}: {keys}"
    for kind in config.run_types.values():
        yield f"run type {kind.name}: priority {kind.priority}, {kind.limit} at once"
    for login in config.credentials.values():
        password = shown_reference(login.password)
        yield f"credential {login.name}: user {shown(login.user)}, {password}"
    yield from _reading(config)


@command.command("show", short_help="Show every setting, its origin and its range.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@config_option
@profile_option
@errors_leave
def show(*, as_json: bool, config_file: Path | None, profile: str | None) -> None:
    """Show every setting that holds, where it comes from, and what it may be.

    The layers, each over the one before: default, profile, file, local file, environment, flag.
    """
    config = configuration(config_file, profile=profile)
    if as_json:
        click.echo(json.dumps(_object(config), ensure_ascii=False))
        return
    for line in _lines(config):
        click.echo(safe_text(line))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Setting:
    """A key that can be set, with its new value.

    Attributes:
        name: As a message says it.
        value: Checked.
        tables: As the local file will say it.
    """

    name: str
    value: Any
    tables: Mapping[str, Any]


def _enabled(key: str) -> str:
    """The job of a key such as `jobs.NAME.enabled`, empty where it is another key."""
    job = key.removeprefix("jobs.").removesuffix(".enabled")
    return job if key == f"jobs.{job}.enabled" else ""


def _setting(key: str, text: str, jobs: Collection[str]) -> _Setting:
    """The setting of a key and the value that a text gives it.

    Raises:
        ConfigError: There is no such setting, or it does not take the value.
    """
    name, job = key.removeprefix("settings."), _enabled(key)
    rule = all_rules().get(name)
    if job and job not in jobs:
        raise misused(key, f"there is no job {shown(job)}", nearest_or_all(job, jobs))
    if rule is None and not job:
        raise misused(key, "is not a known setting", nearest_or_all(name, all_rules()))
    check = rule.check if rule else Flag()
    try:
        value = check(typed(check, text))
    except RefusedError as refused:
        raise misused(key, refused.problem, refused.way_out) from None
    if job:
        return _Setting(name=key, value=value, tables={"jobs": {job: {"enabled": value}}})
    section, within = place_of(name)
    return _Setting(name=name, value=value, tables={section: {within: value}})


async def _write(config: Config, setting: _Setting, path: Path) -> Path:
    """Write the setting, which is recorded first; the local file."""
    state = state_folder(config, None, os.environ)
    async with changing(state, "config set", setting.name, shown(setting.value)):
        return write_local(path, setting.tables)


@command.command("set", short_help="Set a setting in the local file.")
@click.argument("key")
@click.argument("value")
@config_option
@errors_leave
def set_(key: str, value: str, *, config_file: Path | None) -> None:
    """Set KEY to VALUE in the local file beside the configuration, which is left as it is.

    KEY is a setting, one of the console's, or jobs.NAME.enabled, which says whether a job may be
    started. For example: etltui config set max_connections 80
    """
    path = find(config_file, os.environ)
    jobs = load(path, environ=os.environ).jobs if _enabled(key) else ()
    setting = _setting(key, value, jobs)
    config = load(path, environ=os.environ, changes=setting.tables)
    local = asyncio.run(_write(config, setting, path))
    click.echo(safe_text(f"{local}: {setting.name} = {shown(setting.value)}"))
    origin, note = origin_of(config, setting.name)
    if origin == "environment":
        holds = _value(value_of(config, setting.name))
        variable = note.partition(",")[0]
        said = f"{variable} overrides it: {setting.name} stays {holds}"
        click.echo(f"warning: {said}", err=True)
