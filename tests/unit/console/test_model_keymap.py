"""Which key means what: of everything that is there, and of what an operator chooses."""

import pytest

from etltui.console.anywhere import COMMANDS
from etltui.console.general import General
from etltui.console.key_check import in_sight, key_mistakes
from etltui.console.model.keymap import Bound, clashes, unknown
from etltui.console.registry import ENTRIES


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_no_key_means_two_things_in_a_view(entry):
    """The keys that the console comes with, of view, rows and the console itself."""
    assert clashes(in_sight(entry), {}) == []


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_every_command_of_a_view_has_an_id_of_its_own_a_method_and_a_sentence(entry):
    view = entry.load()
    ids = [each.id for each in view.COMMANDS]
    assert len(ids) == len(set(ids))
    words = [each.word for each in view.COMMANDS]
    assert len(words) == len(set(words))
    for each in view.COMMANDS:
        assert callable(getattr(view, each.method))
        assert each.help.endswith(".")
        assert 1 <= len(each.title.split()) <= 3
        assert each.id.partition(".")[0] in {entry.name, "list"}


def test_no_two_views_have_a_command_of_one_id_but_those_of_all_lists():
    found = [{each.id for each in entry.load().COMMANDS} for entry in ENTRIES]
    own = [each for ids in found for each in ids if not each.startswith("list.")]
    assert len(own) == len(set(own))


def test_every_command_of_the_console_has_a_method():
    ids = [each.id for each in COMMANDS]
    assert len(ids) == len(set(ids))
    for each in COMMANDS:
        assert each.help.endswith(".")
        assert each.id.startswith("app.")
        assert callable(getattr(General, each.method))


def test_a_chosen_id_that_is_none_is_named_with_the_nearest():
    [first, second] = unknown(
        {"monitor.runn": "f5", "x": "y", "app.quit": "f10"}, ["monitor.run", "app.quit"]
    )
    assert "there is no 'monitor.runn'; did you mean monitor.run?" in first
    assert "there is no 'x'; ? lists them" in second


def test_a_key_that_is_given_twice_is_named_with_both():
    bound = [Bound(id="a.one", keys="f"), Bound(id="a.two", keys="g"), Bound(id="a.two", keys="g")]
    assert clashes(bound, {}) == []
    assert clashes(bound, {"a.two": "f,h"}) == [
        "console.keys: f means a.one and a.two; give one of them another key"
    ]


def test_a_view_may_do_in_its_own_way_what_the_console_does():
    bound = [Bound(id="settings.undo", keys="u"), Bound(id="app.undo", keys="u")]
    assert clashes(bound, {}) == []


def test_a_key_is_the_same_by_its_name_and_by_its_sign():
    bound = [Bound(id="a.one", keys="slash"), Bound(id="a.two", keys="/")]
    assert len(clashes(bound, {})) == 1


def test_all_chosen_keys_are_checked_over_all_views():
    found = key_mistakes(
        {"monitor.runn": "f5", "monitor.run": "q", "table.up": "f12", "page.leave": "x"}
    )
    assert [each for each in found if "no 'monitor.runn'" in each]
    assert "console.keys: q means monitor.run and app.quit; give one of them another key" in found
    assert not [each for each in found if "page.leave" in each or "table.up" in each]
    assert key_mistakes({}) == []
