"""The extractor: serves the protocol over one socket, with a thread for each session.

As a process of its own it lives exactly as long as the engine: it dies with the engine's thread
(PR_SET_PDEATHSIG), at the socket's end of file, and when its parent is not who started it. The
same class serves a socket inside the engine's process where no children are wanted.
"""

import ctypes
import faulthandler
import gc
import os
import queue
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.task import Progress
from etltui.extractors import protocol as p
from etltui.extractors.extract import Watch, extract
from etltui.extractors.gate import Gate
from etltui.readers.reader import Reader
from etltui.readers.registry import connect
from etltui.writers import publish
from etltui.writers.registry import format_of

_PR_SET_PDEATHSIG = 1
_NICE = 5
_PSS_EVERY = 5
"""Beats, so once a second."""

_Work = Callable[[], p.Done]


@dataclass(slots=True)
class _Request:
    """A request under way."""

    id: int
    watch: Watch = field(default_factory=Watch)
    extract: p.Extract | None = None
    session: "_Session | None" = None
    reported: tuple[str, int] = ("", 0)

    def cancel(self) -> None:
        """Set the flag that decides, then wake the driver."""
        self.watch.cancelled = True
        if self.session is not None and self.session.current is self:
            self.session.interrupt()

    def judge(self, now: float) -> None:
        """Wake the driver if a time limit of the extract has just passed."""
        if self.extract is None or self.session is None:
            return
        if self.watch.judge(self.extract.task, now):
            self.session.interrupt()

    def progress(self) -> Progress | None:
        """How far it is, None where it has not moved since the last time."""
        if self.extract is None:
            return None
        now = (self.watch.step, self.watch.rows)
        if now == self.reported:
            return None
        self.reported = now
        return Progress(request=self.id, step=now[0], rows=now[1], bytes=self.watch.bytes)


class _Session:
    """A thread that makes all driver calls of one session, so that none changes thread."""

    def __init__(self) -> None:
        self.reader: Reader | None = None
        self.current: _Request | None = None
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="session", daemon=True).start()

    def call(self, work: Callable[[], None]) -> None:
        """Do this after what is queued."""
        self._calls.put(work)

    def end(self) -> None:
        """End the thread after what is queued."""
        self._calls.put(None)

    def interrupt(self) -> None:
        """Wake the driver from whatever it waits for; from any thread."""
        if (reader := self.reader) is not None:
            reader.cancel()

    def opened(self) -> Reader:
        """The reader.

        Raises:
            Failure: It was never opened.
        """
        if self.reader is None:
            raise Failure(ErrorClass.INTERNAL, "the session is not open")
        return self.reader

    def close(self) -> None:
        """Close the reader, in the session's thread."""
        if self.reader is not None:
            self.reader.close()
            self.reader = None

    def _run(self) -> None:
        while (work := self._calls.get()) is not None:
            work()


