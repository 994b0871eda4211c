"""A TOML table that is read key by key, and the notebook that gathers every mistake."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from etltui.config.checks import RefusedError, check_name, nearest_or_all, shown
from etltui.domain.errors import Mistake

Value = TypeVar("Value")
Default = TypeVar("Default")

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def joined(parent: str, name: str) -> str:
    """A dotted key as TOML would write it, so that it can be searched for in the file."""
    part = name if _BARE.fullmatch(name) else shown(name)
    return f"{parent}.{part}" if parent else part


class Notebook:
    """Gathers mistakes, so that all are told at once.

    Args:
        where: From a dotted key to the file that says it.
    """

    def __init__(self, where: Callable[[str], str]) -> None:
        self.mistakes: list[Mistake] = []
        self._where = where

    def note(self, key: str, problem: str, way_out: str = "", *, where: str = "") -> None:
        """Note a mistake, by default in the file that says the key."""
        self.mistakes.append(
            Mistake(
                where=where or self._where(key),
                key=key,
                problem=problem,
                way_out=way_out,
            ),
        )


class Table:
    """A table of the file, read key by key.

    What is wrong is noted and read as its default, so that decoding always goes on to the end.
    The keys that were asked for are the keys there are: `finish` refuses all others.

    Args:
        values: What TOML gave; anything but a table is noted and read as an empty one.
        key: Its dotted key, empty for the file itself.
    """

    def __init__(self, values: object, key: str, book: Notebook) -> None:
        self.key = key
        self.book = book
        self.asked: list[str] = []
        self._values: Mapping[str, Any] = {}
        if isinstance(values, Mapping):
            self._values = values
        else:
            book.note(key, f"{shown(values)} is not a table", f"Write [{key}] and its keys below")

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def path(self, name: str) -> str:
        """The dotted key of a key in this table."""
        return joined(self.key, name)

    def note(self, name: str, problem: str, way_out: str = "") -> None:
        """Note a mistake at a key of this table."""
        self.book.note(self.path(name), problem, way_out)

    def names(self) -> tuple[str, ...]:
        """The names in a table whose keys an operator chooses; all count as asked for."""
        self.asked.extend(self._values)
        return tuple(self._values)

    def raw(self, name: str) -> object:
        """What TOML gave, for a key that takes values of more than one kind; None if absent."""
        self.asked.append(name)
        return self._values.get(name)

    def read(
        self,
        name: str,
        check: Callable[[object], Value],
        default: Default,
    ) -> Value | Default:
        """The checked value of a key, its default where it is absent or wrong."""
        self.asked.append(name)
        if name not in self._values:
            return default
        try:
            return check(self._values[name])
        except RefusedError as refused:
            self.note(name, refused.problem, refused.way_out)
            return default

    def need(
        self,
        name: str,
        check: Callable[[object], Value],
        default: Default,
        way_out: str,
    ) -> Value | Default:
        """The checked value of a key that must be there."""
        if name not in self._values:
            self.note(name, "is missing", way_out)
        return self.read(name, check, default)

    def table(self, name: str) -> "Table":
        """The table at a key, empty where there is none."""
        self.asked.append(name)
        return Table(self._values.get(name, {}), self.path(name), self.book)

    def tables(self, name: str) -> tuple["Table", ...]:
        """The list of tables at a key; their dotted keys count from 1."""
        self.asked.append(name)
        values = self._values.get(name, [])
        if not isinstance(values, list):
            self.note(
                name, f"{shown(values)} is not a list of tables", f"Write [[{self.path(name)}]]"
            )
            return ()
        return tuple(
            Table(value, f"{self.path(name)}[{number}]", self.book)
            for number, value in enumerate(values, start=1)
        )

    def entries(self) -> Iterator[tuple[str, "Table"]]:
        """The named tables in a table such as `[jobs]`; a name that cannot be one is noted."""
        for name in self.names():
            try:
                check_name(name)
            except RefusedError as refused:
                self.note(name, refused.problem, refused.way_out)
            yield name, self.table(name)

    def entries_or_texts(self, only: str) -> Iterator[tuple[str, "Table"]]:
        """The named tables, where a text stands for a table with that text at the key `only`."""
        short = {
            name: {only: value} if isinstance(value, str) else value
            for name, value in self._values.items()
        }
        self.asked.extend(short)
        yield from Table(short, self.key, self.book).entries()

    def finish(self) -> None:
        """Refuse the keys that nobody asked for.

        Their values are never shown: one may be a password beside the key it was meant for.
        """
        for name in self._values:
            if name not in self.asked:
                self.note(name, "is not a known key", nearest_or_all(name, self.asked))
