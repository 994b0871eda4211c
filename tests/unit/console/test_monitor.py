"""The monitor: the job tree on the screen, and what its keys do."""

import console_world as cw
from etltui.domain.errors import ErrorClass, Trouble
from etltui.domain.progress import Eta
from etltui.domain.run import ConnectionStatus, RunStatus

S = ConnectionStatus


def at_work():
    return cw.run(
        connections=[
            cw.connection(1, S.COMPLETED, rows=2000, seconds={"query": 1.0}),
            cw.connection(2, S.RUNNING, rows=500, usual_rows=1000, step="Processing results"),
            cw.connection(
                3,
                S.RETRYING,
                tries=2,
                again_at=cw.AT + 8,
                trouble=Trouble(error_class=ErrorClass.UNREACHABLE, message="no route"),
            ),
            cw.connection(
                4,
                S.FAILED,
                trouble=Trouble(error_class=ErrorClass.LOGIN, message="password refused"),
            ),
        ],
        total=8,
        eta=Eta(left_s=72.0, band_s=9.0),
    )


async def test_shows_what_is_wrong_first_then_what_runs_then_what_is_left(tmp_path):
    """S0-109…S0-113: name and status, step, bar, counts, errors in place."""
    engine = cw.FakeEngine(cw.snapshot([at_work()]))
    async with cw.console(tmp_path, engine=engine) as world:
        lines = world.lines
        assert "1 running" in lines[0]
        assert "2 failing" in lines[0]
        assert "eta 1:12" in lines[0]
        at = {name: n for n, line in enumerate(lines) for name in [line.strip().split(" ")[0]]}
        assert at["branch_004"] < at["branch_003"] < at["branch_002"]
        assert "✗ login" in lines[at["branch_004"]]
        assert "password refused" in lines[at["branch_004"]]
        assert "again in 8s 2/4" in lines[at["branch_003"]]
        assert "50%" in lines[at["branch_002"]]
        assert "1 completed · 4 waiting" in world.text


async def test_an_empty_monitor_says_what_would_fill_it(tmp_path):
    async with cw.console(tmp_path) as world:
        assert "Nothing runs" in world.text
        assert "2 shows the jobs" in world.text


async def test_the_line_above_the_footer_says_what_to_try(tmp_path):
    """N-38: what it means, what to try, whom to call."""
    engine = cw.FakeEngine(cw.snapshot([at_work()]))
    async with cw.console(tmp_path, engine=engine, size=cw.LARGE) as world:
        await world.press("down", "down")
        assert "unreachable: The branch's line or VPN is down" in world.lines[-2]
        assert "call Branch 003" in world.lines[-2]


async def test_cancel_asks_first_and_then_ends_the_run(tmp_path):
    engine = cw.FakeEngine(cw.snapshot([at_work()]))
    async with cw.console(tmp_path, engine=engine) as world:
        await world.press("x")
        assert "Cancel this run? y/n" in world.text
        await world.press("n", "enter")
        assert world.asked("cancel") == []
        await world.press("x", "y", "enter")
        assert world.asked("cancel")[0]["run"] == "20261118T090000Z-AAAA"


async def test_a_completed_run_folds_after_five_seconds(tmp_path):
    """S0-108."""
    ended = cw.run(status=RunStatus.COMPLETED, connections=[cw.connection(1, S.COMPLETED)])
    engine = cw.FakeEngine(cw.snapshot([ended]))
    async with cw.console(tmp_path, engine=engine) as world:
        assert "1 completed" in world.text
        await world.now(cw.snapshot([ended], at=ended.changed + 5.0))
        assert "1 completed" not in world.text
        assert "✓ completed" in world.text
