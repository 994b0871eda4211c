"""A connection of a run in full, without a screen."""

import pytest

import console_world as cw
from etltui.console.cells import text_of
from etltui.console.glyphs import ASCII, UNICODE
from etltui.console.model.connection import Known, as_text, details, past_line
from etltui.console.model.outcomes import outcome_glyph
from etltui.domain.control import compared
from etltui.domain.errors import ErrorClass, Trouble
from etltui.domain.job import Connection, Query
from etltui.domain.logbook import Outcome
from etltui.domain.plan import PlanConnection
from etltui.domain.pools import Leak, PoolStats
from etltui.domain.run import ConnectionStatus

S = ConnectionStatus
AWAY = Trouble(error_class=ErrorClass.UNREACHABLE, message="no route to host 10.4.17.2")


def outcome(status=S.COMPLETED, **facts):
    return Outcome(connection="branch_001", job="gst", run="R", at=cw.AT, status=status, **facts)


def planned(*queries):
    return PlanConnection(
        number=17,
        connection=Connection(
            name="branch_017", kind="postgresql", url="", host="10.0.0.5", port=5433, database="s"
        ),
        queries=queries or (Query(name="main", sql="SELECT *\nFROM sales"),),
        hash="",
    )


def pool(**facts):
    numbers = dict.fromkeys(
        ("connecting", "refs", "acquires", "served_by_open", "lost", "closed", "leaked"), 0
    )
    times = dict.fromkeys(("wait_p50_ms", "wait_p95_ms", "connect_p95_ms"), 0.0)
    made = {
        "pool": "p",
        "server": "",
        "size": 20,
        "open": 20,
        "lent": 18,
        "idle": 2,
        "waiting": 4,
        "opened": 30,
        "connect_p50_ms": 31.4,
        "paused": False,
        "draining": False,
        "last_error": "",
        "leaks": (),
    }
    return PoolStats(**numbers, **times, **{**made, **facts})


def lines_of(view, *, width=100, glyphs=UNICODE, **facts):
    known = Known(view=view, at=cw.AT, **facts)
    lines = details(known, glyphs=glyphs, timezone="UTC", width=width)
    return ["".join(map(text_of, line)).rstrip() for line in lines]


def test_a_failure_says_what_happened_what_it_means_what_to_try_and_whom_to_call():
    """N-38."""
    view = cw.connection(
        17, S.RETRYING, tries=2, trouble=AWAY, again_at=cw.AT + 8, usual_rows=9410, usual_s=3.0
    )
    assert lines_of(view, retries=3, contact="Branch 017, +91 80 5550 0017", past=[]) == [
        " Status   ↻ unreachable  try 2 of 4, again in 8.0s",
        " Error    unreachable: no route to host 10.4.17.2",
        " Means    The branch's line or VPN is down, or its address changed.",
        " Try      Ping it, check the VPN, then call the branch.",
        " Call     Branch 017, +91 80 5550 0017",
        " Past     this is its first run",
        " Rows     0  usually 9,410 in 3.0s",
        " Query    reading …",
    ]


def test_a_connection_that_completed_says_where_its_time_went_and_what_was_changed():
    view = cw.connection(
        1,
        S.COMPLETED,
        rows=200,
        usual_rows=1000,
        tries=1,
        seconds={"connect": 0.1, "query": 0.9, "fetch": 2.7, "write": 0.3},
        notes={"long number as text": 3},
    )
    lines = lines_of(view, contact="Branch 001", past=[outcome()])
    assert lines[0] == " Status   ✓ completed  try 1 of 1"
    assert lines[2] == " Rows     200  less than half the usual 1,000"
    assert lines[3] == (
        " Time     connect 0.1s ▏  query 0.9s ▉  fetch 2.7s ██▊  write 0.3s ▎  in all 4.0s"
    )
    assert lines[4] == " Note     3 x long number as text"
    assert lines[5] == " Contact  Branch 001"
    assert " connect 0.1s ▎  query 0.9s ██▊  fetch 2.7s ████████▏" in lines_of(view, width=120)[3]


