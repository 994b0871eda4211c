"""The queue on the screen, and what its keys do."""

from dataclasses import replace

import console_world as cw
from etltui.domain.queue import QueueEntry, QueueMetrics


def entry(name, **facts):
    known = {"job": "stock", "type": "nightly", "priority": 100, "submitted": cw.AT - 120}
    return QueueEntry(run=f"20261118T090000Z-{name}", **(known | facts))


def row(world, name):
    return next(line for line in world.lines if line.strip().startswith(name))


def waiting(*pending, **facts):
    return cw.snapshot([cw.run()], pending=pending, **facts)


async def test_shows_who_has_a_turn_and_who_waits(tmp_path):
    """S0-39…S0-44: the numbers, and each run."""
    metrics = QueueMetrics(
        pending=2, running=1, completed=4, failed=1, total_processed=5, average_ms=9000
    )
    made = cw.FakeEngine(
        waiting(entry("ONE"), entry("TWO", owner="op@server", tries=2), queue=metrics)
    )
    history = cw.FakeHistory(queued=[entry("AAAA", priority=7)])
    async with cw.console(tmp_path, engine=made, history=history, size=cw.LARGE) as world:
        await world.press("6")
        await world.settle()
        assert "4 completed · 1 failed · 0 retried · mean 9.0s" in world.lines[0]
        assert row(world, "AAAA").split()[1:6] == ["gst_sales", "◐", "running", "now", "7"]
        assert row(world, "ONE").split()[2:8] == ["·", "waiting", "1st", "100", "nightly", "2"]
        assert row(world, "TWO").split()[-2:] == ["2", "op@server"]
        await world.press("down")
        assert "It is next" in world.lines[-2]


async def test_an_empty_queue_says_what_fills_it(tmp_path):
    async with cw.console(tmp_path, size=(60, 20), terminal=cw.ASCII) as world:
        await world.press("6")
        assert "Nothing runs and nothing waits." in world.text
        await world.press("x", "c", "plus", "enter")
        await world.worked()
        assert world.engine.calls == []
        await world.now(cw.snapshot(queue=QueueMetrics(paused=True)))
        assert "The queue is paused" in world.lines[-2]


async def test_runs_change_their_places(tmp_path):
    made = cw.FakeEngine(waiting(entry("ONE"), entry("TWO", priority=0), entry("TRI")))
    made.answers["queue.reprioritise"] = True
    async with cw.console(tmp_path, engine=made) as world:
        await world.press("6", "plus")
        await world.worked()
        assert "there is nothing here" in world.told[-1]
        await world.press("down", "plus", "minus")
        await world.worked()
        one = entry("ONE").run
        assert world.asked("queue.reprioritise") == [
            {"run": one, "priority": 99},
            {"run": one, "priority": 101},
        ]
        await world.press("down", "plus")
        await world.worked()
        assert len(world.asked("queue.reprioritise")) == 2
        await world.press("colon")
        await world.type("priority 5")
        await world.press("enter")
        await world.worked()
        assert world.asked("queue.reprioritise")[-1] == {"run": entry("TWO").run, "priority": 5}
        await world.press("colon")
        await world.type("priority 1001")
        await world.press("enter")
        await world.worked()
        assert "write 0 to 1000" in world.told[-1]
        made.answers["queue.reprioritise"] = False
        await world.press("minus")
        await world.worked()
        assert world.told[-1] == "TWO does not wait any more"


async def test_selected_runs_are_cancelled_after_a_question(tmp_path):
    made = cw.FakeEngine(waiting(entry("ONE"), entry("TWO")))
    async with cw.console(tmp_path, engine=made) as world:
        await world.press("6", "down", "space", "space", "x", "n", "enter")
        await world.worked()
        assert world.asked("cancel") == []
        await world.press("x", "y", "enter")
        await world.worked()
        assert [each["run"] for each in world.asked("cancel")] == [
            entry("ONE").run,
            entry("TWO").run,
        ]
        assert world.app.view.table.chosen == set()


async def test_the_queue_is_paused_and_goes_on(tmp_path):
    made = cw.FakeEngine(waiting(entry("ONE")))
    async with cw.console(tmp_path, engine=made) as world:
        await world.press("6", "P")
        await world.worked()
        assert world.asked("queue.pause") == [{"job": "", "paused": True}]
        assert world.told[-1] == "the queue is paused; what runs goes on"
        await world.now(waiting(entry("ONE"), queue=QueueMetrics(pending=1, paused=True)))
        assert "‖ paused" in row(world, "ONE")
        await world.press("down")
        assert "nobody gets a turn" in world.lines[-2]
        await world.press("P")
        await world.worked()
        assert world.asked("queue.pause")[-1] == {"job": "", "paused": False}


async def test_clearing_says_how_much_before(tmp_path):
    made = cw.FakeEngine(waiting(entry("ONE"), entry("TWO"), entry("TRI", job="price")))
    made.answers["queue.clear"] = 3
    async with cw.console(tmp_path, engine=made) as world:
        await world.press("6", "c")
        await world.settle()
        assert "Cancel what waits, 3 runs of 2 jobs? y/n" in world.text
        await world.press("n", "enter")
        await world.worked()
        assert world.asked("queue.clear") == []
        await world.press("c", "y", "enter")
        await world.worked()
        assert world.told[-1] == "3 runs cancelled"
        config = world.app.config
        world.app.config = replace(config, console=replace(config.console, confirm=False))
        await world.press("c")
        await world.worked()
        assert len(world.asked("queue.clear")) == 2


async def test_a_run_is_opened_and_started_once_more(tmp_path):
    made = cw.FakeEngine(waiting(entry("ONE")))
    made.answers["submit"] = "20261118T090000Z-NEXT"
    async with cw.console(tmp_path, engine=made) as world:
        await world.press("6", "r")
        await world.worked()
        assert world.asked("submit") == [{"job": "gst_sales", "overlap": "queue"}]
        assert world.told[-1] == "GST sales is queued once more"
        await world.press("enter")
        await world.worked()
        assert world.app.view.NAME == "run"


async def test_a_priority_is_asked_for_and_a_double_click_opens(tmp_path):
    made = cw.FakeEngine(waiting(entry("ONE")))
    made.answers["queue.reprioritise"] = True
    async with cw.console(tmp_path, engine=made) as world:
        await world.press("6", "down")
        await world.press("colon")
        await world.type("priority")
        await world.press("enter")
        await world.settle()
        assert "priority, 0 to 1000:" in world.text
        await world.press("escape")
        await world.worked()
        await world.press("colon")
        await world.type("priority 100")
        await world.press("enter")
        await world.worked()
        assert made.calls == []
        await world.pilot.double_click(world.app.view.table, offset=(3, 2))
        await world.worked()
        assert world.app.view.NAME == "run"
