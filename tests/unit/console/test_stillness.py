"""Views that stand as before write nothing to the terminal."""

import asyncio
from dataclasses import replace

import pytest

import console_world as cw
from console_past import row
from console_pools import file, pool
from etltui.config.setting_views import views
from etltui.domain.plan import plan_hash
from etltui.domain.run import RunStatus


@pytest.mark.parametrize("key", ["5", "6", "9", "comma"])
async def test_a_moment_later_with_nothing_new_nothing_is_painted(tmp_path, key):
    config = await asyncio.to_thread(cw.configured, tmp_path)
    shown = cw.snapshot(pools=[pool(), file(1), file(2)])
    engine = cw.FakeEngine(shown)
    engine.answers.update({"options.list": views(config), "pools.get_history": ()})
    stopped = row(status=RunStatus.STOPPED)
    stopped = replace(stopped, plan_hash=plan_hash(config.jobs["gst_sales"]))
    history = cw.FakeHistory(last_by_job={"gst_sales": stopped})
    async with cw.console(tmp_path, config=config, engine=engine, history=history) as world:
        await world.press(key)
        for _ in range(3):
            await asyncio.to_thread(lambda: None)
            await world.settle()
        painted = []
        display = world.app._display
        world.app._display = lambda screen, what: (painted.append(what), display(screen, what))
        for seconds in (6.0, 12.0):
            await world.now(replace(shown, at=cw.AT + seconds))
            await asyncio.to_thread(lambda: None)
            await world.settle()
        assert painted == []
        await world.press("slash", "x")
        assert painted
