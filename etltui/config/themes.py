"""Colour themes: files that say which colour stands for which meaning."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from etltui.config.checks import Flag, RefusedError, check_name, filled, nearest_or_all, shown
from etltui.config.document import said
from etltui.config.table import Notebook, Table
from etltui.domain.errors import ConfigError, Mistake

FOLDER = "themes"
LEGIBLE = 4.5
"""Contrast that the guidelines for accessible content (WCAG 2, level AA) ask of text."""
COLOURS = (
    "background",
    "surface",
    "text",
    "muted",
    "accent",
    "ok",
    "busy",
    "warn",
    "bad",
    "selection",
)
"""The colours of a theme, each named by what it means."""
WORDS = ("text", "muted", "accent", "ok", "busy", "warn", "bad")
"""Those of them in which something is written."""

_PLAIN = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
TERMINAL = ("default", *_PLAIN, *(f"bright_{name}" for name in _PLAIN))
"""The colours that every terminal has, as its own user has chosen them."""

_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_PACKAGE = Path(__file__).parent.parent


@dataclass(frozen=True, kw_only=True, slots=True)
class Theme:
    """Which colour stands for which meaning.

    A colour is `#rrggbb`, or one of `TERMINAL` where `ansi` is set.

    Attributes:
        name: What `console.theme` says.
        dark: Whether light text stands on a dark ground.
        ansi: Whether only the sixteen colours of the terminal are used.
        background: The ground of everything.
        surface: The ground of the status line and the footer.
        text: What is written.
        muted: … and matters less.
        accent: Keys, the cursor, the field that has the focus.
        ok: Done.
        busy: At work.
        warn: Worth a look.
        bad: Failed.
        selection: The ground of the selected row.
    """

    name: str
    dark: bool
    ansi: bool
    background: str
    surface: str
    text: str
    muted: str
    accent: str
    ok: str
    busy: str
    warn: str
    bad: str
    selection: str


def _hex(value: object) -> str:
    colour = filled(value)
    if not _HEX.fullmatch(colour):
        raise RefusedError(
            f"{shown(colour)} is no colour",
            'Write it as "#1a2b3c", or set ansi = true for the colours of the terminal',
        )
    return colour.lower()


def _of_terminal(value: object) -> str:
    colour = filled(value)
    if colour not in TERMINAL:
        raise RefusedError(
            f"{shown(colour)} is no colour of the terminal",
            nearest_or_all(colour, TERMINAL),
        )
    return colour


def _name(value: object) -> str:
    name = filled(value)
    check_name(name)
    return name


def load_theme(path: Path) -> Theme:
    """The theme that a file says.

    Raises:
        ConfigError: All mistakes in it at once.
    """
    values = said(path)
    if values is None:
        values = Mistake(where=str(path), key="", problem="there is no such file")
    if isinstance(values, Mistake):
        raise ConfigError([values])
    book = Notebook(lambda _: str(path))
    table = Table(values, "", book)
    ansi = table.read("ansi", Flag(), default=False)
    check = _of_terminal if ansi else _hex
    example = 'Write a name such as "blue"' if ansi else 'Write it as "#1a2b3c"'
    theme = Theme(
        name=table.need("name", _name, "", "Write the name that console.theme shall say"),
        dark=table.need("dark", Flag(), False, "Write true or false"),  # noqa: FBT003 - its default
        ansi=ansi,
        **{name: table.need(name, check, "", example) for name in COLOURS},
    )
    table.finish()
    if book.mistakes:
        raise ConfigError(book.mistakes)
    return theme


def shipped() -> Path:
    """The folder of the themes that come along: in the package, or beside it in a checkout."""
    inside = _PACKAGE / FOLDER
    return inside if inside.is_dir() else _PACKAGE.parent / FOLDER


def folders_of(config: Path) -> tuple[Path, Path]:
    """Where themes are: those that come along, and the operator's own beside the configuration."""
    return shipped(), config.parent / FOLDER


def themes(folders: Iterable[Path]) -> tuple[Mapping[str, Theme], tuple[Mistake, ...]]:
    """All themes by name, and why others cannot be used. Never raises.

    Args:
        folders: A theme of a later one takes the place of one of the same name. A folder may be
            missing.
    """
    found: dict[str, Theme] = {}
    mistakes: list[Mistake] = []
    for folder in folders:
        here: dict[str, Path] = {}
        for path in _files(folder):
            try:
                theme = load_theme(path)
            except ConfigError as error:
                mistakes.extend(error.mistakes)
                continue
            first = here.setdefault(theme.name, path)
            if first is path:
                found[theme.name] = theme
            else:
                problem = f"{shown(theme.name)} is the name of {first.name} too"
                way_out = "Give each its own name"
                mistakes.append(
                    Mistake(where=str(path), key="name", problem=problem, way_out=way_out),
                )
    return found, tuple(mistakes)


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == ".toml")
    except OSError:  # no folder, or none that may be read: then it has no themes
        return []


def _luminance(colour: str) -> float:
    """How light a colour is, from 0 to 1, as WCAG 2 reckons it."""

    def linear(part: str) -> float:
        value = int(part, 16) / 255
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(colour[at : at + 2]) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast of two colours as `#rrggbb`: from 1 (none) to 21 (black and white)."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def faint(theme: Theme) -> tuple[str, ...]:
    """The colours of a theme that are hard to read on its background; none can be told of ansi."""
    if theme.ansi:
        return ()
    return tuple(
        name for name in WORDS if contrast(getattr(theme, name), theme.background) < LEGIBLE
    )
