"""Changes of settings while the engine runs: all of them or none, kept, and held at once."""

import asyncio
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, replace

from etltui.config.checks import RefusedError, nearest_or_all
from etltui.config.local import write_local
from etltui.config.memory import available, bounded
from etltui.config.rule import Rule
from etltui.config.schema import Config, Settings, rules
from etltui.domain.errors import ConfigError, Mistake
from etltui.domain.pools import PoolSettings
from etltui.domain.ports import Pools
from etltui.engine.dispatcher import Dispatcher
from etltui.engine.log import LEVELS
from etltui.engine.memory import Memory


def pool_settings(settings: Settings) -> PoolSettings:
    """What the pools are told of the settings."""
    return PoolSettings(
        max_connections=settings.max_connections,
        pool_size=settings.pool_size,
        max_per_host=settings.max_per_host,
        idle_s=settings.pool_idle_s,
        lifetime_s=settings.pool_lifetime_s,
        keepalive_s=settings.pool_keepalive_s,
        validate_after_s=settings.validate_after_s,
        acquire_timeout_s=settings.acquire_timeout_s,
        ping_timeout_s=settings.ping_timeout_s,
        leak_s=settings.leak_s,
    )


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
        self._values = _checked(values)
        origins = {**config.origins, **dict.fromkeys(self._values, "local")}
        self._after = replace(
            config,
            settings=Settings(**{**asdict(config.settings), **self._values}),
            origins=origins,
        )

    async def keep(self) -> Config:
        """Write the values beside the operator's file; the configuration with them.

        Raises:
            ConfigError: They could not be kept; nothing has changed.
        """
        await asyncio.to_thread(write_local, self._after.path, {"settings": self._values})
        for name, value in self._values.items():
            rule = rules()[name]
            if rule.environment:
                # Whoever this process starts sees what holds now.
                os.environ[rule.environment] = _as_variable(rule, value)
        old, new = self._before.settings.max_jobs_per_type, self._after.settings.max_jobs_per_type
        types = {
            # A type that took the limit of all takes it again.
            name: replace(kind, limit=new) if kind.limit == old else kind
            for name, kind in self._before.run_types.items()
        }
        return replace(self._after, run_types=types)


async def hold(config: Config, *, pools: Pools, queue: Dispatcher, memory: Memory) -> None:
    """Let the settings of a configuration hold from now on."""
    settings = config.settings
    threshold = settings.memory_threshold_mb
    if not threshold:
        threshold, _ = bounded(0, await asyncio.to_thread(available))
    pools.update(pool_settings(settings))
    queue.queue.limit = settings.max_jobs
    queue.queue.types = config.run_types
    queue.pump()
    memory.resize(threshold)
    logging.getLogger("etltui").setLevel(LEVELS[settings.log_level])


def _checked(values: Mapping[str, object]) -> dict[str, object]:
    known = rules()
    good: dict[str, object] = {}
    mistakes = []
    for name, value in values.items():
        if name not in known:
            problem, way_out = "is not a known setting", nearest_or_all(name, known)
        else:
            try:
                good[name] = known[name].check(value)
            except RefusedError as refused:
                problem, way_out = refused.problem, refused.way_out
            else:
                continue
        mistakes.append(Mistake(where="settings", key=name, problem=problem, way_out=way_out))
    if mistakes:
        raise ConfigError(mistakes)
    return good


def _as_variable(rule: Rule, value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value * 1000) if rule.milliseconds and isinstance(value, int) else str(value)
