"""What columns most connections have, and which connections differ from that."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from etltui.domain.columns import Column

LACKS = "lacks"


@dataclass(frozen=True, kw_only=True, slots=True)
class Shared:
    """A column, as most connections that have it say it.

    Attributes:
        count: Connections that have it.
        usual: Whether that is most of all.
    """

    column: Column
    count: int
    usual: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Schemas:
    """The columns of one query at all connections that told.

    Attributes:
        told: How many did.
        columns: The usual ones first in their usual order, then those that only few have.
        differing: From each connection that is not as most to its columns that differ: their own
            type, or `LACKS`.
    """

    query: str
    told: int
    columns: tuple[Shared, ...]
    differing: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def drifted(self) -> tuple[str, ...]:
        """Names of the columns in which any connection differs, in order."""
        names = {name for each in self.differing.values() for name in each}
        return tuple(each.column.name for each in self.columns if each.column.name in names)


def schemas(query: str, found: Mapping[str, Sequence[Column]]) -> Schemas:
    """Hold the columns of connections against each other, names in any case.

    Args:
        query: The query's name.
        found: From a connection to its columns, in the job's order.
    """
    orders = Counter(tuple(column.name for column in columns) for columns in found.values())
    first = max(orders, key=orders.__getitem__, default=())
    have = {
        name: {column.name.casefold(): column.type for column in columns}
        for name, columns in found.items()
    }
    names = {name.casefold(): name for name in first}
    for columns in found.values():
        for column in columns:
            names.setdefault(column.name.casefold(), column.name)
    shared = [_shared(name, key, have) for key, name in names.items()]
    ordered = tuple(sorted(shared, key=lambda each: not each.usual))
    differing = {name: _differences(own, ordered) for name, own in have.items()}
    return Schemas(
        query=query,
        told=len(found),
        columns=ordered,
        differing={name: each for name, each in differing.items() if each},
    )


def _shared(name: str, key: str, have: Mapping[str, Mapping[str, str]]) -> Shared:
    types = Counter(own[key] for own in have.values() if key in own)
    known = Counter({kind: count for kind, count in types.items() if kind != "unknown"})
    [(kind, _)] = (known or types).most_common(1)
    count = types.total()
    return Shared(column=Column(name=name, type=kind), count=count, usual=count * 2 > len(have))


def _differences(own: Mapping[str, str], columns: Sequence[Shared]) -> dict[str, str]:
    """From the name of each column in which a connection is not as most to what it has."""
    found = {}
    for each in columns:
        kind = own.get(each.column.name.casefold())
        if kind is None and each.usual:
            found[each.column.name] = LACKS
        elif kind is not None and (not each.usual or kind not in {each.column.type, "unknown"}):
            found[each.column.name] = kind
    return found
