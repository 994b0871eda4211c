"""Stands of an engine and its store in which every view has something to show, or nothing."""

import asyncio
import json
import math
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import console_world as cw
import history_world as hw
from console_foreign import Foreign
from console_pools import SERVER, file, pool
from etltui.config.schema import Config
from etltui.config.setting_views import SettingView, views
from etltui.console.registry import ENTRIES
from etltui.domain.errors import ErrorClass, Trouble
from etltui.domain.logbook import Hold, Sample
from etltui.domain.pools import Leak, PoolHistory, PoolMetrics, StatementStats
from etltui.domain.progress import Eta, Snapshot
from etltui.domain.queue import QueueEntry, QueueMetrics
from etltui.domain.run import ConnectionStatus, RunStatus, Step

S = ConnectionStatus
RUN, STOCK = hw.name_of(0, "AAAA"), hw.name_of(0, "BBBB")
VIEWS = {entry.name: entry.digit for entry in ENTRIES}
AWAY = Trouble(
    error_class=ErrorClass.UNREACHABLE,
    message="no route to host 10.4.17.2",
    facts={"host": "10.4.17.2"},
)
LOGIN = Trouble(error_class=ErrorClass.LOGIN, message="password refused for reader")
DRIFT = Trouble(error_class=ErrorClass.DRIFT, message="hsn_code is missing")


@dataclass(frozen=True, kw_only=True)
class Stand:
    """All that a console is told.

    Attributes:
        answers: Of the store, by the method's name.
        settings: What the engine answers when it is asked for them.
        log: Lines, the oldest first.
    """

    config: Config
    snapshot: Snapshot
    answers: Mapping[str, Any] = field(default_factory=dict)
    settings: tuple[SettingView, ...] = ()
    pool_history: tuple[PoolHistory, ...] = ()
    log: tuple[str, ...] = ()


def _settings(config: Config) -> tuple[SettingView, ...]:
    """As on a machine that nobody has measured."""
    found = views(config)
    return tuple(
        replace(each, value=each.low, default=each.low, note="")
        if each.origin == "measured"
        else replace(each, value="/srv/etltui", default="/srv/etltui")
        if isinstance(each.value, str) and "/" in each.value
        else each
        for each in found
    )


def _configured(folder: Path, branches: int = 8) -> Config:
    """A configuration whose files lie in the same place on every machine."""
    config = cw.configured(folder, branches=branches)
    files = [replace(each, database=f"/data/{each.name}.db") for each in config.connections]
    return replace(config, connections=tuple(files))


def empty(folder: Path) -> Stand:
    """Nothing has ever run."""
    config = _configured(folder)
    return Stand(config=config, snapshot=cw.snapshot(), settings=_settings(config))


def running(folder: Path) -> Stand:
    """A run at work, another behind it, all is well."""
    config = _configured(folder)
    states = [
        cw.connection(1, S.COMPLETED, rows=1004, usual_rows=1000, tries=1, seconds=_SECONDS),
        cw.connection(2, S.COMPLETED, rows=990, usual_rows=1000, tries=1, seconds=_SECONDS),
        *(
            cw.connection(
                n,
                S.RUNNING,
                rows=120 * n,
                usual_rows=1000,
                usual_s=8.0,
                tries=1,
                since=cw.AT - n,
                step=step,
            )
            for n, step in enumerate(
                (Step.PROCESSING, Step.QUERYING, Step.CONNECTING, Step.PROCESSING), 3
            )
        ),
    ]
    run = cw.run(
        RUN,
        connections=states,
        total=8,
        title="GST sales",
        owner="op@server",
        eta=Eta(left_s=72.0, band_s=9.0),
        percent=25,
        step=Step.PROCESSING,
    )
    waiting = cw.run(STOCK, job="stock", status=RunStatus.QUEUED, total=0, title="Stock snapshot")
    return _stand(config, (run, waiting), bad=0)


def failing(folder: Path) -> Stand:
    """Much goes wrong at once."""
    config = _configured(folder)
    states = [
        cw.connection(1, S.COMPLETED, rows=1004, usual_rows=1000, tries=1, seconds=_SECONDS),
        cw.connection(
            2,
            S.RETRYING,
            tries=2,
            again_at=cw.AT + 8,
            trouble=AWAY,
            since=cw.AT - 3,
            usual_rows=900,
        ),
        cw.connection(3, S.FAILED, tries=1, trouble=LOGIN, seconds={"connect": 0.4}),
        cw.connection(4, S.FAILED, tries=3, trouble=DRIFT, seconds={"query": 1.1}),
        cw.connection(
            5, S.COMPLETED, rows=0, usual_rows=1000, notes={"suspicious-empty": 1}, tries=1
        ),
        cw.connection(6, S.RUNNING, rows=40, tries=2, since=cw.AT - 7.2, step=Step.PROCESSING),
    ]
    run = cw.run(
        RUN,
        connections=states,
        total=8,
        title="GST sales",
        owner="op@server",
        percent=50,
        eta=Eta(left_s=7200.0, band_s=900.0, guess=True),
        step=Step.PROCESSING,
    )
    ended = cw.run(
        STOCK,
        job="stock",
        status=RunStatus.FAILED,
        title="Stock snapshot",
        changed=cw.AT - 90,
        connections=[cw.connection(n, S.FAILED, trouble=AWAY, tries=4) for n in (1, 3, 5, 7)],
        reason="no connection completed",
    )
    return _stand(config, (ended, run), bad=3)


