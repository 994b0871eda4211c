"""A desk for the commands' tests: an empty folder, a configuration, a state folder with runs."""

import json
from dataclasses import replace
from datetime import UTC, datetime

from click.testing import CliRunner

from etltui.cli.main import main
from etltui.config.load import load
from etltui.config.select import select
from etltui.domain.errors import ErrorClass, Trouble
from etltui.domain.part import Receipt
from etltui.domain.plan import Plan, plan_connection, plan_hash
from etltui.domain.run import ConnectionResult, ConnectionStatus, RunResult, RunStatus, run_id
from etltui.engine.log import LOG
from etltui.store.sqlite import SqliteStore
from fakes import TurnedClock

VARIABLES = ("ETLTUI_CONFIG", "ETLTUI_STATE_DIR", "XDG_STATE_HOME", "XDG_CONFIG_HOME")
CONFIG = """
[connections.A]
url = "sqlite:///a.db"
[connections.B]
url = "sqlite:///b.db"
[connections.C]
url = "sqlite:///c.db"
[jobs.sales]
title = "GST sälés"
connections = ["*"]
query = "select 1"
[[jobs.sales.destinations]]
type = "csv"
path = "out/{job}_{date}.csv"
"""


def done(name, rows=6):
    return ConnectionResult(connection=name, status=ConnectionStatus.COMPLETED, rows=rows)


def failed(name, error_class=ErrorClass.UNREACHABLE, message="no route to host"):
    trouble = Trouble(error_class=error_class, message=message)
    return ConnectionResult(connection=name, status=ConnectionStatus.FAILED, trouble=trouble)


class Desk:
    """Where an operator works.

    Attributes:
        now: What time it is for whoever records.
    """

    def __init__(self, folder, monkeypatch):
        for name in VARIABLES:
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HOME", str(folder))
        monkeypatch.chdir(folder)
        self.folder = folder
        self.state = folder / ".local/state/etltui"
        self.now = datetime.now(UTC)
        self._runs = 0

    def ask(self, *words, **more):
        """Call the command."""
        asked = [str(word) for word in words]
        return CliRunner().invoke(main, asked, catch_exceptions=False, **more)

    def configure(self, text=CONFIG, settings=""):
        (self.folder / "etltui.toml").write_text(f"[settings]\n{settings}\n{text}", "utf-8")

    @property
    def config(self):
        return load(self.folder / "etltui.toml", environ={})

    def open(self):
        """The store, held, at the desk's time."""
        return SqliteStore.open(self.state, clock=TurnedClock(self.now), holder_text="etltui run x")

    def plan(self, job="sales", started=None):
        found = self.config.jobs[job]
        started = started or self.now
        self._runs += 1
        letters = self._runs.to_bytes(5, "big")[::-1]
        return Plan(
            run=run_id(started, lambda _: letters),
            job=found,
            started=started,
            connections=tuple(
                plan_connection(number, connection, found)
                for number, connection in enumerate(
                    select(self.config.connections, found.connections),
                    start=1,
                )
            ),
            targets=(str(self.folder / "out" / "sales.csv"),),
            hash=plan_hash(found),
        )

    def receipt(self, plan, name, size=0):
        """A part's receipt, and the file that it tells of."""
        number = next(each.number for each in plan.connections if each.name == name)
        path = f"0/{number:04d}-0-0.1.part"
        file = self.state / "parts" / plan.run / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(bytes(size))
        return Receipt(
            run=plan.run,
            destination=0,
            connection=name,
            query=0,
            segment=0,
            attempt=1,
            path=path,
            rows=6,
            bytes=size,
            crc=0,
            raw_bytes=size,
            raw_crc=0,
            plan_hash=plan.hash,
            connection_hash="",
        )

    async def record(self, *results, status=RunStatus.STOPPED, reason="", job="sales", **more):
        """A run with these results that has ended, or not, in a store that is closed again."""
        plan = replace(self.plan(job, more.pop("started", None)), **more.pop("plan", {}))
        async with await self.open() as store:
            await store.create_run(plan, RunStatus.QUEUED)
            await store.move_run(plan.run, RunStatus.RUNNING)
            for result in results:
                receipts = []
                if result.status is ConnectionStatus.COMPLETED:
                    receipts = [self.receipt(plan, result.connection, more.get("size", 0))]
                await store.checkpoint(plan.run, result, receipts)
            if status in {RunStatus.COMPLETED, RunStatus.COMPLETED_WITH_ERRORS}:
                await store.move_run(plan.run, RunStatus.PUBLISHING)
            if status is not RunStatus.RUNNING:
                await store.finish_run(self.result(plan, results, status, reason))
        return plan.run

    def result(self, plan, results, status, reason):
        good = sum(each.status is ConnectionStatus.COMPLETED for each in results)
        return RunResult(
            run=plan.run,
            job=plan.job.name,
            status=status,
            skipped=0,
            total=len(plan.connections),
            completed=good,
            failed=len(results) - good,
            rows=6 * good,
            seconds=2.5,
            reason=reason,
        )

    def log(self, *lines, name=LOG):
        """Write lines of the log: each a message, or a dict of what differs."""
        folder = self.state / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        usual = {"time": self.now.isoformat(timespec="milliseconds"), "level": "info"}
        with (folder / name).open("a", encoding="utf-8") as file:
            for each in lines:
                facts = each if isinstance(each, dict) else {"message": each}
                print(json.dumps({**usual, **facts}, ensure_ascii=False), file=file)
