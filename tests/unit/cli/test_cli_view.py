"""What an operator sees of a run: lines, the live picture, the report, the JSON."""

import io
from dataclasses import replace

import pytest

from etltui.cli.follow import exit_code
from etltui.cli.picture import Picture, bar
from etltui.cli.progress import PAINT_S, Lines, Painter, Silent
from etltui.cli.report import report
from etltui.config.schema import Config, Settings
from etltui.domain.errors import ErrorClass, Trouble
from etltui.domain.events import (
    ConnectionCompleted,
    ConnectionFailed,
    ConnectionProgress,
    ConnectionStarted,
    LineDown,
    Overflow,
    RunFinished,
    RunProgress,
    RunStarted,
    TargetPublished,
)
from etltui.domain.job import Connection
from etltui.domain.run import ConnectionResult, ConnectionStatus, Output, RunResult, RunStatus
from etltui.domain.words import counted, duration, moment, short, size, words
from etltui.encode import events as encode

AT = {"at": 1_800_000_000.0, "run": "20261121T230500Z-7F3K", "job": "gst"}
TROUBLE = Trouble(error_class=ErrorClass.UNREACHABLE, message="no route to host \x1b[31m10.4.17.2")
DONE = ConnectionResult(
    connection="b1",
    status=ConnectionStatus.COMPLETED,
    rows=277_688,
    seconds={"connect": 0.1, "fetch": 4.0},
    notes={"text cut": 2},
)
FAILED = ConnectionResult(
    connection="b2",
    status=ConnectionStatus.FAILED,
    trouble=TROUBLE,
    tries=4,
)
OUTPUT = Output(type="csv", path="/out/gst.csv", rows=277_688, bytes=4_300_000, final=True)


def ended(status=RunStatus.COMPLETED_WITH_ERRORS, **more):
    facts = {
        "total": 3,
        "completed": 2,
        "failed": 1,
        "skipped": 1,
        "rows": 277_688,
        "seconds": 72.25,
        "outputs": (OUTPUT,),
        "connections": (DONE, FAILED),
        **more,
    }
    return RunResult(run=AT["run"], job=AT["job"], status=status, **facts)


def failed(*, will_retry=False):
    return ConnectionFailed(
        **AT,
        connection="b2",
        trouble=TROUBLE,
        will_retry=will_retry,
        tries=2,
        wait_s=8,
    )


def started(**more):
    return RunStarted(**AT, total=56, **more)


def progress(**more):
    facts = {"step": "x", "percent": 50, "completed": 28, "failed": 0, "total": 56, "rows": 0}
    return RunProgress(**AT, **{**facts, **more})


EVENTS = [
    started(skipped=40, attempt=2),
    progress(),
    ConnectionStarted(**AT, connection="b1"),
    ConnectionProgress(**AT, connection="b1", step="Executing query", rows=0),
    ConnectionCompleted(**AT, connection="b1", result=DONE),
    failed(will_retry=True),
    failed(),
    TargetPublished(**AT, path="/out/gst.partial.csv", rows=1, bytes=10, final=False),
    TargetPublished(**AT, path="/out/gst.csv", rows=277_688, bytes=4_300_000, final=True),
    RunFinished(**AT, result=ended(reason="why")),
]


def test_lines_say_each_change_once_and_in_words():
    out = io.StringIO()
    with Lines(out) as lines:
        for event in EVENTS:
            lines.take(event)
    assert [line.partition(" ")[2] for line in out.getvalue().splitlines()] == [
        "run 7F3K gst started, 56 connections, 40 done before",
        "done b1 277,688 rows 4.1s (41/56)",
        "retry b2 unreachable: no route to host ␛[31m10.4.17.2; again in 8.0s",
        "failed b2 unreachable: no route to host ␛[31m10.4.17.2",
        "published /out/gst.csv 277,688 rows",
        "run 7F3K completed with errors: 2 done, 1 failed, 277,688 rows; why",
    ]


class Broken(io.StringIO):
    def write(self, _):
        raise OSError(5, "Input/output error")


@pytest.mark.parametrize("view", [Lines, Painter])
def test_a_terminal_that_has_gone_does_not_stop_the_run(view):
    with view(Broken()) as gone:
        for event in EVENTS:
            gone.take(event)


def test_silence_is_silent():
    with Silent() as silent:
        silent.take(started())


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_the_picture_shows_what_is_wrong_before_how_much_is_done():
    clock = Clock()
    picture = Picture(clock)
    for event in (
        started(),
        ConnectionStarted(**AT, connection="b1"),
        ConnectionStarted(**AT, connection="b2"),
        ConnectionStarted(**AT, connection="b3"),
        ConnectionCompleted(**AT, connection="b1", result=DONE),
        failed(will_retry=True),
        ConnectionProgress(**AT, connection="b3", step="Processing results", rows=138_844),
        ConnectionProgress(**AT, connection="nobody", step="x", rows=1),
        progress(completed=28, failed=2, rows=277_688),
    ):
        picture.take(event)
    picture.lines(120, 20)
    clock.now += 2
    head, row = picture.lines(120, 20)
    assert head.startswith("gst  ██████▍")
    assert "54%  28/56  ✗ 2 failed  ↻ 1 retrying  416,532 rows  0/s  2.0s" in head
    assert row.split() == ["◐", "b3", "██████", "138,844", "2.0s", "Processing", "results"]
    picture.take(ConnectionStarted(**AT, connection="b2", tries=2))
    assert "retrying" not in picture.lines(120, 20)[0]


