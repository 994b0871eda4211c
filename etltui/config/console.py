"""How the console looks and is steered: the table `[console]`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from etltui.config.checks import Flag, Number, OneOf, RefusedError, Text, filled, shown
from etltui.config.document import Document
from etltui.config.rule import Rule, SettingCheck, default_of, rules_of
from etltui.config.table import Table

_DEEPEST = 4
"""Words of a binding's id."""


def _rule(help_: str, check: SettingCheck) -> dict[str, Rule]:
    return {"rule": Rule(help=help_, check=check)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Console:
    """How the console looks and is steered.

    Attributes:
        keys: From a binding's id, such as `run.retry_failed`, to its keys, such as `f,ctrl+f`.
            Only their form is checked: which bindings there are the console knows.
    """

    theme: str = field(
        default="etltui-dark",
        metadata=_rule(
            "The name of a colour theme: one that comes along, or a file in the folder themes "
            "beside the configuration.",
            Text(),
        ),
    )
    glyphs: str = field(
        default="auto",
        metadata=_rule(
            "What statuses and bars are drawn with; auto: what the terminal can show.",
            OneOf(("auto", "unicode", "ascii")),
        ),
    )
    colour: Literal["auto", "truecolor", "256", "16", "none"] = field(
        default="auto",
        metadata=_rule(
            "Colours that are sent; auto: what the terminal can show.",
            OneOf(("auto", "truecolor", "256", "16", "none")),
        ),
    )
    mouse: bool = field(
        default=True,
        metadata=_rule("Whether the console takes the mouse; text is marked with Shift.", Flag()),
    )
    rate_hz: float = field(
        default=2.0,
        metadata=_rule("Times a second that the screen is painted at most.", Number(0.5, 10)),
    )
    toasts: bool = field(
        default=True,
        metadata=_rule("Whether a short message appears when a run begins and ends.", Flag()),
    )
    panel: bool = field(
        default=True,
        metadata=_rule("Whether the floating panel with the progress of runs is shown.", Flag()),
    )
    start: str = field(
        default="monitor",
        metadata=_rule("The view that is opened first.", Text()),
    )
    confirm: bool = field(
        default=True,
        metadata=_rule("Whether the console asks before what cannot be taken back.", Flag()),
    )
    read_only: bool = field(
        default=False,
        metadata=_rule("Whether the console only shows, and starts and ends nothing.", Flag()),
    )
    linear: bool = field(
        default=False,
        metadata=_rule(
            "Whether the console writes line after line instead of drawing a screen, as screen "
            "readers need it.",
            Flag(),
        ),
    )
    keys: Mapping[str, str] = field(default_factory=dict)


def console_rules() -> Mapping[str, Rule]:
    """The rule of each setting of the console, in the order of declaration."""
    return rules_of(Console)


def _keys(value: object) -> str:
    """Keys of a binding, parted by commas."""
    named = filled(value)
    keys = [key.strip() for key in named.split(",")]
    if not all(keys):
        raise RefusedError(f"{shown(named)} holds an empty key", 'Write "f" or "f,ctrl+f"')
    return ",".join(keys)


def _bindings(table: Table, depth: int = 1) -> dict[str, str]:
    """From a binding's id to its keys. Without quotes around an id TOML reads tables in tables."""
    found: dict[str, str] = {}
    for name in table.names():
        if depth < _DEEPEST and isinstance(table.raw(name), Mapping):
            inner = _bindings(table.table(name), depth + 1)
            found.update({f"{name}.{rest}": keys for rest, keys in inner.items()})
        else:
            found[name] = table.read(name, _keys, "")
    return found


def _origin(table: Table, name: str, document: Document) -> str:
    if name not in table:
        return "default"
    return "local" if document.is_local(table.path(name)) else "file"


def console(table: Table, document: Document) -> tuple[Console, dict[str, str]]:
    """The console's record, and from `console.NAME` to where each of its settings comes from.

    What is wrong is noted in the table's book and read as its default.
    """
    values: dict[str, Any] = {
        name: table.read(name, rule.check, default_of(Console, name))
        for name, rule in console_rules().items()
    }
    made = Console(**values, keys=_bindings(table.table("keys")))
    table.finish()
    return made, {table.path(name): _origin(table, name, document) for name in values}