def many(folder: Path, branches: int = 500) -> Stand:
    """Five hundred branches in all states."""
    config = _configured(folder, branches)
    states = [_one_of_many(n) for n in range(1, branches + 1)]
    run = cw.run(
        RUN,
        connections=states,
        total=branches,
        title="GST sales",
        owner="op@server",
        eta=Eta(left_s=310.0, band_s=40.0),
        percent=60,
        step=Step.PROCESSING,
    )
    return _stand(config, (run,), bad=40, pools=60)


STANDS = {each.__name__: each for each in (empty, running, failing, many)}
_SECONDS = {"wait": 0.2, "connect": 0.1, "query": 1.9, "fetch": 2.8, "write": 0.3, "total": 5.3}


def _one_of_many(n: int) -> Any:
    if n % 11 == 0:
        return cw.connection(n, S.FAILED, tries=3, trouble=(AWAY, LOGIN, DRIFT)[n % 3])
    if n % 17 == 0:
        return cw.connection(n, S.RETRYING, tries=2, again_at=cw.AT + n % 60, trouble=AWAY)
    if n % 5 == 0:
        return cw.connection(
            n,
            S.RUNNING,
            rows=n * 37,
            usual_rows=20_000,
            tries=1,
            since=cw.AT - n % 30,
            step=Step.PROCESSING,
        )
    if n % 3 == 0:
        return cw.connection(n, S.WAITING)
    return cw.connection(
        n, S.COMPLETED, rows=n * 113, usual_rows=n * 110, tries=1, seconds=_SECONDS
    )


def _stand(config: Config, runs: tuple[Any, ...], *, bad: int, pools: int = 2) -> Stand:
    waiting = [
        QueueEntry(
            run=STOCK,
            job="stock",
            type="extract",
            priority=100,
            submitted=cw.AT - 30,
            owner="op@server",
        )
    ]
    shown = [
        pool(leaks=(Leak(holder=f"run {RUN}, branch_006", pool="p", seconds=90),) if bad else ()),
        pool(
            "postgresql south@10.0.0.6:5432/stock",
            "10.0.0.6:5432",
            lent=0,
            idle=0,
            open=0,
            last_error="no route to host 10.0.0.6" if bad else "",
        ),
        *(file(n, lent=n % 2, idle=1 - n % 2, open=1, size=1) for n in range(1, pools - 1)),
    ]
    metrics = PoolMetrics(
        total_pools=len(shown),
        active_pools=1,
        total_connections=5,
        places=5,
        max_connections=50,
        pools_by_server={SERVER: 1, "10.0.0.6:5432": 1},
        places_by_server={SERVER: 5},
        max_per_host=20,
        waiting=2 if bad else 0,
        paused=False,
        acquires=100,
        served_by_open=90,
        leaked=1 if bad else 0,
        locked_credentials=("north",) if bad else (),
    )
    rows = [hw.run_row(n, completed=8 - min(bad, 8) if n < 3 else 8) for n in range(28)]
    outcomes = [
        hw.outcome(
            number,
            back,
            bad=ErrorClass.UNREACHABLE if bad and number % 3 == 0 and back < 5 else None,
            seconds=4.0,
        )
        for back in reversed(range(28))
        for number in range(1, min(len(config.connections), 60) + 1)
    ]
    stopped = hw.run_row(
        0, job="stock", status=RunStatus.STOPPED, run=STOCK, result=None, reason="the disk is full"
    )
    answers = {
        "runs": lambda **_: rows,
        "run": rows[0],
        "last_by_job": {"gst_sales": rows[0], "stock": stopped if bad else rows[1]},
        "outcomes": outcomes,
        "connection_history": lambda name, *_: [
            each for each in outcomes if each.connection == name
        ],
        "connections": [
            hw.result_row(n, bad=None if n > bad else ErrorClass.LOGIN)
            for n in range(1, len(config.connections) + 1)
        ],
        "actions": [hw.asked_by("op@server", RUN)],
        "holds": [
            Hold(
                connection="branch_007",
                reason="line is being moved",
                who="op@server",
                since=cw.AT - 3600,
            )
        ]
        if bad
        else [],
        "queued": waiting,
        "samples": _night(),
        "usual": {},
        "plan": None,
        "crashed": [],
    }
    snapshot = cw.snapshot(
        runs,
        pending=waiting,
        pools=shown,
        queue=QueueMetrics(pending=1, running=1, completed=4, failed=bad, average_ms=9000),
    )
    statement = StatementStats(
        hash="ab12", text="SELECT * FROM sales", count=9, total_s=18.0, max_s=4.0, rows=9000
    )
    return Stand(
        config=config,
        snapshot=replace(snapshot, pools=metrics),
        answers=answers,
        settings=_settings(config),
        pool_history=(
            PoolHistory(pool=pool().pool, proved_s=3.0, proofs_failed=0, statements=(statement,)),
        ),
        log=_log(200, bad=bad),
    )


