"""S4-56: whether a session answers is told rightly, over thousands of sessions of known state."""

import asyncio
import random

import pytest

from etltui.domain.errors import ErrorClass
from fakes import failure
from unit.pool.pool_kit import Room, steps

VERDICTS = 10_000
PING_S = 5.0
IDLE_S = 60.0
HEALTHY = {"at once": 0.0, "slowly": 0.6 * PING_S, "just in time": 0.99 * PING_S}
"""From states to the seconds after which the server answers."""
SICK = ("lost", "killed", "silent", "too late", "its extractor is gone")


class Server:
    """What becomes of a ping, by the state that it is in."""

    def __init__(self, clock):
        self.clock = clock
        self.state = "at once"

    async def next(self):
        match self.state:
            case "lost":
                raise failure(ErrorClass.LOST, "the session broke")
            case "killed":
                raise failure(ErrorClass.DRIVER_CRASH, "its extractor died")
            case "silent":
                await asyncio.Event().wait()
            case "too late":
                await self.clock.sleep(1.01 * PING_S)
            case state:
                if HEALTHY.get(state):
                    await self.clock.sleep(HEALTHY[state])


@pytest.mark.timeout(120)
async def test_s4_56_ten_thousand_verdicts_on_sessions_of_known_state():
    room = Room(
        max_connections=1,
        ping_timeout_s=PING_S,
        validate_after_s=30.0,
        idle_s=10 * IDLE_S,
        lifetime_s=1e9,
        keepalive_s=1e9,
    )
    server = room.door.pings = Server(room.clock)
    chance = random.Random(56)
    number, right = await room.once(), 0
    for _ in range(VERDICTS):
        server.state = chance.choice((*HEALTHY, *SICK))
        (session,) = room.door.open_now
        session.alive = server.state != "its extractor is gone"
        room.clock.turn(IDLE_S)
        asked = room.task()
        while not asked.done():
            await steps(4)
            room.clock.turn(PING_S / 100)
        found = asked.result()
        right += (found == number) == (server.state in HEALTHY)
        number = found
    assert right == VERDICTS
    server.state = "at once"
    await room.close()
