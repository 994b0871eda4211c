"""Pools of sessions in words: which are full, which lend nothing, and why."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from etltui.console.cells import Cell, Styled
from etltui.console.glyphs import Glyphs
from etltui.domain.job import Connection
from etltui.domain.pools import Leak, PoolHistory, PoolKey, PoolMetrics, PoolStats
from etltui.domain.words import counted

MANY = 2
"""Files of one kind from which they share a row."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolLine:
    """A pool, or the files of a kind together.

    Attributes:
        key: The pool's text, or the kind.
        name: What of it is shown.
        pools: The pools it stands for, one or many.
        stats: Of a single pool; None where it has no session now.
        size: Sessions it may have; 0: not said.
        connect_ms: The median of opening a session, of many the largest; 0: none was opened.
        state: In a word; `login` is the locked login's name where that is why.
        error: Why its database does not answer.
        many: Whether it stands for many files.
        inside: Whether it is one of them.
    """

    key: str
    name: str
    pools: tuple[str, ...]
    stats: PoolStats | None = None
    lent: int = 0
    idle: int = 0
    waiting: int = 0
    size: int = 0
    connect_ms: float = 0.0
    state: str = "ok"
    login: str = ""
    error: str = ""
    many: bool = False
    inside: bool = False

    @property
    def troubled(self) -> bool:
        """Whether its database cannot be asked."""
        return self.state in ("down", "login locked")


def kind_of(pool: str) -> str:
    """The kind of database in a pool's text."""
    return pool.partition(" ")[0]


def credential_of(pool: str, server: str) -> str:
    """The credential in a pool's text; empty for none."""
    rest = pool.partition(" ")[2]
    at = rest.find(f"@{server}") if server else -1
    return rest[:at] if at > 0 else ""


def _login_of(pool: str, server: str, locked: Collection[str]) -> str:
    """The locked login that a pool would use; empty for none."""
    return next((name for name in (credential_of(pool, server), pool) if name in locked), "")


def _state(pool: PoolStats, login: str) -> str:
    if pool.draining:
        return "draining"
    if pool.paused:
        return "paused"
    if login:
        return "login locked"
    if pool.last_error and not pool.open:
        return "down"
    if pool.lent >= pool.size:
        return "full"
    return "ok"


def name_of(pool: str, server: str) -> str:
    """What is shown of a pool's text: where it is, and not as what or as whom."""
    rest = pool.partition(" ")[2] or pool
    return rest[len(credential_of(pool, server)) :].removeprefix("@") if server else rest


def line_of(pool: PoolStats, locked: Collection[str]) -> PoolLine:
    """A pool by itself."""
    login = _login_of(pool.pool, pool.server, locked)
    return PoolLine(
        key=pool.pool,
        name=name_of(pool.pool, pool.server),
        pools=(pool.pool,),
        stats=pool,
        lent=pool.lent,
        idle=pool.idle,
        waiting=pool.waiting,
        size=pool.size,
        connect_ms=pool.connect_p50_ms,
        state=_state(pool, login),
        login=login,
        error=pool.last_error,
    )


def _absent(history: PoolHistory, server: str, locked: Collection[str]) -> PoolLine | None:
    """A pool that has no session because its database does not answer; None for any other."""
    login = _login_of(history.pool, server, locked)
    if not history.proofs_failed and not login:
        return None
    return PoolLine(
        key=history.pool,
        name=name_of(history.pool, server),
        pools=(history.pool,),
        state="login locked" if login else "down",
        login=login,
        error=history.last_error,
    )


_WORST = ("login locked", "down", "draining", "paused", "full", "ok")


