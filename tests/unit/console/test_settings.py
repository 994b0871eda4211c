"""The settings on the screen: changed, checked, applied, undone."""

import asyncio
from functools import partial

import pytest

import console_world as cw
from etltui.config.advice import Caution
from etltui.config.load import load
from etltui.config.local import write_local
from etltui.config.setting_views import place_of, profile_views, views
from etltui.domain.errors import ConfigError, Mistake
from etltui.engine.options import Verdict


class Engine(cw.FakeEngine):
    """Does in a thread what an answer leaves to be done there: files are read and written."""

    async def call(self, name, /, **arguments):
        found = await super().call(name, **arguments)
        return await asyncio.to_thread(found) if isinstance(found, partial) else found


class Kept:
    """An engine's settings: what is applied is written into the local file."""

    def __init__(self, folder, environ=None):
        self.environ = environ or {}
        self.config = cw.configured(folder)
        self.verdict = Verdict()
        self.engine = Engine()
        self.engine.answers.update(
            {
                "options.list": lambda: partial(self.read, views),
                "options.profiles": lambda: partial(self.read, profile_views),
                "options.check": lambda **_: self.verdict,
                "update_settings": lambda changes: partial(self.change, changes),
            }
        )

    def read(self, what):
        return what(load(self.config.path, environ=self.environ))

    def change(self, changes):
        for name, value in changes.items():
            section, key = place_of(name)
            write_local(self.config.path, {section: {key: value}})


@pytest.fixture
def kept(tmp_path):
    return Kept(tmp_path)


async def shown(world):
    await world.press("comma")
    await world.settle()


async def to(world, name):
    """Put the cursor on a setting."""
    world.app.view.table.go_to(name)
    await world.settle()


def row(world, name):
    return next(line for line in world.lines if line.strip().startswith(f"{name} "))


async def test_shows_every_setting_in_groups_with_range_and_origin(tmp_path, kept):
    """S0-85…S0-90, S0-130: limits and features to see."""
    async with cw.console(tmp_path, config=kept.config, engine=kept.engine) as world:
        await shown(world)
        assert world.lines[2].startswith(" CONNECTIONS ──")
        assert row(world, "connection_timeout_s").split() == [
            "connection_timeout_s",
            "30",
            "1–300",
            "default",
        ]
        assert "Seconds that opening a session may take. Allowed: 1 to" in world.text
        data = world.lines[2 : world.lines.index(next(x for x in world.lines if x[:3] == " ──"))]
        assert len(data) >= 16


async def test_a_value_is_checked_while_it_is_typed_and_waits_to_be_applied(tmp_path, kept):
    """S0-91, S0-92: kept and applied at once; the range is said while it is typed."""
    async with cw.console(tmp_path, config=kept.config, engine=kept.engine) as world:
        await shown(world)
        await to(world, "pool_size")
        await world.press("enter", "0")
        assert "200 is out of range. Allowed: 1 to 100" in world.text
        await world.press("enter")
        await world.worked()
        assert world.told[-1] == "pool_size: 200 is out of range. Allowed: 1 to 100"
        assert "20 →" not in world.text
        await world.press("enter", "backspace", "backspace", *"30", "enter")
        await world.worked()
        assert "20 → 30" in row(world, "pool_size")
        assert "1 changed, not applied" in world.lines[0]
        assert world.asked("update_settings") == []
        await world.press("a")
        await world.worked()
        assert world.asked("update_settings") == [{"changes": {"pool_size": 30}}]
        assert row(world, "pool_size").split()[1:] == ["30", "1–100", "local"]
        assert world.told[-1] == "1 setting holds now"
        assert world.app.config.settings.pool_size == 30
        assert "not applied" not in world.text