def test_the_picture_keeps_within_its_lines_and_columns():
    picture = Picture(Clock())
    picture.take(started())
    for number in range(30):
        picture.take(ConnectionStarted(**AT, connection=f"branch_{number:030d}"))
    lines = picture.lines(79, 10)
    assert len(lines) == 10
    assert lines[-1] == "  …22 more"
    assert max(map(len, lines)) <= 79
    picture.take(RunFinished(**AT, result=ended()))
    assert not picture.lines(79, 10)[0].startswith("gst")


def test_the_picture_says_that_targets_are_being_made():
    picture = Picture(Clock())
    picture.take(started())
    picture.take(progress(step="Sending to destinations", completed=56))
    assert picture.lines(79, 10)[1:] == ["  ◐ Sending to destinations"]
    picture.take(RunFinished(**AT, result=ended()))
    assert picture.lines(79, 10) == []


def test_rows_a_second_are_those_of_the_last_seconds():
    clock = Clock()
    picture = Picture(clock)
    picture.take(started())
    picture.lines(120, 5)
    for second in range(1, 11):
        clock.now += 1
        picture.take(progress(rows=second * 1000))
        lines = picture.lines(120, 5)
    assert "1,000/s" in lines[0]


def test_the_picture_ignores_a_run_whose_start_it_missed():
    picture = Picture(Clock())
    picture.take(progress())
    assert picture.lines(80, 5) == []


def test_the_painter_paints_in_place_and_leaves_failures_above():
    clock, out = Clock(), io.StringIO()
    with Painter(out, clock=clock) as painter:
        painter.take(started())
        first = out.getvalue()
        painter.take(progress())
        assert out.getvalue() == first  # not more often than five times a second
        clock.now += PAINT_S
        painter.take(progress())
        assert "\x1b[1A\r" in out.getvalue()
        painter.take(failed())
        assert "failed b2 unreachable" in out.getvalue()
    assert out.getvalue().endswith("\x1b[1A\r\x1b[J")


def test_n_3_the_painter_leaves_a_line_that_is_down_above():
    out = io.StringIO()
    with Painter(out, clock=Clock()) as painter:
        painter.take(started())
        painter.take(LineDown(at=0.0, line="gateway north", connections=("b",), error="no answer"))
        assert "down gateway north" in out.getvalue()


def test_the_painter_goes_on_while_nothing_happens():
    clock, out = Clock(), io.StringIO()
    with Painter(out, clock=clock) as painter:
        painter.tick()
        assert out.getvalue() == ""  # nothing is followed yet
        painter.take(started())
        painter.take(progress(rows=5))
        first = out.getvalue()
        painter.tick()
        assert out.getvalue() == first
        clock.now += 60
        painter.tick()
        assert "5 rows" in out.getvalue()
        assert "1:00" in out.getvalue()


@pytest.mark.parametrize(
    ("share", "drawn"),
    [(-1, "    "), (0, "    "), (0.5, "██  "), (0.53125, "██▏ "), (1, "████"), (7, "████")],
)
def test_a_bar_is_made_of_eighths(share, drawn):
    assert bar(share, 4) == drawn


def config(*connections):
    return Config(
        settings=Settings(),
        connections=connections,
        credentials={},
        jobs={},
        path="etltui.toml",
        origins={},
    )


def test_the_report_says_what_happened_what_it_means_and_whom_to_call():
    """N-38."""
    branch = Connection(name="b2", kind="sqlite", url="", contact="Branch 2, +91 80")
    text = report(ended(), config(branch))
    assert text.splitlines() == [
        (
            "gst: completed with errors, 2/3 connections (1 from an earlier attempt), "
            "277,688 rows, 1:12"
        ),
        "  /out/gst.csv  277,688 rows  4.3 MB",
        "  b2  unreachable: no route to host ␛[31m10.4.17.2. Contact: Branch 2, +91 80.",
        (
            "  → unreachable (1): The branch's line or VPN is down, or its address changed. "
            "Ping it, check the VPN, then call the branch."
        ),
        "  Read them again with: etltui retry 7F3K --only-failed",
    ]


def test_the_report_names_whose_day_was_not_closed():
    open_still = replace(DONE, provisional="the day is not closed")
    lines = report(ended(connections=(open_still, FAILED)), config()).splitlines()
    assert "  1 connection provisional, the day was not closed there: b1" in lines


