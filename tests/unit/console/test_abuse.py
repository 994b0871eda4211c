"""A console that is not spared: terminals of every size, keys at random, while a run goes on."""

import asyncio
import random

import pytest
from textual import events

import console_gallery as gallery
import console_world as cw
from etltui.console.cells import text_of
from etltui.console.log_reader import LogReader
from etltui.domain.errors import StateError
from etltui.domain.events import RunFinished, RunProgress
from etltui.domain.run import ConnectionStatus, RunResult, RunStatus

S = ConnectionStatus
BRANCHES = 40
STEPS = 200
KEYS = (
    *(entry for entry in gallery.VIEWS.values()),
    *"abcefghijklmnoprstuvwxyzBCDEFGHIJKLMNOPRSTUVWXYZ",
    *("up", "down", "left", "right", "home", "end", "pageup", "pagedown", "space", "tab"),
    *("enter", "escape", "backspace", "delete", "slash", "colon", "question_mark", "ctrl+p"),
    *("asterisk", "plus", "minus", "left_square_bracket", "right_square_bracket", "number_sign"),
)
"""All that is pressed in a console but what leaves it, or could be typed to leave it."""
SIZES = ((20, 6), (60, 20), (80, 24), (120, 40), (200, 60), (7, 3), (41, 11), (1, 1))


@pytest.fixture(autouse=True)
def _here(monkeypatch, tmp_path):
    """Files that are exported lie in the test's folder; no thread reads a log."""
    monkeypatch.setattr(LogReader, "start", lambda _: None)
    monkeypatch.chdir(tmp_path)


async def resized(world, columns, lines):
    await world.pilot.resize_terminal(columns, lines)


def pressed(world, key):
    character = key if len(key) == 1 else None
    world.app.post_message(events.Key(key, character))


def run_at(step):
    """The run as it is at a step: one connection after the other gets through or fails."""
    ended = step * BRANCHES // STEPS
    views = []
    for n in range(1, BRANCHES + 1):
        if n <= ended and n % 7 == 0:
            views.append(cw.connection(n, S.FAILED, tries=3, trouble=gallery.AWAY))
        elif n <= ended:
            views.append(cw.connection(n, S.COMPLETED, tries=1, rows=1000 * n))
        elif n <= ended + 4:
            views.append(cw.connection(n, S.RUNNING, tries=1, rows=step * n, since=cw.AT))
        else:
            views.append(cw.connection(n, S.WAITING))
    status = RunStatus.COMPLETED_WITH_ERRORS if step == STEPS else RunStatus.RUNNING
    return cw.run(
        gallery.RUN, connections=views, total=BRANCHES, title="GST sales", status=status,
        changed=cw.AT + step * 0.1,
    )  # fmt: skip


def happened(engine, step, run):
    """Tell of the step."""
    known = {"at": cw.AT + step * 0.1, "run": gallery.RUN, "job": "gst_sales"}
    if step == STEPS:
        result = RunResult(
            run=run.run, job=run.job, status=run.status, total=run.total, completed=run.completed,
            failed=run.failed, skipped=0, rows=run.rows, seconds=20.0,
        )  # fmt: skip
        engine.happen(RunFinished(**known, result=result))
    else:
        engine.happen(
            RunProgress(
                **known,
                step=run.step,
                percent=step // 2,
                completed=run.completed,
                failed=run.failed,
                total=run.total,
                rows=run.rows,
            )
        )


@pytest.mark.timeout(180)
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
async def test_two_hundred_sizes_and_keys_at_random_while_a_run_goes_on(tmp_path, seed):
    """What is shown in the end is how the engine stands in the end."""
    chance = random.Random(seed)
    stand = await asyncio.to_thread(gallery.many, tmp_path, BRANCHES)
    async with gallery.hung(tmp_path, stand, toasts=True) as world:
        refused = StateError("not now")
        names = ("inquiries.estimate", "inquiries.test", "inquiries.dry_run", "submit", "retry")
        world.engine.answers.update(
            dict.fromkeys((*names, "options.check", "queue.clear"), refused)
        )
        await gallery.quiet(world)
        for step in range(1, STEPS + 1):
            run = run_at(step)
            world.engine.now = cw.snapshot([run], at=cw.AT + step * 0.1)
            happened(world.engine, step, run)
            for _ in range(3):
                pressed(world, chance.choice(KEYS))
            await resized(world, *chance.choice(SIZES))
            if step % 4 == 0:
                await world.app.bridge.next(busy=True)
                world.app.redraw()
                await world.pilot.pause()
        await resized(world, *cw.LARGE)
        await world.press(*["escape"] * 8)
        await world.now(world.engine.now)
        assert world.app._exception is None
        world.app.go("run", gallery.RUN)
        await world.settle()
        view = world.app.view
        view.hidden = set()
        view.filter_by("")
        await world.settle()
        at = [column.id for column in view.table.columns].index("rows")
        shown = {row.key: row.cells[at] for row in view.table.rows}
        assert {name: text_of(cell) for name, cell in shown.items()} == {
            each.connection: f"{each.rows:,}" if each.status is S.COMPLETED else "–"
            for each in run.connections.values()
        }
        assert f"{run.completed}/{BRANCHES} done · {run.failed} failed" in world.text
        world.app.go("monitor")
        await world.settle()
        assert "0 running" in world.lines[0]
        assert f"{run.completed}/{BRANCHES}" in world.text


async def test_a_key_that_came_for_the_view_before_is_for_none(tmp_path):
    """The next view is in sight a moment before it has the keyboard."""
    stand = await asyncio.to_thread(gallery.running, tmp_path)
    async with gallery.hung(tmp_path, stand) as world:
        before = world.app.view
        await world.press("2")
        before.action_command("monitor.cancel")
        await world.worked()
        assert "Cancel" not in world.text
        assert world.asked("cancel") == []


@pytest.mark.timeout(60)
async def test_every_view_comes_back_from_a_terminal_of_next_to_nothing(tmp_path):
    stand = await asyncio.to_thread(gallery.failing, tmp_path)
    async with gallery.hung(tmp_path, stand) as world:
        for view in gallery.VIEWS:
            await gallery.visit(world, view, stand)
            before = world.lines
            for size in ((20, 6), (1, 1), (80, 2), (3, 24), cw.SMALL):
                await resized(world, *size)
                await world.settle()
                assert len(world.lines) == size[1]
            assert world.lines == before, view
