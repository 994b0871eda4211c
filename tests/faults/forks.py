"""Processes of a trial: forked from one that has loaded everything, which takes milliseconds.

An extractor dies with its engine, as a real one does.
"""

import ctypes
import json
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from etltui.extractors.child import Extractor
from etltui.extractors.client import ExtractorClient
from faults.shim import EXTRACTOR, Kind, Shim

LIMIT_S = 30.0
"""Only a trial that hangs reaches it."""
_PR_SET_PDEATHSIG = 1


@dataclass
class Outcome:
    """What became of the processes of a trial.

    Attributes:
        lines: What the engine has said, in order.
        killed: Whether it was killed.
        hung: Whether it had to be.
    """

    lines: list[dict] = field(default_factory=list)
    killed: bool = False
    hung: bool = False

    def _last(self, key: str) -> str:
        return next((line[key] for line in reversed(self.lines) if key in line), "")

    @property
    def status(self) -> str:
        """Of the run; empty where it did not come to an end."""
        return self._last("status")

    @property
    def words(self) -> str:
        """Why the run ended, or why none began."""
        return self._last("reason") or self._last("error")

    def named(self, key: str) -> set[tuple[str, str]]:
        """Run and connection of all lines of a kind."""
        return {(line["run"], line[key]) for line in self.lines if key in line}


class Zygote:
    """A process without threads that extractors are forked from."""

    def __init__(self, shim: Shim) -> None:
        self._shim = shim
        self._ours, theirs = socket.socketpair()
        if os.fork() == 0:
            with quiet_end():
                die_with_parent()
                self._ours.close()
                signal.signal(signal.SIGCHLD, signal.SIG_IGN)
                self._serve(theirs)
        theirs.close()

    def _serve(self, orders: socket.socket) -> None:
        while True:
            _, handed, _, _ = socket.recv_fds(orders, 1, 1)
            if not handed:
                return
            pid = os.fork()
            if pid == 0:
                die_with_parent()
                orders.close()
                self._shim.be(EXTRACTOR)
                self._shim.talk(handed[0])
                Extractor(socket.socket(fileno=handed[0]), cores=1, isolated=True).serve()
                return
            os.close(handed[0])
            orders.sendall(pid.to_bytes(4))

    def launch(self, owner: object) -> tuple[ExtractorClient, socket.socket]:
        """See `etltui.extractors.launch.Launch`."""
        self._shim.point(Kind.SPAWN)
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._ours, [b"x"], [theirs.fileno()])
        pid = int.from_bytes(self._ours.recv(4))
        self._shim.talk(ours.fileno())
        return ExtractorClient(owner, _Body(pid)), ours


class _Body:
    """An extractor's process; its zygote buries it."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)

    def join(self, timeout: float) -> bool:
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            try:
                os.kill(self._pid, 0)
            except ProcessLookupError:
                return True
            time.sleep(0.001)
        return False


def die_with_parent() -> None:
    """Be killed when the process that forked this one ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@contextmanager
def quiet_end() -> Iterator[None]:
    """End a forked process after the block, whatever happens in it, and nothing of its parent's."""
    code = 1
    try:
        yield
        code = 0
    except BaseException:  # noqa: BLE001 - told before the process ends
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


def forked(work: Callable[[Callable[[dict], None]], None]) -> Outcome:
    """Do the work in a process of its own; return when that and all that it started have ended."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        with quiet_end():
            die_with_parent()
            os.close(reader)
            work(lambda said: os.write(writer, json.dumps(said).encode() + b"\n") and None)
    os.close(writer)
    said, hung = _read_to_end(reader)
    if hung:
        os.kill(pid, signal.SIGKILL)
        _read_to_end(reader)
    os.close(reader)
    _, status = os.waitpid(pid, 0)
    outcome = Outcome(killed=os.WIFSIGNALED(status), hung=hung)
    for line in said.splitlines():
        with suppress(ValueError):
            outcome.lines.append(json.loads(line))
    if not outcome.killed and os.waitstatus_to_exitcode(status):
        outcome.lines.append({"error": f"exit code {os.waitstatus_to_exitcode(status)}"})
    return outcome


def _read_to_end(reader: int) -> tuple[bytes, bool]:
    """All that is said until nobody is left who could, and whether that took too long."""
    said = b""
    end = time.monotonic() + LIMIT_S
    while (left := end - time.monotonic()) > 0:
        if select.select([reader], [], [], left)[0]:
            block = os.read(reader, 1 << 16)
            if not block:
                return said, False
            said += block
    return said, True
