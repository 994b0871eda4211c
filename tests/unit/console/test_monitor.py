"""The monitor: the job tree on the screen, and what its keys do."""

from dataclasses import replace

import console_world as cw
from etltui.domain.errors import ErrorClass, Trouble
from etltui.domain.events import RunFinished
from etltui.domain.inquiry import Estimate
from etltui.domain.pools import BreakerStats
from etltui.domain.progress import Eta
from etltui.domain.queue import Ask, Mode, QueueEntry, QueueMetrics
from etltui.domain.run import ConnectionResult, ConnectionStatus, RunResult, RunStatus
from etltui.domain.stored import ConnectionRow, RunRow

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
        assert "Cancel GST sales, 1 of 8 done? y/n" in world.text
        await world.press("n", "enter")
        assert world.asked("cancel") == []
        await world.press("x", "y", "enter")
        assert world.asked("cancel")[0]["run"] == "20261118T090000Z-AAAA"


async def test_a_cursor_left_on_what_has_ended_goes_to_what_begins_above_it(tmp_path):
    """Else the run that was just started is out of sight behind the failures of the last one."""
    old = replace(many(failed=30), status=RunStatus.COMPLETED_WITH_ERRORS)
    new = cw.run("20261118T090500Z-BBBB", job="stock", connections=[cw.connection(1, S.RUNNING)])
    engine = cw.FakeEngine(cw.snapshot([old]))
    async with cw.console(tmp_path, engine=engine) as world:
        table = world.app.view.table
        assert table.key == old.run
        await world.now(cw.snapshot([old, new]))
        assert table.key == new.run
        assert "Stock snapshot" in world.lines[2]
        table.go_to(f"{old.run}/branch_003")
        await world.now(cw.snapshot([old, new]))
        assert table.key == f"{old.run}/branch_003"
        await world.press("2", "1")
        await world.settle()
        assert table.key == new.run


async def test_a_completed_run_folds_after_five_seconds(tmp_path):
    """S0-108."""
    ended = cw.run(status=RunStatus.COMPLETED, connections=[cw.connection(1, S.COMPLETED)])
    engine = cw.FakeEngine(cw.snapshot([ended]))
    async with cw.console(tmp_path, engine=engine) as world:
        assert "1 completed" in world.text
        await world.now(cw.snapshot([ended], at=ended.changed + 5.0))
        assert "1 completed" not in world.text
        assert "✓ completed" in world.text


def many(running=20, failed=0):
    return cw.run(
        connections=[
            *(cw.connection(n, S.RUNNING) for n in range(1, running + 1)),
            *(cw.connection(n, S.FAILED) for n in range(100, 100 + failed)),
        ],
        total=56,
    )


async def test_of_a_large_run_the_first_are_shown_so_that_others_stay_in_sight(tmp_path):
    other = cw.run("20261118T090500Z-BBBB", job="stock", connections=[cw.connection(1, S.RUNNING)])
    engine = cw.FakeEngine(cw.snapshot([many(failed=30), other]))
    async with cw.console(tmp_path, engine=engine) as world:
        assert "…20 more" in world.text
        await world.press("end", "up", "up", "up", "up")
        assert "…15 more" in world.text
        assert "Stock snapshot" in world.text
        world.app.view.table.go_to("20261118T090000Z-AAAA/more running")
        await world.settle()
        assert "0/56 done · 30 failing" in world.lines[-2]
        await world.press("t")
        assert "more" not in world.text
        await world.press("t", "enter")
        assert world.app.view.NAME == "run"


async def test_failures_have_the_room_that_nothing_else_takes(tmp_path):
    engine = cw.FakeEngine(cw.snapshot([many(running=0, failed=14)]))
    async with cw.console(tmp_path, engine=engine) as world:
        assert "branch_113" in world.text
        assert "more" not in world.text
        await world.now(cw.snapshot([many(running=20, failed=14)]))
        assert "…4 more" in world.text
        assert "branch_005" in world.text


async def test_one_more_is_shown_instead_of_being_counted(tmp_path):
    engine = cw.FakeEngine(cw.snapshot([many(running=6)]))
    async with cw.console(tmp_path, engine=engine) as world:
        assert "branch_006" in world.text
        assert "more" not in world.text


async def test_nothing_is_painted_while_nothing_happens(tmp_path):
    """A run that ended stands there with the time of day."""
    ended = cw.run(status=RunStatus.COMPLETED, total=8, completed=8, changed=cw.AT - 60)
    engine = cw.FakeEngine(cw.snapshot([ended]))
    async with cw.console(tmp_path, engine=engine) as world:
        assert "8/8 at " in world.text
        before = world.app.view.table.rows
        await world.now(cw.snapshot([ended], at=cw.AT + 120))
        assert world.app.view.table.rows == before


