"""How long a server that answers waits for hundreds that do not."""

import asyncio
import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from etltui.domain.errors import Failure
from etltui.domain.pools import PoolSettings
from etltui.engine.clock import SystemClock
from etltui.extractors.probe import Probe, ProbedSessions
from etltui.pool.manager import PoolManager
from unit.extractors.test_probe import HOLES, black_hole, connection
from unit.pool.pool_kit import Door


async def _took(holes: int, hole: int, healthy: int) -> float:
    """Seconds until the one that answers has its session, asked last."""
    sessions = ProbedSessions(Door(), Probe())
    settings = PoolSettings(max_connections=20, max_per_host=8)
    manager = PoolManager(sessions, clock=SystemClock(), settings=settings)

    async def ask(wanted) -> float:
        begun = time.monotonic()
        try:
            async with manager.lease(wanted):
                pass
        except Failure:
            pass
        return time.monotonic() - begun

    down = [
        connection(f"D{n}", f"127.0.{1 + n // 250}.{1 + n % 250}", hole, credential="etl")
        for n in range(holes)
    ]
    asked = [asyncio.create_task(ask(each)) for each in down]
    up = connection("UP", "127.0.0.1", healthy, credential="etl")
    took = await asyncio.create_task(ask(up))
    await asyncio.gather(*asked)
    await manager.aclose()
    return took


def main() -> None:
    with black_hole() as hole, socket.create_server(("127.0.0.1", 0)) as server:
        healthy = server.getsockname()[1]
        alone = asyncio.run(_took(0, hole, healthy))
        among = asyncio.run(_took(HOLES, hole, healthy))
    print(f"alone {1000 * alone:.1f} ms; behind {HOLES} black holes {1000 * among:.1f} ms")


if __name__ == "__main__":
    main()
