"""What crosses the socket: values, events and errors arrive as what they were."""

import inspect
from dataclasses import fields
from operator import attrgetter
from pathlib import Path
from typing import get_type_hints

import msgspec
import pytest

from etltui.domain import errors, events
from etltui.domain.errors import (
    ConfigError,
    ErrorClass,
    EtltuiError,
    Failure,
    Mistake,
    NoSuchRunError,
    PlanChangedError,
    RefusedError,
    StateError,
    StateHeldError,
    StatusError,
    Trouble,
)
from etltui.domain.pools import Leak, PoolMetrics, PoolStats
from etltui.domain.progress import ConnectionView, Eta, RunView, Snapshot
from etltui.domain.queue import Ask, Mode, QueueEntry, QueueMetrics
from etltui.domain.run import ConnectionResult, ConnectionStatus, Output, RunResult, RunStatus
from etltui.domain.usual import Past, Usual
from etltui.door import protocol
from etltui.door.errors import GoneError
from etltui.door.protocol import (
    CALLS,
    FOLLOWING,
    HEAD,
    Answer,
    Call,
    answered,
    asked,
    body_length,
    call_of,
    down,
    error_of,
    event_of,
    frame,
    news,
    refused,
)

TROUBLE = Trouble(error_class=ErrorClass.LOGIN, message="no entry", facts={"pool": "x"})
RESULT = RunResult(
    run="20261121T230500Z-7F3K",
    job="sales",
    status=RunStatus.COMPLETED_WITH_ERRORS,
    total=2,
    completed=1,
    failed=1,
    skipped=0,
    rows=3,
    seconds=0.5,
    outputs=(Output(type="csv", path="/out/ä.csv", rows=3, bytes=9, final=True),),
    connections=(
        ConnectionResult(
            connection="A", status=ConnectionStatus.COMPLETED, rows=3, notes={"cut": 1}
        ),
        ConnectionResult(connection="B", status=ConnectionStatus.FAILED, trouble=TROUBLE),
    ),
)
ENTRY = QueueEntry(
    run="r", job="sales", type="extract", priority=3, submitted=1.5, ask=Ask(mode=Mode.RETRY)
)
SNAPSHOT = Snapshot(
    at=2.5,
    holder="asha@desk",
    runs=(
        RunView(
            run="r",
            job="sales",
            status=RunStatus.RUNNING,
            connections={
                "B": ConnectionView(
                    connection="B",
                    status=ConnectionStatus.RETRYING,
                    trouble=TROUBLE,
                    seconds={"connect": 0.5},
                    notes={"cut": 1},
                    again_at=9.5,
                    usual_rows=7,
                    usual_s=None,
                )
            },
            eta=Eta(left_s=72.0, band_s=9.0, guess=True),
            outputs=RESULT.outputs,
        ),
    ),
    pending=(ENTRY,),
    queue=QueueMetrics(pending=1, paused_jobs=("x",)),
    pools=PoolMetrics(
        total_pools=1,
        active_pools=1,
        total_connections=1,
        pools_by_server={"h:1": 1},
        places=1,
        max_connections=50,
        max_per_host=20,
        waiting=0,
        paused=False,
        acquires=1,
        served_by_open=0,
        leaked=1,
        leaks=(Leak(holder="run r, A", pool="p", seconds=61.0),),
    ),
    pool_info=(),
    memory=5,
    threshold=6,
)
VALUES = {
    "at": 1.25,
    "run": "r",
    "job": "sales",
    "result": RESULT,
    "trouble": TROUBLE,
    "will_retry": True,
    "final": False,
    "connection": "A",
    "step": "Connecting to database",
    "path": "/out",
    "reason": "why",
    "owner": "asha@desk",
    "title": "Sales",
    "type": "csv",
    "seconds": {"connect": 0.5},
    "waiting": ("A", "B"),
    "before": RESULT.connections,
    "line": "gateway VPN-North",
    "connections": ("A", "B"),
    "error": "no route to host",
    "past": Past(usual={"A": Usual(rows=7, seconds=1.5)}, publish_s=0.5),
}
EVENTS = [
    kind
    for kind in vars(events).values()
    if isinstance(kind, type) and issubclass(kind, events.Event) and kind is not events.Event
]
ERRORS = [
    ConfigError(
        [
            Mistake(where="f", key="k", problem="p", way_out="w"),
            Mistake(where="g", key="", problem="q"),
        ]
    ),
    PlanChangedError(run="r", job="sales", differences=("query main", "columns")),
    StateHeldError(folder=Path("/state"), holder="process 7"),
    RefusedError(job="sales", why="it is paused", way_out="Let it go on"),
    NoSuchRunError(run="r", why="there is none", way_out="See"),
    StateError("the disk is gone"),
    StatusError(thing="the run", current="queued", wanted="completed"),
    Failure(ErrorClass.TIMEOUT, "too long", {"pool": "x"}),
    GoneError("about to end"),
    EtltuiError("plain"),
]


