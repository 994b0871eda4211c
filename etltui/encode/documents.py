"""The spelling of the documents that the product was asked for with: camelCase, four states.

Names inside are the domain's; these are for programs that were written against the documents.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

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
    Topic,
)
from etltui.domain.pools import BreakerStats, PoolHistory, PoolMetrics, PoolStats
from etltui.domain.progress import ConnectionView, RunView, Snapshot
from etltui.domain.queue import QueueEntry, QueueMetrics
from etltui.domain.run import ConnectionStatus, RunStatus, Step
from etltui.domain.strays import Stray

_STATES: Mapping[RunStatus | ConnectionStatus, str] = {
    RunStatus.QUEUED: "pending",
    RunStatus.RUNNING: "running",
    RunStatus.PUBLISHING: "running",
    RunStatus.COMPLETED: "completed",
    RunStatus.COMPLETED_WITH_ERRORS: "completed",
    ConnectionStatus.WAITING: "pending",
    ConnectionStatus.RUNNING: "running",
    ConnectionStatus.RETRYING: "running",
    ConnectionStatus.COMPLETED: "completed",
    ConnectionStatus.SKIPPED: "completed",
}
"""Of four states; whatever is not here has failed."""

_STEPS: Mapping[str, int] = {step: number * 100 // len(Step) for number, step in enumerate(Step)}
"""How far a run connection is that takes a step, in percent: how many rows it has in all is not
known before its end."""

_ENDED = frozenset(
    {
        ConnectionStatus.COMPLETED,
        ConnectionStatus.FAILED,
        ConnectionStatus.SKIPPED,
        ConnectionStatus.CANCELLED,
    },
)

_NAMES: Mapping[Topic, Mapping[type[Event], str]] = {
    Topic.QUEUE: {
        RunQueued: "job:enqueued",
        RunStarted: "job:started",
        RunRetrying: "job:failed",
        QueueCleared: "queue:cleared",
    },
    Topic.PROGRESS: {
        RunStarted: "job:started",
        RunProgress: "job:progress",
        ConnectionStarted: "job:connection:started",
        ConnectionProgress: "job:connection:progress",
        ConnectionCompleted: "job:connection:completed",
        ConnectionFailed: "job:connection:failed",
    },
}

SETTINGS: Mapping[str, str] = {
    "connectionTimeout": "connection_timeout_s",
    "queryTimeout": "query_timeout_s",
    "poolSize": "pool_size",
    "poolIdleTimeout": "pool_idle_s",
    "maxConcurrentConnections": "max_connections",
    "maxConcurrentJobs": "max_jobs",
    "realTimeProgress": "streaming",
    "logVerbosity": "log_level",
}
"""From a key of `update-settings` to the setting's name; times are in seconds."""


def pool_metrics(value: PoolMetrics) -> dict[str, Any]:
    """`get-pool-metrics`."""
    return {
        "totalPools": value.total_pools,
        "activePools": value.active_pools,
        "totalConnections": value.total_connections,
        "poolsByServer": dict(value.pools_by_server),
        **({"linesDown": [_line(each) for each in value.breakers]} if value.breakers else {}),
    }


def _line(value: BreakerStats) -> dict[str, Any]:
    return {
        "line": value.name,
        "seconds": round(value.open_s, 1),
        "waiting": list(value.waiting),
        "probing": value.probing or None,
        "nextProbeSeconds": round(value.probe_in_s, 1),
        "lastError": value.last_error,
    }


def _stray(value: Stray) -> dict[str, Any]:
    return {"kind": value.kind, "name": value.name, "seconds": round(value.seconds, 1)}


def pool_info(values: Sequence[PoolStats]) -> list[dict[str, Any]]:
    """`get-pool-info`."""
    return [
        {
            "pool": value.pool,
            "server": value.server,
            "size": value.size,
            "open": value.open,
            "active": value.lent,
            "idle": value.idle,
            "connecting": value.connecting,
            "waiting": value.waiting,
            "refs": value.refs,
            "paused": value.paused,
            "draining": value.draining,
            "lost": value.lost,
            "lastError": value.last_error,
            "leaks": [
                {"holder": leak.holder, "seconds": round(leak.seconds, 1)} for leak in value.leaks
            ],
        }
        for value in values
    ]


