"""Keeps the extractors: how many, who takes the next session, who is retired, who is a suspect.

A connection that was running when its extractor died is a suspect: its next try runs in an
extractor without others, so that a second death names the culprit and harms no neighbour.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress

from etltui.domain.columns import Column
from etltui.domain.dialect import dialect_of
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.job import Connection
from etltui.domain.server import ServerFacts, ServerReading
from etltui.domain.task import (
    Extracted,
    ExtractTask,
    Progress,
    QueryTask,
    SessionTask,
)
from etltui.extractors import protocol as p
from etltui.extractors.client import ExtractorClient, LateFailure
from etltui.extractors.launch import Launch
from etltui.extractors.seats import APART, MOST_APART, seat

RETIRED_KILL_S = 10.0
MOST_RETIRING = 2
DEATHS_TO_PARK = 2
STARTS_TO_GIVE_UP = 3
"""Extractors that must have failed to start, one after the other, until it is this machine's fault
and not worth the tries of each connection."""
START_TIMEOUT_S = 30.0
"""An interpreter and pyarrow take 0.4 s; a cold, busy disk may take many times that."""


class SessionHandle:
    """A session in an extractor, by number; implements `domain.lending.Session`."""

    def __init__(
        self,
        supervisor: "ExtractorSupervisor",
        client: ExtractorClient,
        connection: Connection,
    ) -> None:
        self._supervisor = supervisor
        self._client = client
        self._connection = connection
        self._number = client.number()
        self._spent = False
        self._closed = False
        self._facts = ServerFacts()

    @property
    def facts(self) -> ServerFacts:
        """See `domain.lending.Session`."""
        return self._facts

    @property
    def alive(self) -> bool:
        """Whether its extractor lives and takes work, and it may be lent again.

        A suspect is read without neighbours, so its session beside others is not.
        """
        usable = self._client.alive and not self._supervisor.leaving(self._client)
        suspect = self._supervisor.suspects(self._connection.name)
        alone = self._supervisor.lonely(self._client)
        return usable and not self._spent and (alone or not suspect)

    async def open(self, task: SessionTask) -> None:
        """Open the session in the extractor.

        Raises:
            Failure: It could not be opened; the extractor keeps nothing of it.
        """
        number = self._client.number()
        try:
            async with asyncio.timeout(task.connect_timeout_s):
                opened = p.Open(id=number, session=self._number, task=task)
                done = await self._client.request(opened)
        except BaseException as error:
            # Not waited for: what hangs while it opens would hang while it closes.
            self._client.forget_session(self._number)
            self._release()
            if isinstance(error, TimeoutError):
                raise Failure(
                    ErrorClass.TIMEOUT,
                    f"no session within connection_timeout_s = {task.connect_timeout_s:g} s",
                ) from None
            raise
        self._facts = done.facts or self._facts

    async def ping(self) -> None:
        """See `domain.lending.Session`."""
        await self._client.request(p.Ping(id=self._client.number(), session=self._number))

    async def describe(self, queries: Sequence[QueryTask]) -> tuple[tuple[Column, ...], ...]:
        """See `domain.lending.Session`."""
        with self._supervisor.watching(self._client, self._connection.name):
            done = await self._client.request(
                p.Describe(
                    id=self._client.number(),
                    session=self._number,
                    queries=tuple(queries),
                ),
            )
        return done.columns

    async def explain(self, queries: Sequence[QueryTask]) -> tuple[str, ...]:
        """See `domain.lending.Session`."""
        with self._supervisor.watching(self._client, self._connection.name):
            done = await self._client.request(
                p.Explain(
                    id=self._client.number(),
                    session=self._number,
                    queries=tuple(queries),
                ),
            )
        return done.plans

    async def ask(self, query: QueryTask) -> str:
        """See `domain.lending.Session`."""
        message = p.Ask(
            id=self._client.number(),
            session=self._number,
            query=query,
            dialect=dialect_of(self._connection),
        )
        with self._supervisor.watching(self._client, self._connection.name):
            return (await self._client.request(message)).value

    async def server_check(self) -> tuple[ServerReading, ...]:
        """See `domain.lending.Session`."""
        message = p.ServerCheck(id=self._client.number(), session=self._number)
        return (await self._client.request(message)).readings

    async def extract(
        self,
        task: ExtractTask,
        progress: Callable[[Progress], None],
    ) -> Extracted:
        """See `domain.lending.Session`."""
        # An extractor without others serves its one suspect and is not kept.
        self._spent = self._supervisor.lonely(self._client)
        message = p.Extract(id=self._client.number(), session=self._number, task=task)
        with self._supervisor.watching(self._client, self._connection.name):
            try:
                done = await self._client.request(message, progress)
            except LateFailure:
                # Closing it gives the driver its grace, and then its extractor no more work.
                self._spent = True
                raise
        self._supervisor.proved(self._connection.name)
        if done.extracted is None:
            raise Failure(ErrorClass.INTERNAL, "an extract was answered without receipts")
        return done.extracted

    async def close(self) -> None:
        """See `domain.lending.Session`; a driver that hangs costs 2 s and its extractor."""
        if self._closed:
            return
        try:
            await self._client.close_session(self._number)
        finally:
            self._release()

    def _release(self) -> None:
        """Give back the place in the extractor, once."""
        if not self._closed:
            self._closed = True
            self._supervisor.closed(self._client)


class ExtractorSupervisor:
    """Opens sessions in extractors; implements `domain.lending.Sessions`.

    Args:
        launch: Starts one extractor.
        limit: How many there may be, those for suspects and those leaving aside.
        session_task: Resolves a connection's secrets.
        last_words: What the last extractor said that died, in a line; empty where it is not known.
    """

    def __init__(
        self,
        launch: Launch,
        *,
        limit: int,
        session_task: Callable[[Connection], Awaitable[SessionTask]],
        last_words: Callable[[], str] = str,
    ) -> None:
        self._launch = launch
        self._limit = limit
        self._session_task = session_task
        self._last_words = last_words
        self._failed_starts = 0
        self._clients: list[ExtractorClient] = []
        self._alone: set[ExtractorClient] = set()
        self._leaving: dict[ExtractorClient, asyncio.TimerHandle | None] = {}
        self._running: dict[ExtractorClient, Counter[str]] = {}
        self._deaths: Counter[str] = Counter()
        self._choosing = asyncio.Lock()
        self._one_suspect = asyncio.Lock()
        self._closing = False

    @property
    def pss(self) -> int:
        """Proportional set size of all extractors in bytes, as they last said."""
        return sum(client.pss for client in self._clients)

    @property
    def count(self) -> int:
        """How many extractors live."""
        return len(self._clients)

    @property
    def held(self) -> tuple[tuple[int, int], ...]:
        """Of each extractor its process and the descriptor of the line to it."""
        return tuple(client.held for client in {*self._clients, *self._leaving})

    async def warm(self) -> None:
        """Start one extractor before anybody needs it.

        One that dies at once is no reason to give up: whoever needs the next one starts it.
        """
        async with self._choosing:
            if not self._clients:
                with suppress(Failure):
                    await self._start()

    async def open(self, connection: Connection) -> SessionHandle:
        """See `domain.lending.Sessions`."""
        deaths = self._deaths[connection.name]
        if deaths >= DEATHS_TO_PARK:
            raise Failure(
                ErrorClass.POISON,
                f"{connection.name} was being read when its extractor died, {deaths} times",
            )
        task = await self._session_task(connection)
        client = await (self._lonely() if deaths else self._shared(connection))
        handle = SessionHandle(self, client, connection)
        await handle.open(task)
        return handle

    @asynccontextmanager
    async def borrowed(self) -> AsyncIterator[ExtractorClient]:
        """An extractor for work on files."""
        client = await self._shared()
        try:
            yield client
        finally:
            client.sessions -= 1

    def leaving(self, client: ExtractorClient) -> bool:
        """Whether an extractor takes no more work."""
        return client in self._leaving

    def suspects(self, name: str) -> bool:
        """Whether an extractor died while it read the connection."""
        return self._deaths[name] > 0

    def lonely(self, client: ExtractorClient) -> bool:
        """Whether an extractor was started for one suspect."""
        return client in self._alone

    @contextmanager
    def watching(self, client: ExtractorClient, name: str) -> Iterator[None]:
        """Count the connection as running there, so that a death can be laid at its door."""
        running = self._running.setdefault(client, Counter())
        running[name] += 1
        try:
            yield
        finally:
            running[name] -= 1
            if not running.total() and self._running.get(client) is running:
                del self._running[client]

    def proved(self, name: str) -> None:
        """The connection has been read to its end: it is no suspect any more."""
        self._deaths.pop(name, None)

    def closed(self, client: ExtractorClient) -> None:
        """A session of an extractor has ended."""
        client.sessions -= 1
        if client in self._alone and not client.sessions:
            self._alone.discard(client)
            self._one_suspect.release()
            if client.alive:
                self._retire(client)

    def gone(self, client: ExtractorClient) -> None:
        """An extractor's socket has ended: suspect what it was reading."""
        if client in self._clients:
            self._clients.remove(client)
        retired = client in self._leaving
        if (timer := self._leaving.pop(client, None)) is not None:
            timer.cancel()
        running = self._running.pop(client, Counter())
        if not retired and not self._closing:
            self._deaths.update(name for name, times in running.items() if times > 0)
        # Reaps the process.
        client.kill()

    def stuck(self, client: ExtractorClient) -> None:
        """A driver would not come back: let nobody else depend on that extractor."""
        self._retire(client)

    async def aclose(self) -> None:
        """End all extractors."""
        self._closing = True
        for timer in self._leaving.values():
            if timer is not None:
                timer.cancel()
        await asyncio.gather(*(client.aclose() for client in tuple(self._clients)))

    def _retire(self, client: ExtractorClient) -> None:
        """No new work, and the end within `RETIRED_KILL_S`; the oldest makes room for a third."""
        if client in self._leaving or not client.alive or self._closing:
            return
        waiting = [c for c, timer in self._leaving.items() if timer is not None]
        if len(waiting) >= MOST_RETIRING:
            self._end(waiting[0])
        if client.busy:
            loop = asyncio.get_running_loop()
            self._leaving[client] = loop.call_later(RETIRED_KILL_S, self._end, client)
        else:
            self._end(client)

    def _end(self, client: ExtractorClient) -> None:
        """Kill a retired extractor; it leaves the books when its socket has ended."""
        if (timer := self._leaving.get(client)) is not None:
            timer.cancel()
        self._leaving[client] = None
        client.kill()

    async def _start(self) -> ExtractorClient:
        if self._closing:
            raise Failure(ErrorClass.CANCELLED, "the engine is closing")
        try:
            client, sock = self._launch(self)
        except OSError as error:
            raise self._no_start(str(error)) from error
        self._clients.append(client)
        try:
            await client.connect(sock)
            async with asyncio.timeout(START_TIMEOUT_S):
                await client.ready.wait()
        except TimeoutError:
            self.gone(client)
            raise self._no_start(f"it did not answer within {START_TIMEOUT_S:g} s") from None
        except BaseException:
            self.gone(client)
            raise
        if not client.alive:
            words = await asyncio.to_thread(self._last_words)
            raise self._no_start(words or "its words are in extractor.log")
        self._failed_starts = 0
        return client

    def _no_start(self, why: str) -> Failure:
        self._failed_starts += 1
        again = self._failed_starts < STARTS_TO_GIVE_UP
        return Failure(
            ErrorClass.DRIVER_CRASH if again else ErrorClass.ENGINE,
            f"an extractor process could not be started: {why}",
        )

    async def _shared(self, connection: Connection | None = None) -> ExtractorClient:
        """The extractor that takes one more session, which is counted."""
        apart = connection is not None and connection.kind in APART
        # Between counting and starting nobody else may start one.
        async with self._choosing:
            usable = [c for c in self._clients if self._takes_work(c) and c.apart == apart]
            if connection and apart and len(usable) < MOST_APART:
                # What a foreign driver reads there, for the same rows, would die with this one.
                name = connection.name
                usable = [c for c in usable if not self._running.get(c, Counter())[name]]
            place = seat([c.sessions for c in usable], apart=apart, limit=self._limit)
            client = await self._start() if place is None else usable[place]
            client.apart = apart
            client.sessions += 1
            return client

    def _takes_work(self, client: ExtractorClient) -> bool:
        return client.alive and client not in self._leaving and client not in self._alone

    async def _lonely(self) -> ExtractorClient:
        """A new extractor for one suspect; at most one such at a time."""
        await self._one_suspect.acquire()
        try:
            async with self._choosing:
                client = await self._start()
                self._alone.add(client)
        except BaseException:
            self._one_suspect.release()
            raise
        client.sessions += 1
        return client