async def test_before_a_start_it_says_what_it_would_take(tmp_path):
    ended = cw.run(status=RunStatus.COMPLETED, total=8, completed=8)
    engine = cw.FakeEngine(cw.snapshot([ended]))
    engine.answers["inquiries.estimate"] = Estimate(
        job="gst_sales",
        connections=8,
        known=8,
        rows=16_000,
        targets=(),
        eta=None,
        memory=1,
        memory_is="",
        disks=(),
    )
    async with cw.console(tmp_path, engine=engine) as world:
        await world.press("r")
        assert "about 16,000" in world.text
        await world.press("enter")
        assert world.asked("submit")[0]["job"] == "gst_sales"


async def test_on_60_columns_what_went_wrong_is_there_still(tmp_path):
    engine = cw.FakeEngine(cw.snapshot([at_work()]))
    async with cw.console(tmp_path, engine=engine, size=(60, 20)) as world:
        assert "password re" in world.text
        assert "ROWS" not in world.text


async def test_a_run_that_waits_says_when_its_turn_is(tmp_path):
    names = [f"20261118T09000{n}Z-WAIT" for n in range(3)]
    waiting = [
        cw.run(name, job=f"job{n}", status=RunStatus.QUEUED, total=0)
        for n, name in enumerate(names)
    ]
    entry = QueueEntry(run=names[0], job="job0", type="default", priority=1, submitted=cw.AT)
    pending = [
        entry,
        replace(entry, run=names[1]),
        replace(entry, run=names[2], not_before=cw.AT + 90),
    ]
    engine = cw.FakeEngine(cw.snapshot(waiting, pending=pending))
    async with cw.console(tmp_path, engine=engine) as world:
        assert "next" in world.lines[2]
        assert "1 before it" in world.lines[3]
        assert "in 1:30" in world.lines[4]
        assert "(0)" not in world.text  # how many it will read is not known yet
        await world.press("f", "r")
        assert world.engine.calls == []
        held = QueueMetrics(pending=3, paused_jobs=("job1",))
        await world.now(cw.snapshot(waiting, pending=pending, queue=held))
        assert "next" in world.lines[2]
        assert world.lines[3].endswith("paused")
        await world.now(cw.snapshot(waiting, pending=pending, queue=QueueMetrics(paused=True)))
        assert world.lines[2].endswith("paused")


async def test_what_a_run_lacks_is_read_again(tmp_path):
    ended = cw.run(
        status=RunStatus.COMPLETED_WITH_ERRORS,
        connections=[cw.connection(1, S.COMPLETED), cw.connection(2, S.FAILED)],
    )
    engine = cw.FakeEngine(cw.snapshot([ended]))
    engine.answers["retry"] = ended.run
    async with cw.console(tmp_path, engine=engine) as world:
        await world.press("f")
        assert world.asked("retry") == [{"run": ended.run, "ask": Ask(mode=Mode.RETRY)}]


async def test_a_run_is_folded_and_opened_from_any_of_its_lines(tmp_path):
    """S0-105."""
    engine = cw.FakeEngine(cw.snapshot([at_work()]))
    async with cw.console(tmp_path, engine=engine) as world:
        await world.press("down", "o")
        assert "branch_004" not in world.text
        assert world.app.view.table.key == "20261118T090000Z-AAAA"
        await world.press("o")
        assert "branch_004" in world.text


async def test_enter_on_a_connection_opens_the_run_at_it(tmp_path):
    engine = cw.FakeEngine(cw.snapshot([at_work()]))
    async with cw.console(tmp_path, engine=engine) as world:
        await world.press("down", "down", "enter")
        assert world.app.view.NAME == "run"
        assert world.app.view.table.key == "branch_003"
        await world.press("escape")
        assert world.app.view.NAME == "monitor"


NIGHT = "20261118T033000Z-NIGH"


def night(job, status, *, run=NIGHT, failed=0, **facts):
    result = RunResult(
        run=run,
        job=job,
        status=status,
        total=8,
        completed=8 - failed,
        failed=failed,
        skipped=0,
        rows=44_000,
        seconds=72.0,
        outputs=(),
    )
    facts = {"ended": cw.AT - 3600, "result": result, **facts}
    return RunRow(
        run=run,
        job=job,
        title=job,
        status=status,
        plan_hash="abc",
        attempt=1,
        total=8,
        started=cw.AT - 9000,
        **facts,
    )


BAD = night("stock", RunStatus.COMPLETED_WITH_ERRORS, failed=3)
GOOD = night("gst_sales", RunStatus.COMPLETED, run="20261118T040000Z-GOOD")


