"""The fleet on the screen, and what its keys do."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

import console_world as cw
from console_past import row
from etltui.domain import inquiry
from etltui.domain.errors import ErrorClass, StateError, Trouble
from etltui.domain.logbook import Hold, Outcome
from etltui.domain.run import ConnectionResult, ConnectionStatus
from etltui.domain.stored import ConnectionRow

S = ConnectionStatus
LOGIN = Trouble(error_class=ErrorClass.LOGIN, message="password refused for reader")


def outcome(number, status=S.COMPLETED, *, ago=120, rows=1000, error=None):
    return Outcome(
        connection=f"branch_{number:03d}",
        job="gst_sales",
        run=row().run,
        at=cw.AT - ago,
        status=status,
        rows=rows,
        seconds=1.0,
        error_class=error,
    )


OUTCOMES = [
    outcome(1, ago=500),
    outcome(2, ago=400),
    outcome(1),
    outcome(2, S.FAILED, error=ErrorClass.LOGIN, rows=0),
]
FAILED_ROW = ConnectionRow(
    run=row().run,
    number=2,
    connection="branch_002",
    hash="h",
    result=ConnectionResult(connection="branch_002", status=S.FAILED, trouble=LOGIN),
)


def past(**answers):
    return cw.FakeHistory(**{"outcomes": OUTCOMES, "holds": [], **answers})


@asynccontextmanager
async def fleet(tmp_path, *, branches=8, history=None, **options):
    config = await asyncio.to_thread(cw.configured, tmp_path, branches=branches)
    options.setdefault("engine", cw.FakeEngine())
    async with cw.console(
        tmp_path, config=config, history=history or past(), start="connections", **options
    ) as world:
        # By name, so that a test knows which branch a line is.
        world.app.view.sort = "name"
        world.app.redraw()
        await world.press("g")
        yield world


def line(world, name):
    return next(each for each in world.lines if each[1:].startswith(name))


async def test_what_is_wrong_stands_first(tmp_path):
    async with fleet(tmp_path) as world:
        world.app.view.sort = ""
        world.app.redraw()
        await world.settle()
        shown = [each for each in world.lines if each.startswith(" branch_")]
        bad = ["✗" in each for each in shown]
        assert bad == sorted(bad, reverse=True)
        assert bad[0]
        assert not bad[-1]


@pytest.mark.parametrize("size", [cw.SMALL, cw.LARGE, (60, 20)])
async def test_each_branch_shows_how_it_was_read_last(tmp_path, size):
    async with fleet(tmp_path, size=size) as world:
        assert "✗ login" in line(world, "branch_002")
        assert "50%" in line(world, "branch_002")
        assert "✓ completed" in line(world, "branch_001")
        assert "1,000" in line(world, "branch_001")
        assert "· never read" in line(world, "branch_003")
        assert "8 connections · 1 failed last" in world.lines[0]


async def test_a_branch_without_colour_or_unicode_says_the_same(tmp_path):
    async with fleet(tmp_path, terminal=cw.ASCII) as world:
        assert "x login" in line(world, "branch_002")
        assert world.text.isascii()


async def test_a_failed_branch_says_what_to_try_and_whom_to_call(tmp_path):
    async with fleet(tmp_path, size=cw.LARGE) as world:
        await world.press("j")
        assert "login: The database does not accept this user" in world.lines[-2]
        assert "call Branch 002" in world.lines[-2]


async def test_what_is_at_work_is_shown_as_it_goes(tmp_path):
    run = cw.run(connections=[cw.connection(2, S.RUNNING, step="Executing query", since=cw.AT)])
    async with fleet(tmp_path) as world:
        await world.now(cw.snapshot([run]))
        assert "◐ querying" in line(world, "branch_002")


async def test_all_branches_are_asked_and_answer_one_group_after_the_other(tmp_path):
    """N-25: a test of each branch."""
    engine = cw.FakeEngine()

    def tested(connections):
        return tuple(
            inquiry.Tested(
                connection=name,
                milliseconds=12.5,
                trouble=LOGIN if name == "branch_002" else None,
            )
            for name in connections
        )

    engine.answers["inquiries.test"] = tested
    async with fleet(tmp_path, branches=20, engine=engine) as world:
        assert "ANSWER" not in world.text
        await world.press("asterisk", "T")
        asked = [each["connections"] for each in world.asked("inquiries.test")]
        assert sorted(map(len, asked)) == [4, 8, 8]
        assert "12.5 ms" in line(world, "branch_001") or "12.5 ms" in world.text
        assert "login" in next(each for each in world.lines if "branch_002" in each)
        assert world.told == ["19 answered, 1 login"]


async def test_a_test_that_the_engine_refuses_leaves_nothing_behind(tmp_path):
    engine = cw.FakeEngine()
    engine.answers["inquiries.test"] = StateError("the state folder is gone")
    async with fleet(tmp_path, engine=engine) as world:
        await world.press("T")
        assert world.told == ["the state folder is gone"]
        assert "ANSWER" not in world.text
        assert "being asked" not in world.text


async def test_branches_are_held_with_a_reason_and_released(tmp_path):
    async with fleet(tmp_path) as world:
        await world.press("H")
        assert "hold branch_001, because:" in world.text
        await world.type("line cut")
        await world.press("enter")
        assert world.asked("records.hold") == [
            {"connections": ("branch_001",), "reason": "line cut"}
        ]
        await world.press("H", "enter")
        assert len(world.asked("records.hold")) == 1
    held = Hold(connection="branch_001", reason="line cut", who="op@hq", since=cw.AT - 60)
    async with fleet(tmp_path, history=past(holds=[held])) as world:
        assert "‖ held" in line(world, "branch_001")
        assert "Held by op@hq since 2026-11-18 11:05:40: line cut" in world.text
        assert "1 held" in world.lines[0]
        await world.press("H")
        assert world.asked("records.release") == [{"connections": ("branch_001",)}]


async def test_a_tag_is_asked_for_and_filters(tmp_path):
    async with fleet(tmp_path) as world:
        await world.press("number_sign", "s", "o", "tab", "enter")
        assert "/tag=south 4/8" in world.lines[0]
        assert "branch_001" not in world.text
        await world.press("number_sign", "enter")
        assert "branch_001" in world.text


async def test_tags_are_changed_and_the_configuration_read_anew(tmp_path):
    async with fleet(tmp_path) as world:
        local = '[connections.branch_001]\ntags = ["hq"]\n'
        path = tmp_path / "etltui.local.toml"
        await asyncio.to_thread(path.write_text, local, encoding="utf-8")
        await world.press("plus", "plus", "h", "q", "space", "minus", "n", "enter")
        if commands := [each for each in world.app.workers if each.group == "commands"]:
            await world.app.workers.wait_for_complete(commands)
        await world.settle()
        assert world.asked("options.tag") == [
            {"connections": ("branch_001",), "add": ("hq",), "remove": ("n",)}
        ]
        assert "hq" in line(world, "branch_001")


async def test_tags_without_a_name_change_nothing(tmp_path):
    async with fleet(tmp_path) as world:
        await world.press("plus", "plus", "enter")
        assert world.asked("options.tag") == []
        assert "write +tag" in world.told[0]


async def test_a_branch_in_full_shows_its_error_its_runs_and_whom_to_call(tmp_path):
    history = past(
        connection_history=[OUTCOMES[3], OUTCOMES[1]],
        connections=[FAILED_ROW],
    )
    async with fleet(tmp_path, history=history) as world:
        await world.press("j", "enter")
        assert "login: password refused for reader" in world.text
        assert "✓✗" in world.text
        assert "Branch 002, +91" in world.text
        await world.press("escape")
        assert "LAST READ" in world.text


async def test_a_failure_whose_run_is_gone_is_told_by_its_class(tmp_path):
    history = past(connection_history=[OUTCOMES[3]], connections=[])
    async with fleet(tmp_path, history=history) as world:
        await world.press("j", "enter")
        assert "login: login; its run is no longer recorded" in world.text


async def test_a_job_is_run_on_what_is_selected(tmp_path):
    engine = cw.FakeEngine()
    engine.answers["inquiries.estimate"] = inquiry.Estimate(
        job="stock",
        connections=1,
        known=0,
        rows=0,
        targets=(),
        eta=None,
        memory=1,
        memory_is="nothing",
        disks=(),
    )
    async with fleet(tmp_path, engine=engine) as world:
        await world.press("space", "space", "r")
        assert "run on 2 connections the job:" in world.text
        await world.type("nosuch")
        await world.press("enter")
        assert "there is no job 'nosuch'" in world.told[-1]
        await world.press("r", "s", "tab", "enter")
        assert "stock does not read 1 connection of those selected" in world.told[-1]
        await world.press("enter")
        assert world.asked("submit") == [{"job": "stock", "only": ("branch_001",)}]


async def test_a_branch_that_is_closed_is_not_asked(tmp_path):
    more = '\n[connections.branch_009]\nurl = "sqlite:///b.db"\nclosed = 2020-01-01\n'
    config = await asyncio.to_thread(cw.configured, tmp_path, more=more)
    async with cw.console(tmp_path, config=config, history=past(), start="connections") as world:
        await world.press("G", "T")
        assert "» closed" in line(world, "branch_009")
        assert world.asked("inquiries.test") == []
        assert "closed or not yet open" in world.told[0]


async def test_without_connections_the_list_says_what_makes_some(tmp_path):
    async with fleet(tmp_path) as world:
        world.app.config = replace(world.app.config, connections=())
        world.app.redraw()
        await world.settle()
        assert "The configuration has no connection yet." in world.text


async def test_500_branches_are_painted_only_where_something_has_changed(tmp_path):
    """The rows of a moment that differs at one branch are the same objects but for that one."""
    async with fleet(tmp_path, branches=500) as world:
        view = world.app.view
        before = view.table.rows
        assert len(before) == 500
        await world.now(cw.snapshot(at=cw.AT + 1))
        assert all(one is other for one, other in zip(before, view.table.rows, strict=True))
        run = cw.run(connections=[cw.connection(7, S.RUNNING, since=cw.AT)])
        await world.now(cw.snapshot([run], at=cw.AT + 1))
        changed = [
            other.key
            for one, other in zip(before, view.table.rows, strict=True)
            if one is not other
        ]
        assert changed == ["branch_007"]


async def test_only_looking_changes_nothing(tmp_path):
    async with fleet(tmp_path, read_only=True) as world:
        await world.press("H", "plus", "r")
        assert world.engine.calls == []
        assert len(world.told) == 3


async def test_the_fleet_is_sorted_by_how_well_it_answers(tmp_path):
    async with fleet(tmp_path) as world:
        for column, first in (("reliability", "002"), ("ok", "002"), ("-rows", "002")):
            await world.press("colon")
            await world.type(f"sort {column}")
            await world.press("enter")
            assert world.lines[2].startswith(f" branch_{first}")


async def test_the_line_below_says_what_the_row_means(tmp_path):
    far = replace(outcome(3, rows=0), far="empty, usually 1,000")
    held = Hold(connection="branch_004", reason="line cut", who="op@hq", since=cw.AT - 60)
    history = past(outcomes=[*OUTCOMES, far], holds=[held])
    lost = Trouble(error_class=ErrorClass.LOST, message="reset by peer")
    run = cw.run(connections=[cw.connection(5, S.RETRYING, since=cw.AT, trouble=lost)])
    engine = cw.FakeEngine(cw.snapshot([run]))
    async with fleet(tmp_path, history=history, engine=engine) as world:
        said = []
        for _ in range(5):
            said.append(world.lines[-2].strip())
            await world.press("j")
        assert said[0] == "Branch 001, +91 80 5550 0001"
        assert said[1].startswith("login: ")
        assert said[2] == "empty, usually 1,000"
        assert said[3].startswith("Held by op@hq")
        assert said[4].startswith("lost: ")


async def test_a_question_that_is_left_changes_nothing(tmp_path):
    async with fleet(tmp_path) as world:
        await world.press("H", "escape", "plus", "escape", "number_sign", "escape", "r", "escape")
        assert world.engine.calls == []
        assert "branch_001" in world.text


async def test_answers_are_sorted_the_fastest_first_and_those_without_last(tmp_path):
    engine = cw.FakeEngine()

    def tested(connections):
        return tuple(
            inquiry.Tested(
                connection=name,
                milliseconds=100.0 - number,
                trouble=LOGIN if name == "branch_008" else None,
            )
            for number, name in enumerate(connections)
        )

    engine.answers["inquiries.test"] = tested
    async with fleet(tmp_path, engine=engine) as world:
        await world.press("asterisk", "T", "colon")
        await world.type("sort answer")
        await world.press("enter")
        names = [each.key for each in world.app.view.table.rows]
        assert names[0] == "branch_007"
        assert names[-1] == "branch_008"


async def test_as_long_as_the_store_is_asked_no_branch_is_called_never_read(tmp_path):
    told = asyncio.Event()

    class Slow(cw.FakeHistory):
        async def outcomes(self, _):
            await told.wait()
            return OUTCOMES

    async with fleet(tmp_path, history=Slow(holds=[])) as world:
        assert "reading …" in line(world, "branch_001")
        assert "never read" not in world.text
        told.set()
        await world.settle()
        assert "✓ completed" in line(world, "branch_001")
        assert "never read" in line(world, "branch_003")
