"""All checks, in the order in which their findings are read."""

from collections.abc import Callable

from etltui.doctor import database, folder, load, machine, runs
from etltui.doctor.facts import Facts
from etltui.doctor.finding import Finding

CHECKS: tuple[Callable[[Facts], tuple[Finding, ...]], ...] = (
    machine.configuration,
    machine.packages,
    machine.drivers,
    machine.time_zone,
    machine.secrets,
    machine.targets,
    folder.place,
    folder.holder,
    folder.free_space,
    folder.records,
    database.whole,
    database.set_aside,
    folder.spent_parts,
    machine.descriptors,
    machine.memory_threshold,
    load.memory,
    load.queue,
    runs.jobs_not_processing,
    load.progress,
    runs.unfinished,
    runs.not_resuming,
    runs.mirrors,
    runs.time_outs,
    runs.failures,
    runs.write_failed,
    runs.stops,
    load.log_errors,
)


def examine(facts: Facts) -> tuple[Finding, ...]:
    """What all checks find."""
    return tuple(finding for check in CHECKS for finding in check(facts))
