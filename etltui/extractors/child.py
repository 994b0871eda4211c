"""The extractor: serves the protocol over one socket, with a thread for each session.

As a process of its own it lives exactly as long as the engine: it dies with the engine's thread
(PR_SET_PDEATHSIG), at the socket's end of file, and when its parent is not who started it. The
same class serves a socket inside the engine's process where no children are wanted.
"""

import ctypes
import faulthandler
import gc
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress

import psutil

from etltui.domain.errors import ErrorClass, Failure
from etltui.extractors import protocol as p
from etltui.extractors.asking import sendable, told
from etltui.extractors.extract import extract
from etltui.extractors.gate import Gate
from etltui.extractors.session import Request, Session
from etltui.guard.sql import refusals
from etltui.readers.registry import connect
from etltui.writers import publish
from etltui.writers.registry import assembled, read_back
from etltui.writers.restore import restore

_PR_SET_PDEATHSIG = 1
_NICE = 5
_PSS_EVERY = 5
"""Beats, so once a second."""
_EXIT_S = 0.5
"""For winding up in a process of its own: no child outlives the engine by 1 s."""
_JOIN_S = 1.5
"""For winding up as threads, which cannot be killed; within the client's patience."""

_Work = Callable[[], p.Done]


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
        self._sending = threading.RLock()
        self._requests: dict[int, Request] = {}
        self._sessions: dict[int, Session] = {}
        self._threads: list[threading.Thread] = []
        self._ended = threading.Event()

    def serve(self) -> None:
        """Serve until the socket ends or `Quit` comes; then wind up, within bounds.

        Raises:
            ValueError: The other end does not speak the protocol.
        """
        process = psutil.Process()
        self._send(p.Ready(pid=process.pid, pss=_weight(process) if self._isolated else 0))
        self._spawn("beat", self._beat)
        try:
            while (message := self._receive()) is not None and not isinstance(message, p.Quit):
                self._take(message)
        finally:
            self._wind_up(_EXIT_S if self._isolated else _JOIN_S)

    def _wind_up(self, seconds: float) -> None:
        """Give what runs a moment to delete its unfinished parts and to close its sessions."""
        self._ended.set()
        for request in list(self._requests.values()):
            request.cancel()
        for session in self._sessions.values():
            session.call(session.close)
            session.end()
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _spawn(self, name: str, work: Callable[[], None]) -> None:
        """Start a thread that is waited for at the end; from the socket's thread only."""
        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        self._threads = [thread, *(t for t in self._threads if t.is_alive())]

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
        data = p.frame(message)
        try:
            with self._sending:
                self._sock.sendall(data)
        except OSError:
            # The engine is gone; the reading thread meets the end of file and ends everything.
            self._ended.set()

    def _take(self, message: p.Down) -> None:
        """Begin what a message asks for; never waits, never raises."""
        if isinstance(message, p.Quit):
            return
        if isinstance(message, p.Cancel):
            if (request := self._requests.get(message.id)) is not None:
                request.cancel()
            return
        request = self._requests[message.id] = Request(id=message.id)
        try:
            if isinstance(message, p.Sessionless):
                work = self._file_work(message, request)
                self._spawn("files", lambda: self._answer(request, work))
            else:
                self._begin(message, request)
        except Exception as error:  # noqa: BLE001 - no thread left for it harms only this request
            self._finish(request, _failed(request.id, _internal(error)))

    def _begin(
        self,
        message: p.OfSession,
        request: Request,
    ) -> None:
        """Queue a message behind what its session does."""
        if isinstance(message, p.Open):
            opened = Session()
            self._spawn("session", opened.run)
            self._sessions[message.session] = opened
        session = self._sessions.get(message.session)
        if session is None:
            raise Failure(ErrorClass.INTERNAL, "there is no such session")
        request.session = session
        request.extract = message if isinstance(message, p.Extract) else None
        session.call(lambda: self._answer(request, self._session_work(message, session, request)))
        if isinstance(message, p.Close):
            del self._sessions[message.session]
            session.end()

    def _session_work(
        self,
        message: p.OfSession,
        session: Session,
        request: Request,
    ) -> _Work:
        """What a session's thread has to do for a message."""

        def work() -> p.Done:
            match message:
                case p.Open():
                    session.reader = connect(message.task)
                    return p.Done(id=message.id, facts=session.reader.facts())
                case p.Ping():
                    session.opened().ping()
                case p.Close():
                    session.close()
                case p.Describe() | p.Explain() | p.Ask() | p.ServerCheck():
                    return told(session.opened(), message)
                case p.Extract():
                    done = extract(session.opened(), message.task, self._gate, request.watch)
                    return p.Done(id=message.id, extracted=done)
            return p.Done(id=message.id)

        return work

    def _file_work(
        self,
        message: p.Sessionless,
        request: Request,
    ) -> _Work:
        """What to do with part files and targets for a message."""

        def work() -> p.Done:
            match message:
                case p.Guard():
                    return p.Done(id=message.id, refusals=refusals(message.tasks))
                case p.Verify():
                    return p.Done(
                        id=message.id,
                        verified=publish.verify(message.folder, message.receipts),
                    )
                case p.Restore():
                    restored = restore(
                        message.folder,
                        message.target,
                        message.members,
                        message.receipts,
                    )
                    return p.Done(id=message.id, verified=restored)
                case p.Assemble():
                    published = assembled(message.task, lambda: request.watch.cancelled)
                    return p.Done(id=message.id, published=published)
                case p.Deliver():
                    delivered = publish.deliver(
                        message.temporary,
                        message.target,
                        message.published,
                    )
                    return p.Done(id=message.id, delivered=delivered)
                case p.ReadBack():
                    return p.Done(id=message.id, read=read_back(message.task))

        return work

    def _answer(self, request: Request, work: _Work) -> None:
        """Do the work and answer, whatever happens in it."""
        if request.session is not None:
            request.session.begin(request)
        answer: p.Up
        try:
            request.watch.check()
            answer = work()
            if request.extract is None:
                # After a cancel the result is cancelled, whatever the driver says. An extract
                # has made sure of that itself, while it could still take its parts back.
                request.watch.check()
        except BaseException as error:  # noqa: BLE001 - every request gets its answer
            answer = _failed(request.id, request.watch.verdict or _internal(error))
            if request.watch.cancelled:
                answer = _failed(request.id, Failure(ErrorClass.CANCELLED, "cancelled"))
        if request.session is not None:
            request.session.begin(None)
        # What has moved since the last beat, so that the last progress tells all rows.
        self._report([request])
        self._finish(request, answer)
        if request.extract is not None:
            clean_memory()

    def _finish(self, request: Request, answer: p.Done | p.Failed) -> None:
        """Answer, unless somebody else already has: exactly once."""
        if self._requests.pop(request.id, None) is None:
            return
        try:
            self._send(answer)
        except Exception as error:  # noqa: BLE001 - too long, or nothing that msgpack can hold
            self._send(_failed(request.id, _internal(error)))

    def _report(self, requests: Iterable[Request], pss: int = 0) -> None:
        # Made and sent under one lock: what is sent later is never the older.
        with self._sending:
            moved = tuple(found for r in requests if (found := r.progress()) is not None)
            if moved or pss:
                self._send(p.Beat(progress=moved, pss=pss))

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
                if request.overdue(now):
                    self._give_up(request)
            weigh = self._isolated and count % _PSS_EVERY == 1
            self._report(requests, _weight(process) if weigh else 0)

    def _give_up(self, request: Request) -> None:
        """Answer for a driver that is not back in time."""
        failure = request.watch.verdict or Failure(ErrorClass.TIMEOUT, "the driver is late")
        self._finish(request, _failed(request.id, failure, late=True))


