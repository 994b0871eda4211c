"""The columns of the list of settings, and what a setting's row says in them."""

from typing import Protocol

from etltui.config.setting_views import SettingView
from etltui.console.cells import Cell, Styled
from etltui.console.glyphs import Glyphs
from etltui.console.model.listing import Field
from etltui.console.model.settings import Line, told


class Signs(Protocol):
    """Has the signs that are drawn now."""

    @property
    def glyphs(self) -> Glyphs:
        """They."""
        ...


def value_cell(line: Line, glyphs: Glyphs) -> Cell:
    """The value, and what it is to become."""
    now = told(line.view.value, glyphs)
    if not line.changed:
        return now
    text = f"{now} {glyphs.arrow} {told(line.wanted, glyphs)}"
    return Styled(text, "bad" if line.refused else "accent")


def allowed(view: SettingView, glyphs: Glyphs) -> str:
    """The range or the choices in as few characters as can be."""
    if view.kind == "flag":
        return "on off"
    if view.kind == "choice":
        return " ".join(choice for choice in view.choices if choice)
    if view.low is None or view.high is None:
        return "zone" if view.kind == "zone" else "text"
    zero = "0, " if view.or_zero else ""
    high = int(view.high) if view.high == int(view.high) else view.high
    return f"{zero}{view.low:g}{glyphs.none}{high}"


def source_cell(view: SettingView) -> Cell:
    """Where the value comes from: what cannot be changed here stands out."""
    if view.fixed:
        return Styled(f"env {view.note}" if view.origin == "environment" else view.source, "warn")
    return Styled(view.source, "muted") if view.origin == "default" else view.source


def fields_of(look: Signs) -> tuple[Field[Line], ...]:
    """The columns, drawn with the signs that a look has at the time."""
    return (
        Field(
            id="setting",
            title="SETTING",
            width=22,
            cell=lambda line: f" {line.view.name}",
            keep=True,
        ),
        Field(id="value", title="VALUE", width=17, cell=lambda line: value_cell(line, look.glyphs)),
        Field(
            id="allowed",
            title="ALLOWED",
            width=12,
            cell=lambda line: Styled(allowed(line.view, look.glyphs), "muted"),
            below=56,
        ),
        Field(
            id="from",
            title="FROM",
            width=12,
            cell=lambda line: source_cell(line.view),
            flexible=True,
        ),
        Field(
            id="meaning",
            title="MEANING",
            width=28,
            cell=lambda line: Styled(line.view.help, "muted"),
            flexible=True,
            below=110,
        ),
    )
