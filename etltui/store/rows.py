"""Between rows and values: what each column holds, and the checksum that guards it."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import msgspec

from etltui.domain.errors import StateError
from etltui.domain.job import OPTIONS, Destination, Job
from etltui.domain.part import Member, Receipt
from etltui.domain.plan import Plan
from etltui.domain.progress import Snapshot
from etltui.domain.queue import Ask, QueueEntry
from etltui.domain.run import ConnectionResult, RunResult, RunStatus
from etltui.domain.stored import ConnectionRow, PublicationRow, PublicationState, RunRow
from etltui.store.database import Row, Value
from etltui.store.sums import sum_of

T = TypeVar("T")

_KEYS = {
    "runs": ("run",),
    "plans": ("run",),
    "run_connections": ("run", "connection"),
    "parts": ("run", "connection", "destination", "variant", "query", "segment"),
    "publications": ("run", "destination"),
    "queue": ("run",),
    "holds": ("connection",),
    "pauses": ("job",),
    "identities": ("connection",),
}
SUMMED = tuple(_KEYS)
"""Tables whose rows carry a sum: those that decide what is read and what is delivered."""
_RESULT = msgspec.json.Decoder(RunResult)
_CONNECTION_RESULT = msgspec.json.Decoder(ConnectionResult)
_RECEIPT = msgspec.json.Decoder(Receipt)
_SNAPSHOT = msgspec.json.Decoder(Snapshot)
_ASK = msgspec.json.Decoder(Ask)
_MEMBERS = msgspec.json.Decoder(list[Member])


def seal(row: Row) -> Row:
    """The row with its checksum."""
    return {**row, "checksum": sum_of(row)}


def intact(row: Row) -> bool:
    """Whether the row is what was written."""
    try:
        return sum_of(row) == row["checksum"]
    except TypeError:
        # Damage has made bytes of a text.
        return False


def key(table: str, row: Row) -> tuple[Value, ...]:
    """The row's key."""
    return tuple(row[name] for name in _KEYS[table])


def named_row(table: str, row: Row) -> str:
    """A row as it is named to the operator: its key, which may be damaged, and its table."""
    words = ", ".join(
        ascii(part)[1:-1] if isinstance(part, str) else str(part) for part in key(table, row)
    )
    return f"{words} of {table}"


def damage(table: str, row: Row) -> StateError:
    """The sentence for a damaged row, naming table and key."""
    return StateError(
        f"the state database is damaged: the row {named_row(table, row)} does not match its "
        "checksum. The next `etltui run` makes it anew; so does `etltui state rebuild`",
    )


def checked(table: str, row: Row) -> Row:
    """The row.

    Raises:
        StateError: It is not what was written; names table and key.
    """
    if not intact(row):
        raise damage(table, row)
    return row


def to_json(value: object) -> str:
    """A value as JSON; paths become text, times keep their offset but not their zone's name."""
    return msgspec.json.encode(value, enc_hook=_plain).decode()


def _plain(value: object) -> str:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be stored")


def _decoded(row: Row, column: str, decode: Callable[[str], T]) -> T:
    try:
        return decode(str(row[column]))
    except (msgspec.MsgspecError, KeyError, TypeError) as error:
        raise StateError(
            f"the {column} of {row['run']} was written by another version of this program: "
            f"{error}. Use that version, or start afresh with --no-resume",
        ) from error


def _record(kind: type[T], raw: Mapping[str, Any], **own: Callable[[Any], object]) -> T:
    """A dataclass of which some fields are built by functions of ours, the others by msgspec."""
    types = get_type_hints(kind)
    return kind(
        **{
            name: own[name](value)
            if name in own
            else msgspec.convert(value, types[name], dec_hook=lambda to, text: to(text))
            for name, value in raw.items()
        },
    )


def _destination(raw: Mapping[str, Any]) -> Destination:
    # A union of dataclasses says nothing of itself in JSON; the type beside it does.
    options = OPTIONS[raw["type"]]
    return _record(Destination, raw, options=lambda value: msgspec.convert(value, options))


def _job(raw: Mapping[str, Any]) -> Job:
    return _record(Job, raw, destinations=lambda value: tuple(map(_destination, value)))


def plan_of(row: Row) -> Plan:
    """The plan in a row of plans."""
    return _decoded(row, "plan", lambda text: _record(Plan, msgspec.json.decode(text), job=_job))


def run_of(row: Row) -> RunRow:
    """The run in a row of runs."""
    columns: dict[str, Any] = dict(checked("runs", row))
    del columns["checksum"]
    columns["status"] = RunStatus(columns["status"])
    if columns["result"] is not None:
        columns["result"] = _decoded(row, "result", _RESULT.decode)
    return RunRow(**columns)


def connection_of(row: Row, *, whole: bool) -> ConnectionRow:
    """The run connection in a row; where its parts are not whole, it has no result."""
    found = whole and row["result"] is not None
    return ConnectionRow(
        run=str(row["run"]),
        number=int(row["number"] or 0),
        connection=str(row["connection"]),
        hash=str(row["hash"]),
        result=_decoded(row, "result", _CONNECTION_RESULT.decode) if found else None,
    )


def receipt_of(row: Row) -> Receipt:
    """The receipt in a row of parts."""
    return _decoded(row, "receipt", _RECEIPT.decode)


def publication_of(row: Row) -> PublicationRow:
    """The publication in a row of publications."""
    columns: dict[str, Any] = dict(checked("publications", row))
    del columns["checksum"], columns["members"]
    columns["state"] = PublicationState(columns["state"])
    return PublicationRow(**columns)


def members_of(row: Row) -> list[Member]:
    """Where each part lies, in a row of publications."""
    return _decoded(checked("publications", row), "members", _MEMBERS.decode)


def queued_row(entry: QueueEntry) -> Row:
    """A row of the queue."""
    row: Row = {each.name: getattr(entry, each.name) for each in fields(entry)}
    flags: Row = {"ask": to_json(entry.ask), "keep": int(entry.keep), "taken": int(entry.taken)}
    return seal({**row, **flags})


def queued_of(row: Row) -> QueueEntry:
    """The entry in a row of the queue."""
    columns: dict[str, Any] = dict(checked("queue", row))
    del columns["checksum"]
    columns["ask"] = _decoded(row, "ask", _ASK.decode)
    columns["keep"], columns["taken"] = bool(columns["keep"]), bool(columns["taken"])
    return QueueEntry(**columns)


def snapshot_of(row: Row) -> Snapshot:
    """The snapshot in the row of live."""
    return _decoded({"run": "the engine", **row}, "snapshot", _SNAPSHOT.decode)
