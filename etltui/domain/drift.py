"""How a connection's columns fit those that the run has fixed: the column plan."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from etltui.domain.columns import Column
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.job import Drift


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnPlan:
    """Where each fixed column comes from.

    Attributes:
        sources: For each fixed column its position in the result, None for one to fill with NULL.
        dropped: Names of the result's columns that are left out.
        missing: Names of the fixed columns that the result lacks.
    """

    sources: tuple[int | None, ...]
    dropped: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def straight(self) -> bool:
        """Whether the result can be taken as it is."""
        return not self.dropped and self.sources == tuple(range(len(self.sources)))


COLUMNS = "columns"
"""The fact of a failure that holds the columns of the query that drifted, as JSON."""


def columns_in(facts: Mapping[str, str]) -> tuple[Column, ...]:
    """The columns that a failure of drift has found; none where it does not tell."""
    return tuple(
        Column(name=name, type=kind) for name, kind in json.loads(facts.get(COLUMNS, "[]"))
    )


def _listed(word: str, names: Sequence[str]) -> list[str]:
    return [f"{word} {', '.join(names)}"] if names else []


def _retyped(fixed: Sequence[Column], found: Sequence[Column], plan: ColumnPlan) -> list[str]:
    """Columns whose type is of another family than the fixed one."""
    changed = []
    for column, source in zip(fixed, plan.sources, strict=True):
        if source is None:
            continue
        here = found[source]
        if column.family and here.family and column.family != here.family:
            changed.append(f"{column.name} ({here.type} instead of {column.type})")
    return changed


def align(
    fixed: Sequence[Column],
    found: Sequence[Column],
    aliases: Mapping[str, str],
) -> ColumnPlan:
    """Match columns by name, then by alias, then by name in another case."""
    exact = {column.name: position for position, column in enumerate(found)}
    renamed = {aliases[name]: position for name, position in exact.items() if name in aliases}
    folded = {name.casefold(): position for name, position in exact.items()}
    sources = tuple(
        exact.get(c.name, renamed.get(c.name, folded.get(c.name.casefold()))) for c in fixed
    )
    used = set(sources)
    return ColumnPlan(
        sources=sources,
        dropped=tuple(c.name for position, c in enumerate(found) if position not in used),
        missing=tuple(c.name for c, s in zip(fixed, sources, strict=True) if s is None),
    )


def own(
    fixed: Sequence[Sequence[Column]],
    found: Sequence[Sequence[Column]],
) -> tuple[tuple[Column, ...], ...]:
    """A connection's columns as they are worth keeping: none where they are those of the run."""
    kept = tuple(map(tuple, found))
    return () if kept == tuple(map(tuple, fixed)) else kept


def union(
    found: Iterable[Sequence[Column]],
    aliases: Mapping[str, str],
) -> tuple[Column, ...]:
    """The columns that any connection has: those of the first, then what others have besides.

    Args:
        found: Of each connection, in the job's order.
        aliases: From other names of a column to its name.
    """
    all_: list[Column] = []
    names: set[str] = set()
    for columns in found:
        # Names that stand twice (SELECT a.id, b.id) stay so where the first has them.
        new = [c for c in columns if aliases.get(c.name, c.name).casefold() not in names]
        all_ += [replace(column, name=aliases.get(column.name, column.name)) for column in new]
        names.update(column.name.casefold() for column in all_)
    return tuple(all_)


def plan(
    fixed: Sequence[Column],
    found: Sequence[Column],
    *,
    mode: Drift,
    aliases: Mapping[str, str],
) -> ColumnPlan:
    """The column plan of a connection.

    A different order is no drift. `fail` refuses missing, extra and retyped columns; `align` and
    `evolve` fill missing ones with NULL and drop extra ones; `drop` only the latter.

    Raises:
        Failure: Of class `drift`, naming the difference.
    """
    if tuple(c.name for c in fixed) == tuple(c.name for c in found):
        # Duplicate names (SELECT a.id, b.id) can only be matched by place.
        matched = ColumnPlan(sources=tuple(range(len(fixed))))
    else:
        matched = align(fixed, found, aliases)
    if mode in ("align", "evolve"):
        return matched
    extra = matched.dropped if mode == "fail" else ()
    changes = [
        *_listed("lacks", matched.missing),
        *_listed("has also", extra),
        *_listed("changed type:", _retyped(fixed, found, matched)),
    ]
    if changes:
        raise Failure(
            ErrorClass.DRIFT,
            f"the columns differ: {'; '.join(changes)}",
            {
                "missing": ", ".join(matched.missing),
                "extra": ", ".join(matched.dropped),
                COLUMNS: json.dumps([[column.name, column.type] for column in found]),
            },
        )
    return matched
