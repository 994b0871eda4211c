"""How many sessions there may be: of one pool, on one server, over all. Counting, no waiting."""

from etltui.domain.pools import PoolKey, PoolSettings
from etltui.pool.backoff import Backoff
from etltui.pool.record import Record


class Limit:
    """Counts the places that sessions take, from the first try to connect until they are closed.

    Attributes:
        name: What it limits, for an operator to read.
        most: Places there are; what is taken beyond it is not taken away.
        taken: Places that sessions take.
        leaving: … of these, by sessions that are being closed.
    """

    __slots__ = ("leaving", "most", "name", "taken")

    def __init__(self, name: str, most: int) -> None:
        self.name = name
        self.most = most
        self.taken = 0
        self.leaving = 0

    @property
    def full(self) -> bool:
        """Whether there is no place left."""
        return self.taken >= self.most

    @property
    def surplus(self) -> bool:
        """Whether more stay than there may be."""
        return self.taken - self.leaving > self.most

    def take(self) -> None:
        """Take a place."""
        self.taken += 1

    def leave(self) -> None:
        """A place will be given back as soon as its session is closed."""
        self.leaving += 1

    def give(self, *, leaving: bool) -> None:
        """Give a place back; the count never falls below what can be true."""
        self.taken = max(0, self.taken - 1)
        if leaving:
            self.leaving = max(0, self.leaving - 1)

    def __str__(self) -> str:
        return f"{self.name} {self.taken} of {self.most}"


Chain = tuple[Limit, ...]
"""The limits that one session counts against, the narrowest first."""


class Limits:
    """What pools share: the limit over all, and of each server its limit and its back-off.

    A server's stay when its last pool goes, as do the pools' records: there are no more than
    configured servers and databases.
    """

    def __init__(self, settings: PoolSettings) -> None:
        self.settings = settings
        self.all = Limit("all pools", settings.max_connections)
        self.servers: dict[str, Limit] = {}
        self.records: dict[PoolKey, Record] = {}
        self._backoffs: dict[str, Backoff] = {}

    def chain(self, key: PoolKey) -> Chain:
        """The limits of a new pool: its own, its server's, that of all. A file is on no server."""
        own = Limit("this pool", self.settings.pool_size)
        if not key.server:
            return (own, self.all)
        made = Limit(f"server {key.server}", self.settings.max_per_host)
        return (own, self.servers.setdefault(key.server, made), self.all)

    def backoff(self, key: PoolKey) -> Backoff:
        """The back-off of a pool's server; a file has its own."""
        return self._backoffs.setdefault(key.server or str(key), Backoff())

    def record(self, key: PoolKey) -> Record:
        """What is remembered of a pool, also when it has gone."""
        return self.records.setdefault(key, Record())

    def resize(self, settings: PoolSettings) -> None:
        """Change what is shared, and what new pools get."""
        self.settings = settings
        self.all.most = settings.max_connections
        for server in self.servers.values():
            server.most = settings.max_per_host
