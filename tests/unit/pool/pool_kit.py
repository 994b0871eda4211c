"""A pool manager over sessions that a test scripts, on a clock that a test turns."""

import asyncio

from etltui.domain.job import Connection
from etltui.domain.pools import PoolKey, PoolSettings
from etltui.pool.manager import PoolManager
from fakes import Script, TurnedClock


def connection(database="one", **changes):
    return Connection(
        **{
            "name": database.upper(),
            "kind": "mysql",
            "url": "",
            "host": "H",
            "port": 3306,
            "database": database,
            **changes,
        },
    )


async def steps(count=12):
    """Let every task that can go on go on, so many times."""
    for _ in range(count):
        await asyncio.sleep(0)


class DoorSession:
    """A session that counts itself; implements `domain.lending.Session` as far as pools use it."""

    def __init__(self, door, name, number):
        self.door = door
        self.name = name
        self.number = number
        self.alive = True

    async def ping(self):
        self.door.pinged.append(self.number)
        await self.door.pings.next()

    async def close(self):
        await self.door.closes.next()
        await asyncio.sleep(0)
        self.door.open_now.remove(self)
        self.door.closed.append(self.number)


class Door:
    """Opens sessions, numbered from 1; implements `domain.lending.Sessions`.

    Attributes:
        opens: What opening does, by database; `pings` and `closes`: what those do.
        reaches: What reaching the server does, by database; `reached`: whose was tried.
        most: The most sessions that ever were open together; `most_each` of one database.
    """

    def __init__(self):
        self.opens = {}
        self.reaches, self.reached = {}, []
        self.pings = Script()
        self.closes = Script()
        self.pinged = []
        self.closed = []
        self.open_now = []
        self.tried = []
        self.most = 0
        self.most_each = {}
        self.count = 0

    async def reach(self, wanted):
        self.reached.append(wanted.database)
        return await self.reaches.get(wanted.database, Script()).next()

    async def open(self, wanted):
        name = wanted.database
        self.tried.append(name)
        await asyncio.sleep(0)
        await self.opens.get(name, Script()).next()
        self.count += 1
        session = DoorSession(self, name, self.count)
        self.open_now.append(session)
        here = sum(each.name == name for each in self.open_now)
        self.most = max(self.most, len(self.open_now))
        self.most_each[name] = max(self.most_each.get(name, 0), here)
        return session


class Room:
    """A manager and all that it needs; its chance is 0, so that nothing is spread."""

    def __init__(self, chance=lambda: 0.0, **settings):
        self.clock = TurnedClock()
        self.door = Door()
        self.references = {}
        self.manager = PoolManager(
            self.door,
            clock=self.clock,
            settings=PoolSettings(**settings),
            reference=lambda name: self.references.get(name, ""),
            chance=chance,
        )

    async def once(self, wanted=None, **asked):
        """Lease and give back; the number of the session."""
        async with self.manager.lease(wanted or connection(), **asked) as session:
            return session.number

    def task(self, wanted=None, **asked):
        return asyncio.create_task(self.once(wanted, **asked))

    def stats(self, wanted=None):
        key = str(PoolKey.of(wanted or connection()))
        return next(stats for stats in self.manager.get_info() if stats.pool == key)

    @property
    def metrics(self):
        return self.manager.get_metrics()

    async def turn(self, seconds):
        """Let time pass and everybody go on."""
        self.clock.turn(seconds)
        await steps()

    async def close(self):
        """End; nothing is left that takes a place."""
        ending = asyncio.create_task(self.manager.aclose())
        await steps(20)
        assert ending.done(), "nothing is left that it would have to wait for"
        assert (self.metrics.places, self.manager.get_info()) == (0, ())
