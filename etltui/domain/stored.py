"""Rows of the state store as other rooms see them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from etltui.domain.errors import StatusError
from etltui.domain.run import ConnectionResult, ConnectionStatus, RunResult, RunStatus


class PublicationState(StrEnum):
    """How far a target is. Each step can be repeated after a crash without harm."""

    ASSEMBLING = "assembling"
    ASSEMBLED = "assembled"
    DELIVERED = "delivered"
    CLEANED = "cleaned"


_NEXT = {
    PublicationState.ASSEMBLING: {PublicationState.ASSEMBLING, PublicationState.ASSEMBLED},
    # Once more: where it waits has another name.
    PublicationState.ASSEMBLED: {
        PublicationState.ASSEMBLING,
        PublicationState.ASSEMBLED,
        PublicationState.DELIVERED,
    },
    PublicationState.DELIVERED: {PublicationState.ASSEMBLING, PublicationState.CLEANED},
    PublicationState.CLEANED: {PublicationState.ASSEMBLING},
}


def published_next(current: PublicationState, wanted: PublicationState) -> PublicationState:
    """The wanted state.

    Raises:
        StatusError: Publishing does not go that way.
    """
    if wanted not in _NEXT[current]:
        raise StatusError(thing="the publication", current=current, wanted=wanted)
    return wanted


@dataclass(frozen=True, kw_only=True, slots=True)
class PublicationRow:
    """A destination's publication in a run.

    Attributes:
        target: Absolute path.
        temporary: Absolute path in the target's folder: a hidden one, or one in sight where the
            target waits for its place.
        bytes: Size of what was assembled, 0 before.
        crc: CRC-32 of what was assembled, 0 before.
    """

    run: str
    destination: int
    target: str
    temporary: str
    state: PublicationState
    bytes: int = 0
    crc: int = 0
    rows: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRow:
    """A run as the store knows it.

    Attributes:
        started: Unix time in seconds of the first attempt.
        ended: Unix time in seconds, None while it runs.
        result: How it ended, without its connections; None while it runs or after a crash.
    """

    run: str
    job: str
    title: str
    status: RunStatus
    plan_hash: str
    attempt: int
    total: int
    started: float
    ended: float | None = None
    reason: str = ""
    result: RunResult | None = None


def newest_begun(rows: Iterable[RunRow]) -> dict[str, RunRow]:
    """Of each job the newest run that has begun: the only one that can be resumed or patched.

    Args:
        rows: The newest first, as the store gives them.
    """
    found: dict[str, RunRow] = {}
    for row in rows:
        if row.status is not RunStatus.QUEUED:
            found.setdefault(row.job, row)
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionRow:
    """A run connection as the store knows it; `result` is None until it ended once."""

    run: str
    number: int
    connection: str
    hash: str
    result: ConnectionResult | None = field(default=None)

    @property
    def done(self) -> bool:
        """Whether its rows are durable."""
        return self.result is not None and self.result.status is ConnectionStatus.COMPLETED
