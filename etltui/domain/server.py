"""What a database says of itself when a session opens."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerFacts:
    """What answered at the other end of a session.

    Attributes:
        product: Name and version, such as `PostgreSQL 15.19`; empty: not known.
        identity: What this very database has and no copy of another has; equal for two sessions
            only where both are in the same database. Empty: it tells nothing of the kind.
        started: When the server was started, as exactly as it says; tells two machines apart that
            were made from one image, and so have the same `identity`. Empty: it does not tell.
        skew_s: Seconds by which its clock is ahead of ours, half of the way there taken off; None:
            it has no clock of its own, or does not tell.
        encrypted: Whether what passes on the line is encrypted; None: there is no line.
        driver: Which driver speaks to it, with its version.
    """

    product: str = ""
    identity: str = ""
    started: str = ""
    skew_s: float | None = None
    encrypted: bool | None = None
    driver: str = ""

    @property
    def bare(self) -> bool:
        """Whether there is a line that anybody on it can read."""
        return self.encrypted is False

    def __str__(self) -> str:
        line = "" if self.encrypted is None else "encrypted" if self.encrypted else "not encrypted"
        by = f"by {self.driver}" if self.driver else ""
        return ", ".join(filter(None, (self.product, line, by)))


def skew(clock: float, before: float, after: float) -> float:
    """Seconds by which a clock is ahead of ours, half of the way there taken off.

    Args:
        clock: What it showed, in Unix seconds.
        before: Our clock when it was asked.
        after: Our clock when the answer was here.
    """
    return round(clock - (before + after) / 2, 3)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reached:
    """How a server was reached, before any login.

    Attributes:
        resolve_s: Seconds until its name was looked up.
        connect_s: Seconds from there until it took a connection.
    """

    resolve_s: float
    connect_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerReading:
    """One thing that a server tells of its load.

    Attributes:
        name: `sessions`, `limit` or `waits`.
        value: As it is read; empty where this user may not see it.
        meaning: What it means, or who may see it, in a sentence.
        warns: Whether something should be done.
    """

    name: str
    value: str
    meaning: str
    warns: bool = False
