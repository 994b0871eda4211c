"""The fleet, worked out without a screen."""

from datetime import date

import pytest

import console_world as cw
from etltui.console.glyphs import ASCII, UNICODE
from etltui.console.model.connection_rows import row_of_connection, status_cell
from etltui.console.model.connections import (
    Answer,
    Fleet,
    FleetLine,
    Past,
    absence,
    chunks,
    fleet_line,
    live_views,
    pasts,
    summed_up,
    tag_changes,
)
from etltui.console.model.fleet_page import (
    Sheet,
    class_only,
    failure_of,
    pool_of,
    sheet_lines,
)
from etltui.domain import inquiry
from etltui.domain.errors import ErrorClass, Trouble
from etltui.domain.job import Connection
from etltui.domain.logbook import Hold, Outcome
from etltui.domain.pools import PoolKey, PoolStats
from etltui.domain.run import ConnectionStatus, RunStatus
from etltui.domain.words import words

S = ConnectionStatus
DAY = date(2026, 11, 18)
BRANCH = Connection(
    name="branch_001",
    kind="postgresql",
    url="postgresql://reader@10.0.0.5/sales?sslpassword=canary",
    host="10.0.0.5",
    port=5433,
    database="sales",
    credential="north",
    tags=("north", "vpn"),
    contact="Branch 001, +91 80 5550 0001",
)


def outcome(ago, status=S.COMPLETED, rows=100, *, job="gst_sales", error=None, far=""):
    return Outcome(
        connection="branch_001",
        job=job,
        run=f"run-{ago}",
        at=cw.AT - ago,
        status=status,
        rows=rows,
        seconds=2.0,
        far=far,
        error_class=error,
    )


def failed(ago, error=ErrorClass.UNREACHABLE):
    return outcome(ago, S.FAILED, 0, error=error)


def test_what_is_held_or_met_here_says_nothing_of_how_well_a_branch_answers():
    past = pasts(
        [
            outcome(500),
            failed(400),
            failed(300, ErrorClass.HELD),
            failed(250, ErrorClass.DISK),
            outcome(200, S.CANCELLED, error=ErrorClass.CANCELLED),
            outcome(150, S.SKIPPED),
            outcome(100),
            outcome(50),
        ]
    )["branch_001"]
    assert (past.asked, past.answered) == (4, 3)
    assert past.reliability == 0.75
    assert Past().reliability is None


def test_usual_rows_are_those_of_the_same_job():
    past = pasts(
        [
            outcome(500, rows=1000),
            outcome(420, rows=7, job="stock"),
            outcome(410, rows=7, job="stock"),
            outcome(400, rows=7, job="stock"),
            outcome(300, rows=1000),
            outcome(200, rows=250),
            failed(100),
        ]
    )["branch_001"]
    assert past.usual == 1000
    assert past.good.rows == 250
    assert past.last.status is S.FAILED
    assert pasts([failed(1)])["branch_001"] == Past(last=failed(1), asked=1)


def test_what_a_run_at_work_has_done_counts_and_what_it_left_does_not():
    run = cw.run(
        connections=[
            cw.connection(1, S.RUNNING, since=cw.AT - 5),
            cw.connection(2, S.COMPLETED, since=cw.AT - 9000),
            cw.connection(3, S.WAITING, since=cw.AT - 5),
            cw.connection(4, S.FAILED, since=cw.AT - 4),
        ]
    )
    other = cw.run("B", connections=[cw.connection(1, S.RETRYING, since=cw.AT - 1)])
    over = cw.run(
        "C", status=RunStatus.FAILED, connections=[cw.connection(5, S.FAILED, since=1e12)]
    )
    found = live_views([run, other, over])
    assert set(found) == {"branch_001", "branch_004"}
    assert found["branch_001"].status is S.RETRYING
    assert live_views([other, run])["branch_001"].status is S.RETRYING


