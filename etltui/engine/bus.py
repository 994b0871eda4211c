"""Carries events from the engine to its subscribers; publishing never waits."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from itertools import count

from etltui.domain.events import ConnectionProgress, Event, Overflow, RunProgress

BACKLOG = 100_000
"""Events a subscriber may be behind: a 500-connection run with every retry is under 5,000."""

_Key = tuple[object, ...]


class Backlog:
    """What a subscriber has not read yet.

    Newer progress takes older of the same run connection away, so that a slow reader costs bounded
    memory; what is left keeps the order in which it happened. A status is never dropped while
    there is room. After an overflow the reader finds one `Overflow` and takes a snapshot.
    """

    def __init__(self, limit: int = BACKLOG) -> None:
        self._limit = limit
        self._events: OrderedDict[_Key, Event] = OrderedDict()
        self._numbers = count()
        self._lost = 0
        self._wake = asyncio.Event()
        self._ended = False

    def put(self, event: Event) -> None:
        """Append an event; never waits."""
        key = self._key(event)
        # The newer one goes to the end: it must not be read before a status that came earlier.
        self._events.pop(key, None)
        if len(self._events) >= self._limit:
            self._lost += len(self._events)
            self._events.clear()
        self._events[key] = event
        self._wake.set()

    def end(self) -> None:
        """Let the reader stop after what is left."""
        self._ended = True
        self._wake.set()

    async def __aiter__(self) -> AsyncIterator[Event]:
        """Events in order, until the end."""
        while True:
            while self._lost or self._events:
                if self._lost:
                    lost, self._lost = self._lost, 0
                    yield Overflow(at=0.0, lost=lost)
                else:
                    yield self._events.popitem(last=False)[1]
            if self._ended:
                return
            self._wake.clear()
            await self._wake.wait()

    def _key(self, event: Event) -> _Key:
        match event:
            case ConnectionProgress():
                return ("progress", event.run, event.connection)
            case RunProgress():
                return ("progress", event.run)
            case _:
                return (next(self._numbers),)


class Bus:
    """Hands every event to every subscriber's backlog."""

    def __init__(self) -> None:
        self._backlogs: set[Backlog] = set()
        self._listeners: list[Callable[[Event], None]] = []

    def publish(self, event: Event) -> None:
        """Tell all listeners and subscribers; never waits."""
        for listener in self._listeners:
            listener(event)
        for backlog in self._backlogs:
            backlog.put(event)

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Have a part of the engine told of each event at once; it neither waits nor raises."""
        self._listeners.append(listener)

    @contextmanager
    def subscribe(self, limit: int = BACKLOG) -> Iterator[Backlog]:
        """A backlog that fills for the time of the block."""
        backlog = Backlog(limit)
        self._backlogs.add(backlog)
        try:
            yield backlog
        finally:
            self._backlogs.discard(backlog)

    def end(self) -> None:
        """Nothing will be published any more."""
        for backlog in self._backlogs:
            backlog.end()