async def test_in_the_morning_it_says_how_the_night_ended(tmp_path):
    """Under whatever engine the runs ended: what went wrong first, and nothing moves."""
    history = cw.FakeHistory(last_by_job={"gst_sales": GOOD, "stock": BAD})
    async with cw.console(tmp_path, history=history) as world:
        lines = world.lines
        assert "0 running · 1 of 2 jobs ended badly" in lines[0]
        for part in ("▸ Stock snapshot", "! with errors", "44,000", "1:12", "5/8 at 10:06"):
            assert part in lines[2]
        assert "▸ GST sales (8)" in lines[3]
        assert "8/8 at 10:06" in lines[3]
        assert "5/8 done · 3 failed · 44,000 rows" in lines[-2]
        before = world.app.view.table.rows
        await world.now(cw.snapshot(at=cw.AT + 120))
        assert world.app.view.table.rows == before


async def test_a_run_of_the_night_is_opened_run_again_and_mended(tmp_path):
    history = cw.FakeHistory(
        last_by_job={"gst_sales": GOOD, "stock": BAD}, run=BAD, connections=[], usual={}
    )
    engine = cw.FakeEngine()
    engine.answers["retry"] = NIGHT
    async with cw.console(tmp_path, engine=engine, history=history) as world:
        await world.press("x", "o")
        assert world.engine.calls == []
        await world.press("f")
        assert world.asked("retry") == [{"run": NIGHT, "ask": Ask(mode=Mode.RETRY)}]
        assert "3 connections again" in world.told
        await world.press("down", "f")
        assert len(world.asked("retry")) == 1
        await world.press("r")
        assert "gst_sales" in str(world.engine.calls[-1])
        await world.press("escape", "up", "enter")
        await world.settle()
        assert "run NIGH" in world.lines[0]


async def test_n_3_it_says_first_that_a_line_is_down(tmp_path):
    found = cw.snapshot([cw.run()])
    line = BreakerStats(name="gateway north", open_s=9.0, waiting=("b",))
    engine = cw.FakeEngine(replace(found, pools=replace(found.pools, breakers=(line,))))
    async with cw.console(tmp_path, engine=engine) as world:
        assert "1 line down" in world.lines[0]


async def test_what_the_engine_remembers_stands_above_and_instead_of_the_store(tmp_path):
    newer = cw.run(job="stock", status=RunStatus.COMPLETED, total=8, completed=8)
    history = cw.FakeHistory(last_by_job={"gst_sales": GOOD, "stock": BAD})
    engine = cw.FakeEngine(cw.snapshot([newer]))
    async with cw.console(tmp_path, engine=engine, history=history) as world:
        assert "✓ completed" in world.lines[2]
        assert "Stock snapshot" in world.lines[2]
        assert "GST sales" in world.lines[3]
        assert "ended badly" not in world.text


async def test_what_ended_is_read_again_before_the_engine_forgets_it(tmp_path):
    last = {"stock": BAD}
    history = cw.FakeHistory(last_by_job=lambda: dict(last))
    async with cw.console(tmp_path, history=history) as world:
        assert "5/8 at" in world.text
        last["stock"] = mended = replace(
            night("stock", RunStatus.COMPLETED), run="20261118T110000Z-MEND"
        )
        world.app.told(RunFinished(at=cw.AT, run=mended.run, job="stock", result=mended.result))
        await world.now(cw.snapshot())
        assert "8/8 at" in world.text


async def test_how_far_a_run_came_that_crashed_is_counted_when_the_cursor_is_on_it(tmp_path):
    crashed = night("stock", RunStatus.STOPPED, result=None, reason="crash")
    done = ConnectionResult(connection="branch_001", status=S.COMPLETED, rows=20)
    rows = [
        ConnectionRow(run=NIGHT, number=1, connection="branch_001", hash="", result=done),
        ConnectionRow(run=NIGHT, number=2, connection="branch_002", hash="", result=None),
    ]
    history = cw.FakeHistory(last_by_job={"stock": crashed}, connections=rows)
    async with cw.console(tmp_path, history=history, terminal=cw.ASCII) as world:
        assert "= stopped" in world.lines[2]
        assert "at 10:06: crash" in world.lines[2]
        await world.now(cw.snapshot())
        assert "1/8 done" in world.lines[-2]


async def test_one_run_alone_has_the_whole_screen_for_what_runs(tmp_path):
    running = [cw.connection(n, S.RUNNING, rows=n) for n in range(1, 101)]
    engine = cw.FakeEngine(cw.snapshot([cw.run(connections=running)]))
    async with cw.console(tmp_path, engine=engine, size=cw.LARGE) as world:
        shown = [line for line in world.lines if "branch_" in line]
        assert len(shown) >= 30
        assert f"…{100 - len(shown)} more" in world.text
