"""Settings in, wired engine out: the only file that names concrete classes."""

import asyncio
import getpass
import math
import os
import resource
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from etltui.config.reading import Reading
from etltui.config.schema import Config, Settings
from etltui.config.secrets import resolve
from etltui.domain.errors import ConfigError, ErrorClass, Failure, Mistake
from etltui.domain.events import Event
from etltui.domain.job import Connection, Credential
from etltui.domain.lending import Leases
from etltui.domain.pools import PoolSettings
from etltui.domain.ports import Guard, Parts
from etltui.domain.task import SessionTask
from etltui.engine.bus import Bus
from etltui.engine.caller import own_caller
from etltui.engine.clock import SystemClock
from etltui.engine.descriptors import needed, way_out
from etltui.engine.engine import Engine
from etltui.engine.holdings import Holdings
from etltui.engine.log import logging_to
from etltui.engine.memory import Memory
from etltui.engine.options import Read
from etltui.engine.prepare import Preparer
from etltui.engine.settings import pool_settings
from etltui.engine.space import Space
from etltui.engine.strays import StrayWatch
from etltui.engine.tools import Tools
from etltui.extractors.files import ExtractorFiles
from etltui.extractors.guarding import ExtractorGuard
from etltui.extractors.launch import Launch, last_words, processes, threads
from etltui.extractors.probe import Probe, ProbedSessions
from etltui.extractors.supervisor import ExtractorSupervisor
from etltui.pool.manager import PoolManager
from etltui.store.audit import kept_head
from etltui.store.history import SqliteHistory, open_history
from etltui.store.lock import is_held
from etltui.store.mirror import CheckpointMirror
from etltui.store.sqlite import SqliteStore

__all__ = [
    "SqliteHistory",
    "engine",
    "is_held",
    "kept_head",
    "leases",
    "open_history",
    "open_records",
    "operator",
]

EXTRACTOR_MB = 300
"""What an extractor may come to weigh; their number keeps within the memory threshold."""
MOST_EXTRACTORS = 4
SETTLE_S = 1.5
"""Until an extractor that has given memory back has said so: it weighs itself once a second."""