def over(message):
    """The message as the other side has it."""
    sent = frame(message)
    assert body_length(sent[: HEAD.size], protocol.MAX_MESSAGE) == len(sent) - HEAD.size
    return (call_of if isinstance(message, Call) else down)(sent[HEAD.size :])


def event(kind):
    made = {}
    for each in fields(kind):
        if each.name == "result" and kind is events.ConnectionCompleted:
            made["result"] = RESULT.connections[0]
        elif each.name == "seconds" and kind is events.LineUp:
            made["seconds"] = 12.5
        elif each.name in VALUES:
            made[each.name] = VALUES[each.name]
        elif each.name != "topic":
            made[each.name] = 7
    return kind(**made)


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_every_event_arrives_as_it_was(kind):
    sent = event(kind)
    assert event_of(over(news(sent))) == sent


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_every_error_arrives_with_its_class_words_and_facts(error):
    there = error_of(over(refused(1, error)))
    assert type(there) is type(error)
    assert str(there) == str(error)
    if not isinstance(error, StateHeldError):  # its folder is a text there
        assert vars(there) == vars(error)


def test_no_error_of_the_program_is_left_out():
    known = {
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, EtltuiError)
    }
    assert known <= {type(error) for error in ERRORS}
    # One of a later version is still an error with words.
    strange = protocol.Refused(id=1, kind="LaterError", text="words", facts={"x": [1]})
    assert str(error_of(strange)) == "words"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("snapshot", SNAPSHOT),
        ("collect", SNAPSHOT),
        ("wait", RESULT),
        ("get_pending_jobs", (ENTRY,)),
        ("get_job_progress", None),
        ("get_job_progress", SNAPSHOT.runs[0]),
        ("get_pool_metrics", SNAPSHOT.pools),
        ("queue.clear", 3),
        ("submit", "20261121T230500Z-7F3K"),
        ("update_settings", None),
    ],
)
def test_results_arrive_as_they_were(name, value):
    assert answered(name, over(Answer(id=1, value=value)).value) == value


@pytest.mark.parametrize("name", CALLS)
def test_every_call_is_typed_and_returns_what_can_be_sent(name):
    names = set(inspect.signature(CALLS[name]).parameters) - {"self"}
    hints = get_type_hints(CALLS[name])
    assert set(hints) == names | {"return"}
    if name not in {"submit", "retry"}:
        msgspec.json.Decoder(hints["return"])


def test_the_calls_are_the_engines_own(house):
    for name in set(CALLS) - FOLLOWING:
        if not name.startswith("pools."):
            assert attrgetter(name)(house.engine).__func__ is CALLS[name]


def test_arguments_become_the_types_that_are_wanted():
    ask = Ask(mode=Mode.RETRY, only=("A*",), classes=(ErrorClass.BUSY,))
    call = over(Call(id=1, name="retry", arguments={"run": "r", "ask": ask}))
    assert asked(call) == {"run": "r", "ask": ask}


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("reload", {}, "knows no call 'reload'"),
        ("stop", {}, "knows no call"),
        ("config", {}, "knows no call"),
        ("queue._tools", {}, "knows no call"),
        ("cancel", {"run": 7}, "Expected `str`"),
        ("cancel", {"run": "r", "self": 1}, "'self'"),
        ("submit", {"job": "x", "overlap": "fight"}, "Invalid enum value"),
    ],
)
def test_what_is_not_offered_or_wrong_is_refused(name, arguments, words):
    with pytest.raises(EtltuiError, match=words):
        asked(Call(id=1, name=name, arguments=arguments))


def test_messages_are_bounded(monkeypatch):
    monkeypatch.setattr(protocol, "MAX_MESSAGE", 100)
    with pytest.raises(ValueError, match="longer than 100"):
        frame(Answer(id=1, value="x" * 100))
    with pytest.raises(ValueError, match="longer than 10"):
        body_length(HEAD.pack(11), 10)


def test_a_pools_numbers_arrive_as_they_were():
    numbers = {each.name: 1 for each in fields(PoolStats)}
    texts = {"pool": "p", "server": "h", "last_error": "", "paused": True, "draining": False}
    leaks = (Leak(holder="run r, A", pool="p", seconds=61.0),)
    made = PoolStats(**{**numbers, **texts, "wait_p50_ms": 0.5, "leaks": leaks})
    assert answered("get_pool_info", over(Answer(id=1, value=(made,))).value) == (made,)
