"""Hears what is typed, in a thread of its own that never reads what is meant for somebody else."""

import os
import select
import threading
from collections.abc import Callable
from contextlib import suppress

_MOST = 65536


class Ear(threading.Thread):
    """Reads lines from a descriptor until its end.

    It reads only what is there already: when the console has left, the shell's next line is the
    shell's.

    Args:
        descriptor: A terminal, a pipe or a file.
        take: Called in this thread with each line, then with None at the end.
    """

    def __init__(self, descriptor: int, take: Callable[[str | None], None]) -> None:
        super().__init__(name="ear", daemon=True)
        self._descriptor = descriptor
        self._take = take
        self._woken, self._wake = os.pipe2(os.O_CLOEXEC)

    def run(self) -> None:
        """Read until the end, or until `close`."""
        rest = b""
        while some := self._some():
            *lines, rest = (rest + some).split(b"\n")
            for line in lines:
                self._take(line.decode("utf-8", "replace"))
        if some is None:
            return
        if rest:
            self._take(rest.decode("utf-8", "replace"))
        self._take(None)

    def _some(self) -> bytes | None:
        """What is typed next; nothing at the end, None when nobody wants to hear more."""
        ready, _, _ = select.select([self._woken, self._descriptor], [], [])
        if self._woken in ready:
            return None
        # A terminal that has gone is an error instead of an end.
        with suppress(OSError):
            return os.read(self._descriptor, _MOST)
        return b""

    def close(self) -> None:
        """Hear no more."""
        os.write(self._wake, b".")
        if self.is_alive():
            self.join()
        os.close(self._wake)
        os.close(self._woken)
