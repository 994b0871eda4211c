"""What a check has found: how bad it is, the facts, and the way out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    """Runs will not start, will not end, or what they gather is at risk."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        topic: What it belongs to, such as `memory`; the same in every version.
        title: One line.
        detail: The facts behind it, in sentences; may be empty.
        remedy: What to do; empty when nothing has to be done.
        numbers: What was counted or measured, by name.
    """

    level: Level
    topic: str
    title: str
    detail: str = ""
    remedy: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)


def ok(topic: str, title: str, detail: str = "", **numbers: float) -> Finding:
    """Nothing has to be done."""
    return Finding(level=Level.OK, topic=topic, title=title, detail=detail, numbers=numbers)


def warn(topic: str, title: str, detail: str, remedy: str, **numbers: float) -> Finding:
    """Something should be done."""
    return Finding(
        level=Level.WARN,
        topic=topic,
        title=title,
        detail=detail,
        remedy=remedy,
        numbers=numbers,
    )


def fail(topic: str, title: str, detail: str, remedy: str, **numbers: float) -> Finding:
    """Something must be done."""
    return Finding(
        level=Level.FAIL,
        topic=topic,
        title=title,
        detail=detail,
        remedy=remedy,
        numbers=numbers,
    )


def ago(seconds: float) -> str:
    """How long ago, as it is read."""
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count:,} {unit}{'' if count == 1 else 's'}"
    return f"{max(0, int(seconds))} seconds"
