"""Cuts the power at every operation of recorded runs, and looks at what the program makes of it.

The runs: an undisturbed one, some that were killed and resumed, and some that met a sync that
failed. At each operation the disk is what `disk_model` leaves of it. The store is then opened as at
any start, and what it claims is held against what is there and against what the run had told the
world; of some states the run is also resumed, and its targets must become what they are to be.
"""

import asyncio
import errno
import json
import random
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from etltui.domain.errors import EtltuiError
from etltui.domain.run import RunStatus
from etltui.domain.stored import ConnectionRow, PublicationState, RunRow
from etltui.engine.clock import SystemClock
from etltui.engine.prepare import whole
from etltui.store.sqlite import SqliteStore
from etltui.writers.part import verified
from faults.crashes import Change, Story, Trial, groups, torn
from faults.disk_model import Disk
from faults.shim import ENGINE, EXTRACTOR, Fault, How, Kind, Operation
from faults.subject import TARGETS, World, targets

_THERE = {PublicationState.DELIVERED, PublicationState.CLEANED}


@dataclass
class Told:
    """What a run had told the world when the power went."""

    durable: set[tuple[str, str]] = field(default_factory=set)
    completed: set[str] = field(default_factory=set)

    def hear(self, text: str) -> None:
        """Take in a note of the engine."""
        said = json.loads(text)
        if "durable" in said:
            self.durable.add((said["run"], said["durable"]))
        if said.get("status") == RunStatus.COMPLETED:
            self.completed.add(said["run"])


def recorded(
    world: World, fault: Fault | None, change: Change | None = None
) -> tuple[Disk, list[Operation]]:
    """The disk as it was, and what was done to it until the run had completed."""
    world.back()
    disk = Disk([world.state, world.output])
    life = world.run(fault, record=True, change=change)
    if life.status != RunStatus.COMPLETED:
        world.run(None, record=True, change=change, goes_on=True)
    return disk, list(world.shim.operations())


