"""The command `settings` of the linear console: what each is, and letting another value hold."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from etltui.config.checks import RefusedError, nearest_or_all
from etltui.config.setting_views import SettingView
from etltui.console.cells import text_of
from etltui.console.commands import Command, parsed
from etltui.console.linear.ground import Ground
from etltui.console.model.setting_rows import fields_of
from etltui.console.model.settings import (
    Staged,
    applied,
    change_lines,
    lines_of,
    typed,
    where_lines,
    worth_asking,
)
from etltui.console.model.settings import parsed as value_of
from etltui.console.orders import why_not
from etltui.domain.errors import ConfigError, misused


class Adjusting:
    """Does it.

    Args:
        ground: What it stands on.
        command: It.
    """

    def __init__(self, ground: Ground, command: Command) -> None:
        self._ground = ground
        self._command = command

    def enabled(self, command: Command) -> bool:
        """Whether the command makes sense now."""
        del command
        return True

    async def do_settings(self, text: str = "") -> None:
        """List the settings, explain one, or let another value hold."""
        ground = self._ground
        views: Sequence[SettingView] = await ground.call("options.list")
        name, value = parsed(text)
        if not name:
            shown = lines_of(views, Staged())
            ground.speech.say(*ground.lines(fields_of(ground), shown))
            return
        view = next((each for each in views if each.name == name), None)
        if view is None:
            way_out = nearest_or_all(name, [each.name for each in views])
            raise misused("NAME", f"there is no setting {name!r}", way_out)
        if not value:
            lines = where_lines(view, ground.config.path, ground.glyphs)
            ground.speech.say(*filter(None, map(text_of, lines)))
            return
        await self._change(view, value, views)

    async def _change(self, view: SettingView, text: str, views: Sequence[SettingView]) -> None:
        ground, speech = self._ground, self._ground.speech
        if refused := self._refused(view):
            speech.tell(refused, "warning")
            return
        try:
            staged = Staged().put(view, value_of(view, text))
        except RefusedError as error:
            speech.tell(f"{view.name}: {error}", "error")
            return
        if not staged.values:
            speech.say(f"{view.name} is {typed(view.value)} already")
            return
        if not await self._wanted(staged, views):
            return
        await ground.call("update_settings", changes=dict(staged.values))
        ground.config = await asyncio.to_thread(ground.reading)
        if staged.values.get("console.read_only"):
            ground.options = replace(ground.options, read_only=True)
        speech.say(applied(views, staged))

    def _refused(self, view: SettingView) -> str:
        """Why a setting cannot be changed from here; empty where it can."""
        if view.fixed:
            return f"{view.name}: {view.source} says it and counts more than any file"
        # Without a value it changes nothing, and is allowed.
        changing = replace(self._command, changes=True)
        return why_not(changing, read_only=self._ground.options.read_only, enabled=True)

    async def _wanted(self, staged: Staged, views: Sequence[SettingView]) -> bool:
        """Whether the operator wants a change after what is likely to be regretted of it.

        Raises:
            ConfigError: It would be refused.
        """
        ground, speech = self._ground, self._ground.speech
        found = await ground.call("options.check", changes=dict(staged.values))
        if found.mistakes:
            raise ConfigError(found.mistakes)
        if not worth_asking(found.cautions, views):
            return True
        staged = replace(staged, cautions=found.cautions)
        lines = change_lines(lines_of(views, staged), staged, ground.glyphs)
        speech.say(*filter(None, map(text_of, lines)))
        return await speech.confirm("Apply it?")
