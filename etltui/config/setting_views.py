"""Every setting as a screen or a command shows it: what it is, may be, and where it comes from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from etltui.config.checks import Flag, Number, OneOf, Text, Whole
from etltui.config.console import Console, console_rules
from etltui.config.profiles import PROFILES
from etltui.config.rule import Rule, default_of
from etltui.config.schema import Config, Settings, rules

CONSOLE = "console."
"""Stands before the names of the console's settings."""

Kind = Literal["whole", "number", "choice", "flag", "text", "zone"]
Origin = Literal["default", "profile", "file", "local", "environment", "flag", "measured"]
SettingValue = bool | int | float | str | None

GROUPS: Mapping[str, tuple[str, ...]] = {
    "CONNECTIONS": (
        "connection_timeout_s",
        "pool_size",
        "max_connections",
        "max_per_host",
        "acquire_timeout_s",
        "query_timeout_s",
        "query_timeout_learned",
        "stall_timeout_s",
        "request_timeout_s",
        "pool_idle_s",
        "pool_lifetime_s",
        "pool_keepalive_s",
        "validate_after_s",
        "ping_timeout_s",
        "leak_s",
        "connections_file",
    ),
    "JOB QUEUE": (
        "max_jobs",
        "max_jobs_per_type",
        "overlap",
        "ageing_s",
        "retries",
        "retry_delay_s",
        "retry_multiplier",
        "retry_max_delay_s",
        "resume_jobs",
    ),
    "MEMORY AND DISK": ("memory_threshold_mb", "disk_reserve_mb", "extractors"),
    "STATE": (
        "keep_runs_days",
        "checkpoint_keep_days",
        "keep_parts_mb",
        "state_dir",
        "state_readers",
    ),
    "FEATURES": (
        "streaming",
        "profile",
        "timezone",
        "on_identity",
        "on_held",
        "on_hangup",
        "shutdown_timeout_s",
    ),
    "LOGGING": ("log_level", "keep_logs_mb"),
    "CONSOLE": tuple(f"{CONSOLE}{name}" for name in console_rules()),
}
"""The settings in the order of a screen: first what an operator turns, last what is set once."""

RESTART = frozenset(
    {
        "extractors",
        "on_held",
        "on_hangup",
        "state_dir",
        "state_readers",
        "timezone",
        "console.colour",
        "console.linear",
        "console.mouse",
        "console.start",
    },
)
"""Settings that hold from the next start on; all others hold at once."""

