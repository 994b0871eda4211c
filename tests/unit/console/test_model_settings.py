"""Settings in words, and the changes that wait to be applied."""

import pytest

import console_world as cw
from etltui.config.advice import Caution
from etltui.config.checks import RefusedError
from etltui.config.load import load
from etltui.config.setting_views import profile_views, views
from etltui.console.cells import Styled, role_of, text_of
from etltui.console.glyphs import ASCII, UNICODE
from etltui.console.model import settings as m
from etltui.console.model.setting_rows import allowed, source_cell, value_cell
from etltui.domain.errors import Mistake


@pytest.fixture
def known(tmp_path):
    path = cw.configured(tmp_path).path
    config = load(path, environ={"MAX_CONCURRENT_CONNECTIONS": "60"})
    return {view.name: view for view in views(config)}


def line(view, wanted=None, refused=""):
    return m.Line(view=view, wanted=view.value if wanted is None else wanted, refused=refused)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("pool_size", " 30 ", 30),
        ("memory_threshold_mb", "1,536", 1536),
        ("retry_multiplier", "2.5", 2.5),
        ("streaming", "off", False),
        ("streaming", "Yes", True),
        ("log_level", "debug", "debug"),
        ("timezone", "UTC", "UTC"),
        ("connections_file", "", ""),
    ],
)
def test_what_is_typed_becomes_a_value_of_its_kind(known, name, text, value):
    assert m.parsed(known[name], text) == value
    assert m.problem(known[name], text) == ""


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("connection_timeout_s", "301", "Allowed: 1 to 300"),
        ("connection_timeout_s", "0", "Allowed: 1 to 300"),
        ("pool_size", "101", "Allowed: 1 to 100"),
        ("max_connections", "501", "Allowed: 1 to 500"),
        ("max_jobs", "51", "Allowed: 1 to 50"),
        ("max_jobs", "many", '"many" is not a whole number'),
        ("retry_multiplier", "twice", '"twice" is not a number'),
        ("streaming", "perhaps", "neither true nor false"),
        ("log_level", "loud", "error, warning, info, debug"),
    ],
)
def test_what_is_out_of_range_is_said_with_the_range(known, name, text, words):
    """S0-85…S0-90: each limit's own range."""
    assert words in m.problem(known[name], text)
    with pytest.raises(RefusedError):
        m.parsed(known[name], text)


def test_a_change_back_to_what_holds_is_none(known):
    staged = m.Staged().put(known["pool_size"], 30).put(known["max_jobs"], 5)
    assert dict(staged.values) == {"pool_size": 30, "max_jobs": 5}
    assert dict(staged.put(known["pool_size"], 20).values) == {"max_jobs": 5}
    assert dict(staged.put(known["pool_size"], 40).values) == {"max_jobs": 5, "pool_size": 40}


def test_what_somebody_else_has_changed_meanwhile_is_no_change_any_more(known):
    staged = m.Staged(values={"pool_size": 20, "max_jobs": 5, "gone": 1})
    assert dict(m.still(staged, known.values()).values) == {"max_jobs": 5}
    kept = m.Staged(values={"max_jobs": 5}, mistakes=(mistake("max_jobs"),))
    assert m.still(kept, known.values()) is kept


def mistake(key):
    return Mistake(where="settings", key=key, problem="it is wrong", way_out="Mend it")


def test_flags_toggle_and_choices_go_round(known):
    assert m.next_value(known["streaming"], value=True) is False
    assert m.next_value(known["resume_jobs"], None) is True
    assert m.next_value(known["log_level"], "debug") == "error"
    assert m.next_value(known["log_level"], "odd") == "error"
    assert m.next_value(known["profile"], "") == "branches_50"
    assert m.next_value(known["pool_size"], 20) == 20


def test_values_are_told_as_they_are_typed_and_drawn():
    assert [m.told(value, UNICODE) for value in (True, False, None, "", 2.0, 30)] == [
        "[x]",
        "[ ]",
        "–",
        "–",
        "2",
        "30",
    ]
    assert [m.typed(value) for value in (True, False, None, 2.5)] == ["on", "off", "", "2.5"]


def test_a_change_stands_beside_what_holds(known):
    size = known["pool_size"]
    assert value_cell(line(size), UNICODE) == "20"
    assert value_cell(line(size, 30), UNICODE) == Styled("20 → 30", "accent")
    assert value_cell(line(size, 30, refused="no"), ASCII) == Styled("20 -> 30", "bad")


