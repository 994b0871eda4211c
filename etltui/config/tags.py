"""What connections of a tag have in common: how gently, when and by which conventions to read."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any, get_args

from etltui.config.checks import OneOf, RefusedError, Text, Whole, Zone, nearest, shown, text
from etltui.config.queries import query_or_none
from etltui.config.table import Notebook, Table
from etltui.domain.hours import spans
from etltui.domain.job import Connection
from etltui.domain.policy import Isolation, ReadPolicy


def _encoding(value: object) -> str:
    """The name of a code page that Python knows; empty for the driver's own."""
    name = text(value)
    try:
        # The codecs' lookup would also find what is no code page, such as base64.
        "".encode(name or "utf-8")
    except (LookupError, ValueError):
        raise RefusedError(
            f"{shown(name)} is no code page",
            'Write one such as "cp1252", "cp437", "latin-1" or "utf-8"',
        ) from None
    return name


def _hours(value: object) -> str:
    """Spans of the day; empty for all of it."""
    said = text(value)
    try:
        spans(said) if said else ()
    except ValueError as wrong:
        raise RefusedError(
            f"{shown(str(wrong))} is no span of hours",
            'Write "22:00-06:00", or several as "22:00-06:00, 12:30-13:30"; midnight at the '
            "end of a day is 24:00",
        ) from None
    return said


HEDGE_AFTER = Whole(1, 86400, or_zero=True)
CHECKS: Mapping[str, Callable[[object], Any]] = {
    "isolation": OneOf(get_args(Isolation)),
    "lock_timeout_s": Whole(1, 86400, or_zero=True),
    "maxdop": Whole(1, 1024, or_zero=True),
    "rows_per_s": Whole(1, 100_000_000, or_zero=True),
    "hedge_after_s": HEDGE_AFTER,
    "encoding": _encoding,
    "encoding_errors": OneOf(("fail", "replace")),
    "gateway": Text(),
    "timezone": Zone(),
    "hours": _hours,
    "calendar": Text(),
    "identity_query": query_or_none,
}
"""The keys that a tag and a connection may both say, with what they take."""

WHOLE = frozenset(name for name, check in CHECKS.items() if isinstance(check, Whole))
"""Those that take a whole number."""

_POLICY = frozenset(each.name for each in fields(ReadPolicy))
_NOTHING: Mapping[str, Any] = MappingProxyType({})


def _said(table: Table) -> dict[str, Any]:
    """The keys that a table says, checked; a wrong one is noted and not said."""
    found = {name: table.read(name, check, None) for name, check in CHECKS.items()}
    return {name: value for name, value in found.items() if value is not None}


def reading_of(connection: Connection) -> dict[str, Any]:
    """What holds of these keys for a connection, as far as anything is said of it."""
    found = {
        name: getattr(connection.policy if name in _POLICY else connection, name) for name in CHECKS
    }
    nobody = Connection(name="", kind="", url="")
    plain = {name: getattr(nobody.policy if name in _POLICY else nobody, name) for name in CHECKS}
    return {name: value for name, value in found.items() if value != plain[name]}


class Traits:
    """What tags and connections say, until every connection's tags are known.

    Args:
        tags: The table `[tags]`; None where there are none.
    """

    def __init__(self, tags: Table | None = None) -> None:
        self._tags: dict[str, tuple[Table, Mapping[str, Any]]] = {}
        self._own: dict[str, Mapping[str, Any]] = {}
        if tags is None:
            return
        for name in tags.names():
            table = tags.table(name)
            self._tags[name] = table, _said(table)
            table.finish()

    def take(self, connection: str, table: Table) -> None:
        """Read what a connection's own table says."""
        self._own[connection] = _said(table)

    def settled(self, connection: Connection) -> Connection:
        """The connection as it is read: its own keys, then those of its tags, the first before."""
        of_tags = [self._tags[tag][1] for tag in connection.tags if tag in self._tags]
        layers = [*reversed(of_tags), self._own.get(connection.name, _NOTHING)]
        said = {name: value for layer in layers for name, value in layer.items()}
        policy = {name: value for name, value in said.items() if name in _POLICY}
        rest = {name: value for name, value in said.items() if name not in _POLICY}
        return replace(connection, policy=replace(connection.policy, **policy), **rest)

    def note_strays(self, connections: Iterable[Connection], book: Notebook) -> None:
        """Note each tag that no connection has: its keys would hold for nobody."""
        there = dict.fromkeys(tag for each in connections for tag in each.tags)
        for name, (table, _) in self._tags.items():
            if name not in there:
                book.note(
                    table.key,
                    f"no connection has the tag {shown(name)}",
                    nearest(name, there) or "Give it to a connection, or take the table out",
                )
