"""What is wrong with the keys that the configuration chooses, over all that the console has."""

from collections.abc import Iterator, Mapping

from textual.binding import Binding
from textual.widget import Widget

from etltui.console.anywhere import COMMANDS
from etltui.console.model.helping import bound_of
from etltui.console.model.keymap import Bound, clashes, unknown
from etltui.console.registry import ENTRIES, Entry
from etltui.console.widgets.table import Table


def in_sight(entry: Entry) -> list[Bound]:
    """Everything that keys do while a view is in sight."""
    rows = [Bound(id=name, keys=keys) for name, keys, _ in Table.KEYS]
    views = [Bound(id=f"go.{each.name}", keys=each.digit) for each in ENTRIES]
    commands = (*entry.load().COMMANDS, *COMMANDS)
    return [*map(bound_of, commands), *rows, *views]


def _classes(base: type[Widget]) -> Iterator[type[Widget]]:
    for each in base.__subclasses__():
        if each.__module__.startswith("etltui."):
            yield each
        yield from _classes(each)


def _others() -> set[str]:
    """The ids of the keys of everything that lies over the views for a while."""
    found = (each for part in _classes(Widget) for each in part.__dict__.get("BINDINGS", ()))
    return {each.id for each in found if isinstance(each, Binding) and each.id}


def key_mistakes(chosen: Mapping[str, str]) -> list[str]:
    """A sentence for each chosen id that is none, and each chosen key that means two things.

    It loads every view.
    """
    places = [in_sight(entry) for entry in ENTRIES]
    known = {each.id for bound in places for each in bound} | _others()
    found = unknown(chosen, known)
    for bound in places:
        taken = set(clashes(bound, {}))
        found += [each for each in clashes(bound, chosen) if each not in taken]
    return list(dict.fromkeys(found))
