"""`etltui config`: what holds and where it comes from, and changing it without an editor."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from etltui.cli.options import config_option, configuration, errors_leave, profile_option
from etltui.config.checks import RefusedError, nearest_or_all, shown
from etltui.config.load import find, load
from etltui.config.local import write_local
from etltui.config.schema import Config, rules
from etltui.config.secrets import shown_reference
from etltui.config.settings import typed
from etltui.domain.errors import misused
from etltui.domain.safe_text import safe_text


@click.group("config")
def command() -> None:
    """Show the settings that hold, or set one in the local file beside the configuration."""


def _settings(config: Config) -> dict[str, dict[str, Any]]:
    """Each setting with its value, its origin and what it may be."""
    return {
        name: {
            "value": getattr(config.settings, name),
            "origin": config.origins[name],
            "allowed": rule.check.allowed,
            "environment": rule.environment,
            "help": rule.help,
        }
        for name, rule in rules().items()
    }


def _object(config: Config) -> dict[str, Any]:
    """The configuration as JSON shows it; of a password only the kind of its reference."""
    return {
        "path": str(config.path),
        "settings": _settings(config),
        "run_types": {
            each.name: {"priority": each.priority, "limit": each.limit}
            for each in config.run_types.values()
        },
        "credentials": {
            each.name: {"user": each.user, "password": shown_reference(each.password)}
            for each in config.credentials.values()
        },
        "connections": len(config.connections),
        "jobs": list(config.jobs),
    }


def _value(value: object) -> str:
    return "(each job says)" if value is None else shown(value)


def _lines(config: Config) -> Iterator[str]:
    """The configuration in columns, as TOML would say it."""
    found = _settings(config)
    said = {name: f"{name} = {_value(each['value'])}" for name, each in found.items()}
    width = max(map(len, said.values()))
    origins = max(len(each["origin"]) for each in found.values())
    yield f"{config.path}"
    for name, each in found.items():
        yield f"  {said[name]:<{width}}  {each['origin']:<{origins}}  {each['allowed']}"
    for kind in config.run_types.values():
        yield f"run type {kind.name}: priority {kind.priority}, {kind.limit} at once"
    for login in config.credentials.values():
        password = shown_reference(login.password)
        yield f"credential {login.name}: user {shown(login.user)}, {password}"


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


def _checked(key: str, text: str) -> tuple[str, Any]:
    """The setting's name and the value that a text gives it.

    Raises:
        ConfigError: There is no such setting, or it does not take the value.
    """
    name = key.removeprefix("settings.")
    rule = rules().get(name)
    if rule is None:
        raise misused(key, "is not a known setting", nearest_or_all(name, rules()))
    try:
        return name, rule.check(typed(rule.check, text))
    except RefusedError as refused:
        raise misused(key, refused.problem, refused.way_out) from None


@command.command("set", short_help="Set a setting in the local file.")
@click.argument("key")
@click.argument("value")
@config_option
@errors_leave
def set_(key: str, value: str, *, config_file: Path | None) -> None:
    """Set KEY to VALUE in the local file beside the configuration, which is left as it is.

    For example: etltui config set max_connections 80
    """
    name, checked = _checked(key, value)
    path = find(config_file, os.environ)
    changes = {"settings": {name: checked}}
    config = load(path, environ=os.environ, changes=changes)
    local = write_local(path, changes)
    click.echo(safe_text(f"{local}: {name} = {shown(checked)}"))
    origin = config.origins[name]
    if origin.startswith("environment "):
        holds = _value(getattr(config.settings, name))
        variable = origin.removeprefix("environment ").partition(",")[0]
        click.echo(f"warning: {variable} overrides it: {name} stays {holds}", err=True)
