"""Past runs, the map of connections and days, two runs beside each other: without a screen."""

from datetime import date

import console_world as cw
import history_world as hw
from etltui.console.cells import text_of
from etltui.console.glyphs import ASCII, UNICODE
from etltui.console.model.acted import who_began
from etltui.console.model.comparing import comparison, pairs
from etltui.console.model.heat import (
    Again,
    Heat,
    again,
    calendar,
    csv_lines,
    heat_of,
    heat_sign,
    in_words,
    ledgers,
    lost,
    percent,
)
from etltui.console.model.history import (
    FIELDS,
    Ink,
    RunLine,
    compared,
    past_runs,
    to_try_again,
)
from etltui.console.model.listing import test_of as matching
from etltui.domain.errors import ErrorClass
from etltui.domain.run import ConnectionStatus, RunStatus

DOWN = ErrorClass.UNREACHABLE
DAYS = calendar(cw.AT, "UTC")


def ledger_of(*outcomes):
    (found,) = ledgers(outcomes, (), DAYS, "UTC")
    return found


def shown(past):
    line = RunLine(past, Ink(UNICODE, "UTC"))
    return {field.id: text_of(field.cell(line)) for field in FIELDS}


def test_the_last_28_days_begin_at_midnight_of_the_zone_also_where_the_clock_changes():
    assert (DAYS.days[0], DAYS.days[-1]) == (date(2026, 10, 22), date(2026, 11, 18))
    assert DAYS.day_of(DAYS.begins[0] - 1) == -1
    assert DAYS.day_of(DAYS.begins[0]) == 0
    assert DAYS.day_of(cw.AT) == 27
    berlin = calendar(cw.AT, "Europe/Berlin")
    lengths = {b - a for a, b in zip(berlin.begins, berlin.begins[1:], strict=False)}
    assert lengths == {86400.0, 90000.0}  # 25 October 2026 has 25 hours there
    assert calendar(cw.AT, "Asia/Kolkata").begins[0] == DAYS.begins[0] - 5.5 * 3600


def test_a_cell_says_the_worst_of_how_each_jobs_last_run_ended_that_day():
    good, bad = hw.outcome(1), hw.outcome(1, bad=DOWN)
    assert heat_of(()) is Heat.NOT_ASKED
    assert heat_of([good]) is Heat.ALL
    assert heat_of([hw.outcome(1, far="more than double the usual 12")]) is Heat.FAR
    assert heat_of([hw.outcome(1, rows=0)]) is Heat.EMPTY
    assert heat_of([bad, good]) is Heat.ALL
    assert heat_of([good, bad]) is Heat.FAILED
    assert heat_of([bad, hw.outcome(1, job="stock")]) is Heat.FAILED


def test_who_was_held_back_or_cancelled_was_not_asked():
    held = hw.outcome(1, bad=ErrorClass.HELD)
    stopped = hw.outcome(1, 1, status=ConnectionStatus.CANCELLED)
    found = ledger_of(stopped, held)
    assert found.cells[-2:] == (Heat.NOT_ASKED, Heat.NOT_ASKED)
    assert found.reliability is None
    assert in_words(found) == ["not asked in these days"]


def test_n_27_the_ledger_of_a_connection():
    """N-27: reliability, mean time to return, streak, usual hour of failure."""
    found = ledger_of(
        hw.outcome(1, 6),
        hw.outcome(1, 5, bad=DOWN),
        hw.outcome(1, 4, bad=DOWN),
        hw.outcome(1, 3),
        hw.outcome(1, 2, bad=DOWN, at=cw.AT - 2 * hw.DAY - 8 * 3600),
        hw.outcome(1, 1),
        hw.outcome(1, 0),
    )
    assert (found.asked, found.failed, found.streak) == (7, 3, 2)
    assert found.reliability == 4 / 7
    assert found.hour == 9
    first, second = 2 * hw.DAY, hw.DAY + 8 * 3600 - 7550
    assert found.return_s == (first + second) / 2
    assert in_words(found) == ["57% of 7 answered", "back after 1 d", "fails mostly at 09h"]


def test_who_fails_now_is_told_how_often_in_a_row():
    found = ledger_of(hw.outcome(1, 2), hw.outcome(1, 1, bad=DOWN), hw.outcome(1, 0, bad=DOWN))
    assert found.streak == -2
    assert found.return_s is None
    assert "2 failures in a row" in in_words(found)


