"""Calendars: the days on which branches are not expected to have sold anything."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date

from etltui.config.checks import RefusedError, day, nearest, nearest_or_all, shown, texts
from etltui.config.table import Notebook, Table, joined
from etltui.domain.calendar import WEEKDAYS, Calendar
from etltui.domain.job import Connection
from etltui.domain.words import some


def _holidays(value: object) -> tuple[date, ...]:
    if not isinstance(value, list):
        raise RefusedError(f"{shown(value)} is not a list of days", "Write [2026-11-12]")
    return tuple(map(day, value))


def _weekdays(value: object) -> tuple[str, ...]:
    found = tuple(each.lower() for each in texts(value))
    for each in found:
        if each not in WEEKDAYS:
            raise RefusedError(
                f"{shown(each)} is not a day of the week", nearest_or_all(each, WEEKDAYS)
            )
    return found


def calendars(table: Table) -> dict[str, Calendar]:
    """The calendars by name."""
    found = {}
    for name, entry in table.entries():
        found[name] = Calendar(
            name=name,
            holidays=entry.read("holidays", _holidays, ()),
            closed=entry.read("closed", _weekdays, ()),
        )
        entry.finish()
    return found


def with_days(
    connections: Iterable[Connection], known: Mapping[str, Calendar], book: Notebook
) -> tuple[Connection, ...]:
    """The connections with what their calendars say; a calendar that is not there is noted."""
    found = tuple(connections)
    named = dict.fromkeys(each.calendar for each in found if each.calendar)
    for name in named:
        if name not in known:
            book.note(
                joined("calendars", name),
                "is not there, but is the calendar of "
                f"{some([each.name for each in found if each.calendar == name], 3)}",
                nearest(name, known) or f"Add a [{joined('calendars', name)}] with holidays",
            )
    return tuple(replace(each, days=known.get(each.calendar, each.days)) for each in found)
