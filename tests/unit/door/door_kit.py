"""An engine of the tests' world behind a real socket."""

from contextlib import asynccontextmanager

from engine_world import World
from etltui.door.client import open_door
from etltui.door.server import serving


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

    @asynccontextmanager
    async def open_house(self):
        async with serving(self.engine, self.state, load=self.load, uids=self.uids) as door:
            yield door

    @asynccontextmanager
    async def visited(self):
        """The door, and a client that came in."""
        async with self.open_house() as door, open_door(self.state) as remote:
            yield door, remote
