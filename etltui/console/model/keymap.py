"""Keys: which are given out, what they are called, and what is wrong with how they are chosen."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from etltui.console.commands import nearest_word


@dataclass(frozen=True, kw_only=True, slots=True)
class Bound:
    """Something that keys do.

    Attributes:
        id: What the configuration calls it.
        keys: As Textual names them, separated by commas.
        title: What it does, in words.
        help: The same in a sentence.
    """

    id: str
    keys: str
    title: str = ""
    help: str = ""

    def with_keys(self, chosen: Mapping[str, str]) -> tuple[str, ...]:
        """Its keys, those that the configuration gives it instead where it does."""
        said = chosen.get(self.id, self.keys)
        return tuple(key.strip() for key in said.split(",") if key.strip())


def unknown(chosen: Mapping[str, str], known: Iterable[str]) -> list[str]:
    """A sentence for each chosen id that names nothing."""
    ids = set(known)
    found = []
    for wrong in sorted(set(chosen) - ids):
        near = nearest_word(wrong, ids)
        hint = f"; did you mean {near}?" if near else "; ? lists them"
        found.append(f"console.keys: there is no {wrong!r}{hint}")
    return found


def clashes(bound: Sequence[Bound], chosen: Mapping[str, str]) -> list[str]:
    """A sentence for each key that means more than one thing at the same time.

    What a view calls as the console does (`settings.undo`, `app.undo`) is one thing: the view's.
    """
    meanings: dict[str, dict[str, str]] = {}
    for each in bound:
        for key in each.with_keys(chosen):
            word = each.id.rpartition(".")[2]
            meanings.setdefault(_plain(key), {}).setdefault(word, each.id)
    return [
        f"console.keys: {key} means {' and '.join(ids.values())}; give one of them another key"
        for key, ids in meanings.items()
        if len(ids) > 1
    ]


def _plain(key: str) -> str:
    """A key by one name: the configuration may say `?` or `question_mark`."""
    return _SIGNS.get(key, key)


_SIGNS: Mapping[str, str] = {
    "/": "slash",
    ":": "colon",
    "?": "question_mark",
    "*": "asterisk",
    "[": "left_square_bracket",
    "]": "right_square_bracket",
    "+": "plus",
    "-": "minus",
    "_": "underscore",
    " ": "space",
    ".": "full_stop",
}
