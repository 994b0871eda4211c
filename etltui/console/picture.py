"""The screen as a file: what stands there, and nothing that was not to be seen."""

import re
from typing import Protocol

from textual.screen import Screen

_FONTS = re.compile(r"@font-face\s*\{[^}]*\}")


class Shown(Protocol):
    """An app that is drawn."""

    @property
    def screen(self) -> Screen[object]:
        """What is shown."""
        ...

    def export_screenshot(self, *, title: str | None = None) -> str:
        """The screen as SVG."""
        ...


def of_screen(app: Shown, *, svg: bool) -> str:
    """The screen as SVG, or as text."""
    if svg:
        # Fonts come from the machine that shows the picture, not from somebody's server.
        return _FONTS.sub("", app.export_screenshot(title="etltui"))
    strips = app.screen._compositor.render_strips()  # noqa: SLF001 - there is no public way to it
    return "".join(strip.text.rstrip() + "\n" for strip in strips)
