"""The documents' spelling: each call's answer against golden bytes, each event's name by table."""

import json
import os
from pathlib import Path

import pytest

from etltui.config.schema import rules
from etltui.domain import events
from etltui.domain.logbook import Hold
from etltui.domain.run import ConnectionStatus, RunStatus
from etltui.encode import documents
from etltui.encode import events as own
from unit.encode import encode_samples as sample

GOLDEN = Path(__file__).parents[2] / "golden" / "documents"
MOMENT = events.Moment(at=sample.AT, run=sample.RUN, job=sample.JOB)
CHANGES = {
    "connectionTimeout": 60,
    "queryTimeout": 600,
    "poolSize": 30,
    "poolIdleTimeout": 60,
    "maxConcurrentConnections": 500,
    "maxConcurrentJobs": 20,
    "realTimeProgress": False,
    "logVerbosity": "debug",
    "max_per_host": 5,
}
CALLS = {
    "get-pool-metrics": lambda: documents.pool_metrics(sample.METRICS),
    "get-pool-info": lambda: documents.pool_info([sample.STATS]),
    "get-queue-metrics": lambda: documents.queue_metrics(sample.QUEUE),
    "get-running-jobs": lambda: documents.queued([sample.NOW]),
    "get-pending-jobs": lambda: documents.queued([sample.ENTRY]),
    "get-job-progress": lambda: documents.job_progress(sample.PROGRESS),
    "get-all-progress": lambda: documents.all_progress([sample.PROGRESS, sample.ENDED]),
    "update-settings": lambda: documents.settings(CHANGES),
    "snapshot": lambda: documents.snapshot(sample.SNAPSHOT),
}