async def test_flags_and_choices_turn_with_enter_and_space_and_undo_forgets(tmp_path, kept):
    async with cw.console(tmp_path, config=kept.config, engine=kept.engine) as world:
        await shown(world)
        await to(world, "log_level")
        await world.press("enter", "space")
        await world.worked()
        assert "info → error" in row(world, "log_level")
        await to(world, "streaming")
        await world.press("space")
        await world.worked()
        assert "[x] → [ ]" in row(world, "streaming")
        assert "2 changed" in world.lines[0]
        await world.press("asterisk", "V", "u")
        await world.worked()
        assert world.told[-1] == "2 changes forgotten"
        assert "→" not in world.text
        await world.press("u")
        await world.worked()
        assert world.told[-1] == "there is nothing to undo"


async def test_what_a_variable_says_is_not_changed_but_explained(tmp_path):
    """S0-93."""
    environ = {"MAX_CONCURRENT_CONNECTIONS": "60"}
    kept = await asyncio.to_thread(Kept, tmp_path, environ)
    async with cw.console(tmp_path, config=kept.config, engine=kept.engine) as world:
        await shown(world)
        await to(world, "max_connections")
        assert "env MAX_CONCURRENT" in row(world, "max_connections")
        await world.press("enter")
        await world.worked()
        assert "counts more than any file" in world.told[-1]
        await world.press("w")
        assert "the variable MAX_CONCURRENT_CONNECTIONS says it" in world.text
        await world.press("escape")
        await to(world, "pool_size")
        await world.press("D")
        await world.worked()
        assert "→" not in world.text


async def test_cautions_are_read_before_anything_is_applied(tmp_path, kept):
    kept.verdict = Verdict(
        cautions=(Caution(key="settings.pool_size", problem="some will wait", way_out="Raise it"),)
    )
    async with cw.console(tmp_path, config=kept.config, engine=kept.engine, size=cw.LARGE) as world:
        await shown(world)
        await world.press("colon")
        await world.type("set")
        await world.press("space", *"pool", "underscore", *"size", "space", *"30", "enter")
        await world.worked()
        assert "some will wait. Raise it" in world.text
        await world.press("a")
        await world.settle()
        assert "Apply 1 change?" in world.text
        await world.press("escape")
        await world.worked()
        assert world.asked("update_settings") == []
        await world.press("a")
        await world.settle()
        await world.press("enter")
        await world.worked()
        assert len(world.asked("update_settings")) == 1


async def test_changes_that_would_be_refused_are_not_applied(tmp_path, kept):
    wrong = Mistake(where="settings", key="pool_size", problem="it is taken", way_out="Leave it")
    kept.verdict = Verdict(mistakes=(wrong,))
    async with cw.console(tmp_path, config=kept.config, engine=kept.engine) as world:
        await shown(world)
        world.app.view.table.go_to("pool_size")
        await world.press("enter", *"0", "backspace", "backspace", *"5", "enter")
        await world.worked()
        assert "1 refused" in world.lines[0]
        assert "it is taken. Leave it" in world.text
        await world.press("a")
        await world.worked()
        assert world.asked("update_settings") == []
        assert "it is taken" in world.told[-1]


async def test_a_refused_order_keeps_the_changes(tmp_path, kept):
    wrong = Mistake(where="local", key="file", problem="it cannot be written", way_out="Make room")
    kept.engine.answers["update_settings"] = ConfigError([wrong])
    async with cw.console(tmp_path, config=kept.config, engine=kept.engine) as world:
        await shown(world)
        await to(world, "streaming")
        await world.press("enter", "a")
        await world.worked()
        assert "cannot be written" in world.told[-1]
        assert "1 changed, not applied" in world.lines[0]
        kept.engine.answers["options.check"] = ConfigError([wrong])
        await world.press("a")
        await world.worked()
        assert len(world.asked("update_settings")) == 1


async def test_the_consoles_own_settings_hold_at_once(tmp_path, kept):
    async with cw.console(tmp_path, config=kept.config, engine=kept.engine) as world:
        await shown(world)
        await to(world, "console.glyphs")
        await world.press("enter", "enter", "a")
        await world.worked()
        assert world.app.look.glyphs.rule == "-"
        assert "CONSOLE ---" in world.text
        await world.press("colon")
        await world.type("set")
        await world.press("space", *"console", "full_stop", *"theme", "space")
        await world.type("terminal-dark")
        await world.press("enter", "a")
        await world.worked()
        assert world.app.look.theme.name == "terminal-dark"
        assert world.app.config.console.theme == "terminal-dark"
        await to(world, "console.read_only")
        await world.press("enter", "a")
        await world.worked()
        assert world.app.desk.read_only
        await world.press("enter")
        await world.worked()
        assert "only shows" in world.told[-1]