def test_who_fails_most_stands_first_and_who_never_ran_last_by_name():
    outcomes = [
        hw.outcome(4, 2),
        hw.outcome(2, 3, bad=DOWN),
        hw.outcome(3, 2, bad=DOWN),
        hw.outcome(1, 2, bad=DOWN),
        hw.outcome(1, 1, bad=DOWN),
    ]
    found = ledgers(outcomes, ["branch_009", "branch_002"], DAYS, "UTC")
    names = [each.connection[-1] for each in found]
    assert names == ["1", "3", "2", "4", "9"]
    assert found[-1].cells == (Heat.NOT_ASKED,) * 28


def test_a_percentage_never_hides_a_failure():
    assert [percent(part) for part in (None, 0.0, 0.5, 0.9994, 1.0)] == [
        "",
        "0%",
        "50%",
        "99%",
        "100%",
    ]


def test_every_cell_has_its_own_sign_with_unicode_and_without():
    for glyphs in (UNICODE, ASCII):
        signs = {heat_sign(glyphs, heat)[0] for heat in Heat}
        assert len(signs) == len(Heat)


def test_of_what_failed_the_newest_run_of_each_job_is_read_again_first():
    outcomes = [
        hw.outcome(1, 3, bad=DOWN),
        hw.outcome(2, 1, bad=DOWN),
        hw.outcome(1, 1, bad=DOWN),
        hw.outcome(1, 1, bad=DOWN, job="stock", letters="BBBB"),
        hw.outcome(3, 1),
    ]
    found = ledgers(outcomes, (), DAYS, "UTC")
    all_of_it = lost(found, range(28))
    assert [each.run for each in all_of_it][-1] == hw.name_of(3)
    assert len(all_of_it) == 4
    runs, older = again(all_of_it)
    assert sorted(runs, key=lambda each: each.job) == [
        Again(hw.name_of(1), "gst_sales", ("branch_001", "branch_002")),
        Again(hw.name_of(1, "BBBB"), "stock", ("branch_001",)),
    ]
    assert older == 1
    assert lost(found, [27]) == []
    assert again([]) == ([], 0)


def test_n_27_the_map_as_csv_for_the_network_vendor():
    outcomes = [hw.outcome(1, 1, bad=DOWN, at=cw.AT - hw.DAY), hw.outcome(1, 0, at=cw.AT - 3600)]
    found = ledgers(outcomes, ["branch_002"], DAYS, "UTC")
    head, first, second = csv_lines(found, DAYS, "UTC", lambda name: f"call {name}")
    assert head[-1] == "2026-11-18"
    assert dict(zip(head, first, strict=True)) == dict(
        zip(
            head,
            [
                "branch_001",
                "call branch_001",
                "2",
                "1",
                "50.00",
                "1380.0",
                "1",
                "11",
                "2026-11-17 11:06:40",
                *["not asked"] * 26,
                "failed",
                "all rows",
            ],
            strict=True,
        )
    )
    assert second[2:9] == ["0", "0", "", "", "0", "", ""]


def test_a_run_stands_against_the_runs_of_its_job_that_were_whole():
    rows = [
        hw.run_row(0, rows=4000),
        hw.run_row(1, rows=100, completed=1),
        hw.run_row(1, rows=100, completed=1, run="again"),
        hw.run_row(1, rows=100, completed=1, run="and again"),
        hw.run_row(2, rows=8000),
        hw.run_row(2, job="stock", run="stock", rows=5),
        hw.run_row(3, rows=8000),
    ]
    found = past_runs(rows, (), {hw.name_of(0): "meena@ho"})
    assert [each.usual for each in found] == [8000] * 5 + [None] * 2
    first = shown(found[0])
    assert first["usual"] == "−50%"
    assert (first["done"], first["rows"], first["time"]) == ("8/8", "4,000", "1:12")
    assert (first["when"], first["who"], first["run"]) == ("11-18 09:00", "meena@ho", "AAAA")
    assert shown(found[1])["lacks"] == "7"
    assert shown(found[5])["usual"] == ""


