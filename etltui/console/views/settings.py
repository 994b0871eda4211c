"""Every setting: what it is, may be and comes from; changes are gathered, checked and applied."""

from collections.abc import Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.geometry import Region

from etltui.config.checks import RefusedError
from etltui.config.setting_views import ProfileView, SettingValue, SettingView
from etltui.console.bridge import Moment
from etltui.console.cells import Cell, Row, Styled, joined
from etltui.console.commands import Command, bindings, nearest_word
from etltui.console.model.listing import Field, row_of
from etltui.console.model.setting_rows import fields_of
from etltui.console.model.settings import (
    Line,
    Staged,
    about,
    applied,
    box,
    change_lines,
    lines_of,
    next_value,
    of_console,
    parsed,
    problem,
    profile_lines,
    still,
    typed,
    where_lines,
    worth_asking,
)
from etltui.console.orders import told
from etltui.console.registry import BY_NAME
from etltui.console.view import Desk
from etltui.console.views.list_view import LIST_COMMANDS, ListView
from etltui.console.widgets.lines import Lines
from etltui.console.widgets.table import Table
from etltui.domain.errors import ConfigError
from etltui.domain.words import counted

MINE = (
    Command(
        id="settings.edit",
        keys="enter",
        title="change",
        help="Type another value, or take the next choice; nothing holds before it is applied.",
        changes=True,
    ),
    Command(
        id="settings.apply",
        keys="a",
        title="apply",
        help="Check the changes, let them hold and keep them in the local file.",
        changes=True,
    ),
    Command(
        id="settings.undo",
        keys="u",
        title="undo",
        help="Forget the changes that are not applied.",
        name="undo-changes",
    ),
    Command(
        id="settings.where",
        keys="w",
        title="where from",
        help="Show where the value comes from, and what else could say it.",
    ),
    Command(
        id="settings.profile",
        keys="P",
        title="profile",
        help="Show what each profile would change, and choose one.",
        takes="PROFILE",
        changes=True,
    ),
    Command(
        id="settings.default",
        keys="D",
        title="default",
        help="Change the setting back to its default.",
        changes=True,
        footer=False,
    ),
    Command(
        id="settings.set",
        keys="",
        title="set",
        help="Change a setting by its name.",
        takes="SETTING VALUE",
        changes=True,
        footer=False,
    ),
)
_BOX = 3
_LOOK_S = 10.0
_NEVER = float("-inf")
_NEEDS_CURSOR = frozenset({"settings.edit", "settings.where", "settings.default"})
_NEEDS_CHANGES = frozenset({"settings.apply", "settings.undo"})


class _Choices(Table):
    """Rows that are not selected: what selects elsewhere takes the next choice here."""

    def action_choose(self) -> None:
        """Take the next choice."""
        self.post_message(self.Opened())

    def action_choose_range(self) -> None:
        """Select nothing."""

    def action_choose_all(self) -> None:
        """Select nothing."""


