"""Unfinished runs on the screen: gone on with, handed on, deleted."""

import asyncio
import json
from dataclasses import replace

import pytest

import console_world as cw
from console_past import row
from etltui.domain.plan import Plan, plan_hash
from etltui.domain.run import ConnectionResult, ConnectionStatus, RunStatus
from etltui.domain.stored import ConnectionRow
from etltui.domain.words import local


def connections(run):
    return [
        ConnectionRow(
            run=run,
            number=n,
            connection=f"branch_{n:03d}",
            hash="h",
            result=ConnectionResult(
                connection=f"branch_{n:03d}", status=ConnectionStatus.COMPLETED, rows=1000
            )
            if n < 6
            else None,
        )
        for n in range(1, 9)
    ]


class Past:
    """Two unfinished runs: one that can go on, one whose job has changed since."""

    def __init__(self, folder):
        self.config = cw.configured(folder)
        job = self.config.jobs["gst_sales"]
        stopped = row(status=RunStatus.STOPPED)
        self.good = replace(
            stopped, plan_hash=plan_hash(job), reason="the disk is full", result=None
        )
        self.stuck = replace(
            stopped,
            run="20261118T070000Z-OLD2",
            job="stock",
            title="Stock snapshot",
            started=self.good.started - 60,
        )
        stock = self.config.jobs["stock"]
        old = replace(stock, queries=(replace(stock.queries[0], sql="SELECT 1"),))
        plan = Plan(
            run=self.stuck.run,
            job=old,
            started=local(cw.AT, "UTC"),
            connections=(),
            targets=(),
        )
        self.history = cw.FakeHistory(
            last_by_job={"gst_sales": self.good, "stock": self.stuck},
            connections=connections,
            plan=lambda run: plan,  # noqa: ARG005 - of either
        )
        part = folder / "parts" / self.good.run / "1.part"
        part.parent.mkdir(parents=True)
        part.write_bytes(b"x" * 1500)


@pytest.fixture
def past(tmp_path):
    return Past(tmp_path)


async def shown(world):
    await world.press("9")
    await world.worked()
    for _ in range(3):
        await asyncio.to_thread(lambda: None)
        await world.settle()


def line(world, name):
    return next(each for each in world.lines if each.strip().startswith(name))


async def test_shows_what_each_unfinished_run_holds_and_whether_it_goes_on(tmp_path, past):
    """S3-31."""
    async with cw.console(
        tmp_path, config=past.config, history=past.history, size=cw.LARGE
    ) as world:
        await shown(world)
        assert "2 runs unfinished · 1 cannot go on · 1.5 kB of parts" in world.lines[0]
        assert line(world, "GST sales").split()[2:] == [
            "OLD1",
            "‖",
            "stopped",
            "10:06",
            "5/8",
            "5,000",
            "1.5",
            "kB",
            "yes",
        ]
        assert "stopped: the disk is full." in world.lines[-2]
        assert "o goes on where it stopped" in world.lines[-2]
        await world.press("down")
        assert "The plan has changed: query" in world.lines[-2]


async def test_without_unfinished_runs_it_says_so(tmp_path):
    history = cw.FakeHistory(last_by_job={})
    async with cw.console(tmp_path, history=history, size=(60, 20)) as world:
        await shown(world)
        assert "nothing to resume" in world.text
        await world.press("o", "x", "E", "enter")
        await world.worked()
        assert world.engine.calls == []


async def test_what_is_not_read_yet_is_said_to_be_read(tmp_path, past):
    never = asyncio.Event()

    class Slow(cw.FakeHistory):
        def __getattr__(self, name):
            async def waits(*_, **__):
                await never.wait()

            return waits

    async with cw.console(tmp_path, config=past.config, history=Slow()) as world:
        await world.press("9")
        assert "reading …" in world.text
        never.set()


async def test_a_run_is_taken_up_where_it_stopped(tmp_path, past):
    """S3-31: resume."""
    engine = cw.FakeEngine()
    engine.answers["submit"] = past.good.run
    async with cw.console(
        tmp_path, config=past.config, history=past.history, engine=engine
    ) as world:
        await shown(world)
        await world.press("asterisk", "o")
        await world.worked()
        assert world.asked("submit") == [{"job": "gst_sales", "resume": True}]
        assert world.told[-1] == "GST sales goes on"
        await world.press("asterisk", "down", "o")
        await world.worked()
        assert len(world.asked("submit")) == 1
        await world.press("enter")
        await world.worked()
        assert world.app.view.NAME == "run"


