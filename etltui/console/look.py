"""How things are drawn now: theme, signs, zone; changed while the console runs."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from etltui.config.console import Console
from etltui.config.themes import Theme, folders_of, themes
from etltui.console.glyphs import ASCII, UNICODE, Glyphs
from etltui.console.palette import Palette, palette
from etltui.console.terminal import Terminal
from etltui.domain.errors import Mistake

PLAIN = {True: "terminal-dark", False: "terminal-light"}
"""Themes of the terminal's own colours, for dark grounds and for light ones."""


class CurrentLook:
    """Theme and signs as they are now.

    Args:
        console: What the operator has configured.
        terminal: What can be drawn.
        config: The configuration file, whose folder may hold themes.
        timezone: Of times; empty for the machine's own.
    """

    def __init__(
        self, console: Console, terminal: Terminal, *, config: Path, timezone: str = ""
    ) -> None:
        self.timezone = timezone
        if console.colour != "auto":
            terminal = replace(terminal, colour=console.colour)
        self.terminal = terminal
        self._config = config
        self.themes: Mapping[str, Theme] = {}
        self.mistakes: tuple[Mistake, ...] = ()
        self.reload()
        self.draw(console.glyphs)
        self.use(console.theme)

    @property
    def colours(self) -> bool:
        """Whether colour codes may be written at all."""
        return self.terminal.colour != "none"

    def reload(self) -> bool:
        """Read the theme files again; whether anything differs."""
        self.folders: tuple[Path, ...] = folders_of(self._config)
        found, self.mistakes = themes(self.folders)
        changed = found != self.themes
        self.themes = found
        return changed

    def draw(self, glyphs: str) -> None:
        """Draw with `unicode` or `ascii` signs, or with what the terminal can show for `auto`."""
        unicode = self.terminal.unicode if glyphs == "auto" else glyphs == "unicode"
        self.glyphs: Glyphs = UNICODE if unicode else ASCII

    def use(self, name: str) -> bool:
        """Draw with a theme; where there is none of that name with the default one.

        Where the terminal has few colours, its own stand for those of the theme.
        """
        known = name in self.themes
        theme = self.themes[name if known else "etltui-dark"]
        if self.terminal.colour in ("16", "none") and not theme.ansi:
            theme = self.themes[PLAIN[theme.dark]]
        self.theme = theme
        self.palette: Palette = palette(theme, colours=self.colours)
        return known
