"""Packets of TDS on a socket, with TLS inside of them while it is agreed on (MS-TDS 2.2.3)."""

import select
import socket
import ssl
import struct
from contextlib import suppress

PRELOGIN, BATCH, RPC, REPLY, ATTENTION, TRANSACTION, LOGIN = 0x12, 1, 3, 4, 6, 14, 16
_HEADER = struct.Struct(">BBHHBB")
_LAST = 1


class GoneError(Exception):
    """The other end has closed, or this one was cut."""


class Wire:
    """One connection's packets; all calls but `cut` come from one thread.

    Attributes:
        size: Of a packet, as agreed on at login.
        sent: Bytes of replies so far, for faults that come after so many.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._tls: ssl.SSLObject | None = None
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._plain = bytearray()
        self._number = 0
        self.size = 4096
        self.spid = 0
        self.sent = 0
        self.cut_after: int | None = None
        self.how = "rst"

    def receive(self) -> tuple[int, bytes]:
        """The next whole message: its kind and body."""
        body = bytearray()
        while True:
            kind, status, length, *_ = _HEADER.unpack(self._exactly(8))
            body += self._exactly(length - 8)
            if status & _LAST:
                return kind, bytes(body)

    def pending(self, seconds: float = 0.0) -> bool:
        """Whether something came in, waiting so long for it."""
        if self._plain or self._incoming.pending:
            return True
        return bool(select.select([self._sock], [], [], seconds)[0])

    def send(self, body: bytes, *, last: bool = True, kind: int = REPLY) -> None:
        """A message, or a piece of one that fills its packets."""
        step = self.size - _HEADER.size
        packets = bytearray()
        for start in range(0, max(len(body), 1), step):
            piece = body[start : start + step]
            ends = last and start + step >= len(body)
            self._number = (self._number + 1) & 0xFF
            packets += _HEADER.pack(kind, int(ends), len(piece) + 8, self.spid, self._number, 0)
            packets += piece
        self._write(bytes(packets))

    def shake_hands(self, context: ssl.SSLContext) -> None:
        """Agree on TLS, each flight in packets of the kind PRELOGIN."""
        tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        done = False
        while not done:
            with suppress(ssl.SSLWantReadError):
                try:
                    tls.do_handshake()
                    done = True
                except ssl.SSLWantReadError:
                    raise
                except ssl.SSLError as error:
                    if words := self._outgoing.read():
                        self.send(words, kind=PRELOGIN)
                    raise GoneError from error
            if flight := self._outgoing.read():
                self.send(flight, kind=PRELOGIN)
            if not done:
                self._incoming.write(self.receive()[1])
        self._tls = tls

    def end_tls(self) -> None:
        """Go on in the clear: only the login was to be encrypted."""
        self._tls = None

    def cut(self, how: str = "rst") -> None:
        """End the line: `rst` abruptly, `fin` as if all was said."""
        with suppress(OSError):
            if how == "rst":
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                self._sock.shutdown(socket.SHUT_WR)
                self._sock.settimeout(1)
                while self._sock.recv(65536):
                    pass
        with suppress(OSError):
            self._sock.close()

    def interrupt(self) -> None:
        """Make whatever waits on the socket end, from any thread."""
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def _exactly(self, count: int) -> bytes:
        while len(self._plain) < count:
            self._more()
        out = bytes(self._plain[:count])
        del self._plain[:count]
        return out

    def _more(self) -> None:
        if self._tls is not None:
            try:
                self._plain += self._tls.read(65536)
            except ssl.SSLWantReadError:
                self._incoming.write(self._received())
            except ssl.SSLError as error:
                raise GoneError from error
            return
        self._plain += self._incoming.read() or self._received()

    def _received(self) -> bytes:
        try:
            data = self._sock.recv(65536)
        except OSError as error:
            raise GoneError from error
        if not data:
            raise GoneError
        return data

    def _write(self, data: bytes) -> None:
        if self._tls is not None:
            self._tls.write(data)
            data = self._outgoing.read()
        try:
            if self.cut_after is not None and self.sent + len(data) > self.cut_after:
                self._sock.sendall(data[: max(0, self.cut_after - self.sent)])
                self.fail(self.how)
            self._sock.sendall(data)
        except OSError as error:
            raise GoneError from error
        self.sent += len(data)

    def fail(self, how: str) -> None:
        """Break as told: `rst`, `fin`, or `silence` until the other end gives up."""
        if how == "silence":
            while self._received():
                pass
        self.cut(how)
        raise GoneError
