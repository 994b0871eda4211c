"""Themes: what a file may say, which one holds, and that those that come along can be read."""

from itertools import combinations

import pytest

from etltui.config import themes as room
from etltui.config.themes import (
    COLOURS,
    TERMINAL,
    WORDS,
    contrast,
    faint,
    folders_of,
    load_theme,
    shipped,
    themes,
)
from etltui.domain.errors import ConfigError

SHIPPED = sorted(shipped().glob("*.toml"))
PLAIN = {
    "name": '"dusk"',
    "dark": "true",
    **dict.fromkeys(COLOURS, '"#ABCDEF"'),
}
ROWS = ("background", "surface", "selection")
# How colours look to eyes without the pigment for red, and to eyes without that for green
# (Machado, Oliveira and Fernandes 2009, complete).
EYES = {
    "red": ((0.1523, 1.0526, -0.2049), (0.1145, 0.7863, 0.0992), (-0.0039, -0.0481, 1.0520)),
    "green": ((0.3673, 0.8606, -0.2280), (0.2801, 0.6725, 0.0474), (-0.0118, 0.0429, 0.9690)),
    "none": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
}


@pytest.fixture
def write(tmp_path):
    def write_(file="dusk.toml", folder="themes", **changes):
        path = tmp_path / folder / file
        path.parent.mkdir(exist_ok=True)
        said = {**PLAIN, **changes}
        path.write_text("".join(f"{key} = {text}\n" for key, text in said.items() if text))
        return path

    return write_


def mistakes(path):
    with pytest.raises(ConfigError) as caught:
        load_theme(path)
    assert {each.where for each in caught.value.mistakes} == {str(path)}
    return {each.key: str(each) for each in caught.value.mistakes}


def test_a_file_gives_a_theme(write):
    theme = load_theme(write())
    assert (theme.name, theme.dark, theme.ansi, theme.bad) == ("dusk", True, False, "#abcdef")


def test_a_theme_of_the_terminal_takes_its_names(write):
    theme = load_theme(write(ansi="true", **dict.fromkeys(COLOURS, '"bright_blue"')))
    assert (theme.ansi, theme.ok) == (True, "bright_blue")


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        ({"ok": '"green"'}, "ok", 'Write it as "#1a2b3c", or set ansi = true'),
        ({"ok": '"#abc"'}, "ok", "is no colour"),
        ({"ok": '"#12345g"'}, "ok", "is no colour"),
        ({"ok": "3"}, "ok", 'Write "3"'),
        ({"ok": ""}, "ok", "is missing"),
        ({"name": ""}, "name", "is missing"),
        ({"name": '"a/b"'}, "name", "cannot be a name"),
        ({"dark": ""}, "dark", "is missing"),
        ({"dark": '"yes"'}, "dark", "neither true nor false"),
        ({"acent": '"#000000"'}, "acent", 'Did you mean "accent"?'),
    ],
)
def test_a_mistake_names_file_key_and_way_out(write, changes, key, words):
    (only,) = mistakes(write(**changes)).items()
    assert only[0] == key
    assert words in only[1]


def test_a_colour_that_no_terminal_has_names_the_nearest(write):
    colours = dict.fromkeys(COLOURS, '"red"') | {"ok": '"bright_gren"'}
    found = mistakes(write(ansi="true", **colours))
    assert list(found) == ["ok"]
    assert 'Did you mean "bright_green"?' in found["ok"]


def test_a_file_that_is_not_there_or_no_toml_says_so(tmp_path):
    assert "there is no such file" in mistakes(tmp_path / "none.toml")[""]
    (tmp_path / "torn.toml").write_text("name =")
    assert "is not valid TOML" in mistakes(tmp_path / "torn.toml")[""]


def test_the_operators_own_take_the_place_of_those_of_the_same_name(write, tmp_path):
    write(folder="first")
    write(folder="first", file="other.toml", name='"other"')
    write(folder="second", file="mine.toml", bad='"#111111"')
    found, wrong = themes([tmp_path / "first", tmp_path / "second", tmp_path / "missing"])
    assert sorted(found) == ["dusk", "other"]
    assert found["dusk"].bad == "#111111"
    assert wrong == ()


def test_what_cannot_be_used_is_told_and_the_rest_is_there(write, tmp_path):
    write()
    write(file="again.toml")
    write(file="torn.toml", bad='"?"')
    (tmp_path / "themes" / "README").write_text("no theme")
    found, wrong = themes([tmp_path / "themes"])
    assert list(found) == ["dusk"]
    told = {each.where.rpartition("/")[2]: str(each) for each in wrong}
    assert sorted(told) == ["dusk.toml", "torn.toml"]
    assert '"dusk" is the name of again.toml too' in told["dusk.toml"]


def test_contrast_is_reckoned_as_the_guidelines_do():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    assert contrast("#ffffff", "#ffffff") == 1


def test_faint_colours_are_told(write):
    assert faint(load_theme(write(background='"#ffffff"', text='"#767676"'))) == tuple(
        name for name in WORDS if name != "text"
    )
    assert faint(load_theme(write(ansi="true", **dict.fromkeys(COLOURS, '"red"')))) == ()


def test_themes_come_along_in_the_package_or_stand_beside_it(tmp_path, monkeypatch):
    monkeypatch.setattr(room, "_PACKAGE", tmp_path / "etltui")
    assert shipped() == tmp_path / "themes"
    (tmp_path / "etltui" / "themes").mkdir(parents=True)
    assert folders_of(tmp_path / "mine" / "etltui.toml") == (
        tmp_path / "etltui" / "themes",
        tmp_path / "mine" / "themes",
    )


def test_those_that_come_along_are_all_sound_and_named_as_their_files():
    found, wrong = themes([shipped()])
    assert wrong == ()
    assert sorted(found) == [path.stem for path in SHIPPED]
    assert len(found) >= 7
    assert {"etltui-dark", "etltui-light", "high-contrast", "colour-blind-safe"} <= set(found)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_in_those_that_come_along_every_word_can_be_read_on_every_row(path):
    theme = load_theme(path)
    if theme.ansi:
        assert {getattr(theme, name) for name in COLOURS} <= set(TERMINAL)
        return
    for name in WORDS:
        for row in ROWS:
            assert contrast(getattr(theme, name), getattr(theme, row)) >= 4.5, (name, row)
    assert (contrast(theme.text, "#000000") > contrast(theme.background, "#000000")) == theme.dark


def lab(colour, eye):
    def linear(part):
        value = int(part, 16) / 255
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    def cube(t):
        return t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116

    light = [linear(colour[at : at + 2]) for at in (1, 3, 5)]
    seen = [sum(k * v for k, v in zip(row, light, strict=True)) for row in EYES[eye]]
    red, green, blue = (min(1, max(0, value)) for value in seen)
    x = cube((0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505)
    y = cube(0.2126 * red + 0.7152 * green + 0.0722 * blue)
    z = cube((0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("eye", EYES)
def test_colour_blind_safe_parts_what_eyes_without_red_or_green_see(eye):
    """2.3 is the least difference that an eye sees at all (CIE 1976)."""
    theme = load_theme(shipped() / "colour-blind-safe.toml")
    for one, other in combinations(("ok", "busy", "warn", "bad"), 2):
        pair = zip(lab(getattr(theme, one), eye), lab(getattr(theme, other), eye), strict=True)
        assert sum((a - b) ** 2 for a, b in pair) ** 0.5 >= 20, (one, other)
