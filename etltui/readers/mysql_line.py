"""PyMySQL's session, and what of the protocol it has no words for: prepared statements.

Prepared, a query is described without being run, is one statement only, and gives its rows in the
binary form: a FLOAT with all its digits, which the server's own text cuts to six.
"""

import re
import socket
import ssl
import struct
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pymysql import err
from pymysql.connections import Connection
from pymysql.constants import COMMAND
from pymysql.cursors import DictCursor
from pymysql.protocol import EOFPacketWrapper, FieldDescriptorPacket, MysqlPacket

from etltui.domain.errors import ErrorClass, Failure
from etltui.readers.mysql_types import Field, field_of

_EXECUTE = struct.Struct("<IBI")
_RELEASE = re.compile(r"\d+")
_ONCE = 1
_AT_ONCE = 0
"""Without a cursor at the server: rows come as they are found."""
_OPEN_PLUGINS = frozenset({b"mysql_clear_password", b"dialog"})
"""Authentications that send the password as it is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """A query that the server has parsed.

    Attributes:
        number: The server's.
    """

    number: int
    fields: tuple[Field, ...]


class Line(Connection):
    """A session, opened over a socket that somebody else has connected."""

    # What the stubs leave out.
    server_version: str
    _execute_command: Any
    _read_packet: Any
    _force_close: Any
    _sock: Any
    _rfile: Any
    _read_timeout: float | None
    _write_timeout: float | None
    _current_timeout: float | None
    _secure: bool
    _read_ahead = False

    def _process_auth(self, plugin_name: bytes, auth_packet: Any, handler: Any = None) -> Any:
        """As the base class does, but the password is not sent where others may read it."""
        if plugin_name in _OPEN_PLUGINS and not self._secure:
            raise Failure(
                ErrorClass.LOGIN,
                "the server asks for the password unencrypted, and is not told it; "
                "take sslmode=disable out of the url",
            )
        authenticate: Any = super()._process_auth  # type: ignore[misc]
        return authenticate(plugin_name, auth_packet, handler)

    @property
    def number(self) -> int:
        """The server's for this session."""
        number: int = self.thread_id()  # type: ignore[no-untyped-call]
        return number

    @property
    def version(self) -> str:
        """As the server says it; MariaDB puts 5.5.5- before for old replicas."""
        return self.server_version.removeprefix("5.5.5-")

    @property
    def is_mariadb(self) -> bool:
        """Whether it is MariaDB, which differs in the names of a few settings."""
        return "mariadb" in self.version.lower()

    @property
    def encrypted(self) -> bool | None:
        """Whether what passes is; None where nothing leaves the machine."""
        if self._sock is None or self._sock.family == socket.AF_UNIX:
            return None
        return isinstance(self._sock, ssl.SSLSocket)

    @property
    def is_closed(self) -> bool:
        """Whether the session has ended, by whomever."""
        return self._sock is None

    def patience(self, seconds: float | None) -> None:
        """Bound each wait for the server from here on."""
        self._read_timeout = self._write_timeout = seconds

    def ask(self, sql: str) -> Sequence[Sequence[Any]]:
        """The rows of a statement of ours, as PyMySQL makes them."""
        with self.cursor() as cursor:
            cursor.execute(sql)
            rows: Sequence[Sequence[Any]] = cursor.fetchall()
            return rows

    def ask_named(self, sql: str) -> Sequence[dict[str, Any]]:
        """As `ask`, each row by the names of its columns."""
        with self.cursor(DictCursor) as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    def touch(self) -> None:
        """Use the database again, which fails where it is gone."""
        name = self.db.decode() if isinstance(self.db, bytes) else str(self.db)
        self.select_db(name)

    def limit_setting(self, seconds: float) -> str:
        """The statement after which a query ends by itself; 0: never; empty: too old for it."""
        release = tuple(int(part) for part in _RELEASE.findall(self.version)[:3])
        if self.is_mariadb:
            return f"SET max_statement_time = {seconds:.3f}" if release >= (10, 1) else ""
        return f"SET max_execution_time = {int(seconds * 1000)}" if release >= (5, 7, 8) else ""

    def prepare(self, sql: str) -> Statement:
        """Have the server parse a query."""
        self._execute_command(COMMAND.COM_STMT_PREPARE, sql.encode())
        body = self._packet()
        number, columns, params = struct.unpack_from("<IHH", body, 1)
        for _ in range(params + bool(params)):
            self._packet()
        return Statement(number=number, fields=self._fields(columns))

    def execute(self, statement: Statement) -> tuple[Field, ...]:
        """Have the server run a query; its columns, and then come the rows."""
        self._execute_command(
            COMMAND.COM_STMT_EXECUTE,
            _EXECUTE.pack(statement.number, _AT_ONCE, _ONCE),
        )
        body = self._packet()
        self._read_ahead = True
        (columns,) = struct.unpack_from("<H", body[1:]) if body[0] == 0xFC else (body[0],)
        return self._fields(columns)

    def forget(self, statement: Statement) -> None:
        """Have the server drop a query; it does not answer."""
        with suppress(err.Error):
            self._execute_command(COMMAND.COM_STMT_CLOSE, struct.pack("<I", statement.number))

    def _fields(self, count: int) -> tuple[Field, ...]:
        fields = tuple(field_of(self._read_packet(FieldDescriptorPacket)) for _ in range(count))
        if count:
            self._packet()
        return fields

    def _packet(self) -> bytes:
        body: bytes = self._read_packet().get_all_data()
        return body

    def receive(self, room: memoryview) -> int:
        """Take what has come, waiting for the first byte of it.

        Raises:
            err.OperationalError: The line has ended.
        """
        if self._current_timeout != self._read_timeout:
            self._sock.settimeout(self._read_timeout)
            self._current_timeout = self._read_timeout
        try:
            size = self._received(room)
        except TimeoutError:
            raise
        except OSError as error:
            self.cut()
            raise err.OperationalError(2013, str(error)) from error
        if not size:
            self.cut()
            raise err.OperationalError(2013, "the server ended the session amid its rows")
        return size

    def _received(self, room: memoryview) -> int:
        if not self._read_ahead:
            return int(self._sock.recv_into(room))
        # PyMySQL reads through a buffer, which may hold the first rows.
        self._read_ahead = False
        ahead = self._rfile.read1(len(room))
        room[: len(ahead)] = ahead
        return len(ahead)

    def interrupt(self) -> None:
        """Wake whoever waits for the server, from any thread: the session ends."""
        sock = self._sock
        if sock is not None:
            with suppress(OSError):
                # Of the line itself: what encrypts it may be in use by who waits.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def cut(self) -> None:
        """End the session without a word to the server; never raises, never waits."""
        self.interrupt()
        self._force_close()


def check_end(body: bytes) -> None:
    """Take what the server says behind the last row.

    Raises:
        err.MySQLError: The query failed on its way.
        Failure: Of class `lost`; it is no end.
    """
    packet = MysqlPacket(body, "utf-8")
    packet.check_error()
    if not packet.is_eof_packet():
        raise Failure(ErrorClass.LOST, "the server sent what is no row")
    if EOFPacketWrapper(packet).has_next:
        raise Failure(ErrorClass.SYNTAX, "the query gives more than one result")
