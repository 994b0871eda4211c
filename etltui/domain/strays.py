"""What an engine's process holds although nothing that is at work accounts for it."""

from dataclasses import dataclass
from typing import Literal

StrayKind = Literal["descriptor", "thread", "task", "process"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Stray:
    """Something that was not given back.

    Attributes:
        name: What it is: a descriptor's target, a thread's or a task's name and where its code
            is, a process and its command.
        seconds: Since it was first seen.
    """

    kind: StrayKind
    name: str
    seconds: float

    def __str__(self) -> str:
        """As in `descriptor 12: /data/north.db`."""
        return f"{self.kind} {self.name}"
