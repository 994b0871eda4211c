"""What can be done: one registry for keys, footer, palette, the `:` line and help."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from textual.binding import Binding, BindingType

Choices = Sequence[str] | Callable[[str], Sequence[str]]
"""Words that may be typed, or what says them for what stands before the word."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """Something that an operator may ask for.

    Attributes:
        id: `VIEW.NAME`; what the configuration remaps keys by, and the method
            `do_NAME` of the view (or of the app, for `app.NAME`) that does it.
        keys: As Textual names them, separated by commas; empty for none.
        title: Two or three words, for footer and palette.
        help: One sentence.
        name: What `:` calls it by; empty for the part of the id behind the point.
        changes: Whether it changes anything but the picture: refused when only looking.
        ask: The question to confirm it by; `{what}` is what it is about. Empty: no question.
        takes: What stands behind it on the `:` line, in words; empty for nothing.
        footer: Whether the footer may show it.
    """

    id: str
    keys: str
    title: str
    help: str
    name: str = ""
    changes: bool = False
    ask: str = ""
    takes: str = ""
    footer: bool = True

    @property
    def method(self) -> str:
        """The name of what does it."""
        return f"do_{self.id.partition('.')[2]}"

    @property
    def word(self) -> str:
        """What `:` calls it by."""
        return self.name or self.id.partition(".")[2].replace("_", "-")


def bindings(commands: Iterable[Command]) -> list[BindingType]:
    """The keys of commands, each remappable by its command's id."""
    return [
        Binding(each.keys, f"command('{each.id}')", each.title, show=False, id=each.id)
        for each in commands
        if each.keys
    ]


def parsed(line: str) -> tuple[str, str]:
    """The word and the rest of what was typed behind `:`."""
    word, _, rest = line.strip().partition(" ")
    return word, rest.strip()


def completed(line: str, words: Iterable[str]) -> list[str]:
    """Words that the typed one may become, the best first; all in their order for none."""
    word = line.strip()
    if not word:
        return list(dict.fromkeys(words))
    known = sorted(set(words))
    begin = [each for each in known if each.startswith(word)]
    return begin or [each for each in known if word in each]


def nearest_word(word: str, words: Iterable[str]) -> str:
    """The known word that is most like a wrong one; empty for none."""
    return next(iter(get_close_matches(word, list(words), n=1)), "")
