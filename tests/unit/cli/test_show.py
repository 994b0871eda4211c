"""`etltui show` and `etltui runs`: what is usual, what waits, what never began."""

import asyncio
import json
from dataclasses import replace

import pytest
from cli_desk import CONFIG, done, failed
from doctor_desk import pools

from etltui.domain.errors import ADVICE, ErrorClass
from etltui.domain.progress import Snapshot
from etltui.domain.queue import Ask, Mode, QueueEntry, QueueMetrics
from etltui.domain.run import RunStatus
from etltui.domain.verdict import Judged, Verdict
from etltui.domain.words import words

RUN = "20261121T230500Z-QQQ{}"


def entry(number, **changes):
    usual = {"job": "sales", "type": "extract", "priority": 100, "keep": True}
    usual |= {"submitted": 1_800_000_000.0 + number, "owner": "asha@desk"}
    return QueueEntry(**{"run": RUN.format(number)} | usual | changes)


def queue(desk, *entries, ended=None):
    """Let entries wait in a store that is closed again; the first may have ended by now."""

    async def wait():
        async with await desk.open() as store:
            for each in entries:
                await store.enqueue([each], "GST sälés")
            if ended is not None:
                await store.dequeue([entries[0].run], ended, "why not")

    asyncio.run(wait())


def lines(told):
    assert told.exit_code == 0
    return [" ".join(line.split()) for line in told.output.splitlines()]


def told_json(told):
    assert told.exit_code == 0
    return [json.loads(line) for line in told.output.splitlines()]


def record(desk, *results, **more):
    return asyncio.run(desk.record(*results, **more))


def past(desk):
    """Three runs of A and B, and one that is shown: how it was, not how it became later."""
    for rows in (10, 1200, 2000):
        record(desk, done("A", 6), done("B", rows), done("C", 8), status=RunStatus.COMPLETED)
    run = record(
        desk, done("A", 7), done("B", 0), failed("C"), status=RunStatus.COMPLETED_WITH_ERRORS
    )
    for _ in range(9):
        record(desk, done("A", 100), done("B", 0), done("C", 0), status=RunStatus.COMPLETED)
    return run


def test_a_run_is_shown_beside_what_was_usual_before_it(desk):
    desk.configure()
    run = past(desk)
    table = lines(desk.ask("show", run))
    table = table[table.index("# CONNECTION STATUS ROWS USUAL TIME") :]
    assert table[1:4] == [
        "1 A ✓ completed 7 6 –",
        "2 B ✓ completed 0 1,200 – empty, usually 1,200",
        "3 C ✗ failed – 8 –",
    ]
    [shown] = told_json(desk.ask("show", run, "--json"))
    assert [each["usual_rows"] for each in shown["results"]] == [6, 1200, 8]
    assert "place" not in shown


def test_what_was_changed_is_counted_or_said_in_a_sentence(desk):
    desk.configure()
    notes = {"long number as text": 1200, "column ts is mixed instead of timestamptz": 1}
    notes |= {"missing: city, state": 2}
    run = record(desk, replace(done("A"), notes=notes), status=RunStatus.COMPLETED)
    [line] = [each for each in lines(desk.ask("show", run)) if each.startswith("1 A")]
    assert line.endswith(
        "– 1,200 x long number as text, column ts is mixed instead of timestamptz, "
        "missing: city, state"
    )


def test_n_8_n_2_what_is_to_be_thought_of_rows_and_the_limit_that_was_learned_stand_there(desk):
    desk.configure()
    for _ in range(3):
        record(desk, done("A", 6), done("B", 10), done("C", 8), status=RunStatus.COMPLETED)
    off = Judged(verdict=Verdict.DAY_OFF, why="a holiday in the calendar tamil")
    low = Judged(verdict=Verdict.BELOW, why="less than half the usual 10 on Sundays")
    run = record(
        desk,
        replace(done("A", 0), judged=off),
        replace(done("B", 4), judged=low),
        replace(done("C", 8), judged=Judged(verdict=Verdict.OK), limit="3 x the longest, 28 s"),
        status=RunStatus.COMPLETED,
    )
    table = lines(desk.ask("show", run))
    table = table[table.index("# CONNECTION STATUS ROWS USUAL TIME") :]
    assert table[1:4] == [
        "1 A ✓ completed 0 6 – a holiday in the calendar tamil",
        "2 B ✓ completed 4 10 – less than half the usual 10 on Sundays",
        "3 C ✓ completed 8 8 – time limit 3 x the longest, 28 s",
    ]
    [shown] = told_json(desk.ask("show", run, "--json"))
    assert [each["verdict"] for each in shown["results"]] == ["day_off", "below", "ok"]


def test_the_first_run_has_nothing_usual(desk):
    desk.configure()
    run = record(desk, done("A"), status=RunStatus.STOPPED)
    assert "1 A ✓ completed 6 – –" in lines(desk.ask("show", run))
    [shown] = told_json(desk.ask("show", run, "--json"))
    assert {each["usual_rows"] for each in shown["results"]} == {None}


