"""The pools on the screen, and what their keys do."""

import asyncio
from dataclasses import replace

import console_world as cw
from console_pools import SERVER, file, pool
from etltui.domain.errors import EtltuiError
from etltui.domain.inquiry import ServerChecked
from etltui.domain.pools import Leak, PoolHistory
from etltui.domain.server import ServerReading


def stood(pools, **facts):
    made = cw.snapshot(pools=pools)
    return replace(made, pools=replace(made.pools, **facts))


def engine(pools=(), histories=(), **facts):
    made = cw.FakeEngine(stood(pools, **facts))
    made.answers["pools.get_history"] = tuple(histories)
    return made


def row(world, name):
    return next(line for line in world.lines if name in line)


async def test_shows_trouble_first_then_pools_then_the_limits(tmp_path):
    """S0-10…S0-13, S0-120: pools, sessions, servers, in numbers and bars."""
    pools = [
        pool("postgresql north@10.0.0.5:1433/sales", lent=20, waiting=4),
        pool("postgresql north@10.0.0.5:1433/stock", lent=5),
        file(1),
        file(2),
    ]
    down = PoolHistory(
        pool="postgresql n@10.4.17.2:5432/sales", proved_s=None, proofs_failed=3, last_error="no"
    )
    made = engine(pools, [down], pools_by_server={SERVER: 2}, places_by_server={SERVER: 18})
    async with cw.console(tmp_path, engine=made) as world:
        await world.press("5")
        await world.settle()
        lines = world.lines
        assert "31 lent · 8 idle" in lines[0]
        assert "✗ down" in lines[2]
        full = row(world, "10.0.0.5:1433/sales")
        assert full.split()[1:5] == ["20", "2", "4", "20"]
        assert "███" in full
        assert full.endswith("31ms ! full")
        assert "▸ sqlite (2 files)" in world.text
        assert row(world, "host 10.0.0.5:1433").endswith("18/20 2 pools")
        await world.press("G")
        assert "leases found one open" in world.lines[-2]


async def test_without_a_session_it_says_what_opens_one(tmp_path):
    async with cw.console(tmp_path, engine=engine()) as world:
        await world.press("5")
        assert "No session is open" in world.text
        await world.press("P")
        await world.worked()
        assert world.asked("pools.pause") == []


async def test_files_open_into_rows_of_their_own(tmp_path):
    async with cw.console(tmp_path, engine=engine([file(n) for n in range(1, 41)])) as world:
        await world.press("5", "enter")
        await world.worked()
        assert "data/branch_001.db" in world.text
        await world.press("o")
        await world.worked()
        assert "branch_001.db" not in world.text
        assert "▸ sqlite (40 files)" in world.text


async def test_one_pool_is_paused_and_goes_on_and_is_drained(tmp_path):
    made = engine([pool()])
    made.answers.update({"pools.pause": True, "pools.resume": True, "pools.drain": True})
    async with cw.console(tmp_path, engine=made) as world:
        await world.press("5", "P")
        await world.worked()
        assert world.asked("pools.pause") == [{"key_text": pool().pool}]
        assert world.told[-1] == "1 pool paused"
        await world.now(stood([pool(paused=True)]))
        assert "It lends nothing" in world.lines[-2]
        await world.press("P")
        await world.worked()
        assert world.asked("pools.resume") == [{"key_text": pool().pool}]
        await world.press("D", "y", "enter")
        await world.worked()
        assert world.asked("pools.drain") == [{"key_text": pool().pool}]
        made.answers["pools.drain"] = False
        await world.press("D", "y", "enter")
        await world.worked()
        assert "it has no session now" in world.told[-1]


async def test_a_server_or_everything_is_paused_at_the_row_of_its_limit(tmp_path):
    facts = {"pools_by_server": {SERVER: 1}, "places_by_server": {SERVER: 3}}
    made = engine([pool(), file(1)], **facts)
    made.answers.update({"pools.pause": True, "pools.resume": True})
    async with cw.console(tmp_path, engine=made) as world:
        await world.press("5", "G", "P")
        await world.worked()
        assert world.asked("pools.pause") == [{"key_text": pool().pool}]
        await world.press("up", "P")
        await world.worked()
        assert world.asked("pools.pause")[-1] == {}
        await world.now(stood([pool(paused=True), file(1, paused=True)], paused=True, **facts))
        assert "all paused" in world.lines[0]
        await world.press("g", "P")
        await world.worked()
        assert world.asked("pools.resume") == [{}]
        assert world.told[-1] == "all pools go on"
        await world.now(stood([pool(draining=True), file(1)], **facts))
        await world.press("G", "P")
        await world.worked()
        assert world.asked("pools.resume")[-1] == {"key_text": pool().pool}


