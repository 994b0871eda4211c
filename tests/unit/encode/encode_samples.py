"""One of each value that surfaces say as JSON, none of its fields left at its default."""

from etltui.domain.errors import ErrorClass, Trouble
from etltui.domain.pools import Leak, PoolMetrics, PoolStats
from etltui.domain.progress import ConnectionView, LateView, RunView, Snapshot
from etltui.domain.queue import Ask, Mode, QueueEntry, QueueMetrics
from etltui.domain.run import (
    ConnectionResult,
    ConnectionStatus,
    Output,
    RunResult,
    RunStatus,
    Step,
)

AT = 1795302300.125
"""2026-11-21 23:05:00.125 UTC."""
RUN = "20261121T230500Z-7F3K"
JOB = "gst_sales"
POOL = "postgresql reader@10.8.0.2:5432/branch"
TROUBLE = Trouble(error_class=ErrorClass.UNREACHABLE, message="no route to 10.8.0.7, wählt nicht")

METRICS = PoolMetrics(
    total_pools=3,
    active_pools=2,
    total_connections=9,
    pools_by_server={"10.8.0.2:5432": 2},
    places=11,
    max_connections=50,
    places_by_server={"10.8.0.2:5432": 10},
    max_per_host=20,
    waiting=4,
    paused=True,
    acquires=70,
    served_by_open=61,
    leaked=2,
    leaks=(Leak(holder=f"run {RUN}, Branch_001", pool=POOL, seconds=61.26),),
    locked_credentials=("reader",),
)
STATS = PoolStats(
    pool=POOL,
    server="10.8.0.2:5432",
    size=20,
    open=8,
    lent=5,
    idle=3,
    connecting=1,
    waiting=4,
    refs=9,
    paused=True,
    draining=False,
    acquires=70,
    served_by_open=61,
    opened=12,
    lost=2,
    closed=4,
    wait_p50_ms=0.2,
    wait_p95_ms=40.5,
    connect_p50_ms=31.0,
    connect_p95_ms=90.0,
    last_error="Branch_003: unreachable: no route",
    leaks=METRICS.leaks,
    leaked=2,
)
QUEUE = QueueMetrics(
    pending=2,
    delayed=1,
    running=1,
    completed=5,
    failed=1,
    retried=3,
    total_processed=6,
    average_ms=4123.6,
    paused=False,
    paused_jobs=("ledger",),
)
ENTRY = QueueEntry(
    run=RUN,
    job=JOB,
    type="extract",
    priority=10,
    submitted=AT,
    not_before=AT + 60,
    owner="asha@desk",
    ask=Ask(mode=Mode.RESUME, only=("Branch_*",)),
    tries=2,
    keep=True,
)
NOW = QueueEntry(run="20261121T230000Z-AAAA", job="ledger", type="sync", priority=0, submitted=AT)


def view(name, status, step="", rows=0, trouble=None):
    return ConnectionView(
        connection=name,
        status=status,
        step=step,
        rows=rows,
        bytes=rows * 100,
        tries=2,
        since=AT,
        trouble=trouble,
    )


PROGRESS = RunView(
    run=RUN,
    job=JOB,
    status=RunStatus.RUNNING,
    step=Step.QUERYING,
    percent=50,
    total=6,
    completed=2,
    failed=1,
    skipped=1,
    rows=1200345,
    attempt=2,
    started=AT,
    changed=AT + 1,
    reason="",
    connections={
        each.connection: each
        for each in (
            view("Branch_001", ConnectionStatus.COMPLETED, Step.SENDING, 1200000),
            view("Branch_002", ConnectionStatus.RUNNING, Step.PROCESSING, 345),
            view("Branch_003", ConnectionStatus.FAILED, Step.CONNECTING, trouble=TROUBLE),
            view("Branch_004", ConnectionStatus.RETRYING, trouble=TROUBLE),
            view("Zweigstelle Köln", ConnectionStatus.WAITING),
        )
    },
)
ENDED = RunView(
    run=NOW.run,
    job="ledger",
    status=RunStatus.STOPPED,
    percent=100,
    total=1,
    reason="stopped by SIGINT",
)
SNAPSHOT = Snapshot(
    at=AT,
    holder="asha@desk",
    runs=(PROGRESS, ENDED),
    pending=(ENTRY,),
    queue=QUEUE,
    pools=METRICS,
    pool_info=(STATS,),
    memory=123456789,
    late=(LateView(run=RUN, job=JOB, connections=("B", "C"), until=AT + 600, next_at=AT + 60),),
    threshold=1073741824,
)
GOOD = ConnectionResult(
    connection="Branch_001",
    status=ConnectionStatus.COMPLETED,
    rows=1200000,
    seconds={"connect": 0.25, "fetch": 1.00049},
    tries=2,
    notes={"cells cut": 3},
)
BAD = ConnectionResult(
    connection="Branch_003",
    status=ConnectionStatus.FAILED,
    seconds={"connect": 30.0},
    trouble=TROUBLE,
    tries=4,
)
RESULT = RunResult(
    run=RUN,
    job=JOB,
    status=RunStatus.COMPLETED_WITH_ERRORS,
    total=6,
    completed=5,
    failed=1,
    skipped=1,
    rows=1200345,
    seconds=12.5,
    outputs=(
        Output(type="excel", path="/srv/out/gst.xlsx", rows=1200345, bytes=987654, final=True),
    ),
    left_out=1,
    connections=(GOOD, BAD),
)
