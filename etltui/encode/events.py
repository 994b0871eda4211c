"""Events and results as JSON: one object a line, for programs."""

import json
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any

from etltui.domain.errors import Trouble
from etltui.domain.events import (
    ConnectionCompleted,
    ConnectionFailed,
    ConnectionProgress,
    ConnectionSkipped,
    ConnectionStarted,
    Event,
    LineDown,
    LineUp,
    QueueCleared,
    RunFinished,
    RunProgress,
    RunQueued,
    RunRetrying,
    RunStarted,
    TargetPublished,
)
from etltui.domain.run import ConnectionResult, RunResult

_NAMES = {
    RunQueued: "run_queued",
    RunRetrying: "run_retrying",
    QueueCleared: "queue_cleared",
    RunStarted: "run_started",
    RunProgress: "run_progress",
    ConnectionStarted: "connection_started",
    ConnectionProgress: "connection_progress",
    ConnectionCompleted: "connection_completed",
    ConnectionFailed: "connection_failed",
    ConnectionSkipped: "connection_skipped",
    TargetPublished: "target_published",
    LineDown: "line_down",
    LineUp: "line_up",
}

_UNSAID = frozenset(
    {
        "topic",
        "result",
        "trouble",
        "title",
        "parallel",
        "before",
        "waiting",
        "past",
        "due",
        "seconds",
        "type",
        "destination",
    },
)
"""Fields of events that are for screens, or are said in another way."""


def finished(result: RunResult) -> dict[str, Any]:
    """`run_finished`: the counts of connections never overlap.

    `completed` in this attempt, `skipped` durable from an earlier one, `held` not read because
    somebody holds them, said where there are any; `rows` in the target.
    """
    return {
        "type": "run_finished",
        "run": result.run,
        "job": result.job,
        "status": str(result.status),
        "connections": {
            "total": result.total,
            "completed": result.completed - result.skipped,
            "failed": result.failed,
            "skipped": result.skipped,
            **({"held": result.held} if result.held else {}),
        },
        "rows": result.rows,
        "seconds": result.seconds,
        "outputs": [asdict(output) for output in result.outputs],
        **({"reason": result.reason} if result.reason else {}),
    }


def trouble(value: Trouble) -> dict[str, Any]:
    """A failure with what it means and what to try."""
    advice = value.raised().advice
    return {
        "class": str(value.error_class),
        "message": value.message,
        "means": advice.means,
        "try": advice.try_,
    }


def connection(result: ConnectionResult) -> dict[str, Any]:
    """How a run connection ended."""
    return {
        "connection": result.connection,
        "status": str(result.status),
        "rows": result.rows,
        "tries": result.tries,
        "seconds": {name: round(value, 3) for name, value in result.seconds.items()},
        "notes": dict(result.notes),
        **_judged(result),
        "provisional": result.provisional,
        "controls": [asdict(each) for each in result.controls],
        "server": asdict(result.server) if result.server else None,
        "odd": list(result.odd),
        **({"hedged": result.hedged} if result.hedged else {}),
        "error": trouble(result.trouble) if result.trouble else None,
    }


def _judged(result: ConnectionResult) -> dict[str, Any]:
    """What is to be thought of its rows, and the limit that it had where that was learned."""
    limit = {"limit": result.limit} if result.limit else {}
    if result.judged is None:
        return limit
    why = {"why": result.judged.why} if result.judged.why else {}
    return {"verdict": str(result.judged.verdict), **why, **limit}


def encoded(event: Event) -> dict[str, Any]:
    """An event as an object with `type` and `time`; how a run ended says its seconds instead."""
    if isinstance(event, RunFinished):
        return finished(event.result)
    facts = {
        each.name: getattr(event, each.name) for each in fields(event) if each.name not in _UNSAID
    }
    at = facts.pop("at")
    if isinstance(event, ConnectionCompleted):
        facts.update(connection(event.result))
    if isinstance(event, ConnectionFailed | ConnectionSkipped):
        facts["error"] = trouble(event.trouble)
    return {
        "type": _NAMES.get(type(event), "overflow"),
        "time": datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds"),
        **facts,
    }


def line(value: object) -> str:
    """One line of JSON."""
    return json.dumps(value, ensure_ascii=False, default=str)