def test_ranges_are_short(known):
    assert [
        allowed(known[name], UNICODE)
        for name in (
            "pool_size",
            "memory_threshold_mb",
            "retry_multiplier",
            "console.rate_hz",
            "streaming",
            "profile",
            "timezone",
            "state_dir",
        )
    ] == [
        "1–100",
        "0, 64–1048576",
        "1–10",
        "0.5–10",
        "on off",
        "branches_50 branches_80 branches_500 rows_1m",
        "zone",
        "text",
    ]


def test_what_a_variable_says_is_named_and_stands_out(known, tmp_path):
    """S0-93: the variable, and that it wins."""
    limit = known["max_connections"]
    assert source_cell(limit) == Styled("env MAX_CONCURRENT_CONNECTIONS", "warn")
    assert source_cell(known["pool_size"]) == Styled("default", "muted")
    assert source_cell(known["timezone"]) == "file"
    said = m.about(line(limit), m.Staged())
    assert "counts more than any file" in text_of(said[-1])
    page = "\n".join(map(text_of, m.where_lines(limit, tmp_path / "e.toml", UNICODE)))
    assert "start the engine again without that variable" in page
    assert "[settings] max_connections" in page


def test_a_flag_is_said_to_win(tmp_path):
    path = cw.configured(tmp_path).path
    config = load(path, environ={}, overrides={"log_level": "debug"})
    view = next(view for view in views(config) if view.name == "log_level")
    assert role_of(source_cell(view)) == "warn"
    page = "\n".join(map(text_of, m.where_lines(view, path, UNICODE)))
    assert "without that flag" in page


def test_what_is_said_of_a_setting_warns_of_what_its_change_meets(known):
    staged = m.Staged(
        values={"pool_size": 30},
        mistakes=(mistake("pool_size"),),
        cautions=(
            Caution(key="settings.pool_size", problem="some will wait", way_out="Raise it"),
            Caution(key="settings.max_jobs", problem="of another", way_out="Nothing"),
        ),
    )
    (one,) = [each for each in m.lines_of(known.values(), staged) if each.changed]
    assert one.refused == "it is wrong. Mend it"
    said = m.about(one, staged)
    assert said[1:] == [
        Styled("it is wrong. Mend it", "bad"),
        Styled("some will wait. Raise it", "warn"),
    ]
    assert "1 to 100" in text_of(said[0])
    assert "some will wait" not in str(m.about(line(known["pool_size"]), staged))


def test_what_waits_for_the_next_start_says_so(known):
    said = m.about(line(known["state_readers"]), m.Staged())
    assert "next start" in text_of(said[-1])
    staged = m.Staged(values={"state_readers": 5, "pool_size": 30})
    assert m.applied(known.values(), staged) == (
        "1 setting holds now; state_readers from the next start on"
    )
    assert m.applied(known.values(), m.Staged(values={"state_readers": 5})) == (
        "state_readers from the next start on"
    )
    assert m.applied(known.values(), m.Staged(values={"pool_size": 3, "max_jobs": 2})) == (
        "2 settings hold now"
    )


def test_only_what_is_more_than_a_wait_is_asked(known):
    late = Caution(key="settings.state_readers", problem="later", way_out="Wait")
    more = Caution(key="settings.pool_size", problem="some wait", way_out="Raise it")
    assert not m.worth_asking([late], known.values())
    assert m.worth_asking([late, more], known.values())


def test_what_warns_is_never_pushed_out_of_the_box_by_what_explains():
    lines = m.box(["word " * 60, Styled("careful", "warn")], 40, 3)
    assert len(lines) == 3
    assert lines[-1] == [Styled("careful", "warn")]
    assert m.box([], 40, 3) == []


def test_each_profile_says_what_it_would_change(tmp_path):
    config = cw.configured(tmp_path)
    shown = m.profile_lines(profile_views(config), UNICODE)
    text = "\n".join(map(text_of, shown))
    assert "1  none  (chosen)" in text
    assert "max_connections  50 → 500" in text
    assert "changes nothing" in text


def test_changes_are_listed_before_they_are_applied(known):
    caution = Caution(key="settings.pool_size", problem="some wait", way_out="Raise it")
    staged = m.Staged(values={"pool_size": 30}, cautions=(caution,))
    shown = m.change_lines(m.lines_of(known.values(), staged), staged, UNICODE)
    assert shown == [
        "pool_size  20 → 30",
        "",
        Styled("! settings.pool_size: some wait. Raise it", "warn"),
    ]
    assert m.of_console(["pool_size", "console.theme"]) == ("theme",)


def test_every_origin_has_words(known):
    assert m.origin_words(known["pool_size"]).startswith("nobody says it")
    assert "configuration file" in m.origin_words(known["timezone"])
