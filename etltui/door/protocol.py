"""What a client and the door say to each other, and how it is framed.

Each message is a msgpack body behind its length (4 bytes, big endian). The door speaks first, with
`Hello`. A client sends calls, each with an id and exactly one answer, `Answer` or `Refused`; what
it may call stands in `CALLS`, and the types of a call's own function say how arguments and results
are read. Between the answers comes `News`, one for each event of the runs that the client follows,
and `NoMoreNews` behind the last.
"""

import struct
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Protocol, get_type_hints

import msgspec

from etltui.domain import errors, events
from etltui.domain.errors import ConfigError, EtltuiError, Failure, Mistake, Trouble
from etltui.domain.events import Event
from etltui.domain.lending import Pools
from etltui.domain.progress import Snapshot
from etltui.domain.run import RunResult
from etltui.door.errors import GoneError
from etltui.engine.dispatcher import Dispatcher
from etltui.engine.engine import Engine, RunHandle
from etltui.engine.inquiries import Inquiries
from etltui.engine.options import Options
from etltui.engine.records import Records

VERSION = 1
SOCKET = "engine.sock"
HEAD = struct.Struct(">I")
MAX_CALL = 1024 * 1024
MAX_MESSAGE = 64 * 1024 * 1024
"""Bytes; a longer one is a broken peer. A snapshot of 50 runs of 500 connections is about 6 MiB."""


