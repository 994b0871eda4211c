"""What a job starts when a run of it has ended."""

import asyncio
import json
import logging
import os
import threading

import pytest

from etltui.domain.errors import ErrorClass
from etltui.domain.events import RunFinished, RunRetrying
from etltui.domain.job import Job, OnFinish, RetryPolicy
from etltui.domain.run import Output, RunResult, RunStatus
from etltui.engine.finish import KEPT, Command, Finisher
from fakes import Held, Script, TurnedClock, failure

HEARD = 'cat >> heard.json; echo "$ETLTUI_RUN $ETLTUI_JOB $ETLTUI_STATUS $OFFICE $PWD $*"'


class Desk:
    """A folder with a job in it whose runs have ended."""

    def __init__(self, folder):
        self.folder = folder
        self.clock = TurnedClock()
        self.finisher = Finisher(self.clock, dict)

    def script(self, text, mode=0o700):
        path = self.folder / "after"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(mode)

    def start(self, *command, folder=None, **result):
        facts = dict.fromkeys(("total", "completed", "failed", "skipped", "rows"), 0)
        ended = RunResult(
            run="R", job="sales", status=RunStatus.FAILED, seconds=0.0, **facts | result
        )
        job = Job(
            name="sales",
            title="",
            connections=(),
            queries=(),
            destinations=(),
            on_finish=OnFinish(command=command or ("./after",), timeout_s=60),
            folder=folder or self.folder,
        )
        self.finisher.start(ended, job)

    async def follow(self, *command, **more):
        """Start the command and wait for its end."""
        self.start(*command, **more)
        await self.finisher.aclose()

    @property
    def heard(self):
        """What the script was told, a run a line."""
        path = self.folder / "heard.json"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.INFO, logger="etltui.engine.finish")

    def lines():
        found = [r for r in caplog.records if r.name == "etltui.engine.finish"]
        return [(record.levelname, record.getMessage()) for record in found]

    return lines


async def test_it_is_told_how_the_run_ended(desk, log, monkeypatch):
    monkeypatch.setenv("OFFICE", "Kochi")
    desk.script(HEARD)
    await desk.follow("./after", "a b", "$HOME;`id`", rows=6, reason="why")
    [told] = desk.heard
    assert (told["type"], told["run"], told["job"]) == ("run_finished", "R", "sales")
    assert (told["status"], told["rows"], told["reason"]) == ("failed", 6, "why")
    said = f"R sales failed Kochi {desk.folder} a b $HOME;`id`"
    assert log() == [("INFO", f"on_finish of job sales, run R: done. It said: {said}")]


async def test_a_file_name_that_is_no_text_is_told(desk):
    desk.script(HEARD)
    output = Output(type="csv", path="b\udcff.csv", rows=0, bytes=0, final=True)
    await desk.follow(outputs=(output,))
    assert desk.heard[0]["outputs"][0]["path"] == output.path


async def test_who_reads_nothing_of_it_breaks_nothing(desk, log):
    desk.script("exec <&-; true")
    await desk.follow(reason="x" * 1_000_000)
    assert log() == [("INFO", "on_finish of job sales, run R: done. It said: nothing")]


@pytest.mark.parametrize("command", ["bin/sh", "~/bin/sh", "sh"])
async def test_a_path_starts_at_the_jobs_folder_and_a_name_is_looked_up(
    desk, log, monkeypatch, command
):
    monkeypatch.setenv("HOME", str(desk.folder))
    (desk.folder / "bin").symlink_to("/bin")
    await desk.follow(command, "-c", "echo from $PWD")
    assert log() == [
        ("INFO", f"on_finish of job sales, run R: done. It said: from {desk.folder}"),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("echo why >&2; exit 3", "./after ended with exit code 3."),
        ("echo why; kill -9 $$", "./after was ended by signal 9."),
    ],
)
async def test_its_failure_is_logged(desk, log, text, said):
    desk.script(text)
    await desk.follow()
    [(level, line)] = log()
    assert level == "ERROR"
    assert line.startswith(f"on_finish of job sales, run R: {said} ")
    assert line.endswith("by hand to see why. It said: why")


async def test_only_the_last_that_it_says_is_kept(desk, log):
    desk.script("head -c 300000 /dev/zero | tr '\\0' x; printf '\\377 the end'")
    await desk.follow()
    [(_, line)] = log()
    said = line.rpartition("It said: ")[2]
    assert said.endswith("x\N{REPLACEMENT CHARACTER} the end")
    assert len(said) == KEPT


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda _: None, "{0}/after: No such file or directory"),
        (lambda desk: desk.script("", mode=0o600), "{0}/after: Permission denied"),
        (lambda desk: (desk.folder / "after").mkdir(), "{0}/after: Permission denied"),
    ],
)
async def test_what_cannot_be_started_is_named(desk, log, make, said):
    make(desk)
    await desk.follow()
    [(level, line)] = log()
    assert level == "ERROR"
    assert f": ./after cannot be started: {said.format(desk.folder)}. The program, " in line


async def test_a_folder_that_is_gone_is_named(desk, log):
    gone = desk.folder / "gone"
    await desk.follow("sh", folder=gone)
    assert f": sh cannot be started: {gone}: No such file or directory. " in log()[0][1]


async def test_a_word_that_no_program_can_be_given_is_said(desk, log):
    await desk.follow("sh", "a\0b")
    assert ": sh cannot be started: embedded null byte. " in log()[0][1]


