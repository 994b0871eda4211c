"""Names beside a target: its partial form while a run goes on, and its temporary file."""

from pathlib import Path

MANIFEST = "_etltui.json"
"""The file in a target that is a folder which tells what else is in it."""


def partial_path(target: Path) -> Path:
    """`gst.xlsx` → `gst.partial.xlsx`, `gst.csv.gz` → `gst.partial.csv.gz`."""
    stem, *suffixes = target.name.split(".")
    last = 2 if target.suffix == ".gz" else 1
    kept = min(last, len(suffixes))
    head = ".".join([stem, *suffixes[: len(suffixes) - kept]])
    tail = "".join(f".{suffix}" for suffix in suffixes[len(suffixes) - kept :])
    return target.with_name(f"{head}.partial{tail}")


def aside_path(target: Path) -> Path:
    """Where an old folder waits while the new one takes its place, if that takes two steps."""
    return target.with_name(f".{target.name}.etltui-old")


def temporary_path(target: Path) -> Path:
    """Where a target is assembled: hidden, in the same folder, so that a rename is enough."""
    return target.with_name(f".{target.name}.etltui-tmp")
