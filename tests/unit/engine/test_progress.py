"""How far runs are: what the book learns from events, and when it forgets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etltui.domain.errors import ErrorClass, Trouble
from etltui.domain.events import (
    ConnectionCompleted,
    ConnectionFailed,
    ConnectionProgress,
    ConnectionStarted,
    Event,
    QueueCleared,
    RunFinished,
    RunProgress,
    RunQueued,
    RunRetrying,
    RunStarted,
    TargetPublished,
)
from etltui.domain.progress import Eta
from etltui.domain.run import (
    ConnectionResult,
    ConnectionStatus,
    RunResult,
    RunStatus,
    Step,
    percent,
)
from etltui.domain.usual import Past, Usual
from etltui.engine.progress import KEPT_S, ProgressBook
from fakes import TurnedClock

TROUBLE = Trouble(error_class=ErrorClass.LOST, message="the line broke")


class Book:
    """A progress book and a run that tells of itself as a runner does."""

    def __init__(self, names="ABC", run="r", job="j", clock=None):
        self.clock = clock or TurnedClock()
        self.book = ProgressBook(self.clock)
        self.names = names
        self.moment = {"at": 1.0, "run": run, "job": job}
        self.results = {}

    def tell(self, kind, **facts):
        self.book.take(kind(**self.moment, **facts))

    @property
    def view(self):
        return self.book.run(self.moment["run"])

    def queued(self):
        self.tell(RunQueued, priority=100)

    def started(self, attempt=1):
        done = self.done()
        self.results = {name: rows for name, rows in self.results.items() if rows is not None}
        self.tell(RunStarted, total=len(self.names), skipped=len(done), attempt=attempt)
        self.progress()

    def done(self):
        return {name: rows for name, rows in self.results.items() if rows is not None}

    def progress(self):
        done = self.done()
        self.tell(
            RunProgress,
            step="Executing query",
            percent=percent(len(self.results), len(self.names)),
            completed=len(done),
            failed=len(self.results) - len(done),
            total=len(self.names),
            rows=sum(done.values()),
        )

    def connecting(self, name, tries=1):
        self.tell(ConnectionStarted, connection=name, tries=tries)

    def moving(self, name, rows, size=0):
        self.tell(
            ConnectionProgress, connection=name, step="Executing query", rows=rows, bytes=size
        )

    def completed(self, name, rows):
        self.results[name] = rows
        self.progress()
        result = ConnectionResult(connection=name, status=ConnectionStatus.COMPLETED, rows=rows)
        self.tell(ConnectionCompleted, connection=name, result=result)

    def failed(self, name, *, will_retry):
        if not will_retry:
            self.results[name] = None
            self.progress()
        self.tell(
            ConnectionFailed, connection=name, trouble=TROUBLE, will_retry=will_retry, tries=1
        )

    def finished(self, status, reason=""):
        done = self.done()
        result = RunResult(
            run=self.moment["run"],
            job=self.moment["job"],
            status=status,
            total=len(self.names),
            completed=len(done),
            failed=len(self.results) - len(done),
            skipped=0,
            rows=sum(done.values()),
            seconds=1.0,
            reason=reason,
        )
        self.tell(RunFinished, result=result)


def test_s0_122_a_run_from_its_place_in_the_queue_to_its_end():
    """S1-4, S0-56."""
    run = Book()
    run.queued()
    assert (run.view.status, run.view.percent, run.view.total) == (RunStatus.QUEUED, 0, 0)
    run.started()
    assert (run.view.status, run.view.total) == (RunStatus.RUNNING, 3)
    run.connecting("A")
    run.moving("A", 500, size=9)
    assert (run.view.rows, run.view.connections["A"].bytes) == (500, 9)
    run.completed("A", 700)
    run.connecting("B")
    run.failed("B", will_retry=True)
    assert run.view.connections["B"].status is ConnectionStatus.RETRYING
    assert run.view.errors == ("B: the line broke",)
    run.connecting("B", tries=2)
    run.failed("B", will_retry=False)
    run.connecting("C")
    run.completed("C", 1)
    run.tell(TargetPublished, path="/out/x", rows=1, bytes=1, final=True)
    run.finished(RunStatus.COMPLETED_WITH_ERRORS)
    view = run.view
    assert (view.status, view.percent, view.rows) == (RunStatus.COMPLETED_WITH_ERRORS, 100, 701)
    assert (view.total, view.completed, view.failed) == (3, 2, 1)
    assert [(c.connection, c.status) for c in view.connections.values()] == [
        ("A", ConnectionStatus.COMPLETED),
        ("B", ConnectionStatus.FAILED),
        ("C", ConnectionStatus.COMPLETED),
    ]
    # S0-56: a connection's error is kept with it, and the run's are those of all.
    assert view.connections["B"].trouble == TROUBLE
    assert view.errors == ("B: the line broke",)


def test_a_connection_that_completes_after_all_has_no_trouble():
    run = Book()
    run.queued()
    run.started()
    run.connecting("A")
    run.failed("A", will_retry=True)
    run.connecting("A", tries=2)
    assert run.view.connections["A"].tries == 2
    run.completed("A", 1)
    assert run.view.errors == ()


def test_rows_of_earlier_attempts_count():
    run = Book()
    run.queued()
    run.started()
    run.connecting("A")
    run.completed("A", 700)
    run.connecting("B")
    run.moving("B", 10)
    run.finished(RunStatus.STOPPED, "stopped by hand")
    assert (run.view.rows, run.view.percent, run.view.reason) == (700, 33, "stopped by hand")
    # Nobody reads it any more.
    assert run.view.connections["B"].status is ConnectionStatus.CANCELLED
    run.queued()
    run.started(attempt=2)
    assert (run.view.rows, run.view.skipped, run.view.attempt) == (700, 1, 2)
    run.connecting("B")
    run.moving("B", 20)
    assert run.view.rows == 720


def test_a_run_that_gets_another_turn_waits():
    run = Book()
    run.queued()
    run.started()
    run.tell(RunRetrying, reason="no connection completed", tries=1, wait_s=5.0)
    assert (run.view.status, run.view.reason) == (RunStatus.QUEUED, "no connection completed")
    run.started(attempt=2)
    assert (run.view.status, run.view.reason) == (RunStatus.RUNNING, "")


def test_what_is_of_no_run_that_is_known_is_passed_over():
    run = Book()
    run.progress()
    run.book.take(QueueCleared(at=1.0, count=3))
    assert run.book.runs() == ()
    assert run.book.run("j") is None


def test_s0_99_a_run_by_its_job_is_the_one_that_was_asked_for_last():
    """S0-74."""
    clock = TurnedClock()
    first = Book(run="r1", clock=clock)
    second = Book(run="r2")
    second.book = first.book
    first.queued()
    second.queued()
    assert first.book.run("j").run == "r2"
    first.finished(RunStatus.COMPLETED_WITH_ERRORS)
    first.queued()
    assert first.book.run("j").run == "r1"
    assert [view.run for view in first.book.runs()] == ["r2", "r1"]


def test_s0_54_a_finished_run_leaves_memory_after_five_minutes():
    clock = TurnedClock()
    ended, runs = Book(run="ended", clock=clock), Book(run="runs")
    runs.book = ended.book
    for run in (ended, runs):
        run.queued()
    ended.finished(RunStatus.FAILED)
    runs.started()
    clock.turn(KEPT_S - 0.1)
    assert len(ended.book.runs()) == 2
    clock.turn(0.1)
    assert [view.run for view in ended.book.runs()] == ["runs"]
    assert ended.view is None


def test_s0_54_a_run_that_is_taken_up_stays():
    run = Book()
    run.queued()
    run.started()
    run.finished(RunStatus.STOPPED)
    run.queued()
    run.clock.turn(KEPT_S)
    assert run.view.status is RunStatus.QUEUED


@pytest.mark.parametrize("status", list(RunStatus)[3:])
def test_a_run_that_never_began_ends_without_connections(status):
    run = Book(names="")
    run.queued()
    run.finished(status, "cancelled by hand")
    assert run.view.status is status
    assert not run.view.connections


STEPS = st.lists(
    st.tuples(st.sampled_from("ABCDE"), st.sampled_from(["go", "move", "retry", "fail", "done"])),
    max_size=60,
)


@given(STEPS, st.lists(st.integers(0, 9), min_size=60, max_size=60))
def test_s0_81_percent_never_falls_and_rows_are_those_at_the_source(steps, counts):
    run = Book(names="ABCDE")
    run.queued()
    run.started()
    at_work, seen = {}, 0
    for (name, what), count in zip(steps, counts, strict=False):
        if name in run.results:
            continue
        if name not in at_work:
            run.connecting(name)
            at_work[name] = 0
        elif what == "move":
            at_work[name] += count
            run.moving(name, at_work[name])
        elif what in {"retry", "fail"}:
            run.failed(name, will_retry=what == "retry")
            del at_work[name]
        elif what == "done":
            run.completed(name, at_work.pop(name))
        view = run.view
        assert view.percent >= seen
        seen = view.percent
        assert view.rows == sum(run.done().values()) + sum(at_work.values())
        assert (view.completed, view.failed) == (
            len(run.done()),
            len(run.results) - len(run.done()),
        )
        assert view.percent == percent(len(run.results), 5)
    assert all(view.run == "r" for view in run.book.runs())
    run.finished(RunStatus.COMPLETED)
    assert run.view.percent == 100
    assert run.view.rows == sum(run.done().values())


def waits(run, *names, **facts):
    """Let a run begin that says what it is about to read."""
    run.queued()
    run.tell(RunStarted, total=len(run.names), waiting=names, **facts)


def test_a_connection_is_seen_from_the_start_with_what_is_usual_for_it():
    run = Book()
    waits(run, "A", "B", past=Past(usual={"A": Usual(rows=7, seconds=1.5), "C": Usual(rows=9)}))
    run.connecting("C")
    views = run.view.connections
    assert [(v.connection, v.status, v.usual_rows, v.usual_s) for v in views.values()] == [
        ("A", ConnectionStatus.WAITING, 7, 1.5),
        ("B", ConnectionStatus.WAITING, None, None),
        ("C", ConnectionStatus.RUNNING, 9, None),
    ]
    run.connecting("A")
    run.finished(RunStatus.STOPPED)
    assert [v.status for v in run.view.connections.values()] == [
        ConnectionStatus.CANCELLED,
        ConnectionStatus.WAITING,
        ConnectionStatus.CANCELLED,
    ]


def test_what_an_earlier_attempt_did_is_seen_as_it_left_it():
    run = Book()
    done = ConnectionResult(
        connection="A",
        status=ConnectionStatus.COMPLETED,
        rows=5,
        seconds={"fetch": 2.0},
        notes={"cut": 1},
    )
    lost = ConnectionResult(connection="B", status=ConnectionStatus.FAILED, trouble=TROUBLE)
    waits(run, "C", skipped=1, before=(done, lost))
    views = run.view.connections
    assert list(views) == ["A", "B", "C"]
    assert (views["A"].status, views["A"].rows, views["A"].tries) == ("completed", 5, 0)
    assert (views["A"].seconds, views["A"].notes) == ({"fetch": 2.0}, {"cut": 1})
    assert run.view.errors == ("B: the line broke",)


def test_a_connection_says_what_it_ended_with_and_when_it_is_tried_again():
    run = Book()
    waits(run, "A")
    run.connecting("A")
    facts = {"connection": "A", "trouble": TROUBLE, "tries": 1}
    run.tell(ConnectionFailed, **facts, will_retry=True, wait_s=5.0, seconds={"connect": 3.0})
    view = run.view.connections["A"]
    assert (view.again_at, view.seconds) == (6.0, {"connect": 3.0})
    run.connecting("A", tries=2)
    assert run.view.connections["A"].again_at == 0.0
    run.tell(ConnectionFailed, **facts, will_retry=False, wait_s=5.0)
    assert run.view.connections["A"].again_at == 0.0
    run.connecting("A", tries=3)
    result = ConnectionResult(
        connection="A", status=ConnectionStatus.COMPLETED, seconds={"fetch": 2.0}, notes={"cut": 1}
    )
    run.tell(ConnectionCompleted, connection="A", result=result)
    view = run.view.connections["A"]
    assert (view.seconds, view.notes) == ({"fetch": 2.0}, {"cut": 1})


def test_nobody_is_tried_again_once_the_run_has_ended():
    run = Book()
    waits(run, "A")
    run.connecting("A")
    facts = {"connection": "A", "trouble": TROUBLE, "tries": 1}
    run.tell(ConnectionFailed, **facts, will_retry=True, wait_s=5.0)
    run.finished(RunStatus.STOPPED)
    assert run.view.connections["A"].again_at == 0.0


def test_a_run_has_a_title_an_owner_and_the_targets_that_are_in_their_place():
    run = Book()
    run.tell(RunQueued, priority=1, owner="asha@desk", title="Sales")
    assert (run.view.title, run.view.owner, run.view.outputs) == ("Sales", "asha@desk", ())
    run.started()
    assert run.view.title == "Sales"
    facts = {"rows": 3, "bytes": 9}
    run.tell(TargetPublished, path="/b.csv", final=True, type="csv", destination=1, **facts)
    run.tell(TargetPublished, path="/a.part", final=False, type="excel", **facts)
    assert [(o.path, o.final) for o in run.view.outputs] == [("/a.part", False), ("/b.csv", True)]
    run.tell(TargetPublished, path="/a", final=True, type="excel", **facts)
    run.finished(RunStatus.COMPLETED)
    assert [(o.path, o.type) for o in run.view.outputs] == [("/a", "excel"), ("/b.csv", "csv")]
    run.started(attempt=2)
    run.tell(RunStarted, total=3, title="Sales of today")
    assert (run.view.title, run.view.owner) == ("Sales of today", "asha@desk")


def test_n_26_a_run_at_work_says_how_long_it_takes_still():
    clock = TurnedClock()
    run = Book(clock=clock)
    run.book = ProgressBook(clock, lambda: places)
    places = 50
    run.moment["at"] = clock.now().timestamp()
    usual = dict.fromkeys("ABC", Usual(rows=100, seconds=10.0, spread=1.0))
    waits(run, *"ABC", parallel=2, past=Past(usual=usual, publish_s=4.0))
    assert run.view.eta == Eta(left_s=24.0, band_s=pytest.approx(4.0))
    places = 1
    assert run.view.eta.left_s == 34.0
    places = 50
    run.connecting("A")
    clock.turn(4)
    assert run.view.eta.left_s == 20.0
    run.tell(ConnectionProgress, connection="A", step="Processing results", rows=50)
    assert run.view.eta.left_s == 5.0 + 10.0 + 4.0
    # Another run at work takes its share of the places.
    other = Book(run="other", names="")
    other.book = run.book
    waits(other)
    places = 3
    assert run.view.eta.left_s == 29.0
    assert other.view.eta is None
    run.tell(RunRetrying, reason="no connection completed", tries=1, wait_s=5.0)
    assert run.view.eta is None
    run.finished(RunStatus.COMPLETED)
    assert run.view.eta is None


def test_n_26_making_the_targets_takes_its_time_from_when_it_began():
    clock = TurnedClock()
    run = Book(clock=clock)
    run.moment["at"] = clock.now().timestamp()
    waits(run, past=Past(publish_s=4.0))
    assert run.view.eta.left_s == 4.0
    clock.turn(1)
    assert run.view.eta.left_s == 4.0
    for passed in (3.0, 2.0):
        run.moment["at"] = clock.now().timestamp()
        facts = {"percent": 100, "completed": 3, "failed": 0, "total": 3, "rows": 9}
        run.tell(RunProgress, step=Step.SENDING, **facts)
        clock.turn(1)
        assert run.view.eta.left_s == passed


def test_views_are_values_of_their_own():
    run = Book()
    run.queued()
    run.started()
    before = run.view
    run.connecting("A")
    assert before.connections == {}


def test_news_of_no_connection_changes_none():
    run = Book()
    waits(run, "A")
    before = run.view.connections
    run.tell(Event)
    assert run.view.connections == before
