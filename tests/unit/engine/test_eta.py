"""How long a run takes still: from the past, from what it has shown, and from its lanes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etltui.domain.progress import ConnectionView, Eta
from etltui.domain.run import ConnectionStatus
from etltui.domain.usual import Past, Usual
from etltui.engine.eta import time_left

NOW = 1000.0


def view(name, status=ConnectionStatus.WAITING, **facts):
    return ConnectionView(connection=name, status=status, **facts)


def running(name, spent, rows=0):
    return view(name, ConnectionStatus.RUNNING, tries=1, since=NOW - spent, rows=rows)


def completed(name, took):
    seconds = {"connect": 1.0, "fetch": took - 1.0}
    return view(name, ConnectionStatus.COMPLETED, tries=1, seconds=seconds)


def past(publish_s=None, spread=0.0, **seconds):
    usual = {
        name: Usual(rows=100, seconds=took, spread=spread * (took or 0))
        for name, took in seconds.items()
    }
    return Past(usual=usual, publish_s=publish_s)


def told(views, history, lanes=1, publishing_since=None):
    return time_left(views, history, lanes=lanes, now=NOW, publishing_since=publishing_since)


@pytest.mark.parametrize(("lanes", "left"), [(0, 16.0), (1, 16.0), (2, 10.0), (9, 10.0)])
def test_n_26_connections_are_dealt_out_to_the_lanes_in_their_order(lanes, left):
    views = [view("A"), view("B"), view("C")]
    assert told(views, past(A=10.0, B=4.0, C=2.0), lanes=lanes) == Eta(left_s=left, band_s=0.0)


def test_n_2_what_takes_long_begins_first():
    history = past(A=2.0, B=2.0, C=10.0)
    assert told([view("A"), view("B"), view("C")], history, lanes=2).left_s == 10.0
    # Lanes are taken by those at work, for what these take still.
    at_work = [running("A", 1.0), running("B", 0.5), view("C")]
    assert told(at_work, history, lanes=2).left_s == 11.0
    assert told(at_work, history, lanes=3).left_s == 10.0
    # They are at work already, wherever they stand in the order.
    last = [view("A"), view("B"), running("C", 1.0)]
    assert told(last, past(A=5.0, B=5.0, C=10.0), lanes=2).left_s == 10.0


def test_n_26_the_targets_take_their_time_at_the_end():
    history = past(publish_s=8.0, A=10.0)
    assert told([view("A")], history) == Eta(left_s=18.0, band_s=2.0)
    done = [completed("A", 10.0)]
    assert told(done, history) == Eta(left_s=8.0, band_s=2.0)
    assert told(done, history, publishing_since=NOW - 3.0) == Eta(left_s=5.0, band_s=2.0)
    assert told(done, history, publishing_since=NOW - 9.0) == Eta(left_s=0.0, band_s=2.0)
    # How long they take is not known: then nothing is said of it.
    assert told(done, past(A=10.0), publishing_since=NOW) is None


def test_the_band_is_as_wide_as_past_runs_differed():
    history = past(A=10.0, B=10.0, C=10.0, D=10.0, spread=0.3)
    four = [view(name) for name in "ABCD"]
    # Half of the runs were within 3 s of 10; two thirds within half as much again.
    assert told(four, history, lanes=1) == Eta(left_s=40.0, band_s=pytest.approx(18.0))
    assert told(four, history, lanes=4) == Eta(left_s=10.0, band_s=pytest.approx(4.5))
    assert told([running("A", 8.0)], history) == Eta(left_s=3.0, band_s=pytest.approx(1.35))


def test_one_at_work_is_told_by_the_clock_and_more_and_more_by_its_rows():
    history = past(A=10.0, spread=0.1)
    assert told([running("A", 4.0)], history).left_s == 6.0
    # Half of the rows in 2 s: half by the clock (8 s), half by the rows (2 s).
    assert told([running("A", 2.0, rows=50)], history).left_s == 5.0
    assert told([running("A", 2.0, rows=100)], history).left_s == 0.0
    # More rows than ever: nobody knows how many follow.
    assert told([running("A", 2.0, rows=300)], history).left_s == 0.0
    # Late: as much more as it differs.
    assert told([running("A", 99.0)], history).left_s == 1.0
    # The clock was set back.
    assert told([running("A", -5.0)], history).left_s == 10.0


def test_rows_say_nothing_where_there_are_usually_none():
    history = Past(usual={"A": Usual(rows=0, seconds=10.0)})
    assert told([running("A", 4.0, rows=7)], history).left_s == 6.0


def test_one_that_waits_for_its_next_try_begins_anew_then():
    views = [
        view("A", ConnectionStatus.RETRYING, tries=1, since=NOW - 5, again_at=NOW + 30),
        view("B"),
    ]
    history = past(A=10.0, B=50.0)
    assert told(views, history, lanes=2).left_s == 50.0
    # Its lane is free meanwhile.
    assert told(views, history, lanes=1).left_s == 60.0
    assert told(views[:1], history).left_s == 40.0
    sooner = view("B", ConnectionStatus.RETRYING, tries=1, again_at=NOW + 5)
    assert told([views[0], sooner], past(A=10.0, B=10.0)).left_s == 40.0


def test_what_is_over_is_not_counted():
    ended = [
        view("A", ConnectionStatus.FAILED, tries=3),
        view("B", ConnectionStatus.CANCELLED),
        view("C", ConnectionStatus.SKIPPED),
        view("D"),
    ]
    assert told(ended, past(A=1.0, B=2.0, C=4.0, D=8.0)).left_s == 8.0


def test_this_run_s_own_pace_counts_once_three_have_completed():
    slow = [completed(name, 20.0) for name in "ABC"]
    history = past(A=10.0, B=10.0, C=10.0, D=10.0)
    assert told([*slow[:2], view("D")], history).left_s == 10.0
    assert told([*slow, view("D")], history).left_s == 20.0
    stuck = [completed(name, 900.0) for name in "ABC"]
    assert told([*stuck, view("D")], history).left_s == 40.0
    quick = [completed(name, 1.0) for name in "ABC"]
    assert told([*quick, view("D")], history).left_s == 2.5
    # What an earlier attempt did says nothing of today.
    before = [view(n, ConnectionStatus.COMPLETED, seconds={"fetch": 40.0}) for n in "ABC"]
    assert told([*before, view("D")], history).left_s == 10.0
    assert told([*slow, view("D")], past(A=0.0, B=0.0, C=0.0, D=0.0)).left_s == 0.0


def test_one_without_a_past_counts_as_the_others_do():
    history = past(A=10.0, B=20.0)
    assert told([view("A"), view("B"), view("new")], history) == Eta(left_s=45.0, band_s=11.25)
    # … or as those did that have completed by now.
    views = [completed("x", 4.0), view("A"), view("new")]
    assert told(views, history).left_s == 14.0


def test_with_little_past_it_is_a_guess_once_something_has_completed():
    views = [view("A"), view("B"), view("C")]
    assert told(views, past(A=10.0)) is None
    assert told(views, Past()) is None
    # Imported runs have rows and no times.
    assert told(views, past(A=None, B=None, C=None)) is None
    guessed = told([completed("x", 6.0), *views], Past())
    assert guessed == Eta(left_s=18.0, band_s=13.5, guess=True)
    mixed = told([completed("x", 6.0), *views], past(A=10.0))
    assert mixed == Eta(left_s=22.0, band_s=11.0, guess=True)
    # Half of it is enough.
    assert not told(views[:2], past(A=10.0)).guess


STATUSES = st.sampled_from(list(ConnectionStatus))
TIMES = st.floats(0, 1e6)
VIEWS = st.lists(st.tuples(STATUSES, TIMES, st.integers(0, 1000), st.booleans()), max_size=12)


@given(VIEWS, st.integers(-1, 20), st.none() | TIMES)
def test_whatever_happens_a_time_left_is_a_time(kinds, lanes, publish_s):
    views, usual = [], {}
    for number, (status, seconds, rows, known) in enumerate(kinds):
        name = str(number)
        took = {"fetch": seconds}
        views.append(view(name, status, tries=1, since=NOW - rows, rows=rows, seconds=took))
        if known:
            usual[name] = Usual(rows=rows, seconds=seconds, spread=seconds / 3)
    left = told(views, Past(usual=usual, publish_s=publish_s), lanes=lanes)
    assert left is None or (0 <= left.left_s < 1e9 and 0 <= left.band_s < 1e9)
    fewer = told(views, Past(usual=usual, publish_s=publish_s), lanes=lanes + 1)
    assert (left is None) == (fewer is None)
    assert left is None or fewer.left_s <= left.left_s