def pool_history(values: Sequence[PoolHistory]) -> dict[str, Any]:
    """Whether the pools' databases answer, and what they were asked; times in milliseconds."""
    return {
        "pools": [
            {
                "pool": value.pool,
                "healthy": value.healthy,
                "provedSecondsAgo": None if value.proved_s is None else round(value.proved_s, 1),
                "proofsFailed": value.proofs_failed,
                "lastError": value.last_error,
                "statements": [
                    {
                        "hash": each.hash,
                        "text": each.text,
                        "count": each.count,
                        "totalMs": round(each.total_s * 1000, 1),
                        "meanMs": round(each.mean_s * 1000, 1),
                        "maxMs": round(each.max_s * 1000, 1),
                        "rows": each.rows,
                    }
                    for each in value.statements
                ],
            }
            for value in values
        ],
    }


def queue_metrics(value: QueueMetrics) -> dict[str, Any]:
    """`get-queue-metrics`; the average is in milliseconds."""
    return {
        "pending": value.pending,
        "running": value.running,
        "completed": value.completed,
        "failed": value.failed,
        "totalProcessed": value.total_processed,
        "avgProcessingTime": round(value.average_ms),
    }


def queued(values: Sequence[QueueEntry]) -> list[dict[str, Any]]:
    """`get-running-jobs` and `get-pending-jobs`."""
    return [
        {
            "jobId": value.job,
            "runId": value.run,
            "jobType": value.type,
            "priority": value.priority,
            "owner": value.owner,
            "attempt": value.tries,
            "enqueuedAt": _time(value.submitted),
            "notBefore": _time(value.not_before) if value.not_before else None,
        }
        for value in values
    ]


def job_progress(value: RunView) -> dict[str, Any]:
    """`get-job-progress`."""
    return {
        "jobId": value.job,
        "status": state(value.status),
        "totalConnections": value.total,
        "completedConnections": value.completed,
        "failedConnections": value.failed,
        "percentage": value.percent,
        "currentStep": value.step,
        "errors": list(value.errors),
        "connectionProgress": {name: _connection(view) for name, view in value.connections.items()},
    }


def all_progress(values: Sequence[RunView]) -> dict[str, dict[str, Any]]:
    """`get-all-progress`: the newest run of each job, by the job's name."""
    return {value.job: job_progress(value) for value in values}


def snapshot(value: Snapshot) -> dict[str, Any]:
    """Everything at one moment, each part as its own call says it; memory is in bytes."""
    return {
        "time": _time(value.at),
        "holder": value.holder,
        "runs": [{"runId": view.run, **job_progress(view)} for view in value.runs],
        "pendingJobs": queued(value.pending),
        "queue": queue_metrics(value.queue),
        "pools": pool_metrics(value.pools),
        **({"leaks": [_stray(each) for each in value.strays]} if value.strays else {}),
        "poolInfo": pool_info(value.pool_info),
        "memory": {"used": value.memory, "threshold": value.threshold},
        "late": [
            {
                "runId": view.run,
                "jobId": view.job,
                "connections": list(view.connections),
                "until": _time(view.until),
                "nextAt": _time(view.next_at),
            }
            for view in value.late
        ],
    }


def settings(changes: Mapping[str, object]) -> dict[str, object]:
    """Changes of `update-settings` by the names of our settings; unknown keys stay."""
    return {SETTINGS.get(key, key): value for key, value in changes.items()}


def state(status: RunStatus | ConnectionStatus) -> str:
    """One of `pending`, `running`, `completed`, `failed`."""
    return _STATES.get(status, "failed")


def event_name(event: Event, topic: Topic) -> str | None:
    """The event's name in a topic, None where it has none there."""
    if isinstance(event, RunFinished):
        ended = state(event.result.status)
        for_good = topic is Topic.QUEUE and ended == "failed"
        return "job:failed:permanent" if for_good else f"job:{ended}"
    return _NAMES[topic].get(type(event))


def _connection(view: ConnectionView) -> dict[str, Any]:
    return {
        "name": view.connection,
        "status": state(view.status),
        "step": view.step,
        "percentage": 100 if view.status in _ENDED else _STEPS.get(view.step, 0),
        "rows": view.rows,
        "error": view.trouble.message if view.trouble else None,
    }


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
