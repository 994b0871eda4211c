"""What a run of a job is likely to take: its past, scaled to what it would read now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from etltui.domain.inquiry import Estimate, Room, TargetSize
from etltui.domain.job import Connection, ExcelOptions, Job
from etltui.domain.limits import EXCEL
from etltui.domain.pools import PoolKey, PoolMetrics, PoolStats
from etltui.domain.progress import ConnectionView
from etltui.domain.run import ConnectionStatus, RunResult
from etltui.domain.usual import Past
from etltui.domain.words import counted, number, size, some
from etltui.engine.eta import time_left

_SHEET = EXCEL.rows - 1
"""Rows below the header."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What an estimate rests on.

    Attributes:
        connections: Of the job, those that a run would leave unread among them.
        targets: Where it would write.
        last: How the newest run ended that published; None where none has.
        lanes: Connections that it could read at once.
        unread: From the connections that a run would leave unread to why: the end of a sentence.
        refused: Connections whose login the newest run was refused.
    """

    job: Job
    connections: Sequence[Connection]
    targets: Sequence[str]
    past: Past
    last: RunResult | None
    lanes: int
    unread: Mapping[str, str]
    refused: Sequence[str]
    pools: PoolMetrics
    pool_info: Sequence[PoolStats]

    @property
    def read(self) -> list[Connection]:
        """What a run would read."""
        return [each for each in self.connections if each.name not in self.unread]

    @property
    def usual_rows(self) -> dict[str, int]:
        """The usual rows of those that have been read before."""
        usual = self.past.usual
        return {each.name: usual[each.name].rows for each in self.read if each.name in usual}

    @property
    def all_rows(self) -> float:
        """Rows of all: one of which nothing is known counts as the others do."""
        rows = self.usual_rows
        return sum(rows.values()) * len(self.read) / len(rows) if rows else 0.0


def target_sizes(known: Known) -> tuple[TargetSize, ...]:
    """How large each target is likely to be: as the last one was, by its rows."""
    outputs = known.last.outputs if known.last else ()
    sizes: list[int | None] = []
    for place, destination in enumerate(known.job.destinations):
        output = outputs[place] if place < len(outputs) else None
        if output is None or output.type != destination.type or not known.usual_rows:
            sizes.append(None)
        elif output.rows:
            sizes.append(round(output.bytes * known.all_rows / output.rows))
        else:
            sizes.append(output.bytes)
    return tuple(
        TargetSize(type=destination.type, path=path, bytes=size)
        for destination, path, size in zip(
            known.job.destinations, known.targets, sizes, strict=True
        )
    )


def needs(targets: Sequence[TargetSize], parts_folder: Path) -> dict[Path, int]:
    """Bytes to be written, by folder: each target once as parts, and once as itself."""
    found = {parts_folder: sum(target.bytes or 0 for target in targets)}
    for target in targets:
        folder = Path(target.path).parent
        found[folder] = found.get(folder, 0) + (target.bytes or 0)
    return found


def estimated(
    known: Known,
    targets: tuple[TargetSize, ...],
    disks: tuple[Room, ...],
    *,
    memory: tuple[int, str],
    threshold: int,
) -> Estimate:
    """The estimate, with what stands against the run.

    Args:
        known: What it rests on.
        targets: Their sizes.
        disks: What they need, and what is there.
        memory: Bytes, and what that number is.
        threshold: Bytes that are 100 % of memory.
    """
    views = [
        ConnectionView(connection=each.name, status=ConnectionStatus.WAITING) for each in known.read
    ]
    rows = known.usual_rows
    return Estimate(
        job=known.job.name,
        connections=len(known.read),
        known=len(rows),
        rows=sum(rows.values()),
        targets=targets,
        eta=time_left(views, known.past, lanes=known.lanes, now=0.0) if views else None,
        memory=memory[0],
        memory_is=memory[1],
        disks=disks,
        warnings=(
            *(sentence(str(room)) for room in disks if not room.enough),
            *_memory(memory[0], threshold),
            *_unknown(known),
            *_long_sheets(known),
            *_unread(known),
            *_logins(known),
            *_pools(known),
        ),
    )


def sentence(text: str) -> str:
    """The text as a sentence of its own."""
    return f"{text[:1].upper()}{text[1:]}."


def _memory(need: int, threshold: int) -> list[str]:
    if need <= threshold:
        return []
    over = f"{size(need)}, over memory_threshold_mb ({size(threshold)})"
    return [f"It may come to weigh {over}: the run would stop, resumably."]


def _unknown(known: Known) -> list[str]:
    rows = known.usual_rows
    unknown = len(known.read) - len(rows)
    if not unknown:
        return []
    if not rows:
        return ["None of them has been read before: rows, sizes and time are not known."]
    return [f"Of {counted(unknown, 'connection')} nothing is known: each counts as the others do."]


def _long_sheets(known: Known) -> list[str]:
    """Where a sheet of Excel is too short for the usual rows."""
    layouts = {
        each.options.layout
        for each in known.job.destinations
        if isinstance(each.options, ExcelOptions)
    }
    found = []
    long = [name for name, rows in known.usual_rows.items() if rows > _SHEET]
    if layouts & {"sheets", "both"} and long:
        found.append(
            f"{some(long)} usually {'have' if len(long) > 1 else 'has'} more rows than an Excel "
            f"sheet holds ({number(_SHEET)}): they go on in a further sheet."
        )
    if layouts & {"single", "both"} and known.all_rows > _SHEET:
        found.append(
            f"{number(round(known.all_rows))} rows are more than the one Excel sheet of all holds "
            f"({number(_SHEET)}): they go on in a further sheet."
        )
    return found


def _unread(known: Known) -> list[str]:
    return [f"{name} {why}" for name, why in known.unread.items()]


def _logins(known: Known) -> list[str]:
    locked = set(known.pools.locked_credentials)
    shut = [each.name for each in known.read if {each.credential, str(PoolKey.of(each))} & locked]
    found = []
    if shut:
        found.append(
            f"The login of {some(shut)} was refused and is not tried until it is released "
            "(etltui pools release)."
        )
    refused = [name for name in known.refused if name not in shut]
    if refused:
        found.append(f"The last run was refused the login of {some(refused)}.")
    return found


def _pools(known: Known) -> list[str]:
    if known.pools.paused:
        return ["All pools are paused: nothing is read until they go on (etltui pools resume)."]
    still = {stats.pool for stats in known.pool_info if stats.paused or stats.draining}
    names = [each.name for each in known.read if str(PoolKey.of(each)) in still]
    if not names:
        return []
    return [f"The pools of {some(names)} lend nothing until they go on (etltui pools resume)."]
