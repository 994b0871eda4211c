"""Connection pools as values: what identifies one, their settings, what they say of themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from etltui.domain.job import Connection


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolKey:
    """What connections that share a pool have in common; `str` of it is readable and unique.

    It holds no secret: `credential` is a name.
    """

    kind: str
    host: str
    port: int
    database: str
    credential: str

    @classmethod
    def of(cls, connection: Connection) -> "PoolKey":
        """The key of the pool that serves a connection."""
        return cls(
            kind=connection.kind,
            host=connection.host.lower(),
            port=connection.port,
            database=connection.database,
            credential=connection.credential,
        )

    @property
    def server(self) -> str:
        """`host:port`, the host alone where the port is the kind's own, empty for a file."""
        return f"{self.host}:{self.port}" if self.host and self.port else self.host

    def __str__(self) -> str:
        user = f"{self.credential}@" if self.credential else ""
        slash = "/" if self.host else ""
        return f"{self.kind} {user}{self.server}{slash}{self.database}"


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolSettings:
    """Limits and times of all pools; seconds unless said otherwise.

    Attributes:
        max_connections: Sessions over all pools.
        pool_size: Sessions of one pool.
        max_per_host: Sessions on one `host:port`; files have none.
        idle_s: An unused session is closed after it, up to a tenth later.
        lifetime_s: A session is closed after it, up to a tenth earlier.
        keepalive_s: An unused session is proved to answer so often.
        validate_after_s: What was unused for so long is proved before it is lent.
        acquire_timeout_s: How long a lease may wait for its turn.
        ping_timeout_s: How long a session may take to prove that it answers.
        leak_s: How long after it was expected back a session counts as leaked.
        close_grace_s: How long a session that is being closed keeps its place at most.

    Raises:
        ValueError: A number is out of its range; the text names it.
    """

    max_connections: int = 50
    pool_size: int = 20
    max_per_host: int = 20
    idle_s: float = 30.0
    lifetime_s: float = 1800.0
    keepalive_s: float = 120.0
    validate_after_s: float = 30.0
    acquire_timeout_s: float = 30.0
    ping_timeout_s: float = 2.0
    leak_s: float = 60.0
    close_grace_s: float = 2.0

    def __post_init__(self) -> None:
        for name in ("max_connections", "pool_size", "max_per_host"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it is at least 1")
        for name in self.__slots__:
            # A NaN is not "at least 0" either.
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it is at least 0 s")


@dataclass(frozen=True, kw_only=True, slots=True)
class Leak:
    """A session held longer than it should be."""

    holder: str
    """Who holds it, as the lease said, such as `run X, Branch_001`."""
    pool: str
    seconds: float
    """How long it has been held by now."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StatementRun:
    """A statement that was read to its end on a session.

    Attributes:
        sql: As it was sent, without its bind values.
        seconds: Waiting for the database.
    """

    sql: str
    rows: int
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class StatementStats:
    """What a statement has cost since the engine started.

    Attributes:
        hash: Of its whole text; short.
        text: Its first 60 characters, on one line.
        count: How often it was read to its end; tries that failed are not in it.
        total_s: Waiting for the database, over all of them; `max_s` the longest.
        rows: Rows read, over all of them.
    """

    hash: str
    text: str
    count: int
    total_s: float
    max_s: float
    rows: int

    @property
    def mean_s(self) -> float:
        """Seconds that it took on average."""
        return self.total_s / self.count


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolHistory:
    """What is known of a pool since the engine started, also when it has no session now.

    Attributes:
        pool: The key as text.
        proved_s: Seconds since one of its sessions last proved that the database answers: it was
            opened, answered a proof, or came back in order; None: never.
        proofs_failed: Tries in a row since then that proved nothing: a session that could not be
            opened, did not answer, or was lost.
        last_error: Why its last session could not be opened; empty once it answered.
        statements: The one used last first, at most 100.
    """

    pool: str
    proved_s: float | None
    proofs_failed: int
    last_error: str = ""
    statements: tuple[StatementStats, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether the database answered when it was last asked."""
        return self.proved_s is not None and not self.proofs_failed


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolStats:
    """One pool at one moment.

    `lent + idle == open`; counts and times are since the pool came to be.

    Attributes:
        pool: The key as text; what `drain`, `pause` and `resume` take.
        server: `host:port`, empty for a file.
        size: Sessions it may have.
        idle: Open and unused, those being proved among them.
        connecting: Being opened.
        waiting: Tasks that wait for their turn.
        refs: Leases that wait or hold, and warm-ups.
        acquires: Sessions handed to a lease.
        served_by_open: … that were open before.
        opened: Sessions opened; `closed` counts the closed, `lost` those of them that had died.
        wait_p50_ms: From asking to the turn, over the last 1,000; connecting is not in it.
        connect_p50_ms: Opening a session, over the last 1,000.
        last_error: Why the pool's last session could not be opened, or else the server's; empty
            once one was since.
        leaks: Sessions now held for too long.
        leaked: How many ever were.
    """

    pool: str
    server: str
    size: int
    open: int
    lent: int
    idle: int
    connecting: int
    waiting: int
    refs: int
    paused: bool
    draining: bool
    acquires: int
    served_by_open: int
    opened: int
    lost: int
    closed: int
    wait_p50_ms: float
    wait_p95_ms: float
    connect_p50_ms: float
    connect_p95_ms: float
    last_error: str
    leaks: tuple[Leak, ...]
    leaked: int


@dataclass(frozen=True, kw_only=True, slots=True)
class BreakerStats:
    """A line behind which nobody answers: whoever is behind it waits while one at a time is tried.

    Attributes:
        name: What failed, such as `gateway VPN-North`.
        open_s: For how long by now.
        waiting: Names of the connections that wait.
        probing: Name of the connection that is being tried; empty between two.
        probe_in_s: Seconds to the next try.
        last_error: What the last one met.
    """

    name: str
    open_s: float
    waiting: tuple[str, ...] = ()
    probing: str = ""
    probe_in_s: float = 0.0
    last_error: str = ""

    def __str__(self) -> str:
        count = len(self.waiting)
        waits = f"{count:,} connection{' waits' if count == 1 else 's wait'}"
        probe = (
            f"trying {self.probing}" if self.probing else f"next probe in {self.probe_in_s:.0f} s"
        )
        return f"{self.name} is down: {waits}, {probe}"


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolMetrics:
    """All pools at one moment.

    Attributes:
        total_pools: Pools there are.
        active_pools: … with at least one open session.
        total_connections: Open sessions over all pools.
        pools_by_server: From `host:port` to its pools; files are on no server.
        places: Sessions that count against `max_connections`: open, connecting or being closed.
        places_by_server: … against `max_per_host`.
        waiting: Tasks that wait.
        paused: Whether all pools are paused.
        acquires: Sessions handed to leases since the start, but for each pool's first.
        served_by_open: … that were open before.
        leaks: Sessions now held for too long.
        leaked: How many ever were, since the start.
        locked_credentials: Logins not tried until released: credentials, or pools without one.
        breakers: Lines that are down.
    """

    total_pools: int
    active_pools: int
    total_connections: int
    pools_by_server: Mapping[str, int] = field(default_factory=dict)
    places: int
    max_connections: int
    places_by_server: Mapping[str, int] = field(default_factory=dict)
    max_per_host: int
    waiting: int
    paused: bool
    acquires: int
    served_by_open: int
    leaked: int
    leaks: tuple[Leak, ...] = ()
    locked_credentials: tuple[str, ...] = ()
    breakers: tuple[BreakerStats, ...] = ()

    @property
    def efficiency(self) -> float:
        """Acquisitions served by an open session ÷ all, after warm-up; 1 before the first."""
        return self.served_by_open / self.acquires if self.acquires else 1.0
