"""Plans, receipts and results for the store's tests, and a clock that stands still."""

import os
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from etltui.domain.columns import Column
from etltui.domain.errors import ErrorClass, Trouble
from etltui.domain.job import Connection, CsvOptions, Destination, ExcelOptions, Job, Query
from etltui.domain.part import Member, Published, Receipt
from etltui.domain.plan import Plan, plan_connection, plan_hash
from etltui.domain.run import ConnectionResult, ConnectionStatus, Output, RunResult, RunStatus
from etltui.domain.stored import PublicationRow, PublicationState

RUN = "20261121T230500Z-7F3K"
NOW = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
MEMBER = Member(connection="B000", query=0, segment=0, offset=30, length=100, crc=7)
PUBLISHED = Published(bytes=4_000, crc=4_000_000_000, rows=12, members=(MEMBER,))

BEGUN = PublicationRow(
    run=RUN,
    destination=0,
    target="/out/a.xlsx",
    temporary="/out/.a.tmp",
    state=PublicationState.ASSEMBLING,
)
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
"""For processes that a test starts: they find what the test finds."""


class StillClock:
    """Says the same time until it is told another."""

    def __init__(self, now=NOW):
        self.time = now

    def now(self):
        return self.time

    def monotonic(self):
        return self.time.timestamp()

    async def sleep(self, seconds):
        raise AssertionError(f"the store sleeps {seconds} s")


def connection(number, **changes):
    return Connection(name=f"B{number:03d}", kind="sqlite", url=f"sqlite:///{number}", **changes)


def job(name="gst_sales", **changes):
    return Job(
        name=name,
        title="GST sales",
        connections=("tag:all",),
        queries=(
            Query(
                name="main",
                sql="select :a",
                params={"a": 1, "b": 2.0, "c": None, "d": True, "e": "ä"},
            ),
        ),
        destinations=(
            Destination(type="excel", path="{date}.xlsx", options=ExcelOptions(layout="both")),
            Destination(type="csv", path="x.csv", options=CsvOptions(bom=True)),
        ),
        folder=Path("/etc/etltui"),
        **changes,
    )


def plan(count=3, *, run=RUN, of=None):
    of = of or job()
    return Plan(
        run=run,
        job=of,
        started=datetime(2026, 11, 22, 4, 35, tzinfo=ZoneInfo("Asia/Kolkata")),
        connections=tuple(plan_connection(n, connection(n), of) for n in range(count)),
        targets=("/out/a.xlsx", "/out/x.csv"),
        columns=((Column(name="a", type="int"), Column(name="b", type="decimal(10,2)")),),
        hash=plan_hash(of),
    )


def receipt(name="B000", destination=0, *, run=RUN, **changes):
    return Receipt(
        **{
            "run": run,
            "destination": destination,
            "connection": name,
            "query": 0,
            "segment": 0,
            "attempt": 1,
            "path": f"{name}-{destination}.part",
            "rows": 6,
            "bytes": 99,
            "crc": 4_294_967_295,
            "raw_bytes": 300,
            "raw_crc": 1,
            "plan_hash": "p",
            "connection_hash": "c",
            "columns": (Column(name="a", type="int"),),
            "widths": (4,),
            "notes": {"cut": 2},
            **changes,
        },
    )


def receipts(name="B000", *, run=RUN, **changes):
    return tuple(receipt(name, destination, run=run, **changes) for destination in (0, 1))


def completed(name="B000"):
    return ConnectionResult(
        connection=name,
        status=ConnectionStatus.COMPLETED,
        rows=6,
        seconds={"query": 0.25},
    )


def failed(name="B000"):
    trouble = Trouble(error_class=ErrorClass.LOGIN, message="no", facts={"user": "ä"})
    return ConnectionResult(connection=name, status=ConnectionStatus.FAILED, trouble=trouble)


def ended(status=RunStatus.COMPLETED, *, run=RUN, **changes):
    return RunResult(
        run=run,
        job="gst_sales",
        status=status,
        total=3,
        completed=3,
        failed=0,
        skipped=0,
        rows=18,
        seconds=2.5,
        outputs=(Output(type="excel", path="/out/a.xlsx", rows=18, bytes=9, final=True),),
        **changes,
    )


def with_connections(old, *connections):
    """The plan with other connections, each a (number, Connection)."""
    return replace(
        old,
        connections=tuple(plan_connection(number, c, old.job) for number, c in connections),
    )
