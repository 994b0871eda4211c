"""Rows as the server prints them, pulled block by block."""

import asyncio
from collections.abc import Iterable
from typing import Any

from etltui.domain.errors import ErrorClass, Failure
from etltui.readers.postgresql_wire import Wire


class Copy:
    """A COPY of a query to us as CSV; the statement begins with the first pull.

    Nothing is received between two pulls, but what asyncpg has taken from the socket by then
    (at most 256 KiB, or one row).

    Args:
        sql: A query without parameters, as `bare` leaves it.
        delimiter: Of the fields.
        force_quote: Names of columns whose values are quoted; True: all.
    """

    def __init__(
        self,
        wire: Wire,
        sql: str,
        *,
        delimiter: str = ",",
        force_quote: Iterable[str] | bool | None = None,
    ) -> None:
        self._wire = wire
        # A comment at the end of the query must not swallow the bracket.
        self._sql = f"{sql}\n"
        self._options: dict[str, Any] = {"delimiter": delimiter, "force_quote": force_quote}
        self._copying: asyncio.Task[str] | None = None
        self._blocks: list[bytes] = []
        self._size = self._wanted = 0
        self._given_up = False
        self._room = asyncio.Event()
        self._ready = asyncio.Event()

    def pull(self, wanted: int) -> bytes:
        """The next rows, whole ones: about so many bytes, fewer at the end, none after it.

        The server sends one message for each row (protocol 3), and asyncpg hands on whole ones.

        Raises:
            Failure: The query failed, or the session was lost: never a silent end.
        """
        self._wire.check()
        return self._wire.run(self._next(wanted))

    async def _next(self, wanted: int) -> bytes:
        self._wanted = wanted
        if self._copying is None:
            self._copying = self._wire.start(
                self._wire.connection.copy_from_query(
                    self._sql,
                    output=self._take,
                    format="csv",
                    **self._options,
                ),
            )
            self._copying.add_done_callback(lambda _: self._ready.set())
        self._ready.clear()
        self._room.set()
        if not self._copying.done():
            await self._ready.wait()
        if self._copying.done():
            self._copying.result()
        block = b"".join(self._blocks)
        self._blocks.clear()
        self._size = 0
        return block

    async def _take(self, block: bytes) -> None:
        """Keep a block; the server is not read from before there is room for more."""
        if self._given_up:
            return
        self._blocks.append(block)
        self._size += len(block)
        if self._size >= self._wanted:
            self._room.clear()
            self._ready.set()
            await self._room.wait()

    def check_rows(self, rows: int) -> None:
        """Hold the rows that came against those that the server says it sent.

        Raises:
            Failure: Of class `lost`; they differ.
        """
        tag = self._copying.result() if self._copying and self._copying.done() else ""
        if tag != f"COPY {rows}":
            raise Failure(
                ErrorClass.LOST,
                f"{rows:,} rows arrived, but the server says {tag or 'nothing'}",
            )

    def close(self) -> None:
        """End the statement if it still runs; never raises."""
        if self._copying is not None and not self._copying.done():
            self._given_up = True
            self._room.set()
            self._wire.settle()
