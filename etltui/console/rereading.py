"""Takes up what changes while the console runs: configuration, themes, keys."""

import asyncio
import os
from collections.abc import Collection
from dataclasses import replace
from typing import Protocol

from etltui.config.reading import Reading
from etltui.config.schema import Config
from etltui.console.around import Around, shape
from etltui.console.desk import AppDesk
from etltui.console.key_check import key_mistakes
from etltui.console.look import CurrentLook
from etltui.console.options import Options
from etltui.console.orders import told
from etltui.domain.errors import ConfigError


class Reread(Protocol):
    """The console, as far as it changes."""

    config: Config
    options: Options
    only_shown: bool
    look: CurrentLook
    desk: AppDesk
    around: Around

    def use_keys(self) -> None:
        """Let the keys of the configuration hold."""
        ...

    def restyle(self) -> None:
        """Paint everything anew."""
        ...

    def redraw(self) -> None:
        """Paint what has changed."""
        ...


class Rereading:
    """Reads files again and lets what they say hold.

    Args:
        console: Whose.
        config: As it was read first.
    """

    def __init__(self, console: Reread, config: Config) -> None:
        self._console = console
        self._reading = Reading(config, os.environ)

    async def configuration(self, names: Collection[str] = ()) -> None:
        """Work with the configuration as its files are now; what was said of the look stays.

        Args:
            names: Settings of the console itself that hold from now on, too.
        """
        console = self._console
        try:
            found = await asyncio.to_thread(self._reading)
        except ConfigError as error:
            console.desk.tell(told(error), "error")
            return
        changed = {name: getattr(found.console, name) for name in names}
        own = replace(console.config.console, **changed)
        if own.panel is not console.config.console.panel:
            console.around.panel.shape = shape(replace(found, console=own))
        console.config = replace(found, console=own)
        console.use_keys()
        if "read_only" in names and not console.only_shown:
            console.options = replace(console.options, read_only=own.read_only)
            console.desk.read_only = own.read_only
        if "glyphs" in names:
            console.look.draw(own.glyphs)
        if "theme" in names:
            console.look.use(own.theme)
        if {"glyphs", "theme"} & {*names}:
            console.restyle()
        console.redraw()

    async def themes(self) -> None:
        """Draw with the theme as its file is now."""
        console = self._console
        name = console.look.theme.name
        if await asyncio.to_thread(console.look.reload):
            console.look.use(name)
            console.restyle()
            console.redraw()
        for mistake in console.look.mistakes:
            console.desk.tell(f"{mistake.where}: {mistake.key}: {mistake.problem}", "warning")

    async def keys(self) -> None:
        """Name what is wrong with the chosen keys; it loads every view, so not before a picture."""
        chosen = self._console.config.console.keys
        for sentence in await asyncio.to_thread(key_mistakes, chosen) if chosen else ():
            self._console.desk.tell(sentence, "warning")
