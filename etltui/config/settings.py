"""A setting from its layers: default, profile, file, local file, environment, flag."""

import re
from collections.abc import Mapping
from typing import Any

from etltui.config.checks import Flag, Number, OneOf, RefusedError, Whole, nearest_or_all
from etltui.config.document import Document
from etltui.config.memory import Available, bounded
from etltui.config.profiles import PROFILES
from etltui.config.rule import Rule, default_of
from etltui.config.schema import Settings, rules
from etltui.config.table import Table

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?")

Said = tuple[Any, str]
"""A value and the layer that says it."""


def typed(check: object, text: str) -> object:
    """A word's value as TOML would have given it; what does not fit is left for the check."""
    if isinstance(check, Whole):
        return int(text) if _INTEGER.fullmatch(text) else text
    if isinstance(check, Number):
        return float(text) if _DECIMAL.fullmatch(text) else text
    if isinstance(check, Flag):
        return {"true": True, "false": False}.get(text.lower(), text)
    return text.lower() if isinstance(check, OneOf) else text


def from_environment(rule: Rule, text: str) -> Any:
    """The value that a variable gives a setting.

    Milliseconds are rounded up to whole seconds; the setting's origin says so, see `_variable`.

    Raises:
        RefusedError: The text is not what the setting takes; the range is in the variable's unit.
    """
    if not (rule.milliseconds and isinstance(rule.check, Whole)):
        return rule.check(typed(rule.check, text))
    in_ms = Whole(rule.check.low * 1000, rule.check.high * 1000)
    return -(-in_ms(typed(in_ms, text)) // 1000)


def _environment(rule: Rule, environ: Mapping[str, str], table: Table) -> Any:
    """The value from the environment, None where it says nothing.

    An empty variable says nothing: that is how compose and unit files unset one.
    """
    text = environ.get(rule.environment, "").strip() if rule.environment else ""
    if not text:
        return None
    try:
        return from_environment(rule, text)
    except RefusedError as refused:
        table.book.note(rule.environment, refused.problem, refused.way_out, where="environment")
        return None


def _variable(rule: Rule, environ: Mapping[str, str]) -> str:
    """The layer of the environment, with what was made of milliseconds that are no whole second."""
    text = environ.get(rule.environment, "").strip() if rule.milliseconds else ""
    odd = _INTEGER.fullmatch(text) and int(text) % 1000
    return f"environment {rule.environment}" + (f", rounded up from {text} ms" if odd else "")


def _flag(name: str, rule: Rule, overrides: Mapping[str, object], table: Table) -> Any:
    """The value from the command line, None where it says nothing."""
    value = overrides.get(name)
    if value is None:
        return None
    try:
        return rule.check(value)
    except RefusedError as refused:
        table.book.note(name, refused.problem, refused.way_out, where="command line")
        return None


def _said(
    name: str,
    table: Table,
    document: Document,
    environ: Mapping[str, str],
    overrides: Mapping[str, object],
) -> Said | None:
    """What the last of file, local file, environment and flag says of a setting."""
    rule = rules()[name]
    layers = {
        "local" if document.is_local(table.path(name)) else "file": table.read(
            name,
            rule.check,
            None,
        ),
        _variable(rule, environ): _environment(rule, environ, table),
        "flag": _flag(name, rule, overrides, table),
    }
    said = [(value, origin) for origin, value in layers.items() if value is not None]
    return said[-1] if said else None


def _threshold(said: Said, memory: Available) -> Said:
    """The memory threshold in force. What the operator says is taken, all else fits the machine."""
    value, origin = said
    asked = value and origin != "default" and not origin.startswith("profile ")
    if asked:
        return said
    effective, reason = bounded(value, memory)
    return effective, reason or origin


def decode(
    table: Table,
    document: Document,
    environ: Mapping[str, str],
    overrides: Mapping[str, object],
    memory: Available,
) -> tuple[Settings, dict[str, str]]:
    """The settings and where each comes from; what is wrong is noted in the table's book."""
    found = {name: _said(name, table, document, environ, overrides) for name in rules()}
    profile = found["profile"][0] if found["profile"] else ""
    below = PROFILES[profile].values if profile else {}
    layered: dict[str, Said] = {
        **{name: (default_of(Settings, name), "default") for name in found},
        **{name: (value, f"profile {profile}") for name, value in below.items()},
        **{name: said for name, said in found.items() if said},
    }
    layered["memory_threshold_mb"] = _threshold(layered["memory_threshold_mb"], memory)
    table.finish()
    for name in overrides:
        if name not in layered:
            table.book.note(
                name,
                "is not a known setting",
                nearest_or_all(name, layered),
                where="command line",
            )
    values = {name: value for name, (value, _) in layered.items()}
    return Settings(**values), {name: origin for name, (_, origin) in layered.items()}
