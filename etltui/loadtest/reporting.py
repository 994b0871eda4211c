"""Makes the report of a load test from what the engine told."""

import os
import platform
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

import psutil

from etltui import __version__
from etltui.domain.run import ConnectionStatus
from etltui.engine.samples import BUSY_S, SHORTEST_S
from etltui.loadtest.figures import (
    NEARLY,
    Beat,
    Came,
    Machine,
    PoolFigures,
    Report,
    Slow,
    Spread,
)
from etltui.loadtest.ground import Ground
from etltui.loadtest.judge import Verdict
from etltui.loadtest.taking import Taken

_SLOWEST = 10
_SILENCE_S = 4 * BUSY_S
"""A sample may be left out where a round has just ended, no more."""
_FIRST_ROW = ("wait", "connect", "query")
"""Of a try, what is over when its first row comes."""


def machine() -> Machine:
    """This one."""
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        memory=psutil.virtual_memory().total,
        python=platform.python_version(),
        etltui=__version__,
    )


def report(ground: Ground, taken: Taken, verdict: Verdict, where: Machine) -> Report:
    """The report.

    Args:
        ground: What the test ran over.
        taken: What the engine told.
        verdict: What was found to be wrong.
        where: Where it ran.
    """
    rows = sum(result.rows for result in taken.results)
    # The first sample is of no time at all.
    samples = taken.samples[1:]
    return Report(
        at=taken.began,
        machine=where,
        order=ground.order,
        came=Came(
            failing=dict(sorted(Counter(map(str, ground.failing.values())).items())),
            failed=verdict.failed,
            stalling=len(ground.stalling),
            stalls=_stalls(ground, taken),
        ),
        stopped=taken.stopped,
        seconds=taken.seconds,
        rounds=taken.rounds,
        runs=_counts(str(result.status) for result in taken.results),
        rows=rows,
        rows_per_s=rows / taken.seconds if taken.seconds else 0.0,
        times=_times(taken.times),
        tries=taken.tries,
        retries=taken.again,
        failures=_counts(taken.failures.elements()),
        lost=_lost(taken),
        pools=_pools(taken),
        lag=Spread.of([sample.lag_ms for sample in samples]),
        cpu_s=taken.cpu_s,
        peak_memory=int(
            max(
                [sample.memory for sample in taken.samples]
                + [point.memory for point in taken.points],
                default=0,
            )
        ),
        events=_counts(taken.events.elements()),
        slowest=_slowest(taken.times),
        points=tuple(taken.points),
        beats=tuple(_beats(taken)),
        wrong=verdict.wrong,
        notes=(*verdict.notes, *_silences(taken)),
    )


def _stalls(ground: Ground, taken: Taken) -> int:
    tries = (each for name in ground.stalling for each in taken.times.get(name, ()))
    return sum(sum(each.values()) >= NEARLY * ground.order.stall_s for each in tries)


def _counts(names: Iterable[str]) -> dict[str, int]:
    """How often each is there, the most frequent first."""
    found = Counter(names)
    return dict(sorted(found.items(), key=lambda each: (-each[1], each[0])))


def _times(tries: Mapping[str, Sequence[Mapping[str, float]]]) -> dict[str, Spread]:
    every = [each for connection in tries.values() for each in connection]
    return {
        "try": Spread.of([sum(each.values()) for each in every]),
        "wait": Spread.of([each.get("wait", 0.0) for each in every]),
        "open": Spread.of([each.get("connect", 0.0) for each in every]),
        "first row": Spread.of([sum(each.get(part, 0.0) for part in _FIRST_ROW) for each in every]),
    }


def _beats(taken: Taken) -> Iterator[Beat]:
    for before, sample in pairwise(taken.samples):
        # Over less the engine tells no use of the CPU: the last one is taken at any moment.
        if sample.at - before.at >= SHORTEST_S:
            at = sample.at - taken.began
            yield Beat(at=at, lag_ms=sample.lag_ms, cpu_percent=sample.cpu_percent)


def _silences(taken: Taken) -> Iterator[str]:
    """What is to be said where the engine did not tell how it stood as often as it should."""
    end = taken.began + taken.seconds
    moments = [sample.at for sample in taken.samples if sample.at < end]
    longest = max((b - a for a, b in pairwise([taken.began, *moments, end])), default=0.0)
    if longest > _SILENCE_S:
        yield f"the engine took no sample for {longest:.0f} s"


def _lost(taken: Taken) -> dict[str, int]:
    return _counts(
        str(each.trouble.error_class)
        for result in taken.results
        for each in result.connections
        if each.status is ConnectionStatus.FAILED and each.trouble is not None
    )


def _pools(taken: Taken) -> PoolFigures:
    metrics = taken.pools
    if metrics is None:
        return PoolFigures()
    return PoolFigures(
        acquires=metrics.acquires,
        reused=metrics.served_by_open,
        efficiency=metrics.efficiency,
        leaked=metrics.leaked,
        lent=sum(each.lent for each in taken.still_lent),
        peak=max((point.sessions for point in taken.points), default=0),
        limit=metrics.max_connections,
    )


def _slowest(tries: Mapping[str, Sequence[Mapping[str, float]]]) -> tuple[Slow, ...]:
    found = []
    for connection, each in tries.items():
        spread = Spread.of([sum(parts.values()) for parts in each])
        found.append(
            Slow(connection=connection, tries=spread.count, p50=spread.p50, max=spread.max)
        )
    return tuple(sorted(found, key=lambda slow: (-slow.max, slow.connection))[:_SLOWEST])
