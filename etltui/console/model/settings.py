"""Settings in words: values, changes that are not applied yet, and what is said of each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from etltui.config.advice import Caution
from etltui.config.checks import RefusedError
from etltui.config.document import local_path
from etltui.config.setting_views import (
    CONSOLE,
    ProfileView,
    SettingValue,
    SettingView,
    all_rules,
    place_of,
)
from etltui.console.cells import Cell, Styled, folded, role_of, text_of
from etltui.console.glyphs import Glyphs
from etltui.console.model.before import said
from etltui.domain.errors import Mistake
from etltui.domain.words import counted

_YES, _NO = ("true", "on", "yes", "x"), ("false", "off", "no")
_ORIGINS: Mapping[str, str] = {
    "default": "nobody says it: the default holds",
    "profile": "the profile {note} says it",
    "file": "the configuration file says it",
    "local": "the local file says it, which is laid over the configuration file",
    "environment": "the variable {note} says it, which counts more than any file",
    "flag": "a flag of the command that started the engine says it, which counts more than any "
    "file",
    "measured": "it is measured: {note}",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A setting on the screen.

    Attributes:
        wanted: What it is to become; as it is where nothing is changed.
        refused: Why it cannot become that, empty where it can.
    """

    view: SettingView
    wanted: SettingValue
    refused: str = ""

    @property
    def changed(self) -> bool:
        """Whether it is to become something else."""
        return self.wanted != self.view.value


@dataclass(frozen=True, kw_only=True, slots=True)
class Staged:
    """Changes that are not applied yet.

    Attributes:
        values: From a setting's name to what it is to become.
        mistakes: Why some of them would be refused.
        cautions: What is likely to be regretted of them.
    """

    values: Mapping[str, SettingValue] = field(default_factory=dict)
    mistakes: tuple[Mistake, ...] = ()
    cautions: tuple[Caution, ...] = ()

    def put(self, view: SettingView, value: SettingValue) -> "Staged":
        """With another change; what a setting is already is none."""
        rest = {name: known for name, known in self.values.items() if name != view.name}
        return Staged(values=rest if value == view.value else {**rest, view.name: value})

    def refused(self, name: str) -> str:
        """Why a change would be refused; empty where it would not."""
        return next((f"{m.problem}. {m.way_out}" for m in self.mistakes if m.key == name), "")

    def cautions_of(self, name: str) -> tuple[Caution, ...]:
        """What is likely to be regretted of a change."""
        key = ".".join(place_of(name))
        return tuple(each for each in self.cautions if each.key == key)


def lines_of(views: Iterable[SettingView], staged: Staged) -> list[Line]:
    """The settings with what they are to become."""
    return [
        Line(
            view=view,
            wanted=staged.values.get(view.name, view.value),
            refused=staged.refused(view.name) if view.name in staged.values else "",
        )
        for view in views
    ]


def still(staged: Staged, views: Iterable[SettingView]) -> Staged:
    """The changes that are changes still; somebody else may have made them meanwhile."""
    known = {view.name: view.value for view in views}
    values = {
        name: value
        for name, value in staged.values.items()
        if name in known and value != known[name]
    }
    return staged if len(values) == len(staged.values) else Staged(values=values)


def parsed(view: SettingView, text: str) -> SettingValue:
    """What was typed, as a value of the setting.

    Raises:
        RefusedError: It is none; the error says what is allowed.
    """
    value: object = text.strip()
    if view.kind in ("whole", "number"):
        value = _number(text.strip(), whole=view.kind == "whole")
    elif view.kind == "flag":
        word = text.strip().lower()
        value = True if word in _YES else False if word in _NO else text.strip()
    found: SettingValue = all_rules()[view.name].check(value)
    return found


def _number(text: str, *, whole: bool) -> object:
    """A number, or the text where it is none: the check says so in its own words."""
    plain = text.replace(",", "").replace("_", "").replace(" ", "")
    try:
        return int(plain) if whole else float(plain)
    except ValueError:
        return text


def problem(view: SettingView, text: str) -> str:
    """Why what was typed is no value of the setting, in a sentence; empty where it is one."""
    try:
        parsed(view, text)
    except RefusedError as error:
        return str(error)
    return ""


def next_value(view: SettingView, value: SettingValue) -> SettingValue:
    """The choice behind this one, or the other state of a flag; as it is for what is typed."""
    if view.kind == "flag":
        return not value
    if view.kind == "choice":
        at = view.choices.index(str(value)) + 1 if value in view.choices else 0
        return view.choices[at % len(view.choices)]
    return value