def _internal(error: BaseException) -> Failure:
    """Any exception as a failure."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, MemoryError):
        return Failure(ErrorClass.MEMORY, "the reading process ran out of memory")
    return Failure(
        ErrorClass.INTERNAL,
        " ".join(f"{type(error).__name__}: {error}".splitlines()),
    )


def _failed(number: int, failure: Failure, *, late: bool = False) -> p.Failed:
    return p.Failed(
        id=number,
        error_class=failure.error_class,
        message=sendable(failure.message),
        facts={sendable(name): sendable(fact) for name, fact in failure.facts.items()},
        late=late,
    )


def _weight(process: psutil.Process) -> int:
    """Proportional set size in bytes, 0 where this system does not tell."""
    try:
        return int(process.memory_full_info().pss)
    except (psutil.Error, OSError, AttributeError):
        return 0


def _lean_memory() -> None:
    """Take Arrow's memory from the system's allocator, which gives it back when it is trimmed.

    Arrow's own pool kept a fifth more after a large run, and was no faster.
    """
    import pyarrow as pa  # noqa: PLC0415 - loaded by the first reader anyway

    pa.set_memory_pool(pa.system_memory_pool())


def clean_memory() -> None:
    """Give back what finished rows have left behind."""
    import pyarrow as pa  # noqa: PLC0415 - loaded by the first reader anyway

    gc.collect(0)
    pa.default_memory_pool().release_unused()
    with suppress(AttributeError):  # glibc's own
        ctypes.CDLL(None).malloc_trim(0)


def serve(sock: socket.socket, cores: int) -> None:
    """Serve a socket from a thread of the engine's own process; the caller closes it."""
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
    _lean_memory()
    # Whatever a driver starts must not keep the socket open.
    os.set_inheritable(fd, False)  # noqa: FBT003 - the call's own signature
    code = 1
    try:
        Extractor(socket.socket(fileno=fd), cores=cores, isolated=True).serve()
        code = 0
    except Exception:  # noqa: BLE001 - the last words go to extractor.log
        traceback.print_exc()
    finally:
        # Threads may hang in drivers; nothing of theirs may be kept.
        os._exit(code)


if __name__ == "__main__":
    main(sys.argv[1:])