def test_a_run_at_work_is_told_as_the_engine_has_it():
    row = hw.run_row(0, status=RunStatus.RUNNING, result=None)
    (stored,) = past_runs([row], (), {})
    assert (shown(stored)["rows"], shown(stored)["time"], shown(stored)["done"]) == (
        "–",
        "–",
        "0/8",
    )
    live = cw.run(
        hw.name_of(0),
        total=8,
        completed=3,
        rows=3000,
        owner="op@server",
        connections=[],
    )
    found, _ = past_runs([row, hw.run_row(1)], [live], {})
    assert (found.completed, found.rows, found.usual, found.who) == (3, 3000, 8000, "op@server")
    assert shown(found)["usual"] == ""
    ended = cw.run(hw.name_of(0), status=RunStatus.FAILED, total=8, reason="the disk is full")
    (found,) = past_runs([row], [ended], {hw.name_of(0): "cron@server"})
    assert (found.seconds, found.reason, found.who) == (59.0, "the disk is full", "cron@server")


def test_who_asked_first_is_who_began_it():
    actions = [hw.asked_by("later@ho", "a"), hw.asked_by("first@ho", "a"), hw.asked_by("x@ho", "b")]
    assert who_began(actions) == {"a": "first@ho", "b": "x@ho"}


def test_runs_are_filtered_by_job_status_and_time():
    old, new = past_runs([hw.run_row(5, completed=7), hw.run_row(1, job="stock")], (), {})
    lines = [RunLine(each, Ink(UNICODE, "UTC")) for each in (old, new)]

    def left(text):
        return [line.past.job for line in filter(matching(text, FIELDS), lines)]

    assert left("job=stock") == ["stock"]
    assert left("status=errors") == ["gst_sales"]
    assert left("began>2026-11-15") == ["stock"]
    assert left("lacks>0") == ["gst_sales"]
    assert left("usual>1") == []


def test_two_runs_are_compared_the_older_first_and_one_with_the_one_before_it():
    runs = past_runs([hw.run_row(0), hw.run_row(1, job="stock"), hw.run_row(2)], (), {})
    newest, other, oldest = runs
    assert compared([newest], runs) == (oldest, newest)
    assert compared([newest, other], runs) == (other, newest)
    assert compared([oldest], runs) is None
    assert compared(runs, runs) is None


def test_selected_runs_are_read_again_one_of_each_job():
    runs = past_runs([hw.run_row(n, completed=7) for n in range(3)], (), {})
    found, older = to_try_again(runs)
    assert [each.run for each in found] == [hw.name_of(0)]
    assert older == 2


def test_nothing_of_a_run_at_work_or_of_a_whole_one_is_read_again():
    rows = [hw.run_row(0, completed=3, status=RunStatus.RUNNING)]
    rows.append(hw.run_row(1, status=RunStatus.FAILED))  # it could not publish
    assert to_try_again(past_runs(rows, (), {})) == ([], 0)


def test_what_ended_otherwise_comes_first_then_what_is_far_off_then_the_rest():
    then = [hw.result_row(1), hw.result_row(2), hw.result_row(3), hw.result_row(4, bad=DOWN)]
    now = [hw.result_row(1, 1001), hw.result_row(2, 100), hw.result_row(3, bad=DOWN)]
    found = pairs(then, [*now, hw.result_row(4), hw.result_row(5)])
    assert [each.connection[-1] for each in found] == ["3", "4", "5", "2", "1"]
    runs = past_runs([hw.run_row(0), hw.run_row(1)], (), {})
    lines = comparison((runs[1], runs[0]), found, UNICODE, "UTC")
    texts = [text_of(line) for line in lines]
    assert texts[0].startswith("Then 2026-11-17 09:00:00  ✓ completed 8/8, 8,000 rows, 1:12")
    assert "3 connections ended otherwise, 1 far off" in texts
    rows = {text.split(" ")[0]: " ".join(text.split()[1:]) for text in texts}
    assert rows["branch_003"].endswith("✓ → ✗ unreachable")
    assert rows["branch_005"] == "– 1,000 – → 1.5s – not read → ✓"
    assert rows["branch_002"].startswith("1,000 100 −90% 1.5s → 1.5s")
    roles = [getattr(line, "role", "") for line in lines[6:]]
    assert roles == ["bad", "ok", "ok", "warn", ""]