async def test_one_that_takes_too_long_is_killed_with_all_that_it_started(desk, log):
    for name in ("begun", "lives", "never"):
        os.mkfifo(desk.folder / name)
    desk.script("echo at work\n(read x < never) > lives &\necho > begun; read x < never")
    desk.start()
    with await asyncio.to_thread((desk.folder / "lives").open, "rb") as lives:
        await asyncio.to_thread((desk.folder / "begun").read_bytes)
        assert log() == []
        await desk.clock.until_asleep()
        desk.clock.turn(60)
        await desk.finisher.aclose()
        # Nobody holds the other end any more.
        assert await asyncio.to_thread(lives.read) == b""
    [(level, line)] = log()
    assert level == "ERROR"
    assert ": ./after was killed after 60 s. Raise on_finish.timeout_s, " in line


def test_one_that_starts_only_when_it_has_been_given_up_is_killed(desk):
    os.mkfifo(desk.folder / "never")
    desk.script("read x < never")
    command = Command([str(desk.folder / "after")], folder=desk.folder, environ={}, line=b"")
    # As long as starting it blocks there is nothing to kill.
    command.kill()
    assert command.start().result() == -9
    # And afterwards there is nothing, either.
    command.kill()


async def test_a_thread_of_a_killed_one_ends(desk):
    os.mkfifo(desk.folder / "never")
    desk.script("read x < never")
    before = set(threading.enumerate())
    desk.start()
    await desk.clock.until_asleep()
    [thread] = [t for t in set(threading.enumerate()) - before if t.name == "on_finish"]
    desk.clock.turn(60)
    await desk.finisher.aclose()
    await asyncio.to_thread(thread.join)


def heard(world):
    return Desk(world.folder).heard


@pytest.fixture
def after(world):
    """The world, with a script that every run of its job ends in."""
    Desk(world.folder).script(HEARD)
    world.job(on_finish=OnFinish(command=("./after",)))
    return world


async def test_a_run_is_followed_by_it_and_an_engine_waits_for_it(after):
    result = await after.run()
    await after.engine.aclose()
    [told] = heard(after)
    assert (told["run"], told["status"]) == (result.run, "completed")
    assert told["outputs"][0]["path"] == after.target


async def test_one_that_fails_does_not_change_how_the_run_ended(after, log):
    Desk(after.folder).script("exit 1")
    assert (await after.run()).status is RunStatus.COMPLETED
    await after.engine.aclose()
    assert [level for level, _ in log()] == ["ERROR"]


async def test_a_job_without_one_and_a_run_without_a_job_start_nothing(after, log):
    after.job("other", destinations=after.jobs["sales"].destinations, on_finish=None)
    await after.run("other")
    held = Held()
    after.leases.extracts["A"] = Script(held)
    handle = await after.submit()
    await held.reached.wait()
    waiting = await after.submit("other", delay_s=60)
    del after.jobs["other"]
    await after.engine.cancel(waiting.run)
    del after.jobs["sales"]
    await after.engine.aclose()
    # The run that had begun knows its job.
    assert [told["run"] for told in heard(after)] == [handle.run]
    assert len(log()) == 1


async def test_no_run_waits_for_it(after, log):
    os.mkfifo(after.folder / "never")
    Desk(after.folder).script("read x < never")
    assert (await after.run()).status is RunStatus.COMPLETED
    assert (await after.run()).status is RunStatus.COMPLETED
    await after.clock.until_asleep(2)
    assert log() == []
    after.clock.turn(60)


@pytest.fixture
async def again(after):
    """A job whose runs fail once more than they are tried; until then time passes by itself."""
    after.job(retry=RetryPolicy(retries=1, delay_s=60))
    for name in "ABC":
        after.leases.opens[name] = Script(failure(ErrorClass.UNREACHABLE))

    async def turn():
        while True:
            await after.clock.turn_to_next()
            # Whoever was woken goes on before the next turn.
            await asyncio.sleep(0)

    turning = asyncio.create_task(turn())
    after.bus.listen(lambda event: isinstance(event, RunFinished) and turning.cancel())
    yield after
    turning.cancel()


async def test_a_run_that_gets_another_turn_has_not_ended(again):
    assert (await again.run()).status is RunStatus.FAILED
    await again.engine.aclose()
    assert len(again.happened(RunRetrying)) == 1
    assert [told["status"] for told in heard(again)] == ["failed"]


@pytest.mark.parametrize("resident", [True, False])
async def test_a_run_that_another_engine_goes_on_with_has_not_ended(again, log, resident):
    again.resident = resident
    again.renew()

    def stop(event):
        if isinstance(event, RunRetrying):
            again.engine.queue._turns[event.run].stop(RunStatus.STOPPED, "enough")

    again.bus.listen(stop)
    await again.run()
    await again.engine.aclose()
    assert len(again.happened(RunRetrying)) == 1
    assert [told["reason"] for told in heard(again)] == ([] if resident else ["enough"])
    assert len(log()) == (0 if resident else 1)


async def test_a_run_that_never_began_ends_in_it_too(after):
    handle = await after.submit(delay_s=60)
    await after.engine.cancel(handle.run)
    await after.engine.aclose()
    [told] = heard(after)
    assert (told["run"], told["status"]) == (handle.run, "cancelled")


async def test_a_run_that_keeps_its_place_has_not_ended(after):
    after.resident = True
    after.renew()
    await after.submit(delay_s=60)
    await after.engine.aclose()
    assert heard(after) == []