_ORIGINS: Mapping[str, Origin] = {
    "default": "default",
    "profile": "profile",
    "file": "file",
    "local": "local",
    "environment": "environment",
    "flag": "flag",
}
_KINDS: Mapping[type, Kind] = {
    Whole: "whole",
    Number: "number",
    OneOf: "choice",
    Flag: "flag",
    Text: "text",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class SettingView:
    """A setting with everything that can be said of it.

    Attributes:
        name: As `update_settings` takes it; those of the console begin with `console.`.
        group: One of `GROUPS`.
        help: A sentence.
        kind: What is typed or chosen.
        allowed: The range or the choices in words.
        low: The least value of a number, None for others.
        high: The largest.
        or_zero: Whether 0 is allowed, too, with a meaning of its own.
        choices: Of a choice.
        default: What holds where nobody says anything.
        value: What holds; None of `resume_jobs`: each job says.
        origin: The layer that says it; `measured` for what fits the machine.
        note: The profile's name, the variable with what was made of its milliseconds, or what
            was measured.
        environment: The variable that could say it, empty for none.
        restart: Whether another value holds only from the next start on.
    """

    name: str
    group: str
    help: str
    kind: Kind
    allowed: str
    low: int | float | None = None
    high: int | float | None = None
    or_zero: bool = False
    choices: tuple[str, ...] = ()
    default: SettingValue
    value: SettingValue
    origin: Origin
    note: str = ""
    environment: str = ""
    restart: bool = False

    @property
    def source(self) -> str:
        """Layer and note in a few words."""
        return self.note if self.origin == "measured" else f"{self.origin} {self.note}".rstrip()

    @property
    def fixed(self) -> bool:
        """Whether a variable or a flag says it, which count more than any file."""
        return self.origin in {"environment", "flag"}


@dataclass(frozen=True, kw_only=True, slots=True)
class ProfileView:
    """A profile, and what choosing it would change.

    Attributes:
        name: Empty for none.
        why: What it is for; empty for none.
        chosen: Whether it holds.
        changes: From a setting's name to its value now and with the profile.
    """

    name: str
    why: str
    chosen: bool
    changes: Mapping[str, tuple[SettingValue, SettingValue]]


def all_rules() -> Mapping[str, Rule]:
    """The rule of every setting, the console's too, by name."""
    return {**rules(), **{f"{CONSOLE}{name}": rule for name, rule in console_rules().items()}}


def place_of(name: str) -> tuple[str, str]:
    """The section of the file and the key in it that say a setting."""
    return (
        ("console", name.removeprefix(CONSOLE)) if name.startswith(CONSOLE) else ("settings", name)
    )


def value_of(config: Config, name: str) -> Any:
    """What holds for a setting."""
    section, key = place_of(name)
    return getattr(config.console if section == "console" else config.settings, key)


def origin_of(config: Config, name: str) -> tuple[Origin, str]:
    """The layer that says a setting, and more of it."""
    text = config.origins.get(name, "default")
    word, _, rest = text.partition(" ")
    return (_ORIGINS[word], rest) if word in _ORIGINS else ("measured", text)


def _view(config: Config, group: str, name: str) -> SettingView:
    rule = all_rules()[name]
    section, key = place_of(name)
    origin, note = origin_of(config, name)
    check = rule.check
    return SettingView(
        name=name,
        group=group,
        help=rule.help,
        kind=_KINDS.get(type(check), "zone"),
        allowed=check.allowed,
        low=check.low if isinstance(check, Whole | Number) else None,
        high=check.high if isinstance(check, Whole | Number) else None,
        or_zero=isinstance(check, Whole) and check.or_zero,
        choices=check.choices if isinstance(check, OneOf) else (),
        default=default_of(Console if section == "console" else Settings, key),
        value=value_of(config, name),
        origin=origin,
        note=note,
        environment=rule.environment,
        restart=name in RESTART,
    )


def views(config: Config) -> tuple[SettingView, ...]:
    """Every setting, in the order of `GROUPS`."""
    return tuple(_view(config, group, name) for group, names in GROUPS.items() for name in names)


def under_profile(config: Config, profile: str) -> dict[str, SettingValue]:
    """What settings would be with a profile, of those that nothing but defaults and profiles say.

    Args:
        config: As it is.
        profile: Its name, empty for none.
    """
    values = PROFILES[profile].values if profile else {}
    below: dict[str, SettingValue] = {}
    for name in rules().keys() - {"profile"}:
        origin, wanted = origin_of(config, name)[0], values.get(name, default_of(Settings, name))
        if origin in {"default", "profile"}:
            below[name] = wanted
        elif origin == "measured":  # it is bounded by the machine whatever is wanted
            below[name] = min(wanted, value_of(config, name))
    return below


def _changes(config: Config, profile: str) -> Iterator[tuple[str, SettingValue, SettingValue]]:
    for name, then in under_profile(config, profile).items():
        now = value_of(config, name)
        if then != now:
            yield name, now, then


def profile_views(config: Config) -> tuple[ProfileView, ...]:
    """The profiles and none of them, each with what choosing it would change."""
    return tuple(
        ProfileView(
            name=name,
            why=PROFILES[name].why if name else "",
            chosen=config.settings.profile == name,
            changes={changed: (now, then) for changed, now, then in _changes(config, name)},
        )
        for name in ("", *PROFILES)
    )
