"""A receiver on this machine that keeps what it is sent, for tests."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Request:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    content: bytes

    @property
    def body(self) -> dict:
        return json.loads(self.content)

    @property
    def key(self) -> str:
        return self.headers["Idempotency-Key"]


@dataclass(frozen=True)
class Reply:
    """What the receiver answers; a status of 0 closes the connection without a word."""

    status: int = 200
    text: str = ""
    headers: dict[str, str] = field(default_factory=dict)


Answering = Callable[[Request, int], Reply]
"""Gets the request and how many came before it."""


def taken(_: Request, __: int) -> Reply:
    return Reply()


class Hook:
    """The receiver: `requests` in order, and each batch once in `taken`, by its key.

    Attributes:
        answer: Decides what is answered; it may be replaced at any time.
    """

    def __init__(self, answer: Answering = taken, certificate: str = "") -> None:
        self.requests: list[Request] = []
        self.taken: dict[str, dict] = {}
        self.answer = answer
        self.twice: list[str] = []
        self.lines = 0
        self._lock = threading.Lock()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                hook.lines += 1

            def do_POST(self) -> None:
                hook._serve(self)

            do_PUT = do_POST  # noqa: N815 - the library's word

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """Who comes may leave in the middle."""

        self.server = Server(("127.0.0.1", 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(
                self.server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._place = "https://localhost" if certificate else "http://127.0.0.1"

    @property
    def url(self) -> str:
        return f"{self._place}:{self.server.server_port}/rows"

    @property
    def keys(self) -> list[str]:
        return [request.key for request in self.requests]

    def rows(self, connection: str) -> list[dict]:
        """The connection's rows, each batch once, in order."""
        mine = [body for body in self.taken.values() if body["connection"] == connection]
        mine.sort(key=lambda body: body["batch"])
        return [row for body in mine for row in body["rows"]]

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        content = handler.rfile.read(int(handler.headers["Content-Length"]))
        request = Request(handler.command, handler.path, dict(handler.headers), content)
        with self._lock:
            count = len(self.requests)
            self.requests.append(request)
        reply = self.answer(request, count)
        if reply.status == 0:
            handler.close_connection = True
            return
        if reply.status < 300:
            with self._lock:
                if request.key in self.taken:
                    self.twice.append(request.key)
                self.taken.setdefault(request.key, request.body)
        text = reply.text.encode()
        handler.send_response(reply.status)
        for name, value in reply.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)


@contextmanager
def receiving(answer: Answering = taken, certificate: str = "") -> Iterator[Hook]:
    """A receiver for the time of the block; with a certificate and its key, one of TLS."""
    hook = Hook(answer, certificate)
    thread = threading.Thread(target=hook.server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield hook
    finally:
        hook.server.shutdown()
        thread.join()
        hook.server.server_close()