@pytest.mark.parametrize("error_class", ErrorClass)
def test_each_failure_says_what_it_means_what_to_try_and_whom_to_call(desk, error_class):
    """N-38."""
    branch = '[connections.A]\ncontact = "Asha, +91 80 5550 0001"'
    desk.configure(CONFIG.replace("[connections.A]", branch))
    run = record(desk, failed("A", error_class, "so it went"), status=RunStatus.FAILED)
    advice = ADVICE[error_class]
    shown = lines(desk.ask("show", run))
    assert f"A {words(error_class)}: so it went. Contact: Asha, +91 80 5550 0001." in shown
    assert shown[-2:] == [
        f"→ {words(error_class)} (1): {advice.means} {advice.try_}",
        "Go on with: etltui run sales --resume",
    ]


def test_what_waits_for_an_engine_keeps_its_place(desk):
    desk.configure("", settings='timezone = "UTC"')
    queue(
        desk,
        entry(1),
        entry(2, priority=1, not_before=1_800_000_060.0),
        entry(3, keep=False),
        entry(4, taken=True),
    )
    listed = lines(desk.ask("runs"))[1:]
    assert [line.split(" –/")[0] for line in listed] == [
        "QQQ4 sales stopped",
        "QQQ3 sales stopped",
        "QQQ2 sales queued, place 1",
        "QQQ1 sales queued, place 2",
    ]
    found = {each["run"]: each for each in told_json(desk.ask("runs", "--json"))}
    assert [found[RUN.format(n)].get("place") for n in (1, 2, 3, 4)] == [2, 1, None, None]
    assert lines(desk.ask("show", "QQQ2")) == [
        f"sales ▸ run {RUN.format(2)} queued",
        "GST sälés; asked for 2027-01-15 08:00:02, not begun",
        (
            "place 1 of 2 in the queue, priority 1, not before 2027-01-15 08:01:00; "
            "asked for by asha@desk"
        ),
    ]
    [shown] = told_json(desk.ask("show", "QQQ1", "--json"))
    assert (shown["status"], shown["place"], shown["results"]) == ("queued", 2, [])


def test_while_an_engine_runs_its_order_counts(desk):
    desk.configure()
    entries = [entry(1, keep=False), entry(2), entry(3), entry(4, taken=True)]
    live = Snapshot(
        at=0.0,
        holder="x",
        runs=(),
        pending=(entries[2], entries[0]),
        queue=QueueMetrics(),
        pools=pools(),
        pool_info=(),
        memory=0,
        threshold=0,
    )
    queue(desk, *entries[1:])

    async def ask():
        async with await desk.open() as store:
            # It ends with this engine.
            await store.enqueue([entries[0]], "GST sälés")
            await store.put_live(live)
            return await asyncio.to_thread(desk.ask, "runs", "--json")

    found = {each["run"]: each for each in told_json(asyncio.run(ask()))}
    assert [found[RUN.format(n)].get("place") for n in (1, 2, 3, 4)] == [2, 3, 1, None]


@pytest.mark.parametrize("status", [RunStatus.CANCELLED, RunStatus.FAILED])
def test_a_run_that_never_began_is_shown(desk, status):
    desk.configure("", settings='timezone = "UTC"')
    queue(desk, entry(1), ended=status)
    assert lines(desk.ask("show", "QQQ1")) == [
        f"sales ▸ run {RUN.format(1)} {status}",
        "GST sälés; asked for 2027-01-15 08:00:01, not begun",
        "why not",
    ]
    [shown] = told_json(desk.ask("show", "QQQ1", "--json"))
    assert (shown["status"], shown["reason"], shown["results"]) == (status, "why not", [])


def test_a_run_that_waits_to_go_on_shows_what_it_has_and_its_place(desk):
    desk.configure()
    run = record(desk, done("A"), status=RunStatus.STOPPED)
    queue(desk, entry(1, run=run, ask=Ask(mode=Mode.RESUME)))
    shown = lines(desk.ask("show", run))
    assert shown[0] == f"sales ▸ run {run} stopped"
    assert "place 1 of 1 in the queue, priority 100; asked for by asha@desk" in shown
    assert "1 A ✓ completed 6 – –" in shown
    assert told_json(desk.ask("runs", "--json"))[0]["place"] == 1


def test_the_list_of_runs_fits_a_terminal_and_says_the_year_of_old_ones(desk):
    name = "a_job_with_a_name_of_many_letters"
    desk.configure(CONFIG.replace("jobs.sales", f"jobs.{name}"), settings='timezone = "UTC"')
    old = desk.now.replace(year=desk.now.year - 1, month=3, day=4)
    status = RunStatus.COMPLETED_WITH_ERRORS
    record(desk, done("A"), failed("B"), failed("C"), status=status, job=name, started=old)
    new = record(desk, done("A"), status=RunStatus.STOPPED, job=name)
    told = desk.ask("runs").output.splitlines()
    assert max(map(len, told)) < 80
    assert told[1].startswith(f"{new[-4:]} a_job_w…_letters stopped ")
    assert told[1].endswith(f" {desk.now:%m-%d %H:%M}")
    assert " with errors " in told[2]
    assert told[2].endswith(f" {old.year}-03-04")
    assert told_json(desk.ask("runs", "--json"))[0]["run"] == new


def test_a_job_stands_for_its_newest_run(desk):
    desk.configure()
    record(desk, done("A"), status=RunStatus.STOPPED)
    newest = record(desk, done("A"), status=RunStatus.STOPPED)
    assert told_json(desk.ask("show", "sales", "--json"))[0]["run"] == newest
    assert desk.ask("show", "").exit_code == 2