def _together(kind: str, lines: Sequence[PoolLine]) -> PoolLine:
    """One row for the files of a kind."""
    worst = min(lines, key=lambda line: _WORST.index(line.state))
    return PoolLine(
        key=kind,
        name=kind,
        pools=tuple(line.key for line in lines),
        lent=sum(line.lent for line in lines),
        idle=sum(line.idle for line in lines),
        waiting=sum(line.waiting for line in lines),
        connect_ms=max(line.connect_ms for line in lines),
        state="ok" if worst.state == "full" else worst.state,
        login=worst.login,
        error=worst.error,
        many=True,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What is known of pools besides their numbers.

    Attributes:
        histories: Of all pools there have been.
        keys: From a pool's text to its key, for pools that the configuration has.
        opened: Kinds whose files are shown one by one.
    """

    histories: Sequence[PoolHistory] = ()
    keys: Mapping[str, PoolKey] | None = None
    opened: Collection[str] = ()


def keys_of(connections: Iterable[Connection]) -> dict[str, PoolKey]:
    """From the texts of the pools that connections use to the pools' keys."""
    keys = (PoolKey.of(connection) for connection in connections)
    return {str(key): key for key in keys}


def pool_lines(
    pools: Sequence[PoolStats], metrics: PoolMetrics, known: Known
) -> tuple[PoolLine, ...]:
    """A line for each pool on a server, and for the files of a kind one together.

    What cannot be asked comes first; otherwise by name, so that rows stay where they are.
    """
    locked = frozenset(metrics.locked_credentials)
    lines = [line_of(pool, locked) for pool in pools]
    files = {pool.pool for pool in pools if not pool.server}
    there = {pool.pool for pool in pools}
    keys = known.keys or {}
    for history in known.histories:
        if history.pool in there:
            continue
        key = keys.get(history.pool)
        server = key.server if key else ""
        gone = _absent(history, server, locked)
        if gone is not None:
            lines.append(gone)
            if key is not None and not server:
                files.add(history.pool)
    return tuple(_placed(_apart(lines), files, known.opened))


def _apart(lines: Sequence[PoolLine]) -> list[PoolLine]:
    """The lines, with whom where two would be shown alike, and as what where that says no more."""
    alike = Counter(line.name for line in lines)
    whole = Counter(line.key.partition(" ")[2] for line in lines)

    def name(line: PoolLine) -> str:
        rest = line.key.partition(" ")[2]
        return rest if whole[rest] == 1 else line.key

    return [line if alike[line.name] == 1 else replace(line, name=name(line)) for line in lines]


def _placed(
    lines: Sequence[PoolLine], files: Collection[str], opened: Collection[str]
) -> Iterator[PoolLine]:
    kinds: dict[str, list[PoolLine]] = {}
    alone: list[PoolLine] = []
    for line in lines:
        (kinds.setdefault(kind_of(line.key), []) if line.key in files else alone).append(line)
    for kind in [kind for kind, found in kinds.items() if len(found) < MANY]:
        alone += kinds.pop(kind)
    heads = [_together(kind, found) for kind, found in kinds.items()]
    for line in sorted([*alone, *heads], key=_order):
        yield line
        if line.many and line.key in opened:
            yield from (replace(each, inside=True) for each in sorted(kinds[line.key], key=_order))


def _order(line: PoolLine) -> tuple[bool, str]:
    return not line.troubled, line.key


@dataclass(frozen=True, kw_only=True, slots=True)
class Gauge:
    """How much of a limit is taken.

    Attributes:
        key: Empty for that over all pools, else the server.
        pools: How many pools it limits.
    """

    key: str
    taken: int
    most: int
    pools: int


def gauges_of(metrics: PoolMetrics) -> list[Gauge]:
    """The limit over all, then that of each server."""
    servers = sorted({*metrics.pools_by_server, *metrics.places_by_server})
    return [
        Gauge(
            key="",
            taken=metrics.places,
            most=metrics.max_connections,
            pools=metrics.total_pools,
        ),
        *(
            Gauge(
                key=server,
                taken=metrics.places_by_server.get(server, 0),
                most=metrics.max_per_host,
                pools=metrics.pools_by_server.get(server, 0),
            )
            for server in servers
            if metrics.pools_by_server.get(server) or metrics.places_by_server.get(server)
        ),
    ]


def totals(pools: Sequence[PoolStats], metrics: PoolMetrics) -> list[Cell]:
    """The numbers of the status line, what is wrong in colour."""
    wait = max((pool.wait_p95_ms for pool in pools), default=0.0)
    lost = sum(pool.lost for pool in pools)
    locked, leaks = len(metrics.locked_credentials), len(metrics.leaks)
    down = len(metrics.breakers)
    parts: list[Cell] = [
        Styled("all paused", "warn") if metrics.paused else "",
        Styled(f"{counted(locked, 'login')} locked", "bad") if locked else "",
        Styled(f"{counted(down, 'line')} down", "bad") if down else "",
        Styled(counted(leaks, "leak"), "bad") if leaks else "",
        f"{sum(pool.lent for pool in pools)} lent",
        f"{sum(pool.idle for pool in pools)} idle",
        Styled(f"{metrics.waiting} waiting", "warn") if metrics.waiting else "0 waiting",
        f"wait p95 {milliseconds(wait)}",
        Styled(f"lost {lost}", "warn") if lost else "lost 0",
        "" if leaks else "leaks 0",
        f"limit {metrics.max_connections}",
    ]
    return parts


def milliseconds(value: float) -> str:
    """`31ms`, `1.2s`."""
    return f"{value:.0f}ms" if value < 1000 else f"{value / 1000:.1f}s"


_SIGNS: Mapping[str, tuple[str, str]] = {
    "ok": ("", ""),
    "full": ("warning", "warn"),
    "paused": ("paused", "warn"),
    "draining": ("paused", "warn"),
    "down": ("failed", "bad"),
    "login locked": ("failed", "bad"),
}


def state_cell(line: PoolLine, glyphs: Glyphs) -> Cell:
    """The state: sign and word."""
    sign, role = _SIGNS[line.state]
    return Styled(f"{getattr(glyphs, sign)} {line.state}" if sign else line.state, role)


_MEANS: Mapping[str, str] = {
    "ok": "",
    "full": "Every session it may have is lent, others wait: pool_size limits it.",
    "paused": "It lends nothing: whoever needs it waits. P lets it go on.",
    "draining": "It lends nothing and closes what comes back. P lets it go on.",
    "down": "Its database does not answer",
    "login locked": "was refused and is not tried again. Mend the password, then L releases it.",
}


def meaning(line: PoolLine) -> Cell:
    """What a state means and what to do, for the line below."""
    text = _MEANS[line.state]
    if line.state == "down":
        return Styled(f"{text}: {line.error}" if line.error else f"{text}.", "bad")
    if line.state == "login locked":
        return Styled(f"The login {line.login} {text}" if line.login else f"A login {text}", "bad")
    return Styled(text, "warn") if text else ""


def leak_of(line: PoolLine) -> Leak | None:
    """The session of a pool that is held for longest, None for none."""
    return line.stats.leaks[0] if line.stats and line.stats.leaks else None
