"""The same configuration once more: its files as they are now, everything else as at the start."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from etltui.config.load import load
from etltui.config.schema import Config

_NOTHING: Mapping[str, object] = MappingProxyType({})
_THRESHOLD = "memory_threshold_mb"
_MEASURED = "half of "


class Reading:
    """Reads a configuration again, with the variables and flags of its first reading.

    What this process writes into its own environment later is for its children, and is no word of
    the operator.

    Args:
        config: As it was read first.
        environ: The variables of that reading; they are copied.
    """

    def __init__(self, config: Config, environ: Mapping[str, str]) -> None:
        self._path = config.path
        self._environ = dict(environ)
        self._flags = {
            name: getattr(config.settings, name)
            for name, origin in config.origins.items()
            if origin == "flag"
        }

    def __call__(self, changes: Mapping[str, object] = _NOTHING) -> Config:
        """The configuration as its files say it now.

        Args:
            changes: What the local file would say besides.

        Raises:
            ConfigError: All mistakes in them.
        """
        return load(self._path, environ=self._environ, overrides=self._flags, changes=changes)


def steady(now: Config, before: Config) -> Config:
    """A further reading with the memory threshold of the one before where that was measured.

    What is free at this moment says nothing that the operator has changed.
    """
    origin = before.origins.get(_THRESHOLD, "default")
    unsaid = origin.startswith(("default", "profile ", _MEASURED))
    measured = now.origins.get(_THRESHOLD, "").startswith(_MEASURED)
    if not (measured and unsaid and now.settings.profile == before.settings.profile):
        return now
    kept = replace(now.settings, memory_threshold_mb=before.settings.memory_threshold_mb)
    return replace(now, settings=kept, origins={**now.origins, _THRESHOLD: origin})
