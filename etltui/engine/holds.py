"""The connections that no run may read, as they are at this moment."""

from collections.abc import Iterable

from etltui.domain.logbook import Hold
from etltui.domain.ports import Clock


class Holds:
    """What is recorded of holds, in memory: each try of a connection looks here first."""

    def __init__(self) -> None:
        self._held: dict[str, Hold] = {}

    def put(self, holds: Iterable[Hold]) -> None:
        """Hold these, too."""
        self._held.update((hold.connection, hold) for hold in holds)

    def drop(self, connections: Iterable[str]) -> None:
        """Hold these no more."""
        for name in connections:
            self._held.pop(name, None)

    def of(self, connection: str, clock: Clock) -> Hold | None:
        """The hold of a connection that is in force now."""
        hold = self._held.get(connection)
        return hold if hold and hold.in_force(clock.now().timestamp()) else None
