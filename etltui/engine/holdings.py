"""What this process holds besides memory: descriptors, threads, tasks and processes.

What stays by design is known by its name here; whatever else outlives the work that it was made
for was forgotten by somebody.
"""

import asyncio
import os
import socket
import threading
import weakref
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from etltui.domain.strays import StrayKind

WORK = ("run ", "call ", "on_finish of ", "handed ", "test ", "server check ")
"""How tasks are called that are work themselves: what is younger than they are may be theirs."""
STAYING_TASKS = (
    "client",  # whoever calls decides when it leaves
    "deliveries",
    "extractor",
    "late ",  # windows have an end of their own
    "news",
    "pool ",
    "pulse",
    "queue timer",
    "target locks",
    "upkeep",
)
STAYING_THREADS = (
    "MainThread",
    "asyncio_",  # the loop's own, as many as it may have
    "on_finish",  # commands have a time limit of their own
    "output",  # the screen's, which may be opened again
    "textual-input",
    "log reader",
)
STAYING_TARGETS = ("_connection_worker_thread", "_monitor")
"""What the store's threads and the log's do: they are started on first need."""
IN_PROCESS = ("serve", "beat", "session ", "pump", "interrupt", "odbc", "cancel", "kill", "resolve")
"""Threads of an extractor that is one itself."""
_FOREIGN = ("site-packages", "/etltui/console/", "/etltui/cli/", "/etltui/web/", "<frozen")
"""Where the code of a screen is, which comes and goes as the operator likes."""
_TAB = ("etltui", "console")


@dataclass(frozen=True, kw_only=True, slots=True)
class Holding:
    """Something that is held.

    Attributes:
        key: Tells it from everything that was ever held before.
        works: Whether it is work itself.
    """

    kind: StrayKind
    key: Hashable
    name: str
    works: bool = False


class Holdings:
    """Looks at this process.

    Args:
        state: The state folder: its database and its logs stay open.
        extractors: Of each extractor its process, and the descriptor of the line to it.
    """

    def __init__(
        self,
        state: Path,
        extractors: Callable[[], Iterable[tuple[int, int]]],
    ) -> None:
        self._state = state
        self._extractors = extractors

    async def __call__(self) -> list[Holding]:
        """All that might have been forgotten."""
        ends = tuple(self._extractors())
        pids, lines = {pid for pid, _ in ends}, {line for _, line in ends}
        found = [*_tasks(), *_threads()]
        found += await asyncio.to_thread(lambda: [*self._descriptors(lines), *_children(pids)])
        return found

    def _descriptors(self, lines: Collection[int]) -> Iterator[Holding]:
        state = str(self._state.resolve())
        sockets: dict[int, _End] = {}
        for number, target in _open():
            if target.startswith("socket:"):
                with suppress(OSError):
                    sockets[number] = _End.of(number)
            elif not _stays(target, state):
                yield _descriptor(number, target, target)
        taking = {end.ours for end in sockets.values() if end.listens}
        for number, end in sockets.items():
            # Who called decides when it hangs up.
            if number not in lines and end.ours not in taking:
                yield _descriptor(number, end.key, end.name)


@dataclass(frozen=True, kw_only=True, slots=True)
class _End:
    """A socket of ours."""

    key: str
    ours: object
    theirs: object
    listens: bool

    @classmethod
    def of(cls, number: int) -> "_End":
        copy = os.dup(number)
        with socket.socket(fileno=copy) as end:
            try:
                theirs = end.getpeername()
            except OSError:
                theirs = ""
            ours = end.getsockname()
            listens = bool(end.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
            key = f"socket {os.fstat(copy).st_ino}"
        # Both ends of a pair have no name, and nobody listens for them.
        return cls(key=key, ours=ours or key, theirs=theirs, listens=listens)

    @property
    def name(self) -> str:
        """From where to where."""
        return f"socket {_address(self.ours)} to {_address(self.theirs) or 'nobody'}"


def _address(found: object) -> str:
    if isinstance(found, tuple):
        return ":".join(map(str, found[:2]))
    return found.decode(errors="replace") if isinstance(found, bytes) else str(found)


def _stays(target: str, state: str) -> bool:
    if target.startswith(f"{state}/parts/"):
        return False
    return target.startswith((state, "/dev/", "/proc/", "anon_inode:", "/memfd:"))


def _descriptor(number: int, key: str, name: str) -> Holding:
    return Holding(kind="descriptor", key=("descriptor", number, key), name=f"{number}: {name}")


def _open() -> Iterator[tuple[int, str]]:
    for link in Path("/proc/self/fd").iterdir():
        # The one that the list was read by is closed again.
        with suppress(OSError):
            yield int(link.name), str(link.readlink())


def _key(held: object) -> Hashable:
    """Tells an object from all others without keeping it."""
    key = weakref.ref(held)
    hash(key)  # It is kept from here on: a dead object has none to give.
    return key


def _threads() -> Iterator[Holding]:
    for thread in threading.enumerate():
        target = getattr(getattr(thread, "_target", None), "__name__", "")
        if thread.name.startswith((*STAYING_THREADS, *IN_PROCESS)) or target in STAYING_TARGETS:
            continue
        where = f", {target}" if target else ""
        name = f"{thread.name}{where}"
        yield Holding(kind="thread", key=_key(thread), name=name)


def _tasks() -> Iterator[Holding]:
    for task in asyncio.all_tasks():
        work = task.get_coro()
        code = getattr(work, "cr_code", None)
        place = f"{code.co_filename}:{code.co_firstlineno}" if code else ""
        if any(part in place for part in _FOREIGN):
            continue
        works = task.get_name().startswith(WORK)
        if works or not task.get_name().startswith(STAYING_TASKS):
            made = getattr(work, "__qualname__", "")
            name = f"{task.get_name()}, {made} at {place}"
            yield Holding(kind="task", key=_key(task), name=name, works=works)


def _children(extractors: Collection[int]) -> Iterator[Holding]:
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):
            for pid in map(int, (task / "children").read_text().split()):
                if pid in extractors:
                    continue
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                command = " ".join(word.decode(errors="replace") for word in words if word)
                if not all(word in command for word in _TAB):
                    name = f"{pid}: {command or 'ended, and never asked how'}"
                    yield Holding(kind="process", key=("process", pid), name=name)