async def test_a_profile_is_chosen_with_what_it_changes_in_sight(tmp_path, kept):
    async with cw.console(tmp_path, config=kept.config, engine=kept.engine) as world:
        await shown(world)
        await world.press("P")
        await world.settle()
        assert "1  none  (chosen)" in world.text
        await world.press("2")
        await world.worked()
        assert "branches_50" in row(world, "profile")
        await world.press("a")
        await world.worked()
        assert "profile branches_50" in world.lines[0]
        await world.press("colon")
        await world.type("profile none")
        await world.press("enter")
        await world.worked()
        assert "branches_50 → –" in row(world, "profile")
        await world.press("colon")
        await world.type("profile x")
        await world.press("enter")
        await world.worked()
        assert "none of the choices" in world.told[-1]


async def test_settings_are_filtered_sorted_and_found_by_name(tmp_path, kept):
    async with cw.console(
        tmp_path, config=kept.config, engine=kept.engine, terminal=cw.ASCII, size=(60, 20)
    ) as world:
        await world.press("colon")
        await world.type("settings pool")
        await world.press("enter")
        await world.worked()
        await world.settle()
        assert "/pool" in world.lines[0]
        assert "max_jobs" not in world.text
        await world.press("s")
        assert "CONNECTIONS --" not in world.text
        await world.press("colon")
        await world.type("set pool")
        await world.press("enter")
        await world.worked()
        assert "there is no setting 'pool'" in world.told[-1]


async def test_what_somebody_else_changes_is_seen_while_the_view_is_open(tmp_path, kept):
    async with cw.console(tmp_path, config=kept.config, engine=kept.engine, size=cw.LARGE) as world:
        await shown(world)
        await to(world, "max_jobs")
        await world.press("enter", "backspace", "backspace", "5", "enter")
        await world.worked()
        assert "10 → 5" in row(world, "max_jobs")
        await asyncio.to_thread(kept.change, {"max_jobs": 5, "pool_size": 7})
        await world.now(cw.snapshot(at=cw.AT + 5))
        assert "10 → 5" in row(world, "max_jobs")
        await world.now(cw.snapshot(at=cw.AT + 15))
        for _ in range(5):
            await asyncio.to_thread(lambda: None)
            await world.settle()
        assert row(world, "max_jobs").split()[1:4] == ["5", "1–50", "local"]
        assert row(world, "pool_size").split()[1] == "7"
        assert "not applied" not in world.text


async def test_names_of_settings_and_profiles_are_completed(tmp_path, kept):
    async with cw.console(tmp_path, config=kept.config, engine=kept.engine) as world:
        await shown(world)
        await world.press("colon")
        await world.type("set max")
        await world.press("tab")
        assert ": set max_connections" in world.text
        await world.press("ctrl+u")
        await world.type("profile rows")
        await world.press("tab")
        assert ": profile rows_1m" in world.text
        await world.press("escape")
        await world.worked()


async def test_nothing_is_changed_by_a_question_that_is_left(tmp_path, kept):
    async with cw.console(tmp_path, config=kept.config, engine=kept.engine) as world:
        await shown(world)
        await to(world, "max_jobs")
        await world.press("enter", "9", "escape")
        await world.worked()
        await world.press("P", "escape")
        await world.worked()
        assert "not applied" not in world.text
        assert "out of range" not in world.text
        kept.engine.answers["options.profiles"] = ConfigError([])
        await world.press("P")
        await world.worked()
        await to(world, "console.start")
        await world.press("enter", "ctrl+u", "h", "tab", "enter")
        await world.worked()
        assert "monitor → history" in row(world, "console.start")
        await world.press("a")
        await world.worked()
        assert world.told[-1] == "console.start from the next start on"
