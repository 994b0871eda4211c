"""Names beside a target: its partial form while a run goes on, its temporary file, its lock."""

from datetime import datetime
from pathlib import Path

MANIFEST = "_etltui.json"
"""The file in a target that is a folder which tells what else is in it."""
_LONGEST_NAME = 250  # bytes; 255 on most disks


def partial_path(target: Path) -> Path:
    """`gst.xlsx` → `gst.partial.xlsx`, `gst.csv.gz` → `gst.partial.csv.gz`."""
    head, tail = _cut(target.name)
    return target.with_name(f"{head}.partial{tail}")


def aside_path(target: Path) -> Path:
    """Where an old folder waits while the new one takes its place, if that takes two steps."""
    return target.with_name(f".{target.name}.etltui-old")


def temporary_path(target: Path) -> Path:
    """Where a target is assembled: hidden, in the same folder, so that a rename is enough."""
    return target.with_name(f".{target.name}.etltui-tmp")


def lock_path(target: Path) -> Path:
    """Who writes the target says so here, for engines of other state folders and machines."""
    return target.with_name(f".{target.name}.etltui-lock")


def beside_path(target: Path, why: str, at: datetime) -> Path:
    """Where a target waits in sight that cannot be put in its place.

    `gst.xlsx` → `gst (held by Anna, 2026-11-23 03.15).xlsx`

    Args:
        target: Its place.
        why: Such as `held by Anna`; what no file system takes is left out.
        at: In the operator's zone.
    """
    head, tail = _cut(target.name)
    said = "".join(c if c.isalnum() or c in " -_@." else " " for c in why)
    mark = f" ({' '.join(said.split())}, {at:%Y-%m-%d %H.%M})"
    room = _LONGEST_NAME - len(f"{mark}{tail}".encode("utf-8", "surrogateescape"))
    kept = head.encode("utf-8", "surrogateescape")[:room].decode("utf-8", "ignore")
    return target.with_name(f"{kept}{mark}{tail}")


def _cut(name: str) -> tuple[str, str]:
    """A file's name before its ending, and the ending; `.csv.gz` is one."""
    stem, *suffixes = name.split(".")
    last = 2 if name.endswith(".gz") else 1
    kept = min(last, len(suffixes))
    head = ".".join([stem, *suffixes[: len(suffixes) - kept]])
    return head, "".join(f".{suffix}" for suffix in suffixes[len(suffixes) - kept :])
