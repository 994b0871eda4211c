"""Settings that change while runs go on: all or none, at once, and kept (S0-92, S0-93, S0-101)."""

import asyncio
import logging
import os
from dataclasses import replace

import pytest

from engine_world import MB
from etltui.config.document import local_path
from etltui.config.schema import Settings
from etltui.domain.errors import ConfigError
from etltui.domain.job import RunType
from etltui.domain.run import RunStatus
from fakes import Held, Script


def local(world):
    return local_path(world.engine.config.path)


async def test_s0_101_pools_queue_memory_and_log_hold_them_at_once(world):
    await world.engine.update_settings(
        {
            "pool_size": 7,
            "acquire_timeout_s": 9,
            "max_connections": 70,
            "max_jobs": 3,
            "memory_threshold_mb": 256,
            "log_level": "debug",
        },
    )
    (pools,) = world.pools.updated
    assert (pools.pool_size, pools.acquire_timeout_s, pools.max_connections) == (7, 9, 70)
    assert world.engine.queue.queue.limit == 3
    assert world.engine.snapshot().threshold == 256 * MB
    assert logging.getLogger("etltui").level == logging.DEBUG
    assert world.engine.config.settings.pool_size == 7
    assert world.engine.config.origins["pool_size"] == "local"


async def test_s0_92_a_higher_limit_gives_turns_at_once(world):
    """S0-50, S0-142, S1-6 on one machine: as many work at once as the operator says; no restart."""
    world.settings = Settings(max_jobs=1)
    world.job("second", connections=("B",))
    world.job(connections=("A",))
    world.renew()
    held = Held(2)
    world.leases.extracts["A"] = Script(held)
    await world.submit()
    await held.reached.wait()
    second = await world.submit("second")
    assert world.engine.get_queue_metrics().pending == 1
    await world.engine.update_settings({"max_jobs": 2})
    assert (await second.wait()).status is RunStatus.COMPLETED
    held.let_go()


async def test_s0_93_whoever_is_started_sees_them(world):
    await world.engine.update_settings(
        {"pool_idle_s": 45, "max_jobs": 4, "resume_jobs": True, "ageing_s": 5},
    )
    seen = os.environ["DB_POOL_IDLE_MS"], os.environ["JOB_QUEUE_MAX_CONCURRENT"]
    assert (seen, os.environ["RESUME_JOBS"]) == (("45000", "4"), "true")


async def test_they_are_kept_beside_the_operators_file(world):
    """S0-91."""
    await world.engine.update_settings({"max_jobs": 4})
    await world.engine.update_settings({"pool_size": 5})
    text = await asyncio.to_thread(local(world).read_text)
    assert "max_jobs = 4" in text
    assert "pool_size = 5" in text
    assert not world.engine.config.path.exists()


async def test_all_mistakes_are_told_at_once_and_nothing_holds(world):
    before = world.engine.config
    with pytest.raises(ConfigError) as refused:
        await world.engine.update_settings(
            {"max_jobs": 51, "pool_sise": 5, "pool_size": 5, "log_level": "loud"},
        )
    told = {mistake.key: str(mistake) for mistake in refused.value.mistakes}
    assert set(told) == {"max_jobs", "pool_sise", "log_level"}
    assert "Allowed: 1 to 50" in told["max_jobs"]
    assert 'Did you mean "pool_size"?' in told["pool_sise"]
    assert world.engine.config is before
    assert world.pools.updated == []
    assert not local(world).exists()
    assert "DB_POOL_MAX" not in os.environ


async def test_what_cannot_be_kept_does_not_hold(world):
    local(world).mkdir()
    with pytest.raises(ConfigError):
        await world.engine.update_settings({"max_jobs": 4})
    assert world.engine.queue.queue.limit == 10
    assert world.pools.updated == []
    assert "JOB_QUEUE_MAX_CONCURRENT" not in os.environ


async def test_the_limit_of_a_type_follows_where_the_type_says_none(world):
    world.types = {
        "extract": RunType(name="extract", limit=5),
        "heavy": RunType(name="heavy", limit=1),
    }
    world.renew()
    await world.engine.update_settings({"max_jobs_per_type": 8})
    limits = {name: kind.limit for name, kind in world.engine.queue.queue.types.items()}
    assert limits == {"extract": 8, "heavy": 1}
    assert world.engine.config.run_types["extract"].limit == 8


async def test_time_limits_hold_for_runs_that_begin_later(world):
    await world.engine.update_settings({"query_timeout_s": 77, "stall_timeout_s": 55})
    await world.run()
    task = world.leases.tasks[0]
    assert (task.query_timeout_s, task.stall_timeout_s) == (77, 55)


async def test_a_threshold_of_nought_is_measured(world):
    await world.engine.update_settings({"memory_threshold_mb": 0})
    assert 0 < world.engine.snapshot().threshold <= 1024 * MB


async def test_another_reading_of_the_configuration_holds(world):
    again = replace(world.engine.config, settings=Settings(max_jobs=2))
    await world.engine.reload(again)
    assert (world.engine.config, world.engine.queue.queue.limit) == (again, 2)