def test_a_running_connection_says_for_how_long():
    view = cw.connection(1, S.RUNNING, tries=1, since=cw.AT - 7.2, step="Processing results")
    assert lines_of(view, retries=3)[0] == " Status   ◐ fetching  try 1 of 4, for 7.2s"


def test_it_says_on_which_server_and_pool_it_runs_and_what_it_asks():
    view = cw.connection(17, S.RUNNING)
    lines = lines_of(view, planned=planned(), pool=pool())
    assert lines[-4:] == [
        " Server   postgresql 10.0.0.5:5433/s",
        " Pool     18 lent, 2 idle, 4 waiting of 20; login takes 31 ms",
        " Query    SELECT *",
        "          FROM sales",
    ]
    leak = Leak(holder="x", pool="p", seconds=90)
    assert "1 session held too long" in "".join(
        lines_of(view, planned=planned(), pool=pool(opened=0, leaks=(leak,)))
    )


def test_each_query_has_its_name_and_its_values():
    queries = (
        Query(name="sales", sql="SELECT 1", params={"day": "2026-11-18"}),
        Query(name="a_very_long_name", sql="SELECT 2"),
    )
    lines = lines_of(cw.connection(17, S.WAITING), planned=planned(*queries))
    assert lines[-3:] == [
        " sales    SELECT 1",
        " With     day = '2026-11-18'",
        " a_very_loSELECT 2",
    ]


@pytest.mark.parametrize(
    ("status", "facts", "sign", "role"),
    [
        (S.COMPLETED, {}, "✓", "ok"),
        (S.COMPLETED, {"far": "empty, usually 9"}, "!", "warn"),
        (S.FAILED, {"error_class": ErrorClass.LOST}, "✗", "bad"),
        (S.SKIPPED, {}, "»", "muted"),
        (S.CANCELLED, {}, "⊘", "muted"),
    ],
)
def test_every_end_has_its_sign(status, facts, sign, role):
    assert outcome_glyph(UNICODE, outcome(status, **facts)) == (sign, role)


def test_the_past_is_read_from_left_to_right():
    past = [outcome(S.FAILED, error_class=ErrorClass.LOST), outcome(), outcome()]
    assert "".join(map(text_of, past_line(UNICODE, past))) == "✓✓✗  2 of 3 went well"
    assert "".join(map(text_of, past_line(ASCII, None))) == "reading ~"


def test_a_connection_that_is_well_says_when_it_last_was_not():
    failed = outcome(S.FAILED, error_class=ErrorClass.LOST)
    lines = lines_of(cw.connection(1, S.COMPLETED), past=[outcome(), failed])
    assert " Failed   last on 2026-11-18 11:06:40: lost" in lines


def test_long_errors_are_folded_and_nothing_of_them_is_lost():
    message = "word " * 60
    trouble = Trouble(error_class=ErrorClass.LOST, message=message.strip())
    lines = lines_of(cw.connection(1, S.FAILED, trouble=trouble), width=60)
    assert max(map(len, lines)) <= 60
    assert sum(line.count("word") for line in lines) == 60


def test_on_a_page_an_error_is_one_red_line():
    known = Known(view=cw.connection(1, S.FAILED, trouble=AWAY), at=cw.AT)
    lines = as_text(details(known, glyphs=UNICODE, timezone="UTC", width=100))
    assert lines[1].role == "bad"
    assert lines[2].role == ""


def test_n_7_n_9_what_was_counted_and_what_may_still_change_are_told():
    view = cw.connection(
        17,
        S.COMPLETED,
        provisional="the day is not closed",
        controls=compared("main", {"rows": 3}, {"rows": 2}, 0),
    )
    lines = lines_of(view, past=[])
    assert any("Day" in line and "provisional: the day is not closed" in line for line in lines)
    assert any("Control" in line and "rows 2 written, 3 at the source" in line for line in lines)