def test_the_report_of_a_stopped_run_says_how_to_go_on():
    result = ended(RunStatus.STOPPED, reason="stopped by SIGINT", outputs=(), connections=(DONE,))
    lines = report(result, config()).splitlines()
    assert lines[1:] == ["  stopped by SIGINT", "  Go on with: etltui run gst --resume"]


def test_the_report_names_twenty_failures_and_advises_once_for_each_class():
    full = Trouble(error_class=ErrorClass.DISK, message="no space")
    other = replace(FAILED, trouble=full)
    lines = report(ended(connections=(other, *(FAILED,) * 1500)), config()).splitlines()
    assert len(lines) == 2 + 20 + 1 + 2 + 1
    assert lines[22] == "  … and 1,481 more: etltui show 7F3K"
    assert [line.partition(":")[0] for line in lines[23:25]] == [
        "  → unreachable (1,500)",
        "  → disk (1)",
    ]


def test_a_report_on_a_terminal_fits_it():
    text = report(ended(connections=(FAILED,)), config(), 78)
    assert max(map(len, text.splitlines())) <= 78
    assert " ".join(text.split()) == " ".join(
        report(ended(connections=(FAILED,)), config()).split()
    )
    assert "\n    Ping it," in text


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (1, "  1 connection far from usual: b0 empty, usually 9"),
        (6, "; b4 empty, usually 9; … etltui show 20261121T230500Z-7F3K"),
    ],
)
def test_the_report_counts_what_is_far_from_usual(count, said):
    unusual = {f"b{number}": "empty, usually 9" for number in range(count)}
    line = report(ended(unusual=unusual, connections=()), config()).splitlines()[-2]
    assert line.endswith(said)
    assert line.startswith(f"  {count} connection")
    assert "b5" not in line


def test_run_finished_has_exactly_these_keys():
    assert encode.finished(ended()) == {
        "type": "run_finished",
        "run": "20261121T230500Z-7F3K",
        "job": "gst",
        "status": "completed_with_errors",
        "connections": {"total": 3, "completed": 1, "failed": 1, "skipped": 1},
        "rows": 277_688,
        "seconds": 72.25,
        "outputs": [
            {
                "type": "csv",
                "path": "/out/gst.csv",
                "rows": 277_688,
                "bytes": 4_300_000,
                "final": True,
            },
        ],
    }


def test_every_event_has_a_type_and_a_time_and_fits_on_a_line():
    for event in [*EVENTS[:-1], Overflow(at=1.0, lost=3)]:
        value = encode.encoded(event)
        assert value["time"].endswith("+00:00")
        assert "\n" not in encode.line(value)
    names = [encode.encoded(event)["type"] for event in EVENTS]
    assert names == [
        "run_started",
        "run_progress",
        "connection_started",
        "connection_progress",
        "connection_completed",
        "connection_failed",
        "connection_failed",
        "target_published",
        "target_published",
        "run_finished",
    ]
    done, tried = encode.encoded(EVENTS[4]), encode.encoded(EVENTS[5])
    assert (done["rows"], done["notes"]) == (277_688, {"text cut": 2})
    assert tried["will_retry"]
    assert tried["error"]["class"] == "unreachable"
    assert tried["error"]["means"]
    assert tried["error"]["try"]


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        ([RunStatus.COMPLETED], 0),
        ([RunStatus.COMPLETED, RunStatus.COMPLETED_WITH_ERRORS], 3),
        ([RunStatus.COMPLETED_WITH_ERRORS, RunStatus.STOPPED], 4),
        ([RunStatus.STOPPED, RunStatus.CANCELLED], 130),
        ([RunStatus.CANCELLED, RunStatus.FAILED, RunStatus.COMPLETED], 1),
    ],
)
def test_of_several_runs_the_worst_code_counts(statuses, code):
    assert exit_code([ended(status) for status in statuses]) == code


def test_times_are_those_of_the_settings_zone():
    assert moment(1_800_000_000.0, "Asia/Kolkata") == "2027-01-15 13:30:00"
    out = io.StringIO()
    Lines(out, "Asia/Kolkata").take(started())
    assert out.getvalue().startswith("13:30:00 run 7F3K")


def test_numbers_are_written_one_way():
    assert [duration(s) for s in (0, 4.14, 59.94, 59.96, 72.9, 3599, 3600, 7500)] == [
        "0.0s",
        "4.1s",
        "59.9s",
        "1:00",
        "1:12",
        "59:59",
        "1h00",
        "2h05",
    ]
    assert [size(n) for n in (0, 999, 1000, 4_300_000, 5 * 10**9, 2 * 10**12)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "4.3 MB",
        "5.0 GB",
        "2.0 TB",
    ]
    assert (counted(1, "row"), counted(1200, "row")) == ("1 row", "1,200 rows")
    assert (short(AT["run"]), words("no_database")) == ("7F3K", "no database")
