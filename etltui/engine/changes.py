"""New values of settings, held against their rules before anything is touched."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any

from etltui.config.checks import RefusedError, nearest_or_all
from etltui.config.memory import Available, bounded
from etltui.config.schema import Config, Settings
from etltui.config.setting_views import all_rules, origin_of, place_of, under_profile
from etltui.domain.errors import ConfigError, Mistake

_THRESHOLD = "memory_threshold_mb"


class Changes:
    """New values of settings, held against their rules.

    Args:
        config: As it is.
        values: From a setting's name to its new value.

    Raises:
        ConfigError: All that is wrong with them.
    """

    def __init__(self, config: Config, values: Mapping[str, object]) -> None:
        self._before = config
        self.values = _checked(config, values)

    @property
    def tables(self) -> dict[str, dict[str, Any]]:
        """They, as the local file would say them."""
        tables: dict[str, dict[str, Any]] = {}
        for name, value in self.values.items():
            section, key = place_of(name)
            tables.setdefault(section, {})[key] = value
        return tables

    def laid_over(self, memory: Available) -> Config:
        """The configuration with them, where its files cannot be read again.

        What jobs have taken over from settings (their retries) stays until they can.
        """
        before = self._before
        origins = {**before.origins, **dict.fromkeys(self.values, "local")}
        program = self._program(origins, memory)
        old, new = before.settings.max_jobs_per_type, program.max_jobs_per_type
        return replace(
            before,
            settings=program,
            console=replace(before.console, **self.tables.get("console", {})),
            origins=origins,
            run_types={
                # A type that took the limit of all takes it again.
                name: replace(kind, limit=new) if kind.limit == old else kind
                for name, kind in before.run_types.items()
            },
        )

    def _program(self, origins: dict[str, str], memory: Available) -> Settings:
        said = self.tables.get("settings", {})
        below: dict[str, Any] = {}
        if "profile" in said:
            profile = said["profile"]
            below = under_profile(self._before, profile)
            origins.update(
                dict.fromkeys(below.keys() - said, f"profile {profile}" if profile else "default")
            )
        values = {**asdict(self._before.settings), **below, **said}
        if _THRESHOLD in below.keys() - said or said.get(_THRESHOLD) == 0:
            values[_THRESHOLD], why = bounded(values[_THRESHOLD], memory)
            origins[_THRESHOLD] = why or origins[_THRESHOLD]
        return Settings(**values)


def _overruled(config: Config, name: str) -> RefusedError | None:
    """Why a setting cannot be changed here: a variable or a flag counts more than any file."""
    origin, note = origin_of(config, name)
    if origin == "environment":
        variable = note.partition(",")[0]
        return RefusedError(
            f"the variable {variable} says it, and counts more than the local file",
            f"Unset {variable} where the engine is started, and start it again",
        )
    if origin == "flag":
        return RefusedError(
            "a flag of the command that started the engine says it",
            "Start the engine again without that flag",
        )
    return None


def _refusals(config: Config, values: Mapping[str, object]) -> Iterator[tuple[str, RefusedError]]:
    known = all_rules()
    for name, value in values.items():
        if name not in known:
            yield name, RefusedError("is not a known setting", nearest_or_all(name, known))
            continue
        try:
            known[name].check(value)
        except RefusedError as refused:
            yield name, refused
            continue
        overruled = _overruled(config, name)
        if overruled:
            yield name, overruled


def _checked(config: Config, values: Mapping[str, object]) -> dict[str, Any]:
    mistakes = [
        Mistake(where="settings", key=name, problem=wrong.problem, way_out=wrong.way_out)
        for name, wrong in _refusals(config, values)
    ]
    if mistakes:
        raise ConfigError(mistakes)
    return {name: all_rules()[name].check(value) for name, value in values.items()}
