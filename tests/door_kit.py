"""An engine of the tests' world behind a real socket, and clients that do not keep to the rules."""

import asyncio
import os
from contextlib import asynccontextmanager

from engine_world import World
from etltui.door.client import open_door
from etltui.door.protocol import HEAD, Call, down, frame
from etltui.door.server import serving, within
from fakes import Held, RecordedBus, Script


async def until(happens):
    """Let the others go on until it happens."""
    while not happens():  # noqa: ASYNC110 - of what nobody tells
        await asyncio.sleep(0)


class SmallBus(RecordedBus):
    """A bus whose subscribers may be little behind."""

    def subscribe(self):
        return super().subscribe(limit=50)


class House(World):
    """The world with a door; `files` is what the configuration's files seem to say."""

    def __init__(self, folder):
        super().__init__(folder)
        self.files = None
        self.uids = None

    @property
    def state(self):
        return self.folder / "state"

    def load(self):
        if isinstance(self.files, Exception):
            raise self.files
        return self.files or self.engine.config

    def hold(self, connection="B"):
        """Let a connection wait for the test."""
        held = Held(2)
        self.leases.extracts[connection] = Script(held)
        return held

    @asynccontextmanager
    async def open_house(self):
        async with serving(self.engine, self.state, load=self.load, uids=self.uids) as door:
            yield door

    @asynccontextmanager
    async def visited(self):
        """The door, and a client that came in."""
        async with self.open_house() as door, open_door(self.state) as remote:
            yield door, remote

    @asynccontextmanager
    async def stranger(self):
        """Somebody who says what they want."""
        folder = os.open(self.state, os.O_PATH)
        try:
            reader, writer = await asyncio.open_unix_connection(within(folder))
        finally:
            os.close(folder)
        try:
            yield Stranger(reader, writer)
        finally:
            writer.transport.abort()


class Stranger:
    """A client without manners."""

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer

    def say(self, name, number=1, **arguments):
        self.writer.write(frame(Call(id=number, name=name, arguments=arguments)))

    async def hear(self):
        """The next message as it came, and as it is understood."""
        (length,) = HEAD.unpack(await self.reader.readexactly(HEAD.size))
        body = await self.reader.readexactly(length)
        return body, down(body)
