"""A line to a receiver: one HTTP connection that is kept, and what breaks it in words."""

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

from etltui.domain.errors import ErrorClass, Failure
from etltui.writers.webhook_answer import Answer
from etltui.writers.webhook_batches import Body

_ANSWER = 64 * 1024
"""Bytes of an answer that are read; of a longer one the line is given up."""
_LOOK_S = 0.2
_CLOSED = "it closed the connection without an answer"
_TROUBLES: Sequence[tuple[type[Exception], ErrorClass, str]] = (
    (TimeoutError, ErrorClass.TIMEOUT, "no answer within timeout_s ="),
    (ConnectionRefusedError, ErrorClass.REFUSED, "nobody listens there"),
    (ConnectionError, ErrorClass.LOST, _CLOSED),
    (ssl.SSLEOFError, ErrorClass.LOST, _CLOSED),
    (ssl.SSLZeroReturnError, ErrorClass.LOST, _CLOSED),
    (http.client.HTTPException, ErrorClass.TARGET, "it does not answer in HTTP"),
    (socket.gaierror, ErrorClass.UNREACHABLE, "its name has no address"),
)
"""The first that fits says what is wrong."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Receiver:
    """Whom to send to.

    Attributes:
        headers: With the secrets in them.
        trust: A file of certificates, empty for the system's.
    """

    url: str
    method: str
    headers: Mapping[str, str] = field(repr=False)
    timeout_s: float
    trust: str = ""

    @property
    def place(self) -> str:
        """As a message names it."""
        return self.url.partition("?")[0]

    @property
    def target(self) -> str:
        """Path and query, as a request names them."""
        parts = urlsplit(self.url)
        return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


class Line:
    """Sends one body after the other; a context manager that closes it.

    Args:
        receiver: Whom to send to.
        stopped: Whether nobody wants it any more; what waits then breaks off at once.
    """

    def __init__(self, receiver: Receiver, stopped: Callable[[], bool]) -> None:
        self._receiver = receiver
        self._stopped = stopped
        self._connection: http.client.HTTPConnection | None = None
        self._ended = threading.Event()
        self._watch = threading.Thread(target=self._look, name="webhook", daemon=True)

    def __enter__(self) -> Self:
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._watch.join()
        self._close()

    def wait(self, seconds: float) -> None:
        """Wait; not longer than it is wanted."""
        while seconds > 0 and not self._stopped():
            self._ended.wait(min(seconds, _LOOK_S))
            seconds -= _LOOK_S

    def send(self, body: Body, headers: Mapping[str, str]) -> Answer:
        """Send a body and wait for the answer.

        A line that was kept open and that the receiver has closed meanwhile is opened anew.

        Raises:
            Failure: No answer came; of the class that says why.
        """
        kept = self._connection is not None
        try:
            return self._told(body, headers)
        except Failure as failure:
            if not kept or failure.error_class is not ErrorClass.LOST or self._stopped():
                raise
        return self._told(body, headers)

    def _told(self, body: Body, headers: Mapping[str, str]) -> Answer:
        try:
            return self._exchange(body, headers)
        except (OSError, http.client.HTTPException) as error:
            self._close()
            raise broken(error, self._receiver) from error
        except BaseException:
            self._close()
            raise

    def _exchange(self, body: Body, headers: Mapping[str, str]) -> Answer:
        receiver = self._receiver
        if self._connection is None:
            self._connection = self._opened()
        connection = self._connection
        every = {**receiver.headers, **headers, "Content-Length": str(body.length)}
        # Who refuses a body may answer before the end of it and close: the answer says more.
        with suppress(BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
            connection.request(receiver.method, receiver.target, body.pieces(), every)
        response = connection.getresponse()
        text = response.read(_ANSWER)
        answer = Answer(
            status=response.status,
            headers={name.lower(): value for name, value in response.getheaders()},
            text=text.decode("utf-8", "replace"),
        )
        if not response.isclosed() or not answer.acknowledges:
            self._close()
        return answer

    def _opened(self) -> http.client.HTTPConnection:
        parts, timeout = urlsplit(self._receiver.url), self._receiver.timeout_s
        host = parts.hostname or ""
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            connection = http.client.HTTPSConnection(
                host, parts.port, timeout=timeout, context=_trust(self._receiver.trust)
            )
        else:
            connection = http.client.HTTPConnection(host, parts.port, timeout=timeout)
        connection.connect()
        return connection

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _look(self) -> None:
        """Break off what waits for the receiver when nobody wants it any more."""
        while not self._ended.wait(_LOOK_S):
            connection = self._connection
            sock = connection.sock if connection is not None and self._stopped() else None
            if sock is not None:
                # The plain call: that of a TLS socket would take it away under who reads.
                with suppress(OSError):
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _trust(file: str) -> ssl.SSLContext:
    """What certificates are held against: those of a file, or the system's."""
    try:
        return ssl.create_default_context(cafile=file or None)
    except OSError as error:
        reason = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise Failure(ErrorClass.TLS, f"ca_file {file} cannot be used: {reason}") from error


def broken(error: OSError | http.client.HTTPException, receiver: Receiver) -> Failure:
    """The failure of what came instead of an answer."""
    kind, words = _trouble(error)
    limit = f" {receiver.timeout_s:g} s" if kind is ErrorClass.TIMEOUT else ""
    return Failure(kind, f"{receiver.place}: {words}{limit}")


def _trouble(error: OSError | http.client.HTTPException) -> tuple[ErrorClass, str]:
    for kind, error_class, words in _TROUBLES:
        if isinstance(error, kind):
            return error_class, words
    if isinstance(error, ssl.SSLCertVerificationError):
        return ErrorClass.TLS, f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        reason = getattr(error, "reason", None) or error.strerror
        return ErrorClass.TLS, f"no encrypted connection could be made: {reason}"
    words = getattr(error, "strerror", None) or type(error).__name__
    return ErrorClass.UNREACHABLE, f"it cannot be reached: {words}"
