"""Checks of what a run needs before it begins: configuration, packages, limits, passwords."""

from collections.abc import Sequence

from etltui.doctor.drivers import CORE, SPEED
from etltui.doctor.facts import Facts
from etltui.doctor.finding import Finding, fail, ok, warn
from etltui.doctor.probe import works
from etltui.domain.driver import Driver
from etltui.domain.job import Connection
from etltui.domain.words import counted, some
from etltui.engine.descriptors import needed, way_out


def configuration(facts: Facts) -> tuple[Finding, ...]:
    """Whether it can be read and is right; every mistake is a finding."""
    if facts.config is not None:
        config = facts.config
        title = f"{config.path} is good"
        connections = counted(len(config.connections), "connection")
        detail = f"{connections}, {counted(len(config.jobs), 'job')}"
        return (
            ok(
                "configuration",
                title,
                detail,
                connections=len(config.connections),
                jobs=len(config.jobs),
            ),
        )
    return tuple(
        fail(
            "configuration",
            f"{mistake.key or 'the configuration'}: {mistake.problem}",
            f"In {mistake.where}",
            mistake.way_out or "Mend it; nothing runs before",
        )
        for mistake in facts.mistakes
    )


def time_zone(facts: Facts) -> tuple[Finding, ...]:
    """In which zone times are shown and `{date}` is made."""
    zone = facts.config.settings.timezone if facts.config else ""
    if zone:
        return (ok("time zone", f"Times and {{date}} are in {zone}"),)
    return (
        ok(
            "time zone",
            f"Times and {{date}} are in the machine's own zone, {facts.machine.zone}",
            "settings.timezone names another.",
        ),
    )


def packages(facts: Facts) -> tuple[Finding, ...]:
    """Whether what the program stands on is installed."""
    found = facts.machine.packages
    missing = [name for name in CORE if not found.get(name)]
    if missing:
        return (
            fail(
                "packages",
                f"Missing: {some(missing)}",
                "The installation is not whole.",
                "Install it again: pip install --force-reinstall etltui",
            ),
        )
    slow = [name for name in SPEED if not found.get(name)]
    versions = ", ".join(f"{name} {found[name]}" for name in CORE)
    findings = [ok("packages", f"Python {facts.machine.python}", versions)]
    findings += [
        warn("packages", f"{name} is missing", SPEED[name], f"pip install {name}") for name in slow
    ]
    return tuple(findings)


def drivers(facts: Facts) -> tuple[Finding, ...]:
    """Whether each kind of database that is configured can be read here."""
    there = facts.config.connections if facts.config else ()
    return tuple(
        finding
        for kind, found in facts.drivers.items()
        for finding in _of_kind(kind, [each for each in there if each.kind == kind], found)
    )


def _is_meant(driver: str, there: Sequence[Connection]) -> bool:
    """Whether connections may want a driver: one names it, or leaves open which it wants."""
    named = ({key.casefold(): name for key, name in each.options.items()} for each in there)
    return any(each.get("driver", driver).casefold() == driver.casefold() for each in named)


def _of_kind(
    kind: str, there: Sequence[Connection], found: Sequence[Driver]
) -> tuple[Finding, ...]:
    """Whether a kind can be read, and each driver that is meant there but does not load."""
    broken = [each for each in found if each.problem]
    count = len(there)
    connections = counted(count, "connection")
    if not works(found):
        return tuple(
            fail(
                "drivers",
                f"{kind} cannot be read here: {connections}",
                f"{each.name}: {each.problem}",
                each.remedy,
                connections=count,
            )
            for each in broken
            if each.needed or not any(other.needed for other in broken)
        )
    loaded = some([f"{each.name} {each.version}".rstrip() for each in found if not each.problem])
    return (
        ok("drivers", f"{kind} can be read: {connections}", f"By {loaded}.", connections=count),
        *(
            warn("drivers", f"{each.name} does not load", each.problem, each.remedy)
            for each in broken
            if each.registered and _is_meant(each.name, there)
        ),
    )


def descriptors(facts: Facts) -> tuple[Finding, ...]:
    """Whether the system lets so many files be open as `max_connections` needs."""
    if facts.config is None:
        return ()
    wanted = facts.config.settings.max_connections
    need = needed(wanted)
    _, hard = facts.machine.files
    if hard is None or hard >= need:
        title = f"max_connections = {wanted} fits: {need:,} open files of {hard or 'any number'}"
        return (ok("open files", title, need=need),)
    return (
        fail(
            "open files",
            f"max_connections = {wanted} needs {need:,} open files, the limit is {hard:,}",
            "No run starts.",
            way_out(wanted, hard),
            need=need,
            limit=hard,
        ),
    )


def memory_threshold(facts: Facts) -> tuple[Finding, ...]:
    """Whether the threshold is reached before the system runs out of memory."""
    total, free = facts.machine.memory_mb, facts.machine.free_mb
    if facts.config is None or total is None or free is None:
        return ()
    threshold = facts.config.settings.memory_threshold_mb
    numbers = {"threshold_mb": threshold, "memory_mb": total, "free_mb": free}
    remedy = f"Set memory_threshold_mb (MEMORY_THRESHOLD_MB) to {max(64, free // 2)}"
    if threshold > total:
        return (
            fail(
                "memory",
                f"memory_threshold_mb = {threshold} is more than there is ({total:,} MB)",
                "The system would kill the engine before it stops by itself, resumably.",
                remedy,
                **numbers,
            ),
        )
    if threshold > free:
        return (
            warn(
                "memory",
                f"memory_threshold_mb = {threshold}, but only {free:,} MB are free now",
                f"Other programs use the rest of {total:,} MB.",
                f"{remedy}, or give the machine more memory",
                **numbers,
            ),
        )
    title = f"memory_threshold_mb = {threshold} fits into {free:,} MB of free memory"
    return (ok("memory", title, "", **numbers),)


def secrets(facts: Facts) -> tuple[Finding, ...]:
    """Whether passwords can be had; they are neither shown nor kept."""
    bad = {name: problem for name, problem in facts.secrets.items() if problem}
    if bad:
        return tuple(
            fail(
                "passwords",
                f"credentials.{name}: {problem}",
                "Connections with this credential will fail.",
                "Mend the variable, file or command that it names",
            )
            for name, problem in bad.items()
        )
    if not facts.secrets:
        return ()
    count = len(facts.secrets)
    return (ok("passwords", f"{counted(count, 'password')} can be had", credentials=count),)


def targets(facts: Facts) -> tuple[Finding, ...]:
    """Whether every target could be written, were its job to start now."""
    if facts.targets:
        return tuple(
            fail("targets", problem, "", "Clear the way, or give the destination another path")
            for problem in facts.targets
        )
    jobs = facts.config.jobs.values() if facts.config else ()
    count = sum(len(job.destinations) for job in jobs)
    title = f"{counted(count, 'target')} could be written"
    return (ok("targets", title, targets=count),) if count else ()
