"""How far runs are, as frozen values that every surface reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from etltui.domain.control import Control
from etltui.domain.errors import Trouble
from etltui.domain.pools import PoolMetrics, PoolStats
from etltui.domain.queue import QueueEntry, QueueMetrics
from etltui.domain.run import ConnectionStatus, Output, RunStatus
from etltui.domain.server import ServerFacts
from etltui.domain.strays import Stray
from etltui.domain.verdict import Judged, far_of


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionView:
    """A run connection as it stands.

    Attributes:
        tries: In this attempt; 0 as long as it waits, or where it stays as an earlier one left it.
        trouble: What its last try met, if that failed.
        since: Unix time in seconds of its last change of status.
        seconds: Of what it ended with, as in `ConnectionResult`.
        notes: As in `ConnectionResult`.
        server: As in `ConnectionResult`.
        odd: As in `ConnectionResult`.
        controls: As in `ConnectionResult`.
        provisional: As in `ConnectionResult`.
        again_at: Unix time in seconds of its next try; 0 where none is due.
        judged: What is to be thought of its rows; None: nobody has yet.
        limit: As in `ConnectionResult`.
        usual_rows: The median of past runs; None: not known.
        usual_s: … of their seconds.
    """

    connection: str
    status: ConnectionStatus
    step: str = ""
    rows: int = 0
    bytes: int = 0
    tries: int = 0
    since: float = 0.0
    trouble: Trouble | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    notes: Mapping[str, int] = field(default_factory=dict)
    server: ServerFacts | None = None
    odd: tuple[str, ...] = ()
    controls: tuple[Control, ...] = ()
    provisional: str = ""
    again_at: float = 0.0
    usual_rows: int | None = None
    usual_s: float | None = None
    judged: Judged | None = None
    limit: str = ""

    @property
    def far(self) -> str:
        """How far the rows are from usual, in words; empty where nobody needs to look."""
        if self.status is not ConnectionStatus.COMPLETED:
            return ""
        return far_of(self.judged, self.rows, self.usual_rows)

    @property
    def remark(self) -> str:
        """That, or why the rows are all right although they look odd."""
        return self.far or (self.judged.why if self.judged else "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Eta:
    """How long something may take still.

    Attributes:
        left_s: Seconds.
        band_s: How many more or less it may well be.
        guess: Whether less than half of the work has a past to compare with.
    """

    left_s: float
    band_s: float
    guess: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class RunView:
    """A run as it stands.

    Attributes:
        percent: Connections that ended, 0 to 100; never falls within an attempt.
        rows: Durable and on the way.
        skipped: Connections that were durable before this attempt.
        connections: By name: those of this attempt, and those that stay as an earlier one left
            them.
        changed: Unix time in seconds of its last event.
        title: Of its job.
        owner: Who asked for it, as `user@host`.
        eta: None where nothing is known of it, or the run is not at work.
        outputs: Its targets that are in their place, partial ones among them.
        due: Unix time in seconds of its deadline; 0 without one.
    """

    run: str
    job: str
    status: RunStatus
    step: str = ""
    percent: int = 0
    total: int = 0
    completed: int = 0
    failed: int = 0
    skipped: int = 0
    rows: int = 0
    attempt: int = 1
    started: float = 0.0
    changed: float = 0.0
    reason: str = ""
    connections: Mapping[str, ConnectionView] = field(default_factory=dict)
    title: str = ""
    owner: str = ""
    eta: Eta | None = None
    outputs: tuple[Output, ...] = ()
    due: float = 0.0

    @property
    def errors(self) -> tuple[str, ...]:
        """A sentence for each connection whose last try failed."""
        return tuple(
            f"{view.connection}: {view.trouble.message}"
            for view in self.connections.values()
            if view.trouble
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class LateView:
    """Connections of a run that has ended which are tried on until they answer.

    Attributes:
        connections: Their names, in the run's order.
        until: Unix time in seconds at which nobody tries any more.
        next_at: … at which they are tried next.
    """

    run: str
    job: str
    connections: tuple[str, ...]
    until: float
    next_at: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """An engine at one moment.

    Attributes:
        at: Unix time in seconds.
        late: What is tried on of runs that have ended.
        memory: Bytes that the process tree weighs.
        threshold: Bytes that are 100 % of memory.
        strays: What its process holds although nothing at work accounts for it.
    """

    at: float
    holder: str
    runs: tuple[RunView, ...]
    pending: tuple[QueueEntry, ...]
    queue: QueueMetrics
    pools: PoolMetrics
    pool_info: tuple[PoolStats, ...]
    memory: int
    threshold: int
    strays: tuple[Stray, ...] = ()
    late: tuple[LateView, ...] = ()