class _Message(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Base of all messages; the class's name is the tag."""


class Hello(_Message, frozen=True, kw_only=True):
    """Who serves: the first message down."""

    version: int
    config: str
    """The configuration file that the engine works with, absolute."""
    holder: str
    """Who runs it, as `user@host`."""
    pid: int
    since: float
    """Unix time in seconds."""
    resident: bool
    """Whether it stays when its runs have ended."""


class Call(_Message, frozen=True, kw_only=True):
    """Asks something of the engine."""

    id: int
    name: str
    arguments: Mapping[str, Any] = msgspec.field(default_factory=dict)
    who: str = ""
    """Who asks, as `user@host`; empty for whoever runs the engine."""
    terminal: str = ""
    """Where they sit, such as `pts/3`; for the record."""
    address: str = ""
    """From where they came to this machine; for the record."""


class Answer(_Message, frozen=True, kw_only=True):
    """A call succeeded."""

    id: int
    value: Any = None


class Refused(_Message, frozen=True, kw_only=True):
    """A call raised."""

    id: int
    kind: str
    text: str
    facts: Mapping[str, Any] = msgspec.field(default_factory=dict)


class News(_Message, frozen=True, kw_only=True):
    """An event."""

    kind: str
    event: Any


class NoMoreNews(_Message, frozen=True, kw_only=True):
    """The client has had the last event that it asked for."""


Down = Hello | Answer | Refused | News | NoMoreNews


class Following(Protocol):
    """What a client may ask of its own place at the door, besides what it asks of the engine.

    Events wait from `collect` on, bounded as every subscription is. They are sent from `follow`
    on: so a client that collects, submits and then follows misses nothing of its run.
    """

    def collect(self) -> Snapshot:
        """Begin to keep events; how everything stands at this very moment."""
        ...

    def follow(self, runs: tuple[str, ...] = ()) -> None:
        """Send the events of these runs, of all for none, those that wait first."""
        ...

    def enough(self) -> None:
        """Keep no more; `NoMoreNews` follows what waits still."""
        ...

    async def wait(self, run: str) -> RunResult:
        """How a run ended; one that had ended before is known to whoever submitted it only.

        Raises:
            NoSuchRunError: It is not known.
        """
        ...

    async def warm_up(self, connection: str, count: int) -> int:
        """Have so many sessions to a configured connection open; how many are open then.

        By name: a client does not say where the engine takes its passwords.

        Raises:
            ConfigError: There is no such connection.
            Failure: See `domain.lending.Pools.warm_up`.
        """
        ...


CALLS: Mapping[str, Callable[..., Any]] = {
    "collect": Following.collect,
    "follow": Following.follow,
    "enough": Following.enough,
    "wait": Following.wait,
    "warm_up": Following.warm_up,
    "check": Engine.check,
    "submit": Engine.submit,
    "retry": Engine.retry,
    "cancel": Engine.cancel,
    "snapshot": Engine.snapshot,
    "get_pool_metrics": Engine.get_pool_metrics,
    "get_pool_info": Engine.get_pool_info,
    "get_queue_metrics": Engine.get_queue_metrics,
    "get_running_jobs": Engine.get_running_jobs,
    "get_pending_jobs": Engine.get_pending_jobs,
    "get_job_progress": Engine.get_job_progress,
    "get_all_progress": Engine.get_all_progress,
    "update_settings": Engine.update_settings,
    "inquiries.test": Inquiries.test,
    "inquiries.dry_run": Inquiries.dry_run,
    "inquiries.estimate": Inquiries.estimate,
    "inquiries.explain": Inquiries.explain,
    "inquiries.server_check": Inquiries.server_check,
    "options.list": Options.list,
    "options.profiles": Options.profiles,
    "options.check": Options.check,
    "options.enable": Options.enable,
    "options.tag": Options.tag,
    "records.act": Records.act,
    "records.hold": Records.hold,
    "records.release": Records.release,
    "records.discard": Records.discard,
    "records.approve": Records.approve,
    "queue.clear": Dispatcher.clear,
    "queue.pause": Dispatcher.pause,
    "queue.reprioritise": Dispatcher.reprioritise,
    "pools.get_history": Pools.get_history,
    "pools.drain": Pools.drain,
    "pools.pause": Pools.pause,
    "pools.resume": Pools.resume,
    "pools.reconnect_all": Pools.reconnect_all,
    "pools.close_idle": Pools.close_idle,
    "pools.release_credential": Pools.release_credential,
}
"""What may be called: the path from the engine, and the function whose types hold.

A run that is returned travels as its id. Nothing here returns a configuration: it holds secrets.
"""
FOLLOWING = frozenset(name for name in CALLS if hasattr(Following, name))
"""Calls that the door answers itself."""


@cache
def _hints(name: str) -> tuple[Mapping[str, Any], Any]:
    """The types of a call's arguments and of its result."""
    found = get_type_hints(CALLS[name])
    returned = found.pop("return")
    return found, str if returned is RunHandle else returned


def asked(call: Call) -> dict[str, Any]:
    """The arguments of a call, as the function that is called wants them.

    Raises:
        EtltuiError: There is no such call, or an argument is not of its type.
    """
    if call.name not in CALLS:
        raise EtltuiError(f"the engine knows no call {call.name!r}; are both of one version?")
    hints, _ = _hints(call.name)
    try:
        return {name: msgspec.convert(value, hints[name]) for name, value in call.arguments.items()}
    except (KeyError, msgspec.ValidationError) as error:
        raise EtltuiError(f"the call {call.name!r} cannot be understood: {error}") from error


def answered(name: str, value: Any) -> Any:
    """The result of a call, as the function that was called returned it."""
    _, returned = _hints(name)
    return msgspec.convert(value, returned)


_EVENTS: Mapping[str, type[Event]] = {
    name: kind
    for name, kind in vars(events).items()
    if isinstance(kind, type) and issubclass(kind, Event)
}
_ERRORS: Mapping[str, type[EtltuiError]] = {
    name: kind
    for name, kind in (*vars(errors).items(), (GoneError.__name__, GoneError))
    if isinstance(kind, type) and issubclass(kind, EtltuiError)
}


def news(event: Event) -> News:
    """The message of an event."""
    return News(kind=type(event).__name__, event=event)


def event_of(message: News) -> Event:
    """The event of a message."""
    return msgspec.convert(message.event, _EVENTS[message.kind])


def refused(number: int, error: EtltuiError) -> Refused:
    """The message of an error."""
    facts: dict[str, Any] = vars(error)
    if isinstance(error, Failure):
        facts = {"trouble": Trouble.of(error)}
    return Refused(id=number, kind=type(error).__name__, text=str(error), facts=facts)


def error_of(message: Refused) -> EtltuiError:
    """The error of a message: of the same class, with the same words and facts."""
    facts = message.facts
    if "mistakes" in facts:
        return ConfigError(msgspec.convert(facts["mistakes"], tuple[Mistake, ...]))
    if "trouble" in facts:
        return msgspec.convert(facts["trouble"], Trouble).raised()
    # Its words are made already: the constructor would make them a second time.
    kind = _ERRORS.get(message.kind, EtltuiError)
    error = kind.__new__(kind, message.text)
    for name, value in facts.items():
        setattr(error, name, tuple(value) if isinstance(value, list) else value)
    return error


def _plain(value: Any) -> Any:
    """What msgpack has no form for: a path."""
    return str(value)


_encoder = msgspec.msgpack.Encoder(enc_hook=_plain)
_call = msgspec.msgpack.Decoder(Call)
_down = msgspec.msgpack.Decoder(Down)


def frame(message: _Message) -> bytes:
    """The bytes of a message with its length before it.

    Raises:
        ValueError: It is longer than `MAX_MESSAGE`.
    """
    body = _encoder.encode(message)
    if len(body) > MAX_MESSAGE:
        raise ValueError(f"a message of {len(body):,} bytes is longer than {MAX_MESSAGE:,}")
    return HEAD.pack(len(body)) + body


def body_length(head: bytes, most: int) -> int:
    """The length that a head announces.

    Raises:
        ValueError: It is more than `most`.
    """
    (length,) = HEAD.unpack(head)
    if length > most:
        raise ValueError(f"a message of {length:,} bytes is longer than {most:,}")
    return int(length)


def call_of(body: bytes) -> Call:
    """A message of a client.

    Raises:
        msgspec.DecodeError: It is none.
    """
    return _call.decode(body)


def down(body: bytes) -> Down:
    """A message of the door.

    Raises:
        msgspec.DecodeError: It is none.
    """
    message: Down = _down.decode(body)
    return message
