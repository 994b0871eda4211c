"""What a setting means and may be, said once: beside its field."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

from etltui.config.checks import Flag, Number, OneOf, Text, Whole, Zone

SettingCheck = Whole | Number | OneOf | Flag | Text | Zone


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """What a setting means and may be.

    Attributes:
        help: One sentence for an operator.
        check: Returns the value or refuses it; `check.allowed` says the range in words.
        environment: The variable that sets it, empty for none.
        milliseconds: Whether the variable counts milliseconds where the setting counts seconds.
    """

    help: str
    check: SettingCheck
    environment: str = ""
    milliseconds: bool = False


def rules_of(record: type[Any]) -> Mapping[str, Rule]:
    """The rule of each field that has one, in the order of declaration."""
    return {each.name: each.metadata["rule"] for each in fields(record) if each.metadata}


def default_of(record: type[Any], name: str) -> Any:
    """The default that a record declares, so that no decoder says it a second time."""
    found = next(each for each in fields(record) if each.name == name)
    return found.default if found.default_factory is MISSING else found.default_factory()
