"""What the local file says of connections and jobs that are described elsewhere."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from etltui.config.checks import texts
from etltui.config.document import Document
from etltui.config.table import Notebook, Table, joined
from etltui.domain.job import Connection

_ALONE: Mapping[str, str] = {"connections": "tags", "jobs": "enabled"}
"""From a section to the one key that the program itself writes into a table of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Patches:
    """Tables of the local file that describe nothing by themselves.

    Attributes:
        connections: By name; each says tags and nothing else.
        jobs: Names; each says whether it is enabled and nothing else.
    """

    connections: Mapping[str, Mapping[str, Any]]
    jobs: tuple[str, ...]

    def onto(
        self,
        listed: Iterable[Connection],
        book: Notebook,
    ) -> tuple[tuple[Connection, ...], tuple[str, ...]]:
        """The connections of a connections file with the tags that the local file gives them.

        Args:
            listed: As their file says them.
            book: Where mistakes are noted.

        Returns:
            They, and the dotted keys of tables that name no connection and no job that is there.
        """
        tags = {name: self._tags(name, values, book) for name, values in self.connections.items()}
        patched = tuple(
            replace(each, tags=tags.pop(each.name)) if each.name in tags else each
            for each in listed
        )
        lost = [joined("connections", name) for name in tags]
        return patched, (*lost, *(joined("jobs", name) for name in self.jobs))

    def _tags(self, name: str, values: Mapping[str, Any], book: Notebook) -> tuple[str, ...]:
        table = Table(values, joined("connections", name), book)
        return table.read("tags", texts, ())


def parted(document: Document) -> tuple[Mapping[str, Any], Patches]:
    """What both files describe, and what the local one only says of something else.

    A branch or a job that an operator takes out is no reason to refuse the whole configuration
    because the program once wrote a word about it.
    """
    values = dict(document.values)
    found: dict[str, dict[str, Any]] = {}
    for section, key in _ALONE.items():
        tables = values.get(section)
        found[section] = {}
        if not isinstance(tables, Mapping):
            continue
        found[section] = {
            name: table
            for name, table in tables.items()
            if isinstance(table, Mapping)
            and set(table) == {key}
            and document.is_local(joined(section, name))
        }
        values[section] = {
            name: table for name, table in tables.items() if name not in found[section]
        }
    return values, Patches(connections=found["connections"], jobs=tuple(found["jobs"]))
