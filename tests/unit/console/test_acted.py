"""Who did what to the engine, on the screen."""

import console_world as cw
from etltui.console.cells import role_of, text_of
from etltui.console.model.acted import action_lines
from etltui.domain.logbook import Action

DONE = Action(at=cw.AT, who="op@server", what="cancel", target="7F3K", outcome="done")
REFUSED = Action(
    at=cw.AT - 60,
    who="boss@server",
    what="update_settings",
    detail="pool_size=900",
    outcome="refused: 1 to 100",
)


def test_a_line_says_when_who_what_and_what_came_of_it():
    done, refused = action_lines([DONE, REFUSED], "UTC")
    assert text_of(done) == "2026-11-18 11:06:40  op@server  cancel  7F3K"
    assert text_of(refused).endswith("update_settings  pool_size=900  → refused: 1 to 100")
    assert (role_of(done), role_of(refused)) == ("", "warn")


def test_where_nothing_was_done_it_says_what_would_be_noted():
    (line,) = action_lines([], "UTC")
    assert "Nobody has changed anything" in text_of(line)


async def test_actions_are_a_command_away(tmp_path):
    history = cw.FakeHistory(actions=[DONE, REFUSED])
    async with cw.console(tmp_path, history=history, size=cw.LARGE) as world:
        await world.press("colon")
        await world.type("actions")
        await world.press("enter")
        assert "op@server  cancel  7F3K" in world.text