def faults(counts: dict[int, int], killed: int, failed: int, seed: int) -> Iterator[Fault | None]:
    """What happens in the runs that are recorded: nothing, so many kills, so many failed calls."""
    yield None
    chance = random.Random(seed)
    for number in range(max(killed, failed)):
        # Publishing comes last, and has most to lose.
        role = EXTRACTOR if number % 3 else ENGINE
        nth = chance.randint(counts[role] // 2, counts[role])
        if number < killed:
            yield Fault(role=ENGINE, nth=chance.randint(1, counts[ENGINE]), how=How.AFTER)
            yield Fault(role=role, nth=nth, how=How.AFTER)
        if number < failed:
            yield Fault(role=role, nth=nth, how=How.FAIL, error=errno.EIO)


def plan(
    world: World,
    *,
    states: int,
    killed: int,
    failed: int,
    resume_every: int,
    change: Change | None = None,
    every: int = 1,
    seed: int = 1,
) -> Iterator[Callable[[World], Trial | None]]:
    """So many states of the disk at each operation of each recorded run.

    Args:
        world: Made.
        states: At each operation.
        killed: Runs that were killed and resumed, twice so many.
        failed: Runs that met a failed call.
        resume_every: Of so many states one is resumed, the others are read.
        change: Breaks the program while it is recorded and while it recovers.
        every: Of so many operations one is looked at.
        seed: Another one, other kills and other states.
    """
    number = 0
    for place, fault in enumerate(faults(world.counts, killed, failed, seed)):
        disk, operations = recorded(world, fault, change)
        told, seen = Told(), set()
        for at, operation in enumerate(operations):
            if operation.kind is Kind.NOTE:
                told.hear(operation.name)
            else:
                disk.do(operation)
            for state in range(states if at % every == 0 else 0):
                number += 1
                yield partial(
                    trial,
                    disk=disk,
                    told=told,
                    seed=f"{seed} {place} {at} {state}",
                    seen=seen,
                    resume=number % resume_every == 0,
                    change=change,
                )


def trial(
    world: World,
    *,
    disk: Disk,
    told: Told,
    seed: str,
    seen: set[str],
    resume: bool,
    change: Change | None,
) -> Trial | None:
    """One state of the disk; None where the same was looked at before."""
    left = disk.cut(random.Random(seed))
    mark = left.mark() + str(len(told.durable) + len(told.completed))
    if mark in seen:
        return None
    seen.add(mark)
    left.make()
    kind = "power cut, resumed" if resume else "power cut, read"
    done = Trial(kind=kind, what=f"seed, run, operation and state {seed}")
    wrong = [*torn(world), *_after_success(world, told)]
    if resume:
        wrong += _resumed(world, told, change)
    else:
        wrong += asyncio.run(_claims(world, told))
    done.wrong = "; ".join(dict.fromkeys(wrong))
    return done


def _after_success(world: World, told: Told) -> Iterator[str]:
    if told.completed and (wrong := world.verdict(tidy=False)):
        yield f"{wrong}, though the run had completed"


def _resumed(world: World, told: Told, change: Change | None) -> list[str]:
    story = Story(world, change)
    story.complete()
    again = told.durable & set().union(*(life.named("started") for life in story.lives))
    if again:
        story.wrong.append(f"lost: {sorted(again)} was durable and was read again")
    return story.wrong


async def _claims(world: World, told: Told) -> list[str]:
    """What the store says that is not so, and what it does not know any more."""
    try:
        async with await SqliteStore.open(world.state, clock=SystemClock()) as store:
            return [wrong async for wrong in _compared(world, told, store)]
    except EtltuiError as error:
        return [f"lost: the store cannot be opened: {error}"]


async def _compared(world: World, told: Told, store: SqliteStore) -> AsyncIterator[str]:
    """What is recorded of the runs that had told something, held against that and the disk."""
    runs = {row.run: row for row in await store.runs(job="sales", limit=-1) if row.plan_hash}
    for run in sorted({run for run, _ in told.durable} - runs.keys()):
        yield f"lost: the run {run}"
    for run in sorted(told.completed & runs.keys()):
        if runs[run].status is not RunStatus.COMPLETED:
            yield f"lost: {run} had completed and is {runs[run].status}"
    for run in {run for run, _ in told.durable} & runs.keys():
        async for wrong in _of_run(world, told, store, runs[run]):
            yield f"lost: {wrong}"


async def _of_run(world: World, told: Told, store: SqliteStore, row: RunRow) -> AsyncIterator[str]:
    found = {} if any(torn(world)) else targets(world.output)
    run = row.run
    done = {each.connection: each for each in await store.connections(run) if each.done}
    for name in {name for each, name in told.durable if each == run} - done.keys():
        yield f"{name} was durable and is not recorded"
    if row.status is RunStatus.COMPLETED:
        if wrong := [name for name in world.new if found.get(name) != world.new[name]]:
            yield f"{wrong[0]} of a completed run"
        return
    async for wrong in _unfounded(world, store, run, done):
        yield wrong
    for publication in [each for each in await store.publications(run) if each.state in _THERE]:
        names = groups(world)[TARGETS[publication.destination]]
        if any(found.get(name) != world.new[name] for name in names):
            yield f"{names[0]} was delivered"


async def _unfounded(
    world: World, store: SqliteStore, run: str, done: Mapping[str, ConnectionRow]
) -> AsyncIterator[str]:
    """Connections that are recorded as durable and whose parts are not all there."""
    plan_, receipts = await store.plan(run), await store.receipts(run)
    for name, row in done.items():
        mine = [receipt for receipt in receipts if receipt.connection == name]
        sound = [each for each in mine if verified(world.state / "parts" / run, each)]
        if row.result and not whole(plan_, sound, row.result):
            yield f"parts of {name}"
