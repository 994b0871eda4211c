"""What a load test could have found, without one."""

from pathlib import Path

from etltui.config.schema import Config, Settings
from etltui.domain.errors import ErrorClass, Trouble
from etltui.domain.run import ConnectionResult, ConnectionStatus, RunResult, RunStatus
from etltui.loadtest.figures import (
    Beat,
    Came,
    Machine,
    Point,
    PoolFigures,
    Report,
    Slow,
    Spread,
)
from etltui.loadtest.ground import Ground
from etltui.loadtest.order import Fault, Order

MACHINE = Machine(cores=4, memory=16_000_000_000, python="3.11.7", etltui="0.1.0")
ORDER = Order(
    connections=6, jobs=2, rows=500, rounds=2, seconds=0, latency_ms=50, stall=0.2, failures=0.2
)
SECONDS = [0.02 * number for number in range(1, 41)]


def report(**changes):
    """A report in which everything is said."""
    values = {
        "at": 1_795_406_400.0,
        "machine": MACHINE,
        "order": ORDER,
        "came": Came(failing={"missing": 1}, failed=1, stalling=1, stalls=4),
        "seconds": 12.5,
        "rounds": 2,
        "runs": {"completed_with_errors": 4},
        "rows": 10_000,
        "rows_per_s": 800.0,
        "times": {
            "try": Spread.of(SECONDS),
            "wait": Spread.of([0.0] * 30 + SECONDS[:10]),
            "open": Spread.of([second / 4 for second in SECONDS]),
            "first row": Spread.of([second / 2 for second in SECONDS]),
        },
        "tries": 24,
        "retries": 2,
        "failures": {"busy": 2, "no_database": 4},
        "lost": {"no_database": 4},
        "pools": PoolFigures(
            acquires=40, reused=30, efficiency=0.75, leaked=0, lent=0, peak=12, limit=80
        ),
        "lag": Spread.of([1.5, 4.25, 12.0]),
        "cpu_s": 6.25,
        "peak_memory": 131_000_000,
        "events": {"ConnectionStarted": 24, "ConnectionCompleted": 20, "RunFinished": 4},
        "slowest": (
            Slow(connection="branch_004", tries=4, p50=0.4, max=0.8),
            Slow(connection="<b>&", tries=4, p50=0.3, max=0.7),
        ),
        "points": tuple(
            Point(
                at=float(second),
                rows_per_s=100.0 * second,
                sessions=second,
                waiting=12 - second,
                memory=100_000_000 + 1_000_000 * second,
            )
            for second in range(13)
        ),
        "beats": tuple(
            Beat(at=5.0 * number, lag_ms=2.0 * number, cpu_percent=10.0 * number)
            for number in range(1, 4)
        ),
        "notes": ("1 connection not read on purpose: branch_006",),
    }
    return Report(**values | changes)


def connected(number, **changes):
    """A connection of which all 500 rows came."""
    values = {
        "connection": f"branch_{number:03d}",
        "status": ConnectionStatus.COMPLETED,
        "rows": 500,
    }
    return ConnectionResult(**values | changes)


def lost(number, error_class=ErrorClass.BUSY, message="locked"):
    """A connection that was given up."""
    return connected(
        number,
        status=ConnectionStatus.FAILED,
        rows=0,
        trouble=Trouble(error_class=error_class, message=message, facts={}),
    )


def ran(*connections, job="load_1", status=RunStatus.COMPLETED, **changes):
    """A run of a job."""
    completed = sum(each.status is ConnectionStatus.COMPLETED for each in connections)
    values = {
        "run": f"20261123T040000Z-{job[-1]}AAA",
        "job": job,
        "status": status,
        "total": len(connections),
        "completed": completed,
        "failed": sum(each.status is ConnectionStatus.FAILED for each in connections),
        "skipped": 0,
        "rows": sum(each.rows for each in connections),
        "seconds": 1.0,
        "connections": connections,
    }
    return RunResult(**values | changes)


def ground(**changes):
    """Six connections of 500 rows, the second of which is missing."""
    values = {
        "order": ORDER,
        "config": Config(
            settings=Settings(),
            connections=(),
            credentials={},
            jobs={},
            path=Path("/nowhere/etltui.toml"),
            origins={},
        ),
        "jobs": ("load_1", "load_2"),
        "failing": {"branch_002": Fault.MISSING},
        "stalling": ("branch_004",),
        "rows": {
            f"branch_{number:03d}": range(1000 * number, 1000 * number + 500)
            for number in range(1, 7)
        },
    }
    return Ground(**values | changes)
