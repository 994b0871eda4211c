"""Colours by meaning: from a theme to the styles of lines."""

from dataclasses import dataclass

from rich.style import Style
from textual.theme import Theme as ScreenTheme

from etltui.config.themes import Theme

ROLES = ("", "ok", "busy", "warn", "bad", "muted", "accent")


@dataclass(frozen=True, slots=True)
class Palette:
    """The styles of a theme.

    Attributes:
        plain: From a role to its style.
        chosen: … on the line of the cursor.
        bar: Of status line and footer, by role.
        head: Of a table's head.
    """

    plain: dict[str, Style]
    chosen: dict[str, Style]
    bar: dict[str, Style]
    head: Style


def _colourless() -> Palette:
    """Without any colour: weight and reverse video only."""
    weight = {"bad": Style(bold=True), "warn": Style(bold=True), "accent": Style(bold=True)}
    plain = {role: weight.get(role, Style()) for role in ROLES}
    reverse = Style(reverse=True)
    chosen = {role: style + reverse for role, style in plain.items()}
    return Palette(plain, chosen, plain, Style(underline=True))


def palette(theme: Theme, *, colours: bool = True) -> Palette:
    """The styles of a theme; without colours weight and reverse video stand for them."""
    if not colours:
        return _colourless()

    def on(background: str) -> dict[str, Style]:
        return {
            role: Style(color=getattr(theme, role or "text"), bgcolor=background) for role in ROLES
        }

    plain, bar = on(theme.background), on(theme.surface)
    return Palette(plain, on(theme.selection), bar, plain["muted"])


def screen_theme(theme: Theme) -> ScreenTheme:
    """The theme as the screen's own widgets (inputs, toasts, scroll bars) take it."""

    def colour(name: str) -> str:
        value: str = getattr(theme, name)
        # The terminal's own sixteen have a prefix there.
        return value if value.startswith("#") else f"ansi_{value}"

    return ScreenTheme(
        name=theme.name,
        primary=colour("accent"),
        secondary=colour("busy"),
        accent=colour("accent"),
        warning=colour("warn"),
        error=colour("bad"),
        success=colour("ok"),
        foreground=colour("text"),
        background=colour("background"),
        surface=colour("surface"),
        panel=colour("surface"),
        dark=theme.dark,
        ansi=theme.ansi,
        variables={
            "muted": colour("muted"),
            "selection": colour("selection"),
            # Textual's own widgets ask for these of a theme of the terminal's colours.
            "ansi-background": colour("background"),
            "ansi-foreground": colour("text"),
        },
    )