class Settings(ListView[Line]):
    """Shows every setting in groups; what is changed stands beside it until it is applied."""

    NAME = "settings"
    TITLE = "Settings"
    COMMANDS: ClassVar[tuple[Command, ...]] = (*MINE, *LIST_COMMANDS)
    BINDINGS = bindings(MINE)
    DEFAULT_CSS = f"Settings Lines {{ height: {_BOX + 1}; }}"
    FIELDS: ClassVar[Sequence[Field[Line]]] = ()

    def __init__(self, desk: Desk) -> None:
        self.FIELDS = fields_of(desk.look)  # type: ignore[misc]  # they draw with its signs
        super().__init__(desk)
        self.table = _Choices((), desk.look.palette, desk.look.glyphs)
        self.below = Lines(desk.look.palette)
        self._views: tuple[SettingView, ...] | None = None
        self._staged = Staged()
        self._wrong = ""
        self._asked = _NEVER

    def compose(self) -> ComposeResult:
        """The settings, and below them what is said of one."""
        yield self.table
        yield self.below

    def free(self) -> Region:
        """All but what is said of the setting under the cursor."""
        return self.table.region

    def enter(self, argument: str) -> None:
        """Come into sight; an argument is a filter."""
        super().enter(argument)
        self._asked = _NEVER
        if argument:
            self.call_later(self.filter_by, argument)

    def _ask(self, moment: Moment) -> None:
        """Ask now and then how the settings are: somebody else may change them, too."""
        if abs(moment.at - self._asked) >= _LOOK_S and not moment.gone:
            self._asked = moment.at
            self.run_worker(self._read(), name="settings")

    async def _read(self) -> None:
        found: Sequence[SettingView] | None = await self.desk.inquire("options.list")
        if found is not None:
            self._views = tuple(found)
            self._staged = still(self._staged, self._views)
            self.desk.redraw()

    def key(self, record: Line) -> str:
        """The setting's name."""
        return record.view.name

    def records(self, moment: Moment) -> Sequence[Line]:
        """Every setting, and what it is to become."""
        self._ask(moment)
        return lines_of(self._views or (), self._staged)

    def nothing(self) -> Sequence[str]:
        """What stands there without rows."""
        if self._views is None:
            return ("", f"reading {self.desk.look.glyphs.ellipsis}")
        return super().nothing()

    def rows(self, records: Sequence[Line]) -> Sequence[Row]:
        """The settings, in their own order below the names of their groups."""
        fields = self.fields()
        rows: list[Row] = []
        group = ""
        for line in records:
            if not self.sort and line.view.group != group:
                group = line.view.group
                title = Styled(group, "accent")
                rows.append(Row(key=f"group {group}", cells=(title,), heading=True))
            rows.append(row_of(line, line.view.name, fields))
        return rows

    def show(self, moment: Moment) -> None:
        """Show the settings, and what is said of the one under the cursor."""
        super().show(moment)
        self._explain()

    def _explain(self) -> None:
        width, look = max(self.size.width - 2, 20), self.desk.look
        said: list[Cell] = []
        if self.current is not None:
            said = about(self.current, self._staged)
            if self._wrong:
                said = [said[0], Styled(self._wrong, "bad")]
        rule: list[Cell] = [Styled(f" {look.glyphs.rule * width}", "muted")]
        lines = box(said, width, _BOX)
        lines += [[] for _ in range(_BOX - len(lines))]
        self.below.show([rule, *([" ", *line] for line in lines)])

    def restyle(self) -> None:
        """Paint with the colours and signs of the desk."""
        super().restyle()
        self.below.look(self.desk.look.palette, self.desk.look.glyphs.ellipsis)

    def on_resize(self) -> None:
        """Fold what is said anew."""
        self._explain()

    def status(self, moment: Moment) -> tuple[Sequence[Cell], Sequence[Cell]]:
        """How much is changed and not applied, and the profile."""
        del moment
        left: list[Cell] = []
        if self._staged.values:
            left.append(Styled(f"{len(self._staged.values)} changed, not applied", "warn"))
        if self._staged.mistakes:
            left.append(Styled(f"{len(self._staged.mistakes)} refused", "bad"))
        chosen = next((v.value for v in self._views or () if v.name == "profile"), "")
        right: list[Cell] = [f"profile {chosen}"] if chosen else []
        return joined(left), [*self.marks(), *(["  "] if right else []), *right]

    def enabled(self, command: Command) -> bool:
        """Whether a command makes sense now."""
        if command.id in _NEEDS_CURSOR:
            return self.current is not None
        if command.id in _NEEDS_CHANGES:
            return bool(self._staged.values)
        return True

    def action_command(self, command: str) -> None:
        """Do a command; without changes of its own it undoes what others do."""
        if command == "settings.undo" and not self._staged.values:
            self.app.action_command("app.undo")  # type: ignore[attr-defined]  # the console's app
            return
        super().action_command(command)

    def on_table_opened(self) -> None:
        """Change what was clicked."""
        self.action_command("settings.edit")

    def on_table_moved(self) -> None:
        """Let what is said follow the cursor."""
        self._explain()
        super().on_table_moved()

    def _said(self, view: SettingView) -> bool:
        """Whether a setting can be changed here; where not the operator is told."""
        if view.fixed:
            self.desk.tell(
                f"{view.name}: {view.source} says it and counts more than any file; w says more",
                "warning",
            )
        return not view.fixed

    async def do_edit(self, _: str = "") -> None:
        """Take the next choice, or ask for a value; what is wrong with it is said meanwhile."""
        line = self.current
        if line is None or not self._said(line.view):
            return
        view = line.view
        if view.kind in ("choice", "flag"):
            await self._stage(view, next_value(view, line.wanted))
            return

        def changed(text: str) -> None:
            self._wrong = problem(view, text)
            self._explain()

        choices = self._known(view)
        text = await self.desk.ask(
            f"{view.name}: ", text=typed(line.wanted), changed=changed, choices=choices
        )
        self._wrong = ""
        if text is not None:
            await self._take(view, text)
        self._explain()

    def _known(self, view: SettingView) -> Sequence[str]:
        """Words that may be typed for a setting that is text."""
        if view.name == "console.start":
            return tuple(BY_NAME)
        return () if view.kind in ("whole", "number") else (typed(view.default),)

    async def _take(self, view: SettingView, text: str) -> None:
        try:
            value = parsed(view, text)
        except RefusedError as error:
            self.desk.tell(f"{view.name}: {error}", "error")
        else:
            await self._stage(view, value)

    async def _stage(self, view: SettingView, value: SettingValue) -> None:
        self._staged = self._staged.put(view, value)
        self.desk.redraw()
        await self._check()

    async def _check(self) -> bool:
        """Have the engine say what the changes would meet; whether it answered."""
        staged = self._staged
        if not staged.values:
            return True
        found: Any = await self.desk.inquire("options.check", changes=dict(staged.values))
        if found is None:
            return False
        if self._staged is staged:
            self._staged = Staged(
                values=staged.values, mistakes=found.mistakes, cautions=found.cautions
            )
            self.desk.redraw()
        return True

    async def do_apply(self, _: str = "") -> None:
        """Check the changes, and let them hold if the operator still wants them."""
        if not await self._check():
            return
        staged, views = self._staged, self._views or ()
        if staged.mistakes:
            self.desk.tell(told(ConfigError(staged.mistakes)), "error")
            return
        if worth_asking(staged.cautions, views):
            lines = change_lines(lines_of(views, staged), staged, self.desk.look.glyphs)
            title = f"Apply {counted(len(staged.values), 'change')}?"
            if not await self.desk.choose(title, lines, {"enter": "apply"}):
                return
        if not await self.desk.attempt("update_settings", changes=dict(staged.values)):
            return
        self._staged = Staged()
        await self.desk.reread(of_console(staged.values))
        await self._read()
        self.desk.tell(applied(views, staged))

    async def do_undo(self, _: str = "") -> None:
        """Forget the changes that are not applied."""
        count = len(self._staged.values)
        self._staged = Staged()
        self.desk.redraw()
        self.desk.tell(f"{counted(count, 'change')} forgotten")

    async def do_where(self, _: str = "") -> None:
        """Show where the value comes from."""
        if self.current is not None:
            view = self.current.view
            lines = where_lines(view, self.desk.config.path, self.desk.look.glyphs)
            self.desk.page(view.name, lines)

    async def do_default(self, _: str = "") -> None:
        """Change the setting back to its default."""
        if self.current is not None and self._said(self.current.view):
            await self._stage(self.current.view, self.current.view.default)

    async def do_profile(self, text: str = "") -> None:
        """Show what the profiles would change, and take one."""
        found: Sequence[ProfileView] | None = await self.desk.inquire("options.profiles")
        view = next((each for each in self._views or () if each.name == "profile"), None)
        if found is None or view is None or not self._said(view):
            return
        if text:
            await self._take(view, "" if text == "none" else text)
            return
        answers = {str(n): each.name or "none" for n, each in enumerate(found, start=1)}
        lines = profile_lines(found, self.desk.look.glyphs)
        key = await self.desk.choose("Which profile?", lines, answers)
        if key:
            await self._stage(view, found[int(key) - 1].name)
            self.table.go_to(view.name)

    async def do_set(self, text: str = "") -> None:
        """Change a setting by its name."""
        name, _, value = text.partition(" ")
        view = next((each for each in self._views or () if each.name == name), None)
        if view is None:
            near = nearest_word(name, [each.name for each in self._views or ()])
            hint = f"; did you mean {near}?" if near else ""
            self.desk.tell(f"there is no setting {name!r}{hint}", "error")
        elif self._said(view):
            await self._take(view, value)
            self.table.go_to(name)


VIEW = Settings
