"""What can go wrong between an engine and those who call it through the door."""

from etltui.domain.errors import EtltuiError


class NoDoorError(EtltuiError):
    """Nobody serves an engine at the state folder."""


class GoneError(EtltuiError):
    """The engine on the other side takes nothing more, or ended before it had answered."""
