"""Decides whether a load test passed: every row once, from every connection that could be read."""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from etltui.domain.run import ConnectionResult, ConnectionStatus, RunResult, RunStatus
from etltui.domain.words import counted, some, words
from etltui.loadtest.ground import Ground
from etltui.loadtest.taking import Taken
from etltui.loadtest.written import CONNECTION_COLUMN

_ENDED = frozenset({RunStatus.COMPLETED, RunStatus.COMPLETED_WITH_ERRORS, RunStatus.FAILED})
"""How a run ends that nobody has stopped."""
_NAMES = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What was found.

    Attributes:
        wrong: Why the test failed, a sentence each.
        notes: What else is to be known.
        failed: Connections that were to fail and did in every run.
    """

    wrong: tuple[str, ...]
    notes: tuple[str, ...] = ()
    failed: int = 0


def judged(ground: Ground, taken: Taken) -> Verdict:
    """What is to be thought of a test; reads the targets that it knows."""
    ended = [result for result in taken.results if result.status in _ENDED]
    wrong = [*_lost(ground, ended), *_uneven(ground, ended), *_leaks(ground, taken)]
    for job, path in ground.targets.items():
        # Each run makes the target anew: what is there is the last one's.
        runs = [result for result in ended if result.job == job and result.completed]
        if runs and taken.results[-1].status in _ENDED:
            wrong += _differences(job, path, ground.rows, runs[-1])
    return Verdict(
        wrong=tuple(wrong), notes=tuple(_notes(taken, ended)), failed=_failed(ground, ended)
    )


def _results(ended: Sequence[RunResult]) -> Iterator[ConnectionResult]:
    return (each for result in ended for each in result.connections)


def _lost(ground: Ground, ended: Sequence[RunResult]) -> Iterator[str]:
    """Connections that were not to fail and did."""
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for each in _results(ended):
        if each.status is ConnectionStatus.FAILED and each.connection not in ground.failing:
            trouble = each.trouble
            found[trouble.error_class if trouble else ""][each.connection] = (
                trouble.message if trouble else ""
            )
    for error_class, messages in found.items():
        last = list(messages.values())[-1]
        yield (
            f"{counted(len(messages), 'connection')} failed that should not have: "
            f"{some(list(messages), _NAMES)}: {words(error_class)}: {last}"
        )
    for result in ended:
        if result.status is RunStatus.FAILED and not result.failed:
            yield f"run {result.run} of {result.job} failed: {result.reason}"


def _uneven(ground: Ground, ended: Sequence[RunResult]) -> Iterator[str]:
    """Connections whose rows are not as many as their databases have."""
    found = {
        each.connection: f"{each.rows:,} rows of {len(ground.rows[each.connection]):,}"
        for each in _results(ended)
        if each.status is ConnectionStatus.COMPLETED
        and each.connection in ground.rows
        and each.rows != len(ground.rows[each.connection])
    }
    if found:
        said = [f"{name} ({rows})" for name, rows in found.items()]
        count = counted(len(found), "connection")
        yield f"{count} brought too many rows or too few: {some(said, _NAMES)}"


def _leaks(ground: Ground, taken: Taken) -> Iterator[str]:
    if taken.pools is not None and taken.pools.leaked:
        yield f"{counted(taken.pools.leaked, 'session')} leaked"
    if taken.still_lent:
        lent = sum(each.lent for each in taken.still_lent)
        names = [each.pool for each in taken.still_lent]
        yield f"{counted(lent, 'session')} still lent after the last run: {some(names, _NAMES)}"
    strays = [
        str(each)
        for each in taken.strays
        if not ground.own_files or ground.own_files not in str(each)
    ]
    if strays:
        yield f"not given back by the engine: {some(strays, _NAMES)}"


def _differences(
    job: str, path: Path, rows: Mapping[str, range], result: RunResult
) -> Iterator[str]:
    """What a target holds that it should not, or lacks."""
    done = {
        each.connection for each in result.connections if each.status is ConnectionStatus.COMPLETED
    }
    held = _held(path)
    found = []
    for name in sorted(done | set(held)):
        numbers = held.get(name, Counter())
        wanted = set(rows[name]) if name in done else set()
        missing, alien = len(wanted - set(numbers)), len(set(numbers) - wanted)
        twice = sum(count - 1 for count in numbers.values())
        if twice or missing or alien:
            found.append(f"{name} ({missing:,} missing, {alien:,} not its own, {twice:,} twice)")
    if found:
        count = counted(len(found), "connection")
        yield f"the target of {job} has other rows of {count}: {some(found, _NAMES)}"


def _held(path: Path) -> dict[str, Counter[int]]:
    """From each connection in a target to the numbers of its rows."""
    held: defaultdict[str, Counter[int]] = defaultdict(Counter)
    with path.open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file)
        head = next(lines)
        name, number = head.index(CONNECTION_COLUMN), head.index("id")
        for line in lines:
            held[line[name]][int(line[number])] += 1
    return held


def _failed(ground: Ground, ended: Sequence[RunResult]) -> int:
    """Connections that were to fail and did whenever they were tried."""
    came = {
        each.connection for each in _results(ended) if each.status is ConnectionStatus.COMPLETED
    }
    tried = {each.connection for each in _results(ended)}
    return sum(name in tried and name not in came for name in ground.failing)


def _notes(taken: Taken, ended: Sequence[RunResult]) -> Iterator[str]:
    if taken.missed:
        yield f"{counted(taken.missed, 'event')} came too fast to be counted"
    left = len(taken.results) - len(ended)
    if left:
        yield f"rows of {counted(left, 'run')} that stopped before the end are not judged"
    unread = {
        each.connection for each in _results(ended) if each.status is ConnectionStatus.SKIPPED
    }
    if unread:
        count = counted(len(unread), "connection")
        yield f"{count} not read on purpose: {some(sorted(unread), _NAMES)}"