class Extractor:
    """Reads requests from its socket until it ends, and answers each exactly once.

    Args:
        sock: Connected to the control plane.
        cores: How many cores this extractor may use.
        isolated: Whether the process is the extractor's own.
    """

    def __init__(self, sock: socket.socket, *, cores: int, isolated: bool) -> None:
        self._sock = sock
        self._isolated = isolated
        self._gate = Gate(cores)
        self._sending = threading.Lock()
        self._requests: dict[int, _Request] = {}
        self._sessions: dict[int, _Session] = {}
        self._ended = threading.Event()

    def serve(self) -> None:
        """Serve until the socket ends or `Quit` comes."""
        self._send(p.Ready(pid=os.getpid()))
        threading.Thread(target=self._beat, name="beat", daemon=True).start()
        try:
            while (message := self._receive()) is not None and not isinstance(message, p.Quit):
                self._take(message)
        finally:
            self._ended.set()
            for request in list(self._requests.values()):
                request.cancel()
            for session in list(self._sessions.values()):
                session.call(session.close)
                session.end()

    def _receive(self) -> p.Down | None:
        head = self._exactly(p.HEAD.size)
        body = self._exactly(p.body_length(head)) if head else b""
        return p.down(body) if body else None

    def _exactly(self, length: int) -> bytes:
        """So many bytes, none at the end of file."""
        chunks = bytearray()
        while len(chunks) < length:
            try:
                chunk = self._sock.recv(length - len(chunks))
            except OSError:
                return b""
            if not chunk:
                return b""
            chunks += chunk
        return bytes(chunks)

    def _send(self, message: p.Up) -> None:
        try:
            with self._sending:
                self._sock.sendall(p.frame(message))
        except OSError:
            # The engine is gone; the reading thread meets the end of file and ends everything.
            self._ended.set()

    def _take(self, message: p.Down) -> None:
        """Begin what a message asks for; never waits."""
        if isinstance(message, p.Cancel):
            if (request := self._requests.get(message.id)) is not None:
                request.cancel()
            return
        if isinstance(message, p.Quit):
            return
        request = self._requests[message.id] = _Request(id=message.id)
        if isinstance(message, p.Open):
            self._sessions[message.session] = _Session()
        if isinstance(message, p.Verify | p.Assemble | p.Deliver):
            work = self._file_work(message)
            threading.Thread(
                target=self._answer,
                args=(request, work),
                name="files",
                daemon=True,
            ).start()
            return
        session = self._sessions.get(message.session)
        if session is None:
            failure = Failure(ErrorClass.INTERNAL, "there is no such session")
            self._finish(request, _failed(request.id, failure))
            return
        request.session = session
        request.extract = message if isinstance(message, p.Extract) else None
        session.call(lambda: self._answer(request, self._session_work(message, session, request)))
        if isinstance(message, p.Close):
            del self._sessions[message.session]
            session.end()

    def _session_work(
        self,
        message: p.Open | p.Ping | p.Describe | p.Extract | p.Close,
        session: _Session,
        request: _Request,
    ) -> _Work:
        """What a session's thread has to do for a message."""

        def work() -> p.Done:
            session.current = request
            match message:
                case p.Open():
                    session.reader = connect(message.task)
                case p.Ping():
                    session.opened().ping()
                case p.Close():
                    session.close()
                case p.Describe():
                    reader = session.opened()
                    columns = tuple(reader.describe(query) for query in message.queries)
                    return p.Done(id=message.id, columns=columns)
                case p.Extract():
                    done = extract(session.opened(), message.task, self._gate, request.watch)
                    return p.Done(id=message.id, extracted=done)
            return p.Done(id=message.id)

        return work

    def _file_work(self, message: p.Verify | p.Assemble | p.Deliver) -> _Work:
        """What to do with part files and targets for a message."""

        def work() -> p.Done:
            match message:
                case p.Verify():
                    return p.Done(
                        id=message.id,
                        verified=publish.verify(message.folder, message.receipts),
                    )
                case p.Assemble():
                    published = format_of(message.task.type).assemble(message.task)
                    return p.Done(id=message.id, published=published)
                case p.Deliver():
                    delivered = publish.deliver(
                        message.temporary,
                        message.target,
                        message.published,
                    )
                    return p.Done(id=message.id, delivered=delivered)

        return work

    def _answer(self, request: _Request, work: _Work) -> None:
        """Do the work and answer, whatever happens in it."""
        answer: p.Up
        try:
            request.watch.check()
            answer = work()
            # After a cancel the result is cancelled, whatever the driver says.
            request.watch.check()
        except Failure as failure:
            answer = _failed(request.id, request.watch.verdict or failure)
        except MemoryError:
            memory = Failure(ErrorClass.MEMORY, "the reading process ran out of memory")
            answer = _failed(request.id, memory)
        except BaseException as error:  # noqa: BLE001 - every request gets its answer
            text = f"{type(error).__name__}: {error}".replace("\n", " ")
            answer = _failed(request.id, Failure(ErrorClass.INTERNAL, text))
        if request.watch.cancelled and not isinstance(answer, p.Done):
            answer = _failed(request.id, Failure(ErrorClass.CANCELLED, "cancelled"))
        if request.session is not None:
            request.session.current = None
        self._finish(request, answer)
        if request.extract is not None:
            clean_memory()

    def _finish(self, request: _Request, answer: p.Up) -> None:
        self._requests.pop(request.id, None)
        self._send(answer)

    def _beat(self) -> None:
        """Report progress, weigh the process and judge time limits, five times a second."""
        process = psutil.Process()
        count = 0
        while not self._ended.wait(p.BEAT_S):
            count += 1
            requests = list(self._requests.values())
            now = time.monotonic()
            for request in requests:
                request.judge(now)
            moved = tuple(found for r in requests if (found := r.progress()) is not None)
            weigh = self._isolated and count % _PSS_EVERY == 1
            pss = process.memory_full_info().pss if weigh else 0
            if moved or pss:
                self._send(p.Beat(progress=moved, pss=pss))


def _failed(number: int, failure: Failure) -> p.Failed:
    return p.Failed(
        id=number,
        error_class=failure.error_class,
        message=failure.message,
        facts=failure.facts,
    )


def clean_memory() -> None:
    """Give back what finished rows have left behind (S3-5)."""
    import pyarrow as pa  # noqa: PLC0415 - loaded by the first reader anyway

    gc.collect(0)
    pa.default_memory_pool().release_unused()
    ctypes.CDLL(None).malloc_trim(0)


def serve(sock: socket.socket, *, cores: int) -> None:
    """Serve a socket from a thread of the engine's own process."""
    with sock:
        Extractor(sock, cores=cores, isolated=False).serve()


def _tie_to(parent: int) -> None:
    """Make sure that this process does not outlive its engine."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        # The engine died before the tie was made.
        os._exit(0)


def main(arguments: list[str]) -> None:
    """Run as a process of its own: `child FD PARENT CORES`."""
    fd, parent, cores = (int(argument) for argument in arguments)
    _tie_to(parent)
    faulthandler.enable()
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    os.nice(_NICE)
    Extractor(socket.socket(fileno=fd), cores=cores, isolated=True).serve()
    # Threads may hang in drivers; nothing of theirs may be kept.
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
