"""What an entry of the queue says of its place, and of its next turn."""

import json
from dataclasses import fields

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etltui.domain.errors import ErrorClass, Trouble
from etltui.domain.progress import ConnectionView, RunView
from etltui.domain.queue import Ask, Mode, QueueEntry
from etltui.domain.run import ConnectionStatus, RunStatus

SECONDS = st.floats(0, 2e9)
PRIORITIES = st.integers(0, 1000)


def entry(run="r", **changes):
    asked = {"job": "j", "type": "t", "priority": 100, "submitted": 0.0, **changes}
    return QueueEntry(run=run, **asked)


@given(PRIORITIES, SECONDS, SECONDS)
def test_s0_26_of_equal_priority_who_came_first_is_first(priority, one, other):
    first, second = sorted((one, other))
    a = entry(priority=priority, submitted=first).rank(60.0)
    assert a <= entry(priority=priority, submitted=second).rank(60.0)


@given(PRIORITIES, PRIORITIES, SECONDS)
def test_s0_26_of_those_who_came_together_the_lower_number_is_first(one, other, submitted):
    low, high = sorted((one, other))
    a = entry(priority=low, submitted=submitted).rank(60.0)
    assert a <= entry(priority=high, submitted=submitted).rank(60.0)


def test_an_entry_is_plain_json_without_a_secret_and_comes_back_the_same():
    """What is handed on with a run names a job and says how; nothing in it is a secret."""
    made = entry(
        owner="asha@desk",
        ask=Ask(mode=Mode.RETRY, only=("tag:north",), classes=(ErrorClass.TIMEOUT,)),
    )
    text = msgspec.json.encode(made)
    assert msgspec.json.decode(text, type=QueueEntry) == made
    assert (
        set(json.loads(text))
        == {each.name for each in fields(QueueEntry)}
        == {
            *("run", "job", "type", "priority", "submitted", "not_before"),
            *("owner", "ask", "tries", "keep", "taken"),
        }
    )


def test_ageing_is_worth_one_step_of_priority():
    late = entry("late", priority=9, submitted=60.0)
    assert late.rank(60.0)[0] == entry("early", priority=10).rank(60.0)[0]


@pytest.mark.parametrize(
    ("mode", "then"),
    [(Mode.NEW, Mode.RESUME), (Mode.RESUME, Mode.RESUME), (Mode.RETRY, Mode.RETRY)],
)
def test_a_further_turn_asks_for_the_same_and_takes_up_what_there_is(mode, then):
    ask = Ask(mode=mode, only=("A*",), classes=(ErrorClass.LOST,))
    again = entry(ask=ask, taken=True, keep=True).again(7.0)
    assert again.ask == Ask(mode=then, only=("A*",), classes=(ErrorClass.LOST,))
    assert (again.tries, again.not_before, again.taken, again.keep) == (2, 7.0, False, True)


def test_s0_56_errors_of_a_run_are_those_of_its_connections():
    trouble = Trouble(error_class=ErrorClass.LOST, message="the line broke")
    views = {
        "A": ConnectionView(connection="A", status=ConnectionStatus.FAILED, trouble=trouble),
        "B": ConnectionView(connection="B", status=ConnectionStatus.COMPLETED),
    }
    view = RunView(run="r", job="j", status=RunStatus.RUNNING, connections=views)
    assert view.errors == ("A: the line broke",)