def golden(name, text):
    """The text, once it is what the file of that name holds."""
    if os.environ.get("GOLDEN") == "write":
        (GOLDEN / name).write_text(text, encoding="utf-8")
    assert text == (GOLDEN / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("call", CALLS)
def test_each_call_answers_in_the_documents_words(call):
    """S0-94…101, S0-120…122: keys, their order and types, byte for byte."""
    golden(f"{call}.json", json.dumps(CALLS[call](), ensure_ascii=False, indent=2) + "\n")


def test_the_keys_of_the_three_shapes_are_the_documents_own():
    """S0-120…122."""
    assert list(documents.pool_metrics(sample.METRICS)) == [
        "totalPools",
        "activePools",
        "totalConnections",
        "poolsByServer",
    ]
    assert list(documents.queue_metrics(sample.QUEUE)) == [
        "pending",
        "running",
        "completed",
        "failed",
        "totalProcessed",
        "avgProcessingTime",
    ]
    assert list(documents.job_progress(sample.PROGRESS)) == [
        "jobId",
        "status",
        "totalConnections",
        "completedConnections",
        "failedConnections",
        "percentage",
        "currentStep",
        "errors",
        "connectionProgress",
    ]


def test_every_key_of_update_settings_is_a_setting():
    """S0-101."""
    assert set(documents.SETTINGS.values()) <= set(rules())
    assert set(documents.settings(CHANGES)) <= set(rules())


def test_every_status_is_one_of_four():
    """S0-122."""
    assert {status: documents.state(status) for status in RunStatus} == {
        RunStatus.QUEUED: "pending",
        RunStatus.RUNNING: "running",
        RunStatus.PUBLISHING: "running",
        RunStatus.COMPLETED: "completed",
        RunStatus.COMPLETED_WITH_ERRORS: "completed",
        RunStatus.FAILED: "failed",
        RunStatus.STOPPED: "failed",
        RunStatus.CANCELLED: "failed",
        RunStatus.DISCARDED: "failed",
    }
    assert {status: documents.state(status) for status in ConnectionStatus} == {
        ConnectionStatus.WAITING: "pending",
        ConnectionStatus.RUNNING: "running",
        ConnectionStatus.RETRYING: "running",
        ConnectionStatus.COMPLETED: "completed",
        ConnectionStatus.FAILED: "failed",
        ConnectionStatus.SKIPPED: "completed",
        ConnectionStatus.CANCELLED: "failed",
    }


def finished(status):
    result = sample.RunResult(
        run=sample.RUN,
        job=sample.JOB,
        status=status,
        total=1,
        completed=0,
        failed=0,
        skipped=0,
        rows=0,
        seconds=1.0,
        reason="no disk",
    )
    return events.RunFinished(**MOMENT, result=result)


def failed_try(*, again):
    return events.ConnectionFailed(
        **MOMENT,
        connection="Branch_003",
        trouble=sample.TROUBLE,
        will_retry=again,
        tries=2,
        wait_s=5.0,
    )


EVENTS = [
    (
        events.RunQueued(**MOMENT, priority=10, owner="asha@desk", not_before=sample.AT + 60),
        "job:enqueued",
        None,
    ),
    (events.RunStarted(**MOMENT, total=6, skipped=1, attempt=2), "job:started", "job:started"),
    (events.RunRetrying(**MOMENT, reason="no disk", tries=1, wait_s=5.0), "job:failed", None),
    (events.QueueCleared(at=sample.AT, count=2), "queue:cleared", None),
    (
        events.LineDown(
            at=sample.AT, line="gateway VPN-North", connections=("B001", "B002"), error="no route"
        ),
        None,
        None,
    ),
    (
        events.LineUp(at=sample.AT, line="gateway VPN-North", connections=("B003",), down_s=95.0),
        None,
        None,
    ),
    (
        events.RunProgress(
            **MOMENT,
            step="Executing query",
            percent=50,
            completed=2,
            failed=1,
            total=6,
            rows=7,
        ),
        None,
        "job:progress",
    ),
    (
        events.ConnectionStarted(**MOMENT, connection="Branch_001", tries=2),
        None,
        "job:connection:started",
    ),
    (
        events.ConnectionProgress(
            **MOMENT,
            connection="Branch_001",
            step="Processing results",
            rows=7,
            bytes=70,
        ),
        None,
        "job:connection:progress",
    ),
    (
        events.ConnectionCompleted(**MOMENT, connection="Branch_001", result=sample.GOOD),
        None,
        "job:connection:completed",
    ),
    (failed_try(again=True), None, "job:connection:failed"),
    (failed_try(again=False), None, "job:connection:failed"),
    (
        events.ConnectionSkipped(
            **MOMENT,
            connection="Branch_004",
            trouble=Hold(
                connection="Branch_004", reason="line is cut", who="asha@desk", since=sample.AT
            ).trouble("2026-11-21 09:30"),
        ),
        None,
        None,
    ),
    (
        events.TargetPublished(**MOMENT, path="/srv/out/gst.xlsx", rows=7, bytes=70, final=True),
        None,
        None,
    ),
    (events.RunFinished(**MOMENT, result=sample.RESULT), "job:completed", "job:completed"),
    (finished(RunStatus.COMPLETED), "job:completed", "job:completed"),
    (finished(RunStatus.FAILED), "job:failed:permanent", "job:failed"),
    (finished(RunStatus.STOPPED), "job:failed:permanent", "job:failed"),
    (finished(RunStatus.CANCELLED), "job:failed:permanent", "job:failed"),
    (events.Overflow(at=sample.AT, lost=3), None, None),
]


@pytest.mark.parametrize(("event", "queue", "progress"), EVENTS)
def test_each_event_has_its_name_in_each_topic(event, queue, progress):
    """S0-33…38, S0-57…64."""
    assert documents.event_name(event, events.Topic.QUEUE) == queue
    assert documents.event_name(event, events.Topic.PROGRESS) == progress


def test_no_event_is_left_out_and_no_name_of_the_documents_is_missing():
    """S0-33…38, S0-57…64."""
    kinds = {
        kind
        for kind in vars(events).values()
        if isinstance(kind, type) and issubclass(kind, events.Event)
    }
    assert {type(event) for event, _, _ in EVENTS} == kinds - {events.Event}
    assert {queue for _, queue, _ in EVENTS if queue} == {
        "job:enqueued",
        "job:started",
        "job:completed",
        "job:failed",
        "job:failed:permanent",
        "queue:cleared",
    }
    assert {progress for _, _, progress in EVENTS if progress} == {
        "job:started",
        "job:progress",
        "job:connection:started",
        "job:connection:progress",
        "job:connection:completed",
        "job:connection:failed",
        "job:completed",
        "job:failed",
    }


def test_each_event_is_one_line_in_our_own_spelling():
    golden("own_events.jsonl", "".join(f"{own.line(own.encoded(e))}\n" for e, _, _ in EVENTS))
