"""The table [console]: what it gives, what it refuses, and where its settings come from."""

import pytest

from etltui.config.console import Console, console_rules


def test_without_the_table_everything_is_as_declared(desk):
    config = desk.load("")
    assert config.console == Console()
    assert (config.console.theme, config.console.rate_hz, config.console.start) == (
        "etltui-dark",
        2.0,
        "monitor",
    )
    assert {config.origins[f"console.{name}"] for name in console_rules()} == {"default"}


def test_each_layer_says_its_part(desk):
    desk.write('[console]\ntheme = "dusk"\nmouse = false', "etltui.local.toml")
    config = desk.load('[console]\ntheme = "dawn"\nrate_hz = 4\nlinear = true\nread_only = true')
    found = config.console
    assert (found.theme, found.mouse, found.rate_hz) == ("dusk", False, 4.0)
    assert (found.linear, found.read_only, found.confirm) == (True, True, True)
    origins = {name: config.origins[f"console.{name}"] for name in ("theme", "rate_hz", "panel")}
    assert origins == {"theme": "local", "rate_hz": "file", "panel": "default"}


@pytest.mark.parametrize(
    ("line", "key", "words"),
    [
        ('them = "x"', "console.them", 'Did you mean "theme"?'),
        ("theme = 3", "console.theme", 'Write "3"'),
        ('glyphs = "utf"', "console.glyphs", "Allowed: auto, unicode, ascii"),
        ('colour = "truecolour"', "console.colour", 'Did you mean "truecolor"?'),
        ("rate_hz = 11", "console.rate_hz", "Allowed: 0.5 to 10"),
        ("rate_hz = 0.4", "console.rate_hz", "Allowed: 0.5 to 10"),
        ("mouse = 1", "console.mouse", "true or false"),
        ('start = "a\\u0007b"', "console.start", "control character"),
        ('keys = "f"', "console.keys", "is not a table"),
        ('keys = { "run.cancel" = 3 }', 'console.keys."run.cancel"', 'Write "3"'),
        ('keys = { "run.cancel" = " " }', 'console.keys."run.cancel"', "is empty"),
        ('keys = { "run.cancel" = "f,,g" }', 'console.keys."run.cancel"', "an empty key"),
        ("keys = { a.b.c.d.e = 'f' }", "console.keys.a.b.c.d", "a table is not text"),
    ],
)
def test_a_mistake_names_its_key_and_the_way_out(desk, line, key, words):
    found, sentence = desk.mistake(f"[console]\n{line}")
    assert found == key
    assert words in sentence


def test_an_id_may_be_written_with_and_without_quotes(desk):
    config = desk.load(
        """
        [console.keys]
        "run.cancel" = "x, ctrl+x"
        run.retry_failed = "f"
        quit = "q"
        """,
    )
    assert config.console.keys == {
        "run.cancel": "x,ctrl+x",
        "run.retry_failed": "f",
        "quit": "q",
    }