async def test_what_is_deleted_can_be_kept_for_ten_seconds(tmp_path, past):
    """S3-31: delete."""
    async with cw.console(tmp_path, config=past.config, history=past.history) as world:
        await shown(world)
        await world.press("x")
        await world.worked()
        assert world.told[-1] == "the checkpoint of gst_sales (OLD1) goes in 10 s; u keeps it"
        await world.press("u")
        await world.worked()
        assert world.asked("records.discard") == []
        await world.press("delete")
        await world.worked()
        await world.app.desk.undoing.aclose()
        assert world.asked("records.discard") == [{"run": past.good.run}]


async def test_a_run_at_work_is_not_deleted_and_says_how_far_it_is(tmp_path, past):
    live = cw.run(past.good.run, status=RunStatus.RUNNING)
    engine = cw.FakeEngine(cw.snapshot([live]))
    async with cw.console(
        tmp_path, config=past.config, history=past.history, engine=engine
    ) as world:
        await shown(world)
        assert "by itself" in line(world, "GST sales")
        assert "5 of 8 done" in world.lines[-2]
        await world.press("x")
        await world.worked()
        assert "nothing here" in world.told[-1]
        await world.press("asterisk", "x")
        await world.worked()
        await world.app.desk.undoing.aclose()
        assert world.asked("records.discard") == [{"run": past.stuck.run}]
        assert "selected" not in world.lines[0]
        part = tmp_path / "parts" / past.good.run / "2.part"
        await asyncio.to_thread(part.write_bytes, b"x" * 1500)
        await world.now(cw.snapshot([live], at=cw.AT + 5))
        await shown_again(world)
        assert "1.5 kB" in line(world, "GST sales")
        await world.now(cw.snapshot([live], at=cw.AT + 20))
        await shown_again(world)
        assert "3.0 kB" in line(world, "GST sales")


async def shown_again(world):
    for _ in range(3):
        await asyncio.to_thread(lambda: None)
        await world.settle()


async def test_a_checkpoint_is_handed_on_as_other_programs_read_it(tmp_path, past):
    """S3-2: the file's six names."""
    target = tmp_path / "handed.json"
    async with cw.console(tmp_path, config=past.config, history=past.history) as world:
        await shown(world)
        view = world.app.view
        await view.do_export(str(target))
        said = json.loads(await asyncio.to_thread(target.read_text))
        assert list(said) == [
            "jobId",
            "jobName",
            "completedConnectionIds",
            "failedConnectionIds",
            "totalConnections",
            "lastUpdated",
        ]
        assert len(said["completedConnectionIds"]) == 5
        assert "5 connections of 8 in" in world.told[-1]
        await view.do_export(str(target))
        assert "is there already" in world.told[-1]
        await world.press("E")
        assert "write to:  gst_sales.json" in world.text
        await world.press("escape")
        await world.worked()


async def test_what_is_filtered_stays_filtered(tmp_path, past):
    async with cw.console(
        tmp_path, config=past.config, history=past.history, terminal=cw.ASCII
    ) as world:
        await world.press("colon")
        await world.type("checkpoints stock")
        await world.press("enter")
        await world.worked()
        await shown_again(world)
        assert "Stock snapshot" in world.text
        assert "GST sales" not in world.text


async def test_what_is_still_read_is_not_handed_on(tmp_path, past):
    never = asyncio.Event()

    async def reading(_):
        await never.wait()

    class Slow(cw.FakeHistory):
        def __getattr__(self, name):
            return reading if name == "connections" else super().__getattr__(name)

    history = Slow(**past.history.answers)
    async with cw.console(tmp_path, config=past.config, history=history) as world:
        await shown(world)
        assert "…" in line(world, "GST sales")
        await world.press("E")
        await world.worked()
        assert "still being read" in world.told[-1]
        await world.pilot.double_click(world.app.view.table, offset=(3, 1))
        await world.worked()
        assert world.app.view.NAME == "run"
        never.set()
