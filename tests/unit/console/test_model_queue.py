"""The queue in words: who has a turn, who is next, what each waits for."""

import console_world as cw
from etltui.console.cells import Styled, text_of
from etltui.console.glyphs import UNICODE
from etltui.console.model import queue as m
from etltui.domain.queue import QueueEntry, QueueMetrics
from etltui.domain.run import RunStatus


def entry(name, **facts):
    known = {"job": "stock", "type": "default", "priority": 100, "submitted": cw.AT - 120}
    return QueueEntry(run=f"20261118T090000Z-{name}", **(known | facts))


def found(*pending, runs=(), recorded=(), **facts):
    shown = cw.snapshot(runs, pending=pending, **facts)
    return m.turns(shown, m.entries_of(recorded))


def test_runs_at_work_come_first_then_those_that_wait_in_turn_then_the_late():
    """S0-39, S0-40."""
    working = cw.run(title="GST sales", owner="op@server")
    late = entry("LATE", not_before=cw.AT + 600)
    waits = cw.run(entry("ONE").run, job="stock", status=RunStatus.QUEUED, title="Stock")
    turns = found(
        entry("ONE", owner="a@b"),
        entry("TWO", job="gst_sales"),
        late,
        runs=[working, waits],
        recorded=[entry("AAAA", tries=2, submitted=cw.AT - 90)],
    )
    assert [(turn.state, turn.place) for turn in turns] == [
        ("running", 0),
        ("waiting", 1),
        ("waiting", 2),
        ("delayed", 0),
    ]
    assert [turn.title for turn in turns] == ["GST sales", "Stock", "gst_sales", "stock"]
    assert turns[0].owner == "op@server"
    rows = [m.row_of_turn(turn, cw.AT, UNICODE, "UTC") for turn in turns]
    assert [text_of(row.when) for row in rows] == ["now", "1st", "2nd", "at 11:16"]
    assert [text_of(row.tries) for row in rows] == ["2", "1", "1", "1"]
    assert [text_of(row.since) for row in rows] == ["1 min", "2 min", "2 min", "2 min"]
    assert rows[1].owner == "a@b"
    assert rows[0].state == Styled("◐ running", "busy")
    assert rows[3].state == Styled("· delayed", "muted")


def test_what_is_not_recorded_of_a_run_is_not_told():
    (turn,) = found(runs=[cw.run()])
    row = m.row_of_turn(turn, cw.AT, UNICODE, "UTC")
    assert [row.priority, row.kind, row.tries, row.owner] == [Styled("–", "muted")] * 4
    assert row.since == "1 min"
    (known,) = found(runs=[cw.run()], recorded=[entry("AAAA", owner="x@y")])
    assert known.owner == "x@y"


def test_each_run_says_what_it_waits_for():
    working, first, second, third, late = found(
        entry("ONE"),
        entry("TWO", job="gst_sales"),
        entry("TRI", job="price"),
        entry("LATE", not_before=cw.AT + 90),
        runs=[cw.run()],
    )
    assert m.waits_for(working, cw.AT).startswith("It has its turn")
    assert m.waits_for(first, cw.AT).startswith("It is next")
    assert m.waits_for(second, cw.AT) == "It waits for the end of AAAA, of the same job."
    assert m.waits_for(third, cw.AT) == "2 runs before it."
    assert m.waits_for(late, cw.AT) == "It is not due for another 1:30."
    (whole,) = found(entry("ONE"), queue=QueueMetrics(paused=True))
    assert (whole.state, m.waits_for(whole, cw.AT)[:20]) == ("paused", "The queue is paused:")
    (job, other) = found(
        entry("ONE"), entry("TWO", job="x"), queue=QueueMetrics(paused_jobs=("stock",))
    )
    assert m.waits_for(job, cw.AT).startswith("Its job is paused")
    assert other.state == "waiting"


def test_the_queue_in_numbers():
    """S0-39…S0-44."""
    metrics = QueueMetrics(
        pending=7,
        delayed=2,
        running=2,
        completed=5,
        failed=1,
        retried=3,
        total_processed=6,
        average_ms=12_300.0,
        paused=True,
        paused_jobs=("stock",),
    )
    text = "".join(text_of(part) for part in m.totals(metrics, UNICODE))
    assert text == (
        "‖ paused · 1 job paused · 2 running · 7 waiting (2 delayed) · 5 completed · 1 failed · "
        "3 retried · mean 12.3s · 6 processed"
    )
    quiet = "".join(text_of(part) for part in m.totals(QueueMetrics(), UNICODE))
    assert quiet == (
        "0 running · 0 waiting · 0 completed · 0 failed · 0 retried · mean – · 0 processed"
    )
