"""The question after a crash: resume, discard, later."""

import console_world as cw
from console_past import crashed, row
from etltui.domain.errors import PlanChangedError
from etltui.domain.run import ConnectionResult, ConnectionStatus
from etltui.domain.stored import ConnectionRow


def safe(number, done):
    status = ConnectionStatus.COMPLETED if done else ConnectionStatus.FAILED
    name = f"branch_{number:03d}"
    result = ConnectionResult(connection=name, status=status)
    return ConnectionRow(run=crashed().run, number=number, connection=name, hash="h", result=result)


def stopped(*rows):
    return cw.FakeHistory(
        crashed=list(rows or [crashed()]), connections=[safe(n, n < 4) for n in range(1, 6)]
    )


async def test_what_a_crash_stopped_is_asked_about_once_and_resumed(tmp_path):
    engine = cw.FakeEngine()
    engine.answers["submit"] = crashed().run
    async with cw.console(tmp_path, engine=engine, history=stopped()) as world:
        assert "1 run was stopped by a crash" in world.lines[0]
        assert "GST sales" in world.text
        assert "3/8" in world.text
        await world.press("r")
        assert world.asked("submit") == [{"job": "gst_sales", "resume": True}]
        assert "stopped by a crash" not in world.text
        assert "Nothing runs" in world.text


async def test_what_cannot_be_resumed_stays_in_the_question(tmp_path):
    engine = cw.FakeEngine()
    engine.answers["submit"] = PlanChangedError(run="R", job="gst_sales", differences=["query"])
    async with cw.console(tmp_path, engine=engine, history=stopped()) as world:
        await world.press("r")
        assert "was started with another plan" in world.told[0]
        assert "1 run was stopped by a crash" in world.text


async def test_later_leaves_everything_as_it_is(tmp_path):
    async with cw.console(tmp_path, history=stopped()) as world:
        await world.press("escape")
        assert "Nothing runs" in world.text
        assert world.engine.calls == []


async def test_a_discarded_run_can_be_kept_for_ten_seconds(tmp_path):
    async with cw.console(tmp_path, history=stopped()) as world:
        await world.press("x")
        assert "Nothing runs" in world.text
        assert world.told == ["run CRSH of GST sales is discarded in 10 s; u keeps it"]
        await world.press("u")
        assert world.told[1:] == ["kept: run CRSH of GST sales is discarded"]
    assert world.asked("records.discard") == []


async def test_a_discarded_run_is_gone_when_the_console_ends(tmp_path):
    history = stopped(crashed(), row("20261118T080000Z-TWO2"))
    async with cw.console(tmp_path, history=history) as world:
        assert "2 runs were stopped by a crash" in world.text
        await world.press("asterisk", "x")
    found = {each["run"] for each in world.asked("records.discard")}
    assert found == {crashed().run, "20261118T080000Z-TWO2"}


async def test_whoever_only_looks_is_told_and_not_asked(tmp_path):
    async with cw.console(tmp_path, history=stopped(), read_only=True) as world:
        assert world.told == ["1 run stopped by a crash; 9 shows what is safe"]
        assert "Nothing runs" in world.text
