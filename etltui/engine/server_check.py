"""Asks servers how loaded they are, each once however many of its databases are configured."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from etltui.domain.errors import Failure, Trouble
from etltui.domain.inquiry import ServerChecked
from etltui.domain.job import Connection
from etltui.domain.lending import Leases
from etltui.engine.answers import AT_ONCE, answer


def servers(connections: Iterable[Connection]) -> dict[str, Connection]:
    """The first connection of each server, by `host:port`; files have none."""
    found: dict[str, Connection] = {}
    for each in connections:
        if each.host:
            place = f"{each.host}:{each.port}" if each.port else each.host
            found.setdefault(place, each)
    return found


async def servers_checked(
    lending: Leases,
    connections: Sequence[Connection],
    limit_s: float,
    tell: Callable[[ServerChecked], None] = lambda _: None,
) -> tuple[ServerChecked, ...]:
    """Ask the servers of connections, as far as the limits allow all at once.

    Args:
        lending: Gives the sessions.
        connections: Whose servers.
        limit_s: How long one answer may take.
        tell: Told of each as soon as it is known.
    """
    room = asyncio.Semaphore(AT_ONCE)

    async def one(server: str, connection: Connection) -> ServerChecked:
        async with room:
            found = await _checked(lending, server, connection, limit_s)
        tell(found)
        return found

    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(one(server, each), name=f"server check {server}")
            for server, each in servers(connections).items()
        ]
    return tuple(task.result() for task in tasks)


async def _checked(
    lending: Leases,
    server: str,
    connection: Connection,
    limit_s: float,
) -> ServerChecked:
    """Ask one server, in its turn; what goes wrong is said, not raised."""
    try:
        async with lending.lease(connection, holder="server check") as session:
            readings = await answer(session.server_check(), limit_s)
            product = session.facts.product
    except Failure as failure:
        trouble = Trouble.of(failure)
        return ServerChecked(server=server, connection=connection.name, trouble=trouble)
    return ServerChecked(
        server=server,
        connection=connection.name,
        product=product,
        readings=readings,
    )