def test_the_status_names_what_matters_most():
    def told(glyphs=UNICODE, **facts):
        return status_cell(FleetLine(connection=BRANCH, **facts), glyphs).text

    hold = Hold(connection="branch_001", reason="line cut", who="op@hq", since=cw.AT)
    bad = Past(last=failed(10))
    assert told() == "· never read"
    assert told(read=False) == "reading …"
    assert told(past=bad) == "✗ unreachable"
    assert told(past=bad, glyphs=ASCII) == "x unreachable"
    assert told(past=bad, absent="closed") == "» closed"
    assert told(past=bad, hold=hold) == "‖ held"
    live = cw.connection(1, S.RUNNING, step="Executing query")
    assert told(past=bad, hold=hold, live=live) == "◐ querying"
    assert told(past=Past(last=outcome(1, far="empty, usually 9"))) == "! completed"


def test_a_hold_that_is_over_is_none():
    hold = Hold(connection="branch_001", reason="x", who="op", since=1.0, until=cw.AT)
    fleet = Fleet(at=cw.AT, day=DAY, holds={"branch_001": hold})
    assert fleet_line(BRANCH, fleet).hold is None
    before = Fleet(at=cw.AT - 1, day=DAY, holds={"branch_001": hold})
    assert fleet_line(BRANCH, before).hold is hold


def test_an_answer_holds_until_a_run_has_read_the_branch():
    answer = Answer(found=inquiry.Tested(connection="branch_001"), at=cw.AT)
    asked = Answer()
    later, before = pasts([outcome(-1)]), pasts([outcome(1)])

    def shown(past, test):
        tests = {"branch_001": test}
        return fleet_line(BRANCH, Fleet(at=cw.AT, day=DAY, pasts=past, tests=tests)).answer

    assert shown(before, answer) is answer
    assert shown({}, answer) is answer
    assert shown(later, answer) is None
    assert shown(later, asked) is asked


def test_the_pool_of_a_branch_is_shown_with_its_last_error():
    pool = PoolStats(
        pool=str(PoolKey.of(BRANCH)),
        server="10.0.0.5:5433",
        size=20,
        open=3,
        lent=2,
        idle=1,
        connecting=0,
        waiting=4,
        refs=6,
        paused=False,
        draining=False,
        acquires=12,
        served_by_open=9,
        opened=3,
        lost=1,
        closed=0,
        wait_p50_ms=1.0,
        wait_p95_ms=12.0,
        connect_p50_ms=31.0,
        connect_p95_ms=50.0,
        last_error="no route to host",
        leaks=(),
        leaked=0,
    )
    assert pool_of(BRANCH, [pool]) is pool
    lines = sheet_lines(Sheet(line=FleetLine(connection=BRANCH), pool=pool), UNICODE, cw.AT, "UTC")
    text = "\n".join(each if isinstance(each, str) else each.text for each in lines)
    assert "2 lent, 1 idle, 4 waiting, at most 20" in text
    assert "login 31 ms, wait p95 12 ms" in text
    assert "last error: no route to host" in text
    assert "It has not been read yet." in text


def test_a_branch_that_is_not_there_is_not_missing():
    old = Connection(name="a", kind="sqlite", url="", closed=date(2026, 1, 1))
    new = Connection(name="b", kind="sqlite", url="", opened=date(2027, 1, 1))
    assert [absence(each, DAY) for each in (old, new, BRANCH)] == ["closed", "not yet open", ""]


def test_a_row_says_how_a_branch_stands():
    past = pasts(
        [
            *(outcome(900 + n, rows=1000) for n in range(97)),
            failed(800),
            outcome(65, rows=9, far="less than half the usual 1,000"),
        ]
    )
    line = FleetLine(
        connection=BRANCH,
        past=past["branch_001"],
        answer=Answer(found=inquiry.Tested(connection="branch_001", milliseconds=1234.56)),
    )
    row = row_of_connection(line, cw.AT, UNICODE)
    assert row.ok == "1 min"
    assert row.rows == ("9", "warn")
    assert row.usual == ("−99%", "warn")
    assert row.reliability == ("98%", "warn")
    assert row.test == "1,234.6 ms"
    assert row.server == "postgresql 10.0.0.5:5433"
    assert row.tags == "north vpn"


