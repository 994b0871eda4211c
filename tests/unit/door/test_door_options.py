"""Settings, profiles, jobs in service and tags, asked for and changed from another process."""

import asyncio

import pytest

from etltui.domain.errors import ConfigError, RefusedError
from etltui.engine.options import Verdict


async def test_settings_and_profiles_arrive_as_they_are(house):
    async with house.visited() as (_, remote):
        assert await remote.call("options.list") == house.engine.options.list()
        assert await remote.call("options.profiles") == house.engine.options.profiles()


async def test_a_change_is_checked_made_and_seen(house):
    async with house.visited() as (_, remote):
        changes = {"max_jobs": 3, "retry_multiplier": 1.5, "console.toasts": False}
        found = await remote.call("options.check", changes={"pool_size": 101})
        assert isinstance(found, Verdict)
        assert [each.key for each in found.mistakes] == ["pool_size"]
        found = await remote.call("options.check", changes={"timezone": "Asia/Tokyo"})
        assert [each.key for each in found.cautions] == ["settings.timezone"]
        await remote.call("update_settings", changes=changes)
        now = {each.name: each.value for each in await remote.call("options.list")}
        assert changes.items() <= now.items()


async def test_a_job_is_taken_out_of_service_from_afar(house):
    async with house.visited() as (_, remote):
        await remote.call("options.enable", job="sales", enabled=False)
        with pytest.raises(RefusedError, match="it is disabled"):
            await remote.submit("sales")


async def test_tags_are_changed_from_afar(house):
    text = "".join(f'[connections.{name}]\nurl = "sqlite:///{name}.db"\n' for name in "AB")
    await asyncio.to_thread(house.engine.config.path.write_text, text)
    async with house.visited() as (_, remote):
        await remote.call("options.tag", connections=["A"], add=["late"])
        assert {each.name: each.tags for each in house.engine.config.connections} == {
            "A": ("late",),
            "B": (),
        }
        with pytest.raises(ConfigError, match="there is no such connection"):
            await remote.call("options.tag", connections=["Z"], add=["late"])