def extractor_count(settings: Settings, cores: int) -> int:
    """How many extractors to run; 0 means threads of this process."""
    if settings.extractors >= 0:
        return settings.extractors
    return max(1, min(cores - 1, MOST_EXTRACTORS, settings.memory_threshold_mb // EXTRACTOR_MB))


def _most_bytes(settings: Settings) -> int:
    """What all extractors together may come to weigh."""
    return max(1, extractor_count(settings, os.cpu_count() or 1)) * EXTRACTOR_MB * 1024 * 1024


def ensure_descriptors(config: Config) -> None:
    """Raise the soft limit of open files to what `max_connections` needs.

    Raises:
        ConfigError: The hard limit is lower than that.
    """
    wanted = config.settings.max_connections
    need = needed(wanted)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= need:
        return
    if hard != resource.RLIM_INFINITY and hard < need:
        raise ConfigError(
            [
                Mistake(
                    where=str(config.path),
                    key="settings.max_connections",
                    problem=f"{wanted} connections need {need:,} open files, but the limit of this "
                    f"system for this user is {hard:,}",
                    way_out=way_out(wanted, hard),
                ),
            ],
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (need, hard))


def _reading(config: Config, environ: Mapping[str, str]) -> Read:
    """Reads the configuration again; one that the machine's limits do not allow is refused."""
    reading = Reading(config, environ)

    def read(changes: Mapping[str, object]) -> Config:
        found = reading(changes)
        ensure_descriptors(found)
        return found

    return read


class SessionTasks:
    """Makes session tasks: resolves a connection's secrets when a session opens."""

    def __init__(self, config: Config, environ: Mapping[str, str]) -> None:
        self._config = config
        self._environ = environ

    def configured(self, config: Config) -> None:
        """Work with another reading of the configuration."""
        self._config = config

    def reference(self, credential: str) -> str:
        """Where the credential's password is found; not the password."""
        return self._config.credentials.get(credential, Credential(name=credential)).password

    async def __call__(self, connection: Connection) -> SessionTask:
        """The task that opens a session to the connection.

        Raises:
            Failure: A secret could not be resolved.
        """
        credential = self._config.credentials.get(connection.credential, Credential(name=""))
        password = await asyncio.to_thread(
            resolve,
            credential.password,
            base=self._config.path.parent,
            environ=self._environ,
        )
        return SessionTask(
            connection=connection.name,
            kind=connection.kind,
            host=connection.host,
            port=connection.port,
            database=connection.database,
            user=credential.user,
            password=password,
            options=connection.options,
            connect_timeout_s=self._config.settings.connection_timeout_s,
            policy=connection.policy,
        )


def _launcher(count: int, log: Path) -> Launch:
    cores = os.cpu_count() or 1
    if count == 0:
        # By name: nothing of a reader or a writer may load unless rows move in this process.
        return threads(import_module("etltui.extractors.child").serve, cores=cores)
    return processes(cores=max(1, cores // count), log=log)


def _supervisor(settings: Settings, log: Path, tasks: SessionTasks) -> ExtractorSupervisor:
    count = extractor_count(settings, os.cpu_count() or 1)
    return ExtractorSupervisor(
        _launcher(count, log),
        limit=max(1, count),
        session_task=tasks,
        last_words=lambda: last_words(log),
    )


def _lending(
    stack: AsyncExitStack,
    tasks: SessionTasks,
    *,
    settings: Settings,
    pooled: PoolSettings,
    log: Path,
    publish: Callable[[Event], None] = lambda _: None,
) -> tuple[ExtractorSupervisor, PoolManager]:
    """Extractors, and pools of the sessions in them, at work until the stack unwinds."""
    supervisor = _supervisor(settings, log, tasks)
    stack.push_async_callback(supervisor.aclose)
    pool = PoolManager(
        ProbedSessions(supervisor, Probe()),
        clock=SystemClock(),
        settings=pooled,
        reference=tasks.reference,
        publish=publish,
    )
    pool.start()
    stack.push_async_callback(pool.aclose)
    return supervisor, pool


async def _hold(state: Path, clock: SystemClock, *, readers: int) -> SqliteStore:
    return await SqliteStore.open(state, clock=clock, holder_text=_command(), readers=readers)


def _memory(supervisor: ExtractorSupervisor, settings: Settings, clock: SystemClock) -> Memory:
    return Memory(
        lambda: supervisor.pss,
        threshold_mb=settings.memory_threshold_mb,
        extractors=max(1, extractor_count(settings, os.cpu_count() or 1)),
        settle=lambda: clock.sleep(SETTLE_S),
    )


def _preparer(tools: Tools, timezone: str) -> Preparer:
    return Preparer(
        store=tools.store,
        parts=tools.parts,
        clock=tools.clock,
        parts_folder=tools.parts_folder,
        timezone=timezone,
    )


def _tools(  # noqa: PLR0913 - what runs work with, each by name
    settings: Settings,
    state: Path,
    *,
    store: SqliteStore,
    supervisor: ExtractorSupervisor,
    pool: PoolManager,
    bus: Bus,
    clock: SystemClock,
) -> Tools:
    return Tools(
        store=store,
        leases=pool,
        parts=ExtractorFiles(supervisor.borrowed),
        guard=ExtractorGuard(supervisor.borrowed),
        mirror=CheckpointMirror(state),
        bus=bus,
        clock=clock,
        memory=_memory(supervisor, settings, clock),
        space=Space(reserve_mb=settings.disk_reserve_mb),
        strays=StrayWatch(Holdings(state, lambda: supervisor.held), clock),
        parts_folder=state / "parts",
        query_timeout_s=settings.query_timeout_s,
        query_timeout_learned=settings.query_timeout_learned,
        stall_timeout_s=settings.stall_timeout_s,
        operator=operator(),
        connect_timeout_s=settings.connection_timeout_s,
        extractor_bytes=_most_bytes(settings),
        timezone=settings.timezone,
        on_held=settings.on_held,
    )


@asynccontextmanager
async def engine(
    config: Config,
    state: Path,
    *,
    environ: Mapping[str, str],
    resident: bool = False,
) -> AsyncIterator[Engine]:
    """A started engine that holds the state folder for the time of the block.

    A resident one takes up what waits in the queue, and what it takes in outlives it.

    Raises:
        ConfigError: The machine's limits do not allow the settings.
        StateHeldError: Another engine holds the folder.
        StateError: The folder cannot be used.
    """
    ensure_descriptors(config)
    settings, clock = config.settings, SystemClock()
    async with AsyncExitStack() as stack:
        store = await _hold(state, clock, readers=settings.state_readers)
        stack.push_async_callback(store.aclose)
        stack.enter_context(logging_to(state / "logs", settings.log_level))
        tasks = SessionTasks(config, environ)
        log, pooled = state / "logs" / "extractor.log", pool_settings(settings)
        bus = Bus()
        supervisor, pool = _lending(
            stack, tasks, settings=settings, pooled=pooled, log=log, publish=bus.publish
        )
        tools = _tools(
            settings,
            state,
            store=store,
            supervisor=supervisor,
            pool=pool,
            bus=bus,
            clock=clock,
        )
        caller = await asyncio.to_thread(own_caller, os.environ)
        made = Engine(
            config=config,
            tools=replace(tools, caller=caller),
            pools=pool,
            resident=resident,
            configured=tasks.configured,
            read=_reading(config, environ),
            preparer=_preparer(tools, settings.timezone),
        )
        stack.push_async_callback(made.aclose)
        await supervisor.warm()
        await made.start()
        yield made


@asynccontextmanager
async def leases(config: Config, *, environ: Mapping[str, str], log: Path) -> AsyncIterator[Leases]:
    """Lends sessions where no engine runs: no state folder is needed, none is touched.

    The limits hold, and whoever waits for a turn waits as long as it takes.

    Args:
        config: What may be connected to.
        environ: Where secrets may be.
        log: Where a crashing extractor's last words go.

    Raises:
        ConfigError: The machine's limits do not allow the settings.
    """
    ensure_descriptors(config)
    settings = config.settings
    patient = replace(pool_settings(settings), acquire_timeout_s=math.inf)
    tasks = SessionTasks(config, environ)
    async with AsyncExitStack() as stack:
        _, pool = _lending(stack, tasks, settings=settings, pooled=patient, log=log)
        yield pool


@asynccontextmanager
async def guard(config: Config, *, log: Path) -> AsyncIterator[Guard]:
    """Looks at queries where no engine runs; an extractor starts with the first question.

    Args:
        config: Whose queries.
        log: Where a crashing extractor's last words go.
    """
    supervisor = _supervisor(config.settings, log, SessionTasks(config, {}))
    try:
        yield ExtractorGuard(supervisor.borrowed)
    finally:
        await supervisor.aclose()


@asynccontextmanager
async def files(*, log: Path) -> AsyncIterator[Parts]:
    """Works on targets where no engine runs, in one extractor that opens no database.

    Args:
        log: Where a crashing extractor's last words go.
    """

    async def none(connection: Connection) -> SessionTask:
        raise Failure(ErrorClass.INTERNAL, f"{connection.name} is not to be opened here")

    supervisor = ExtractorSupervisor(
        _launcher(1, log), limit=1, session_task=none, last_words=lambda: last_words(log)
    )
    try:
        yield ExtractorFiles(supervisor.borrowed)
    finally:
        await supervisor.aclose()


@asynccontextmanager
async def open_records(state: Path) -> AsyncIterator[tuple[SqliteStore, CheckpointMirror]]:
    """What is recorded in a state folder, to change it; the folder is held, no engine runs.

    Raises:
        StateHeldError: An engine holds the folder.
        StateError: The folder cannot be used.
    """
    async with await SqliteStore.open(state, clock=SystemClock(), holder_text=_command()) as store:
        yield store, CheckpointMirror(state)


def operator() -> str:
    """Who runs this, as `user@host`; a user without a name is a number."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def _command() -> str:
    """The command as somebody else should read it: its name and what was asked of it."""
    return " ".join(["etltui", *sys.argv[1:]])
