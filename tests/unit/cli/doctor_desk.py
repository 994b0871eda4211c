"""The doctor asked at a desk: its findings by topic."""

import json
import os
from contextlib import contextmanager
from dataclasses import MISSING, fields
from datetime import timedelta

from etltui.doctor.checks import examine
from etltui.domain.pools import PoolMetrics
from etltui.domain.progress import RunView, Snapshot
from etltui.domain.queue import QueueMetrics
from etltui.store.lock import hold

MB = 1024 * 1024


def ask(desk, *words, code=None):
    """The findings that the command tells, as objects; those of one topic where it is named."""
    told = desk.ask("doctor", "--json")
    findings = [json.loads(line) for line in told.output.splitlines()]
    failed = any(each["level"] == "fail" for each in findings)
    assert told.exit_code == (int(failed) if code is None else code)
    return [each for each in findings if not words or each["topic"] in words]


def one(desk, topic, level, code=None):
    """The only finding of a topic that has this level."""
    (found,) = [each for each in ask(desk, topic, code=code) if each["level"] == level]
    return found


def judged(facts, topic):
    """The findings of a topic over facts, as (level, title) pairs."""
    return [(str(each.level), each.title) for each in examine(facts) if each.topic == topic]


@contextmanager
def engine(desk, ago=timedelta(hours=2), command="etltui run sales"):
    """An engine holds the folder, since then."""
    with hold(desk.state, holder_text=command, now=desk.now - ago):
        yield


def age_files(folder, when):
    """As if nothing below the folder had been written since."""
    for path in (folder, *folder.rglob("*")):
        os.utime(path, (when.timestamp(), when.timestamp()))


def pools(**changes):
    """Pools of which only a few figures matter."""
    needed = (MISSING, MISSING)
    usual = {
        each.name: 0
        for each in fields(PoolMetrics)
        if (each.default, each.default_factory) == needed
    }
    usual |= {
        "max_connections": 50,
        "places": 4,
        "leaks": (),
        "locked_credentials": (),
        "paused": False,
    }
    return PoolMetrics(**{**usual, **changes})


def snapshot(at, *runs, **changes):
    usual = {"pending": (), "queue": QueueMetrics(), "pools": pools(), "pool_info": ()}
    usual |= {"memory": 100 * MB, "threshold": 1024 * MB, "holder": "x"}
    return Snapshot(at=at.timestamp(), runs=runs, **{**usual, **changes})


def view(run, status, changed):
    return RunView(run=run, job="sales", status=status, changed=changed.timestamp())


async def tell(desk, told):
    """What an engine recorded of itself."""
    async with await desk.open() as store:
        await store.put_live(told)
