"""One ODBC session: a thread that makes all its driver calls, and waits for it that always end.

aioodbc opens the connection and runs what controls it; a statement whose rows are wanted in
blocks stands on the same connection (`odbc_api`).
"""

import asyncio
import locale
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from etltui.domain.errors import ErrorClass, Failure
from etltui.readers import odbc_api as api
from etltui.readers.odbc_errors import NOTHING_KNOWN
from etltui.readers.odbc_thread import OneThread
from etltui.readers.odbc_wait import GRACE_S, LOOK_S, T, Waiting
from etltui.readers.waits import LOGIN_SHARE

_CLOSE_S = 1.0
_SPECIAL = frozenset("[]{}(),;?*=!@ ")


def connection_string(keys: Mapping[str, str]) -> str:
    """What the driver manager is given; a value may hold any character but NUL."""
    return ";".join(f"{key}={_quoted(value)}" for key, value in keys.items())


def _quoted(value: str) -> str:
    if not _SPECIAL & set(value):
        return value
    return "{" + value.replace("}", "}}") + "}"


class OdbcLine(Waiting):
    """An open connection. All calls but `cancel` come from one thread.

    Args:
        keys: Of the connection string, secrets included.
        where: Host and port as a message names them.
        limit_s: How long opening may take.
        secrets: What no message may hold.
        natives: The server's own error numbers, as far as they are known.

    Attributes:
        raw: pyodbc's connection; to be touched inside `call` only.
    """

    def __init__(
        self,
        keys: Mapping[str, str],
        *,
        where: str,
        limit_s: float,
        secrets: Sequence[str] = (),
        natives: Mapping[int, ErrorClass] = NOTHING_KNOWN,
    ) -> None:
        super().__init__(where=where, secrets=secrets, natives=natives)
        self._limit_s = limit_s
        self._connection: Any = None
        self.raw: Any = None
        self._executor = OneThread()
        try:
            self._connection = self._opened(connection_string(keys))
            handle = self.call(lambda: api.connection_of(self.raw))
        except BaseException:
            self._end()
            raise
        if handle is None:
            self.close()
            raise Failure(
                ErrorClass.DRIVER,
                "this version of pyodbc keeps its connection in an unknown place; "
                "install pyodbc>=5.3,<6",
            )
        self._handle = handle

    def _opened(self, words: str) -> Any:
        """A connection of aioodbc, within the limit."""
        _speak_utf8()
        seconds = self._limit_s * LOGIN_SHARE
        return self._run(self._opening(words, seconds), seconds)

    async def _opening(self, words: str, seconds: float) -> Any:
        # It asks for the running loop when it is made.
        return await _aioodbc().connect(
            dsn=words,
            autocommit=True,
            timeout=max(1, round(seconds)),
            executor=self._executor,
            after_created=self._take,
        )

    async def _take(self, raw: Any) -> None:
        self.raw = raw
        # As UTF-16 MariaDB's driver loses the last character of a text that holds an Ø.
        raw.setdecoding(api.WCHAR, encoding="utf-8", ctype=api.CHAR)
        raw.setdecoding(api.CHAR, encoding="utf-8")

    def call(
        self,
        function: Callable[[], T],
        *,
        seconds: float | None = None,
        interrupt: Callable[[], None] | None = None,
    ) -> T:
        """Have the session's thread make a call, and wait for it.

        Args:
            function: Talks to the driver.
            seconds: Afterwards the session is given up; None: as long as nobody cancels.
            interrupt: Wakes the driver from it, from any thread.

        Raises:
            Failure: Whatever went wrong; `cancelled` whatever else, if somebody cancelled.
        """
        work = self._loop.run_in_executor(self._executor, function)
        return self._run(work, seconds, interrupt)

    def ahead(self, function: Callable[[], T]) -> "Future[T]":
        """Have the session's thread make a call while ours does something else."""
        return self._executor.submit(function)

    def wait(self, begun: "Future[T]", *, interrupt: Callable[[], None]) -> T:
        """Wait for what `ahead` has begun; see `call`."""
        return self._run(asyncio.wrap_future(begun, loop=self._loop), None, interrupt)

    def rows(self, sql: str, *values: Any, seconds: float) -> list[tuple[Any, ...]]:
        """All rows of a statement that controls the session or asks the server about itself."""
        held: list[Any] = []

        def interrupt() -> None:
            for cursor in held:
                cursor.cancel()

        def forget() -> None:
            with self._waking:
                held.clear()

        async def work() -> list[tuple[Any, ...]]:
            cursor = await self._connection.cursor()
            held.append(cursor._impl)  # noqa: SLF001 - aioodbc passes on no cancel
            try:
                await cursor.execute(sql, *values)
                if cursor.description is None:
                    return []
                return [tuple(row) for row in await cursor.fetchall()]
            finally:
                await self._loop.run_in_executor(self._executor, forget)
                await cursor.close()

        return self._run(work(), seconds, interrupt)

    def statement(self) -> api.Statement:
        """A new statement on this connection; to be touched inside `call` only."""
        return self.call(lambda: api.Statement(self._handle))

    def dispose(self, statement: api.Statement, *, interrupt: bool = False) -> None:
        """Free a statement; never raises.

        Args:
            statement: Of this line.
            interrupt: Whether the driver may still be at it, and shall stop.
        """

        def close() -> None:
            with self._waking:
                statement.close()

        if not self._lost and not self._loop.is_closed():
            with suppress(Failure), self._undisturbed():
                if interrupt:
                    self._stopped(statement)
                self.call(close, seconds=GRACE_S)
        # What was given up before it began is still to be done, whenever the driver comes back.
        self._executor.submit(close)

    def _stopped(self, statement: api.Statement) -> None:
        """Have the thread free again, by the driver's own cancel where it does not come back."""
        came = self._executor.submit(lambda: None)
        with suppress(TimeoutError):
            came.result(LOOK_S)
            return
        self._interrupt = statement.cancel
        self._wake()

    def autocommit(self, *, on: bool) -> None:
        """Whether each statement is a transaction of its own; off begins one, on ends it."""
        self.call(lambda: setattr(self.raw, "autocommit", on), seconds=_CLOSE_S * 5)

    def undo(self, statement: str = "") -> None:
        """Undo the transaction, after a cancel too; a session that cannot is lost. Never raises.

        Args:
            statement: What ends a transaction that a statement has begun; empty for one that
                `autocommit` has.
        """
        if self._lost or self._loop.is_closed():
            return
        try:
            with self._undisturbed():
                if statement:
                    self.rows(statement, seconds=GRACE_S)
                else:
                    self._run(self._rolled_back(), GRACE_S)
                    self.autocommit(on=True)
        except Failure:
            self._lost = True

    async def _rolled_back(self) -> None:
        await self._connection.rollback()

    def close(self) -> None:
        """End the session, politely if that is quick; never raises, never hangs."""
        if self._loop.is_closed():
            return
        self._cancelled.clear()
        if not self._lost:
            with suppress(Exception):
                self._run(self._connection.close(), _CLOSE_S)
        self._end()

    def _dispose(self, opened: Any) -> None:
        """Close a connection in its own thread, whenever that comes back from where it hangs."""
        with self._waking, suppress(Exception):
            opened.close()

    def _end(self) -> None:
        opened, self.raw = self.raw, None
        if self._connection is not None:
            # Or it would close it in whichever thread forgets it last.
            self._connection._conn = None  # noqa: SLF001 - see above
        if opened is not None:
            self._executor.submit(self._dispose, opened)
        del opened
        self._executor.shutdown()
        self._loop.close()


def _speak_utf8() -> None:
    """Have drivers give bytes in UTF-8: some follow the locale, which may be Latin-1 or none."""
    if locale.nl_langinfo(locale.CODESET).upper() != "UTF-8":
        with suppress(locale.Error):
            locale.setlocale(locale.LC_CTYPE, "C.UTF-8")


def _aioodbc() -> Any:
    """The module; imported late, since it cannot be without the driver manager.

    Raises:
        Failure: The driver manager is not installed.
    """
    try:
        import aioodbc  # type: ignore[import-untyped]  # noqa: PLC0415 - see above
    except ImportError as error:
        raise api.missing(str(error)) from error
    return aioodbc