async def test_sessions_are_warmed_up_closed_and_renewed(tmp_path):
    config_pool = file(1)
    made = engine([config_pool])
    made.answers.update({"warm_up": 2, "pools.close_idle": 3})
    async with cw.console(tmp_path, engine=made) as world:
        branch = world.app.config.connections[0]
        await world.now(stood([replace(config_pool, pool=f"sqlite {branch.database}")]))
        await world.press("5", "W", "backspace", "x", "enter")
        await world.worked()
        assert "no number of sessions" in world.told[-1]
        await world.press("W", "backspace", "2", "enter")
        await world.worked()
        assert world.asked("warm_up") == [{"connection": branch.name, "count": 2}]
        assert world.told[-1] == "2 sessions open at 1 pool"
        await world.press("W", "escape", "I")
        await world.worked()
        assert world.told[-1] == "3 idle sessions closed"
        await world.press("R", "y", "enter")
        await world.worked()
        assert len(world.asked("pools.reconnect_all")) == 1
        await world.now(stood([config_pool]))
        await world.press("W")
        await world.worked()
        assert "no connection of the configuration" in world.told[-1]


async def test_a_locked_login_is_released(tmp_path):
    made = engine([pool()], locked_credentials=("north",))
    made.answers["pools.release_credential"] = True
    async with cw.console(tmp_path, engine=made, size=cw.LARGE) as world:
        await world.press("5")
        assert "1 login locked" in world.lines[0]
        assert "✗ login locked" in row(world, "10.0.0.5")
        assert "L releases it" in world.lines[-2]
        await world.press("L")
        await world.worked()
        assert world.asked("pools.release_credential") == [{"name": "north"}]
        assert world.told[-1] == "north is tried again"
        await world.now(stood([file(1)], locked_credentials=("east", "west")))
        await world.press("L", *"west", "enter")
        await world.worked()
        assert world.asked("pools.release_credential")[-1] == {"name": "west"}
        await world.press("L", *"up", "enter")
        await world.worked()
        assert "locked: east, west" in world.told[-1]
        await world.press("L", "escape")
        await world.worked()
        assert len(world.asked("pools.release_credential")) == 2


async def test_a_pool_is_shown_in_full_and_a_leak_at_once(tmp_path):
    leak = Leak(holder="run X, Branch_001", pool=pool().pool, seconds=92.0)
    async with cw.console(tmp_path, engine=engine([pool(leaks=(leak,))])) as world:
        await world.press("5")
        assert "held for 1:32 by run X, Branch_001" in world.lines[-2]
        await world.press("enter")
        await world.worked()
        assert "held for 1:32" in world.text
        assert "p50 31ms" in world.text


async def test_what_cannot_be_asked_leaves_the_rows_as_they_are(tmp_path):
    made = engine([pool()])
    made.answers["pools.get_history"] = EtltuiError("gone")
    async with cw.console(tmp_path, engine=made, terminal=cw.ASCII, size=(60, 20)) as world:
        await world.press("5")
        await world.settle()
        assert "10.0.0.5" in world.text
        assert "ok" in row(world, "10.0.0.5")
        await world.press("slash", *"nothing", "enter")
        await world.worked()
        assert "None of 1 matches nothing" in world.text


async def test_the_same_pools_are_the_same_rows(tmp_path):
    """500 pools that stand as before are painted nowhere."""
    many = [pool(f"postgresql n@h{n}:1/d", f"h{n}:1") for n in range(500)]
    async with cw.console(tmp_path, engine=engine(many)) as world:
        await world.press("5")
        before = world.app.view.table.rows
        await world.now(stood([replace(each) for each in many]))
        after = world.app.view.table.rows
        assert len(after) == 502
        assert all(one is other for one, other in zip(before[:500], after[:500], strict=True))


async def test_s0_127_the_server_of_a_pool_is_asked_how_loaded_it_is(tmp_path):
    made = engine([pool("postgresql 10.0.0.5:5432/sales")])
    readings = (
        ServerReading(name="sessions", value="96 of 97", meaning="Nearly full.", warns=True),
    )
    found = ServerChecked(server="10.0.0.5:5432", connection="North", readings=readings)
    made.answers["inquiries.server_check"] = (found,)
    more = '[connections.North]\nurl = "postgresql://10.0.0.5:5432/sales"\n'
    config = await asyncio.to_thread(cw.configured, tmp_path, more=more)
    async with cw.console(tmp_path, engine=made, config=config) as world:
        await world.press("5", "c")
        await world.worked()
        assert world.asked("inquiries.server_check") == [{"connections": ("North",)}]
        assert "96 of 97" in world.text
        assert "Nearly full." in world.text
        await world.press("escape")
        await world.now(stood([file(1)]))
        await world.press("c")
        await world.worked()
        assert "no server to ask" in world.told[-1]
        assert len(world.asked("inquiries.server_check")) == 1
