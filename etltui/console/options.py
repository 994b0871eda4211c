"""How a console was opened."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """How a console was opened.

    Attributes:
        read_only: Whether nothing may be changed from it now.
        embedded: Whether the engine is in this process.
        start: The view shown first.
        argument: What that view is about.
    """

    read_only: bool = False
    embedded: bool = True
    start: str = "monitor"
    argument: str = ""
