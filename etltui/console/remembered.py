"""What was typed on the `:` line, kept for the next session."""

from contextlib import suppress
from pathlib import Path

from etltui.config.files import replace_text, text_of
from etltui.console.prompt import REMEMBERED
from etltui.domain.errors import ConfigError

FILE = "console_history"


def remembered(state: Path) -> list[str]:
    """The lines of former sessions, the oldest first; none where they cannot be read."""
    text = text_of(state / FILE)
    return text.splitlines()[-REMEMBERED:] if isinstance(text, str) else []


def remember(state: Path, line: str) -> None:
    """Keep a line, readable by its owner alone; a folder that cannot be written is left as it is.

    Two consoles may write at the same time: the one that does so last is remembered.
    """
    former = [each for each in remembered(state) if each != line]
    with suppress(ConfigError):
        text = "".join(f"{each}\n" for each in [*former, line][-REMEMBERED:])
        replace_text(state / FILE, text, private=True)
