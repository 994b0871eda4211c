"""Selectors: names, globs and tags, in their order, each once."""

from datetime import date

import pytest

from etltui.config.select import select, suggestion
from etltui.domain.errors import ConfigError
from etltui.domain.job import Connection

ALL = tuple(
    Connection(name=name, kind="sqlite", url="", tags=tags)
    for name, tags in [("b2", ("north",)), ("b1", ("south", "big")), ("hq", ("north-east",))]
)


@pytest.mark.parametrize(
    ("selectors", "names"),
    [
        (["hq", "b1"], ["hq", "b1"]),
        (["b*", "*"], ["b2", "b1", "hq"]),
        (["b1", "b*"], ["b1", "b2"]),
        (["tag:north"], ["b2"]),
        (["tag:north*"], ["b2", "hq"]),
        (["tag:*", "b1"], ["b2", "b1", "hq"]),
        (["B1"], []),
        (["b[12]"], ["b2", "b1"]),
        ([], []),
    ],
)
def test_selected_in_the_order_of_selectors_each_once(selectors, names):
    assert [each.name for each in select(ALL, selectors)] == names


def test_only_keeps_the_order_and_drops_the_rest():
    assert [c.name for c in select(ALL, ["hq", "b*"], ["b2", "tag:north-east"])] == ["hq", "b2"]


def test_only_that_matches_nothing_of_the_job_is_refused():
    with pytest.raises(ConfigError) as caught:
        select(ALL, ["b*"], ["b1", "b22", "zz"])
    assert [(m.where, m.key) for m in caught.value.mistakes] == [("command line", "--only")] * 2
    first, second = caught.value.mistakes
    assert first.problem == '"b22" matches no connection of the job'
    assert first.way_out == 'Did you mean "b2"?'
    assert second.way_out == "Connections there are: b2, b1"


def test_only_means_connections_of_the_job_and_no_others():
    with pytest.raises(ConfigError, match='"hq" matches no connection of the job'):
        select(ALL, ["b*"], ["hq"])


def test_what_a_lost_selector_may_have_meant():
    assert suggestion(ALL, "tag:nort") == 'Did you mean "tag:north"?'
    assert suggestion(ALL, "tag:zzzzzzzzzzzz") == "Tags there are: big, north, north-east, south"
    assert suggestion((), "tag:x") == "Tags there are: none"
    assert suggestion((), "x") == "Connections there are: none"
    many = [Connection(name=f"c{n}", kind="", url="") for n in range(11)]
    assert suggestion(many, "zz").endswith("c8, c9, …")


DATED = (
    Connection(name="old", kind="sqlite", url="", closed=date(2026, 3, 31)),
    Connection(name="now", kind="sqlite", url="", opened=date(2026, 3, 31)),
    Connection(name="new", kind="sqlite", url="", opened=date(2026, 4, 2)),
)


@pytest.mark.parametrize(
    ("day", "names"),
    [
        (None, ["old", "now", "new"]),
        (date(2026, 3, 31), ["old", "now"]),
        (date(2026, 4, 1), ["now"]),
        (date(2026, 4, 2), ["now", "new"]),
    ],
)
def test_a_closed_or_not_yet_opened_branch_is_left_out(day, names):
    assert [each.name for each in select(DATED, ["*"], day=day)] == names


def test_only_a_closed_branch_is_refused_by_that_name():
    assert [each.name for each in select(DATED, ["*"], ["n*"], day=date(2026, 4, 1))] == ["now"]
    with pytest.raises(ConfigError) as caught:
        select(DATED, ["*"], ["old", "ne?", "nwo"], day=date(2026, 4, 1))
    first, second, third = caught.value.mistakes
    assert first.problem == '"old" means only connections that are closed or not yet open'
    assert first.way_out == "Those there are on 2026-04-01: now"
    assert second.problem == '"ne?" means only connections that are closed or not yet open'
    assert third.way_out == 'Did you mean "now"?'
