"""A fleet of branches from somebody else's list: what is new, changed and gone since the last."""

import csv
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from io import StringIO
from string import Formatter
from urllib.parse import quote

from etltui.config.branches import ALL_COLUMNS, COLUMNS
from etltui.config.checks import nearest_or_all, shown
from etltui.config.listing import Line, Listing, place
from etltui.domain.errors import ConfigError, Mistake

Branch = Mapping[str, str]
"""A line of the connections file, by column; an empty cell is left out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Columns:
    """Which columns of a list say what.

    Attributes:
        named: From a column of ours to those of the list; the values of several are joined by `;`.
        url: A template such as `postgresql://{host}:{port}/{database}`; empty where a column
            holds the url.
        fixed: What is the same for every branch.
    """

    named: Mapping[str, Sequence[str]]
    url: str = ""
    fixed: Branch


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """What a list changes.

    Attributes:
        new: Names that were not there.
        changed: Names with the columns that differ.
        back: Names that were closed and are in the list again.
        gone: Names that the list does not hold any more.
        same: How many stay as they are.
    """

    new: tuple[str, ...] = ()
    changed: tuple[tuple[str, tuple[str, ...]], ...] = ()
    back: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    same: int = 0


class _Heads:
    """The columns of a list, found without regard to case."""

    def __init__(self, where: str, header: Sequence[str]) -> None:
        self._where = where
        self._by_word = {name.casefold(): name for name in header}
        self.mistakes: list[Mistake] = []

    def find(self, word: str, key: str) -> str:
        """A column's own name; a mistake at the option `key` where there is none."""
        found = self._by_word.get(word.casefold(), "")
        if not found:
            self.mistakes.append(
                Mistake(
                    where="command line",
                    key=key,
                    problem=f"{self._where} has no column {shown(word)}",
                    way_out=nearest_or_all(word, self._by_word.values()),
                ),
            )
        return found

    def alike(self, column: str) -> list[str]:
        """The column that is called as one of ours, if there is one."""
        return [self._by_word[column]] if column in self._by_word else []


_Parts = Sequence[tuple[str, str]]
"""Literals, and the column behind each; empty behind the last."""


def _url_parts(template: str, heads: _Heads) -> _Parts:
    try:
        parts = [(literal, name or "") for literal, name, _, _ in Formatter().parse(template)]
    except ValueError:
        problem = f"{shown(template)} has a brace that is not closed or not opened"
        way_out = 'Write "postgresql://{host}:{port}/{database}"'
        heads.mistakes.append(
            Mistake(where="command line", key="--url", problem=problem, way_out=way_out),
        )
        return []
    return [(literal, name and heads.find(name, "--url")) for literal, name in parts]


def _sources(columns: Columns, heads: _Heads) -> dict[str, list[str]]:
    """From our columns to those of the list."""
    found = {}
    for column in ALL_COLUMNS:
        named = [heads.find(word, "--column") for word in columns.named.get(column, ())]
        own = named or ([] if column in columns.fixed else heads.alike(column))
        if own:
            found[column] = own
    return found


def _missing(where: str, said: Collection[str], lines: Sequence[Line]) -> Iterator[Mistake]:
    """What every list must say; an empty one would close every branch there is."""
    for column, option in (("name", "--column"), ("url", "--url")):
        if column not in said:
            yield Mistake(
                where="command line",
                key=option,
                problem=f"nothing says which {column} a branch of {where} has",
                way_out=f'Write --column "{column}=…"' + (" or --url" if column == "url" else ""),
            )
    if not lines:
        yield Mistake(
            where=where,
            key="",
            problem="holds no branch",
            way_out="To close all there are, give each a last day in the connections file",
        )