def typed(value: SettingValue) -> str:
    """A value as it is typed."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def told(value: SettingValue, glyphs: Glyphs) -> str:
    """A value as it is read."""
    if isinstance(value, bool):
        return glyphs.box_on if value else glyphs.box_off
    return typed(value) or glyphs.none


def about(line: Line, staged: Staged) -> list[Cell]:
    """What is said of the setting under the cursor: its sentence, its range, what to think of."""
    view = line.view
    what = f"{view.name}: {view.help}"
    if view.low is not None or view.kind == "choice":
        what += f" Allowed: {view.allowed}."
    found: list[Cell] = [what]
    if line.refused:
        found.append(Styled(line.refused, "bad"))
    cautions = staged.cautions_of(view.name) if line.changed else ()
    found += [Styled(f"{each.problem}. {each.way_out}", "warn") for each in cautions]
    if view.fixed:
        found.append(Styled(f"{origin_words(view).capitalize()}.", "warn"))
    elif view.restart and not line.changed:
        found.append(Styled("Another value holds from the next start on.", "muted"))
    return found


def box(parts: Sequence[Cell], width: int, height: int) -> list[list[Cell]]:
    """Texts folded into so many lines at most; what warns is never pushed out by what explains."""
    made: list[list[Cell]] = []
    for part in parts:
        role = role_of(part)
        made.append([Styled(each, role) for each in folded(text_of(part), max(width, 20))])
    rest = sum(len(each) for each in made[1:])
    first = made[0][: max(height - rest, 1)] if made else []
    flat = [*first, *(line for each in made[1:] for line in each)]
    return [[line] for line in flat[:height]]


def origin_words(view: SettingView) -> str:
    """Where a value comes from, as a sentence begins."""
    return _ORIGINS[view.origin].format(note=view.note)


def where_lines(view: SettingView, config: Path, glyphs: Glyphs) -> list[Cell]:
    """Where a setting comes from, who could say it, and when another value holds.

    Args:
        view: The setting.
        config: The configuration file.
        glyphs: Signs.
    """
    facts = [
        said("Value", told(view.value, glyphs)),
        said("Default", told(view.default, glyphs)),
        said("Allowed", view.allowed),
        said("From", origin_words(view)),
    ]
    section, key = place_of(view.name)
    files = [
        said("File", f"[{section}] {key} in {config}"),
        said("Local file", f"{local_path(config)}: what is applied here is written there"),
        said("Variable", view.environment or "none can say it"),
        said("Holds", "from the next start on" if view.restart else "at once"),
    ]
    lines: list[Cell] = [view.help, "", *facts, "", *files, ""]
    lines.append(
        "What counts, the weakest first: default, profile, file, local file, variable, flag."
    )
    if view.fixed:
        way_out = "To change it, start the engine again without that " + (
            "variable." if view.origin == "environment" else "flag."
        )
        lines.append(Styled(way_out, "warn"))
    return lines


def profile_lines(profiles: Sequence[ProfileView], glyphs: Glyphs) -> list[Cell]:
    """Each profile behind its key, with what choosing it would change."""
    lines: list[Cell] = []
    for key, each in enumerate(profiles, start=1):
        name = each.name or "none"
        mark = Styled(f"{key}  {name}  (chosen)", "accent") if each.chosen else f"{key}  {name}"
        lines.append(mark)
        if each.why:
            lines.append(Styled(f"   {each.why}", "muted"))
        changes = [
            f"   {setting}  {told(now, glyphs)} {glyphs.arrow} {told(then, glyphs)}"
            for setting, (now, then) in each.changes.items()
        ]
        lines += changes or [Styled("   changes nothing", "muted")]
        lines.append("")
    return lines


def change_lines(lines: Iterable[Line], staged: Staged, glyphs: Glyphs) -> list[Cell]:
    """The changes and what is likely to be regretted of them, before they are applied."""
    found: list[Cell] = [
        f"{line.view.name}  {told(line.view.value, glyphs)} {glyphs.arrow} "
        f"{told(line.wanted, glyphs)}"
        for line in lines
        if line.changed
    ]
    return [*found, "", *(Styled(f"{glyphs.warning} {each}", "warn") for each in staged.cautions)]


def applied(views: Iterable[SettingView], staged: Staged) -> str:
    """What was done, and what of it holds only from the next start on."""
    late = sorted(view.name for view in views if view.restart and view.name in staged.values)
    now = len(staged.values) - len(late)
    parts = [f"{counted(now, 'setting')} hold{'s' if now == 1 else ''} now"] if now else []
    if late:
        parts.append(f"{', '.join(late)} from the next start on")
    return "; ".join(parts)


def worth_asking(cautions: Iterable[Caution], views: Iterable[SettingView]) -> bool:
    """Whether there is more to think of than that something waits for the next start."""
    late = {".".join(place_of(view.name)) for view in views if view.restart}
    return any(each.key not in late for each in cautions)


def of_console(names: Iterable[str]) -> tuple[str, ...]:
    """The console's own among settings, as its configuration calls them."""
    return tuple(name.removeprefix(CONSOLE) for name in names if name.startswith(CONSOLE))