def _night() -> list[Sample]:
    return [
        Sample(
            at=cw.AT - 900 + 5 * n,
            lent=25 + 20 * math.sin(n / 20),
            max_connections=50,
            open=30 + 20 * math.sin(n / 20),
            rows_per_s=82_400,
            cpu_percent=40,
            memory=4e8,
            threshold=1e9,
            running=3,
            lag_ms=2.0,
        )
        for n in range(180)
    ]


def _log(count: int, *, bad: int) -> tuple[str, ...]:
    return tuple(
        json.dumps(
            {
                "time": f"2026-11-18T11:{n // 60:02d}:{n % 60:02d}.811+00:00",
                "level": "error" if bad and n % 10 == 5 else "info",
                "run": RUN,
                "connection": f"branch_{n % 8 + 1:03d}",
                "message": "no route to host" if bad and n % 10 == 5 else f"fetched {n}",
            }
        )
        for n in range(count)
    )


_ELSEWHERE = """
name title contact tags reason message owner holder who what target detail outcome path
far last_error pool server text step job connection connections jobs database url host credential
credentials facts notes note value pools_by_server places_by_server locked_credentials type
run_types last_by_job sql command paused_jobs
"""
"""Fields whose text somebody else has written."""


class Disguise:
    """Gives everything that has a name from elsewhere a hostile one, the same thing always the
    same one.

    Args:
        well: Where the names come from.
    """

    FIELDS = frozenset(_ELSEWHERE.split())
    KEPT = frozenset({"csv", "excel"})

    def __init__(self, well: Foreign) -> None:
        self._well = well
        self._known: dict[str, str] = {}

    def of(self, value: Any, name: str = "") -> Any:
        """The same thing under other names."""
        if type(value) is str:
            return self._name(value) if name in self.FIELDS else value
        if isinstance(value, Mapping):
            return {self.of(key, name): self.of(each, name) for key, each in value.items()}
        if isinstance(value, tuple | list):
            return type(value)(self.of(each, name) for each in value)
        return self._record(value) if is_dataclass(value) else value

    def _record(self, value: Any) -> Any:
        if type(value).__name__ in ("Settings", "Console", "RunType"):
            return value
        if isinstance(value, SettingView):
            return replace(value, note=self._well(), help=self._well())
        names = [each.name for each in fields(value)]
        return replace(value, **{each: self.of(getattr(value, each), each) for each in names})

    def _name(self, text: str) -> str:
        if not text or text in self.KEPT:
            return text
        return self._known.setdefault(text, self._well.own())

    def stand(self, stand: Stand) -> Stand:
        """A whole stand."""
        answers = {
            name: self._later(each) if callable(each) else self.of(each, name)
            for name, each in stand.answers.items()
        }
        return replace(
            stand,
            config=self.of(stand.config),
            snapshot=self.of(stand.snapshot),
            answers=answers,
            settings=self.of(stand.settings),
            pool_history=self.of(stand.pool_history),
            log=tuple(self._line(each) for each in stand.log),
        )

    def _later(self, answer: Any) -> Any:
        return lambda *args, **named: self.of(answer(*args, **named))

    def _line(self, line: str) -> str:
        facts = json.loads(line)
        more = {name: self._well() for name in ("message", "connection", "level", "traceback")}
        return json.dumps({**facts, **more})


@asynccontextmanager
async def hung(folder: Path, stand: Stand, **options: Any) -> AsyncIterator[cw.World]:
    """A console over a stand."""
    engine = cw.FakeEngine(stand.snapshot)
    engine.answers["options.list"] = stand.settings
    engine.answers["pools.get_history"] = stand.pool_history
    async with cw.console(
        folder,
        config=stand.config,
        engine=engine,
        history=cw.FakeHistory(**stand.answers),
        **options,
    ) as world:
        yield world


async def visit(world: cw.World, view: str, stand: Stand) -> None:
    """Go to a view by its key, and wait for what it reads."""
    await world.press(VIEWS[view])
    await quiet(world)
    if view == "logs" and stand.log and not world.app.view.ring.total:
        world.app.view.take([each.encode("utf-8", "surrogatepass") for each in stand.log])
        await quiet(world)


async def quiet(world: cw.World) -> None:
    """Let everything be done that has been begun, but what never ends."""
    endless = {"listen", "paint", "themes"}
    at_work = [each for each in world.app.workers if each.name not in endless]
    if at_work:
        await asyncio.wait_for(world.app.workers.wait_for_complete(at_work), 10)
    await world.settle()
    world.app.redraw()
    await world.settle()
