"""What `etltui show` says of a deadline."""

import asyncio
import json
from datetime import UTC, datetime

import pytest
from cli_desk import CONFIG, done
from doctor_desk import pools

from etltui.cli.due import due_words
from etltui.domain.deadline import Chance, Outlook
from etltui.domain.job import Job
from etltui.domain.plan import Plan
from etltui.domain.progress import Eta, RunView, Snapshot
from etltui.domain.queue import QueueMetrics
from etltui.domain.run import RunStatus
from etltui.domain.stored import RunRow

BEGUN = datetime(2026, 11, 21, 23, 5, tzinfo=UTC)
DUE = BEGUN.timestamp() + 3600


def plan(deadline="00:05", published=()):
    job = Job(name="j", title="J", connections=(), queries=(), destinations=(), deadline=deadline)
    return Plan(run="R", job=job, started=BEGUN, connections=(), targets=(), published=published)


def row(status, ended=None):
    return RunRow(
        run="R",
        job="j",
        title="J",
        status=status,
        plan_hash="h",
        attempt=1,
        total=1,
        started=BEGUN.timestamp(),
        ended=ended,
    )


@pytest.mark.parametrize(
    ("status", "ended", "now", "said"),
    [
        (RunStatus.COMPLETED, DUE, DUE + 9, "deadline 00:05 met"),
        (RunStatus.COMPLETED_WITH_ERRORS, DUE + 1, DUE + 9, "deadline 00:05 missed"),
        (RunStatus.STOPPED, DUE - 9, DUE + 9, "deadline 00:05 missed"),
        (RunStatus.STOPPED, DUE - 9, DUE - 5, "deadline 00:05"),
        (RunStatus.RUNNING, None, DUE - 5, "deadline 00:05"),
    ],
)
def test_n_26_what_became_of_a_deadline(status, ended, now, said):
    """N-26."""
    assert due_words(row(status, ended), plan(), timezone="UTC", now=now) == said


def test_n_26_what_becomes_of_it():
    """N-26: finishes 06:40 ± 8 min, 07:00 deadline safe."""
    found = Outlook(due=DUE, chance=Chance.SAFE, ends=DUE - 1200, band_s=480)
    at_work = row(RunStatus.RUNNING)
    now = DUE - 3000
    said = due_words(at_work, plan(), timezone="UTC", now=now, outlook=found)
    assert said == "finishes 23:45 ± 8 min, deadline 00:05 safe"
    unknown = Outlook(due=DUE, chance=None)
    said = due_words(at_work, plan(), timezone="UTC", now=now, outlook=unknown)
    assert said == "deadline 00:05"


def test_a_run_that_was_patched_later_is_not_said_to_be_late():
    patched = plan(published=("A",))
    late = row(RunStatus.COMPLETED, DUE + 9999)
    assert due_words(late, patched, timezone="UTC", now=DUE + 9999) == "deadline 00:05"


def test_without_a_deadline_nothing_is_said():
    done = row(RunStatus.COMPLETED, DUE)
    assert due_words(done, plan(deadline=""), timezone="UTC", now=DUE) == ""


def test_show_and_jobs_name_the_deadline(desk):
    timed = CONFIG.replace("[jobs.sales]", '[jobs.sales]\ndeadline = "23:59"\ncanary = true')
    desk.configure(timed, 'timezone = "UTC"')
    desk.now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    run = asyncio.run(desk.record(done("A"), status=RunStatus.COMPLETED))
    assert "  deadline 23:59 met" in desk.ask("show", run).stdout.splitlines()
    whole = desk.ask("jobs", "sales").stdout.splitlines()
    assert "  deadline 23:59" in whole
    assert "  canary: begins with one connection, then five" in whole
    told = json.loads(desk.ask("jobs", "sales", "--json").stdout)
    assert (told["deadline"], told["canary"]) == ("23:59", True)


def test_show_says_how_the_engine_at_work_sees_it(desk):
    timed = CONFIG.replace("[jobs.sales]", '[jobs.sales]\ndeadline = "23:59"')
    desk.configure(timed, 'timezone = "UTC"')
    due = desk.now.replace(hour=23, minute=59, second=0, microsecond=0).timestamp()
    begun = desk.plan()

    async def shown():
        async with await desk.open() as store:
            await store.create_run(begun, RunStatus.QUEUED)
            await store.move_run(begun.run, RunStatus.RUNNING)
            eta = Eta(left_s=7200, band_s=0)
            view = RunView(run=begun.run, job="sales", status=RunStatus.RUNNING, due=due, eta=eta)
            live = Snapshot(
                at=due - 3600,
                holder="",
                runs=(view,),
                pending=(),
                queue=QueueMetrics(),
                pools=pools(),
                pool_info=(),
                memory=0,
                threshold=0,
            )
            await store.put_live(live)
            return await asyncio.to_thread(desk.ask, "show", begun.run)

    told = asyncio.run(shown())
    assert "  finishes 00:59, deadline 23:59 at risk" in told.stdout.splitlines()
