"""The operator's file and the local one beside it, read and laid over each other."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from etltui.config.files import text_of
from etltui.config.table import joined
from etltui.domain.errors import Mistake

_DEEPEST = 50
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """What both files say together.

    Attributes:
        values: Of the file, with those of the local file over them. Empty when either could not
            be read: half a configuration would only bring mistakes that are none.
        path: The file, absolute.
        local: Dotted keys at which the local file takes over.
        mistakes: Why a file could not be read.
    """

    values: Mapping[str, Any]
    path: Path
    local: frozenset[str] = field(default_factory=frozenset)
    mistakes: tuple[Mistake, ...] = ()

    def is_local(self, key: str) -> bool:
        """Whether the local file says a key."""
        return any(
            key == taken or key.startswith((f"{taken}.", f"{taken}[")) for taken in self.local
        )

    def where(self, key: str) -> str:
        """The file that says a key."""
        return str(local_path(self.path) if self.is_local(key) else self.path)


def local_path(path: Path) -> Path:
    """The file that the program may write: `<stem>.local.toml` beside the operator's."""
    return path.with_name(f"{path.stem}.local.toml")


def _parsed(path: Path, text: str) -> Mapping[str, Any] | Mistake:
    """What a file's text says, or why it says nothing."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        problem, way_out = "is nested too deeply", "Write it flatter"
    except ValueError as fault:  # TOMLDecodeError, and numbers of more than 4,300 digits
        problem, way_out = f"is not valid TOML: {fault}", "Mend that line"
    return Mistake(where=str(path), key="", problem=problem, way_out=way_out)


def said(path: Path) -> Mapping[str, Any] | Mistake | None:
    """What a file says, None where there is no file, or why it cannot be understood."""
    text = text_of(path)
    return _parsed(path, text) if isinstance(text, str) else text


def merge(
    below: Mapping[str, Any],
    above: Mapping[str, Any],
    key: str,
    taken: set[str],
) -> dict[str, Any]:
    """Tables are merged, anything else is replaced and its key added to `taken`."""
    merged = dict(below)
    for name, value in above.items():
        place = joined(key, name)
        old = merged.get(name)
        # Dotted keys can nest deeper than Python recurses; no key there is lies that deep.
        shallow = place.count(".") < _DEEPEST
        if shallow and isinstance(old, Mapping) and isinstance(value, Mapping):
            merged[name] = merge(old, value, place, taken)
        else:
            merged[name] = value
            taken.add(place)
    return merged


def read(path: Path, changes: Mapping[str, Any] = _NOTHING) -> Document:
    """Read a file and the local one beside it, if there is one. Never raises.

    Args:
        path: The file.
        changes: What the local file would say besides, once it was written there.
    """
    path = path.absolute()
    below = said(path)
    if below is None:
        below = Mistake(
            where=str(path),
            key="",
            problem="there is no such file",
            way_out="Check the path, or make one with `etltui demo`",
        )
    above = said(local_path(path)) or {}
    mistakes = tuple(each for each in (below, above) if isinstance(each, Mistake))
    if isinstance(below, Mistake) or isinstance(above, Mistake):
        return Document(values={}, path=path, mistakes=mistakes)
    taken: set[str] = set()
    merged = merge(below, above, "", taken)
    merged = merge(merged, changes, "", taken)
    return Document(values=merged, path=path, local=frozenset(taken))
