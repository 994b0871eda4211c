"""Loads the SQL that lies beside the code: named statements, numbered migrations."""

import re
from collections.abc import Mapping
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def named(text: str) -> dict[str, str]:
    """The statements of a text in which `-- name: x` stands before each.

    Raises:
        ValueError: A name stands there twice.
    """
    _, *pieces = _NAME.split(text)
    names = pieces[::2]
    if len(set(names)) < len(names):
        raise ValueError(f"a name stands twice in {sorted(names)}")
    return dict(zip(names, (piece.strip() for piece in pieces[1::2]), strict=True))


def _read_steps() -> tuple[str, ...]:
    """The migrations in order; the n-th brings a database from version n - 1 to n."""
    folder = files("etltui.store") / "migrations"
    found = sorted((entry.name, entry) for entry in folder.iterdir())
    return tuple(entry.read_text(encoding="utf-8") for name, entry in found)


QUERIES: Mapping[str, str] = named(
    "\n".join(
        (files("etltui.store") / name).read_text(encoding="utf-8")
        for name in ("queries.sql", "logbook.sql", "audit.sql")
    ),
)
STEPS = _read_steps()