def test_n_8_few_rows_on_a_day_off_are_no_warning():
    past = pasts([*(outcome(900 + n, rows=1000) for n in range(9)), outcome(65, rows=9)])
    line = FleetLine(connection=BRANCH, past=past["branch_001"])
    assert row_of_connection(line, cw.AT, UNICODE).rows == ("9", "")


def test_ages_stand_still_within_a_minute():
    line = FleetLine(connection=BRANCH, past=pasts([outcome(0)])["branch_001"])
    told = {row_of_connection(line, cw.AT + n, UNICODE).ok for n in range(60)}
    assert told == {"now"}


def test_99_of_100_is_no_100_percent():
    past = Past(asked=1000, answered=999)
    row = row_of_connection(FleetLine(connection=BRANCH, past=past), cw.AT, UNICODE)
    assert row.reliability.text == "99%"


@pytest.mark.parametrize(
    ("text", "add", "remove"),
    [
        ("+north -old", ("north",), ("old",)),
        ("a, b +a", ("a", "b"), ()),
        ("-x", (), ("x",)),
    ],
)
def test_tags_are_added_and_taken_away_by_a_sign(text, add, remove):
    assert tag_changes(text) == (add, remove)


@pytest.mark.parametrize("text", ["", "  ", "+", "a -"])
def test_a_sign_alone_changes_no_tag(text):
    with pytest.raises(ValueError, match="tag"):
        tag_changes(text)


def test_tests_are_summed_up_the_worst_first():
    def bad(kind):
        return inquiry.Tested(connection="x", trouble=Trouble(error_class=kind, message=""))

    found = [
        inquiry.Tested(connection="a"),
        bad(ErrorClass.LOGIN),
        bad(ErrorClass.LOST),
        bad("login"),
    ]
    assert summed_up(found, words) == "1 answered, 2 login, 1 lost"
    assert chunks(("a", "b", "c"), 2) == [("a", "b"), ("c",)]


def test_the_page_shows_what_is_wrong_first_and_no_secret():
    trouble = Trouble(error_class=ErrorClass.LOGIN, message="password refused")
    hold = Hold(connection="branch_001", reason="line cut", who="op@hq", since=cw.AT)
    outcomes = [failed(10), outcome(20, far="empty, usually 9"), outcome(30)]
    line = FleetLine(connection=BRANCH, hold=hold, past=pasts(reversed(outcomes))["branch_001"])
    sheet = Sheet(line=line, outcomes=outcomes, trouble=trouble, failed="R1")
    lines = sheet_lines(sheet, UNICODE, cw.AT, "UTC")
    text = "\n".join(each if isinstance(each, str) else each.text for each in lines)
    at = [text.index(each) for each in ("line cut", "password refused", "10.0.0.5", "✓!✗")]
    assert at == sorted(at)
    assert "Branch 001, +91" in text
    assert "2 of 3 reads" in text
    assert "No session is open" in text
    assert "canary" not in text


def test_the_newest_failure_is_of_interest_until_it_has_been_read_again():
    assert failure_of([outcome(1, S.SKIPPED), failed(2), outcome(3)]).at == cw.AT - 2
    assert failure_of([outcome(1), failed(2)]) is None
    assert failure_of([]) is None
    assert class_only(failed(1)).error_class is ErrorClass.UNREACHABLE
    assert class_only(outcome(1)) is None
    assert pool_of(BRANCH, ()) is None


def test_a_large_fleet_is_summed_up_in_one_pass():
    """Every outcome is looked at once: twice as many take no more than that."""

    class Counted(list):
        passes = 0

        def __iter__(self):
            Counted.passes += 1
            return super().__iter__()

    pasts(Counted([outcome(n) for n in range(100)]))
    assert Counted.passes == 1
