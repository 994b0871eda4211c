"""Rows as the server sends them, pulled block by block."""

import time

from pymysql import err

from etltui.domain.errors import ErrorClass, Failure
from etltui.readers.mysql_line import Statement, check_end
from etltui.readers.mysql_packets import Block, Packets
from etltui.readers.mysql_types import Field
from etltui.readers.mysql_wire import Wire


class Rows:
    """The rows of a query; it begins to run with the first pull.

    Args:
        wire: Nothing else is asked of it between the first pull and the end or `close`.
        statement: Prepared.
        limit_s: What the server was told as the longest that the query may take; 0: no limit.
    """

    def __init__(self, wire: Wire, statement: Statement, limit_s: float = 0.0) -> None:
        self._wire = wire
        self._statement = statement
        self._limit_s = limit_s
        self._begun = 0.0
        self._done = False
        self._rest = b""

    def pull(self, wanted: int) -> Block | None:
        """The next rows: about so many bytes, fewer at the end; None after it.

        Raises:
            Failure: The query failed, or the session was lost: never a silent end.
        """
        self._wire.check()
        if self._done:
            return None
        if not self._begun:
            self._begin()
        packets = Packets(self._rest, wanted)
        while packets.last is None and not (packets.ends and packets.filled >= wanted):
            self._wire.step(lambda: packets.fill(self._wire.line.receive))
            self._wire.check()
        self._rest = packets.rest()
        if packets.last is not None:
            self._end(packets.last)
        return packets.block()

    def _begin(self) -> None:
        self._begun = time.monotonic()
        self._wire.begin_work()
        try:
            fields = self._wire.step(self._started)
        except BaseException:
            self._done = True
            self._wire.end_work()
            raise
        if [each.reading for each in fields] != [each.reading for each in self._statement.fields]:
            raise Failure(ErrorClass.BUSY, "a table has changed just now; try again")

    def _started(self) -> tuple[Field, ...]:
        try:
            return self._wire.line.execute(self._statement)
        except err.MySQLError:
            raise
        except BaseException:
            # Who has not understood a word does not know where the next one begins.
            self._wire.line.cut()
            raise

    def _end(self, word: bytes) -> None:
        """Take the server's last word, which may not be the whole truth.

        A statement that overran its limit can end as if nothing had been (MariaDB).
        """
        self._done = True
        self._wire.end_work()
        self._wire.step(lambda: check_end(word))
        if self._limit_s and time.monotonic() - self._begun >= self._limit_s:
            raise Failure(
                ErrorClass.TIMEOUT,
                f"the query took longer than {self._limit_s:g} s, after which the server ends it",
            )

    def close(self) -> None:
        """End the query if it still runs; never raises."""
        if self._begun and not self._done:
            packets = Packets(self._rest)

            def ended() -> bool:
                packets.fill(self._wire.line.receive)
                packets.forget()
                return packets.last is not None

            self._wire.settle(ended)
        self._done = True
