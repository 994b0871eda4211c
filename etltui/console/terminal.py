"""What this terminal can: a pure decision from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["screen", "linear", "none"]
Colour = Literal["truecolor", "256", "16", "none"]

LEAST = (20, 6)
"""Columns and lines under which nothing can be drawn that says anything."""

_PLAIN = ("", "dumb", "unknown", "emacs")
_FEW_GLYPHS = ("linux", "vt100", "vt102", "vt220", "ansi", "cons25")
"""Terminals whose fonts have few characters besides ASCII, whatever the locale says."""
_FULL = ("kitty", "alacritty", "wezterm", "foot", "ghostty", "direct")


@dataclass(frozen=True, kw_only=True, slots=True)
class Terminal:
    """What may be drawn.

    Attributes:
        kind: A whole screen, lines only, or nothing: there is no terminal.
        colour: The most that it shows; with `none` no colour code may be written at all.
        unicode: Whether characters besides ASCII can be drawn.
        why: Why it is no screen, as the operator should read it; empty for a screen.
    """

    kind: Kind
    colour: Colour
    unicode: bool
    why: str = ""


def terminal(
    environ: Mapping[str, str],
    *,
    tty: bool,
    encoding: str,
    size: tuple[int, int] = (0, 0),
) -> Terminal:
    """What the terminal can.

    Args:
        environ: Its variables: TERM, COLORTERM, NO_COLOR, LC_ALL, LC_CTYPE, LANG.
        tty: Whether both input and output are a terminal.
        encoding: Of the output.
        size: Columns and lines; 0 where that is not known.
    """
    kind, why = _kind(environ, tty=tty, size=size)
    return Terminal(
        kind=kind, colour=_colour(environ), unicode=_unicode(environ, encoding), why=why
    )


def _kind(environ: Mapping[str, str], *, tty: bool, size: tuple[int, int]) -> tuple[Kind, str]:
    name = environ.get("TERM", "")
    if not tty:
        return "none", "there is no terminal here to draw on"
    if name in _PLAIN:
        said = f"TERM is {name!r}" if name else "TERM is not set"
        return "linear", f"{said}: nobody knows whether this terminal can draw a screen"
    if any(0 < has < least for has, least in zip(size, LEAST, strict=True)):
        return "linear", f"this terminal has {size[0]} columns and {size[1]} lines only"
    return "screen", ""


def _colour(environ: Mapping[str, str]) -> Colour:
    name = environ.get("TERM", "")
    # An empty one says nothing, see no-color.org.
    if environ.get("NO_COLOR") or name in _PLAIN or name.endswith("-m"):
        return "none"
    if name in _FEW_GLYPHS or name.endswith("-16color"):
        return "16"
    full = environ.get("COLORTERM", "").lower() in ("truecolor", "24bit")
    if full or any(word in name for word in _FULL):
        return "truecolor"
    return "256" if "256" in name else "16"


def _unicode(environ: Mapping[str, str], encoding: str) -> bool:
    if environ.get("TERM", "") in _FEW_GLYPHS:
        return False
    if encoding.lower().replace("-", "").replace("_", "") != "utf8":
        return False
    character_type = environ.get("LC_CTYPE", "")
    if character_type in ("C.UTF-8", "C.utf8", "UTF-8") and not environ.get("LC_ALL"):
        # Python itself says so in a C locale (PEP 538); of the terminal it knows nothing.
        character_type = ""
    said = environ.get("LC_ALL") or character_type or environ.get("LANG", "")
    return said not in ("", "C", "POSIX")
