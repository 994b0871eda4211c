"""Lets the settings of a configuration hold from now on, without a restart."""

import logging
import os
from collections.abc import Iterable

from etltui.config.rule import Rule
from etltui.config.schema import Config, Settings, rules
from etltui.domain.lending import Pools
from etltui.domain.pools import PoolSettings
from etltui.engine.dispatcher import Dispatcher
from etltui.engine.log import LEVELS
from etltui.engine.memory import Memory
from etltui.engine.space import Space


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


class Held:
    """Whom the settings are told.

    Args:
        pools: Their limits and times.
        queue: How many runs are at work, and in which order.
        memory: Its threshold.
        space: Its reserve.
    """

    def __init__(self, *, pools: Pools, queue: Dispatcher, memory: Memory, space: Space) -> None:
        self._pools = pools
        self._queue = queue
        self._memory = memory
        self._space = space
        self._told: set[str] = set()

    def hold(self, config: Config) -> None:
        """Let the settings of a configuration hold from now on."""
        settings = config.settings
        self._pools.update(pool_settings(settings))
        self._queue.queue.limit = settings.max_jobs
        self._queue.queue.types = config.run_types
        self._queue.queue.age(settings.ageing_s)
        self._queue.pump()
        self._memory.resize(settings.memory_threshold_mb)
        self._space.leave(settings.disk_reserve_mb)
        logging.getLogger("etltui").setLevel(LEVELS[settings.log_level])
        self.tell(settings)

    def tell(self, settings: Settings, changed: Iterable[str] = ()) -> None:
        """Let whoever this process starts from now on see what was changed, as it is now.

        Args:
            settings: As they are.
            changed: Settings that were changed just now; those of earlier changes follow.
        """
        known = rules()
        self._told.update(name for name in changed if name in known and known[name].environment)
        for name in self._told:
            value = getattr(settings, name)
            if value is None:
                os.environ.pop(known[name].environment, None)
            else:
                os.environ[known[name].environment] = _as_variable(known[name], value)


def _as_variable(rule: Rule, value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value * 1000) if rule.milliseconds and isinstance(value, int) else str(value)
