"""Takes theme files up as soon as they are saved, while somebody is at the keyboard."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

LOOK_S = 2.0
"""How often it looks."""
AWAKE = 30
"""How many times it looks after the last key."""


def stamps(folders: tuple[Path, ...]) -> dict[str, tuple[int, int]]:
    """Of each theme file when it was written and how large it is."""
    found = {}
    for folder in folders:
        for path in sorted(folder.glob("*.toml")) if folder.is_dir() else ():
            try:
                facts = path.stat()
            except OSError:
                continue  # deleted between two looks
            found[str(path)] = (facts.st_mtime_ns, facts.st_size)
    return found


class ThemeWatch:
    """Looks at theme files every two seconds, for a minute after each key.

    Args:
        folders: Where they are.
        changed: Called when one was saved, added or deleted.
        wait: Waits so many seconds.
    """

    def __init__(
        self,
        folders: tuple[Path, ...],
        changed: Callable[[], Awaitable[None]],
        wait: Callable[[float], Awaitable[object]],
    ) -> None:
        self._folders = folders
        self._changed = changed
        self._wait = wait
        self._left = 0
        self._key = asyncio.Event()

    @property
    def awake(self) -> bool:
        """Whether it looks now."""
        return self._key.is_set()

    def stir(self) -> None:
        """Somebody is there."""
        self._left = AWAKE
        self._key.set()

    async def watch(self) -> None:
        """Look for as long as the console runs."""
        before = await asyncio.to_thread(stamps, self._folders)
        while True:
            await self._key.wait()
            await self._wait(LOOK_S)
            self._left -= 1
            if self._left <= 0:
                self._key.clear()
            now = await asyncio.to_thread(stamps, self._folders)
            if now != before:
                before = now
                await self._changed()