def _url(parts: _Parts, line: Line, where: str) -> tuple[str, list[Mistake]]:
    """A branch's url; what stands in a cell never changes what the template means."""
    text, mistakes = "", []
    for literal, head in parts:
        value = line.values.get(head, "")
        if head and not value:
            mistakes.append(
                Mistake(
                    where=where,
                    key=place(line.number, head),
                    problem="is empty, and the url needs it",
                    way_out="Fill it, or take the line out",
                ),
            )
        text += literal + quote(value, safe="/")
    return text, mistakes


def branches(found: Listing, where: str, columns: Columns) -> Listing:
    """A list as lines of a connections file, with the line numbers of the list.

    Args:
        found: The list.
        where: Its file.
        columns: Which of its columns say what.

    Raises:
        ConfigError: A column is missing, or a cell that a url needs.
    """
    heads = _Heads(where, found.header)
    sources = _sources(columns, heads)
    parts = _url_parts(columns.url, heads) if columns.url else []
    said = {*sources, *columns.fixed, *(("url",) if columns.url else ())}
    mistakes = list(found.mistakes)
    if found.header:
        mistakes += heads.mistakes or _missing(where, said, found.lines)
    lines = []
    for line in () if mistakes else found.lines:
        values = {
            column: ";".join(filter(None, (line.values.get(head, "") for head in own)))
            for column, own in sources.items()
        }
        if parts:
            # Laid over a column that happens to be called url.
            values["url"], wrong = _url(parts, line, where)
            mistakes.extend(wrong)
        values = {**columns.fixed, **values}
        kept = {column: value for column, value in values.items() if value}
        lines.append(Line(number=line.number, values=kept))
    if mistakes:
        raise ConfigError(mistakes)
    return Listing(header=tuple(c for c in ALL_COLUMNS if c in said), lines=tuple(lines))


def _merged(old: Branch, new: Branch, said: Sequence[str], day: date) -> Branch:
    """A branch as the list says it; columns that the list does not have stay as they were."""
    kept = {column: value for column, value in old.items() if column not in said}
    closed = kept.get("closed", "")
    if closed and closed <= day.isoformat():
        del kept["closed"]
    return {**kept, **new}


def _closed(old: Branch, day: date) -> Branch:
    """A branch that is gone: from tomorrow nobody misses it. One that is closed stays so."""
    if old.get("closed"):
        return old
    return {**old, "closed": max(day.isoformat(), old.get("opened", ""))}


def combined(
    before: Sequence[Branch],
    found: Listing,
    day: date,
) -> tuple[tuple[Branch, ...], Difference]:
    """The connections file after a list was taken over, and what that changes. Nothing is deleted.

    Args:
        before: The file as it is, in its order.
        found: The list, as `branches` gives it.
        day: The last day of what is gone.
    """
    listed = {line.values.get("name", ""): line.values for line in found.lines}
    after: list[Branch] = []
    changed, back, gone, same = [], [], [], 0
    for old in before:
        name = old.get("name", "")
        new = listed.pop(name, None)
        now = _closed(old, day) if new is None else _merged(old, new, found.header, day)
        after.append(now)
        differing = tuple(column for column in ALL_COLUMNS if old.get(column) != now.get(column))
        if not differing:
            same += 1
        elif new is None:
            gone.append(name)
        elif "closed" in differing and "closed" not in now:
            back.append(name)
        else:
            changed.append((name, differing))
    after.extend(listed.values())
    difference = Difference(
        new=tuple(listed), changed=tuple(changed), back=tuple(back), gone=tuple(gone), same=same
    )
    return tuple(after), difference


def numbered(lines: Sequence[Branch]) -> Iterator[Line]:
    """Branches as lines of the file that `as_csv` makes of them."""
    for number, values in enumerate(lines, start=2):
        yield Line(number=number, values=values)


def as_csv(lines: Sequence[Branch]) -> str:
    """The connections file."""
    text = StringIO()
    said = tuple(c for c in ALL_COLUMNS if c in COLUMNS or any(c in line for line in lines))
    writer = csv.DictWriter(text, said, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()
