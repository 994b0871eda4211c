"""Checks of the state folder: its place, its owner, its holder, its space, its records."""

import socket

from etltui.config.file_systems import NETWORK
from etltui.doctor.facts import Disk, Facts
from etltui.doctor.finding import Finding, ago, fail, ok, warn
from etltui.domain.words import counted, some

_FLEETING = frozenset({"tmpfs", "ramfs"})
_MB = 1024 * 1024
_ELSEWHERE = "Use --state-dir (ETLTUI_STATE_DIR, settings.state_dir) with a folder of your own"


def place(facts: Facts) -> tuple[Finding, ...]:
    """Whether the folder can be used, on a disk that keeps what it is told."""
    folder = facts.folder
    if folder.obstacle:
        return (fail("state folder", folder.obstacle, "No run starts.", _ELSEWHERE),)
    if folder.file_system in NETWORK:
        return (
            fail(
                "state folder",
                f"{folder.path} is on a network file system ({folder.file_system})",
                "Locks and the write-ahead log need a local disk; what is recorded could be lost.",
                _ELSEWHERE,
            ),
        )
    if folder.journal:
        return (fail("state folder", folder.journal, "Nothing can be recorded.", _ELSEWHERE),)
    if folder.mode is None:
        return (ok("state folder", f"{folder.path} is made by the first run"),)
    findings = [ok("state folder", f"{folder.path} can be used", folder.file_system)]
    if folder.file_system in _FLEETING:
        findings.append(
            warn(
                "state folder",
                f"{folder.path} is in memory ({folder.file_system})",
                "After a restart of the machine nothing can be resumed.",
                _ELSEWHERE,
            ),
        )
    if folder.mode & 0o077:
        findings.append(
            warn(
                "state folder",
                f"others may look into {folder.path} (mode {folder.mode:04o})",
                "Parts hold what the branches hold.",
                f"chmod 700 '{folder.path}'; the next run does it, too",
            ),
        )
    return tuple(findings)


def holder(facts: Facts) -> tuple[Finding, ...]:
    """Who holds the folder, and since when."""
    found = facts.holder
    if found is None:
        return (ok("engine", "No engine is running"),)
    since = ago(facts.now - found.started)
    who = f"process {found.pid} on {found.host} ({found.command})"
    if found.host != socket.gethostname():
        return (
            warn(
                "engine",
                f"held by another machine: {who}",
                "Two machines see one state folder; only one of them can use it.",
                _ELSEWHERE,
            ),
        )
    if not found.alive:
        return (
            ok("engine", "No engine is running", f"The last one, {who}, was killed or crashed."),
        )
    if found.other:
        return (
            warn(
                "engine",
                f"process {found.pid} is not the engine that held the folder",
                f"{who} has died, and its number was given to another process: runs are shown as "
                "running that are not.",
                "Start any run; it finds out",
            ),
        )
    return (ok("engine", f"running for {since}", who, seconds=facts.now - found.started),)


def free_space(facts: Facts) -> tuple[Finding, ...]:
    """Whether there is room for what the last runs wrote, and the reserve."""
    reserve = facts.config.settings.disk_reserve_mb if facts.config else 0
    return tuple(_disk(disk, reserve) for disk in facts.disks)


def _disk(disk: Disk, reserve: int) -> Finding:
    if disk.free is None:
        return fail(
            "disk",
            f"the free space of {disk.folder} cannot be told",
            "The disk or share is away.",
            "Mount it, then run again with --resume",
        )
    free, need = disk.free // _MB, disk.need // _MB
    numbers = {"free_mb": free, "need_mb": need, "reserve_mb": reserve}
    facts = f"The last runs wrote {need:,} MB there; disk_reserve_mb = {reserve:,}."
    if free < reserve:
        return fail(
            "disk",
            f"the disk of {disk.folder} has {free:,} MB free, less than the reserve",
            f"{facts} Runs stop before they start a connection.",
            "Free space, or lower disk_reserve_mb",
            **numbers,
        )
    if free < reserve + need:
        return warn(
            "disk",
            f"the disk of {disk.folder} has {free:,} MB free: too little for another run",
            f"{facts} A run would stop resumably in its midst.",
            "Free space: etltui checkpoints list shows what could go",
            **numbers,
        )
    return ok("disk", f"the disk of {disk.folder} has {free:,} MB free", facts, **numbers)


def spent_parts(facts: Facts) -> tuple[Finding, ...]:
    """Parts that nobody can use any more."""
    spent = facts.records.spent
    if not spent:
        return ()
    size = sum(spent.values()) // _MB
    return (
        warn(
            "parts",
            f"of no use any more: {counted(len(spent), 'folder')}, {size:,} MB",
            f"Of runs that completed, were followed by others, or are unknown: {some([*spent])}",
            "The next start of an engine removes them",
            folders=len(spent),
            mb=size,
        ),
    )


def records(facts: Facts) -> tuple[Finding, ...]:
    """Whether what is recorded can be read, and is what was written."""
    found = facts.records
    if found.problem:
        return (
            fail(
                "records",
                found.problem,
                "Runs cannot be listed or resumed.",
                "Do as it says; --state-dir with another folder starts afresh",
            ),
        )
    if found.damaged:
        return (
            warn(
                "records",
                f"damaged: {counted(found.damaged, 'record')} of parts",
                "Connections that they belong to will be read again.",
                "Check the disk (dmesg, smartctl)",
                damaged=found.damaged,
            ),
        )
    return (ok("records", f"They can be read; the newest runs looked at: {len(found.past)}"),)
