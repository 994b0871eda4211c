"""The lines around a view, clipboard, signs, steps and looks: words without a screen."""

import base64

import pytest

import console_world as cw
from etltui.config.console import Console
from etltui.console.bridge import Moment
from etltui.console.cells import Styled, text_of
from etltui.console.clipboard import MOST, osc52
from etltui.console.commands import Command
from etltui.console.frame import footer, gauges, key_name, longest, short_size, totals
from etltui.console.glyphs import ASCII, UNICODE, bar, status_glyph, status_role
from etltui.console.look import CurrentLook
from etltui.console.model.pace import Paces
from etltui.console.steps import (
    advice,
    connection_status,
    note,
    progress,
    run_share,
    run_status,
    step_word,
)
from etltui.domain.errors import ErrorClass, Trouble
from etltui.domain.progress import Eta
from etltui.domain.queue import QueueMetrics
from etltui.domain.run import ConnectionStatus, RunStatus, Step

S = ConnectionStatus


def moment(*runs, **facts):
    return Moment(snapshot=cw.snapshot(runs, **facts), paces=Paces())


def said(cells):
    return "".join(map(text_of, cells))


def test_totals_say_what_runs_waits_and_fails():
    run = cw.run(connections=[cw.connection(1, S.FAILED), cw.connection(2, S.RETRYING)])
    queue = QueueMetrics(pending=7, paused=True)
    assert said(totals(moment(run, queue=queue), UNICODE)) == (
        "1 running · 7 queued · ‖ paused · 2 failing"
    )
    assert said(totals(moment(), ASCII)) == "0 running"


def test_gauges_are_shown_while_something_is_at_work():
    run = cw.run(eta=Eta(left_s=72, band_s=9, guess=True))
    assert said(gauges(moment(run))) == "conn 0/50  mem 400M/1.0G  eta ~1:12"
    assert said(gauges(moment(run), 25)) == "mem 400M/1.0G  eta ~1:12"
    assert said(gauges(moment(run), 10)) == said(gauges(moment(run), 0)) == "eta ~1:12"
    assert gauges(moment()) == []
    assert longest([cw.run()]) == ""


def test_a_size_is_short():
    assert [short_size(n) for n in (999, 4_300, 412_000_000, 1 << 30)] == [
        "999B",
        "4K",
        "393M",
        "1.0G",
    ]


def test_the_footer_shows_at_most_seven_keys_and_those_of_the_configuration():
    commands = [Command(id=f"v.{n}", keys=f"{n}", title=f"do {n}", help="") for n in "abcdefghij"]
    assert said(footer(commands, keys={"v.b": "ctrl+b"}, unicode=True, width=200)) == (
        "a do a  ctrl+b do b  c do c  d do d  e do e  f do f  g do g  "
    )
    assert said(footer(commands, keys={}, unicode=True, width=14)) == "a do a  "
    nothing = Command(id="v.n", keys="", title="n", help="")
    assert footer([nothing], keys={}, unicode=True, width=80) == []


def test_keys_are_named_as_they_are_drawn():
    assert key_name("enter,o") == "⏎"
    assert key_name("enter", unicode=False) == "enter"
    assert key_name("slash") == "/"


def test_a_bar_is_as_long_as_its_share():
    assert bar(UNICODE, 0.5, 4) == "██  "
    assert bar(UNICODE, 0.53, 4) == "██▏ "
    assert bar(UNICODE, 7, 2) == "██"
    assert bar(UNICODE, -1, 2) == "  "
    assert bar(ASCII, 0.5, 4) == "##--"


@pytest.mark.parametrize("status", [*RunStatus, *ConnectionStatus])
def test_every_status_has_a_sign_of_one_cell_and_a_role(status):
    assert len(status_glyph(UNICODE, status)) == len(status_glyph(ASCII, status)) == 1
    assert status_glyph(ASCII, status).isascii()
    assert status_role(status) in {"ok", "busy", "warn", "bad", "muted"}


def test_every_ascii_sign_is_ascii():
    for name in ASCII.__slots__:
        sign = getattr(ASCII, name)
        assert sign is False or sign.isascii(), name


def test_a_status_is_a_sign_and_a_word():
    """S0-114…S0-116: with a word each, for terminals without colours."""
    failed = Trouble(error_class=ErrorClass.LOGIN, message="no")
    assert connection_status(UNICODE, cw.connection(1, S.FAILED, trouble=failed)) == (
        "✗ login",
        "bad",
    )
    assert connection_status(UNICODE, cw.connection(1, S.RUNNING, step=Step.QUERYING)) == (
        "◐ querying",
        "busy",
    )
    assert connection_status(ASCII, cw.connection(1, S.COMPLETED)) == ("+ completed", "ok")
    assert run_status(UNICODE, RunStatus.COMPLETED_WITH_ERRORS) == ("! with errors", "warn")
    assert step_word("") == "running"
    assert step_word("Publishing") == "publishing"


def test_a_row_ends_with_what_matters_of_it():
    failed = Trouble(error_class=ErrorClass.LOGIN, message="no")
    waits = cw.connection(1, S.RETRYING, again_at=cw.AT + 8, tries=2)
    assert note(UNICODE, waits, cw.AT, 3, 20) == ("again in 8s 2/4", "warn")
    assert note(UNICODE, waits, cw.AT, 0, 20) == ("again in 8s", "warn")
    now = cw.connection(1, S.RETRYING, tries=1)
    assert note(UNICODE, now, cw.AT, 3, 20) == ("again now 1/4", "warn")
    broken = cw.connection(1, S.FAILED, trouble=failed)
    assert note(UNICODE, broken, cw.AT, 3, 20) == ("no", "bad")
    empty = cw.connection(1, S.COMPLETED, rows=0, usual_rows=100)
    assert note(UNICODE, empty, cw.AT, 3, 20) == ("empty, usually 100", "warn")
    assert note(UNICODE, cw.connection(1, S.COMPLETED, rows=5), cw.AT, 3, 20) == ""
    slow = cw.connection(1, S.RUNNING, usual_s=31.0)
    assert note(UNICODE, slow, cw.AT, 3, 20) == ("usual 31.0s", "muted")
    half = cw.connection(1, S.RUNNING, rows=50, usual_rows=100)
    assert text_of(note(UNICODE, half, cw.AT, 3, 9)) == "██    50%"
    assert progress(UNICODE, None, 10) == ""


def test_a_run_is_as_far_as_what_ended_and_what_the_others_have_done():
    """S0-55: accurate, also within connections."""
    run = cw.run(
        connections=[
            cw.connection(1, S.COMPLETED),
            cw.connection(2, S.FAILED),
            cw.connection(3, S.RUNNING, rows=50, usual_rows=100),
        ],
        total=4,
    )
    assert run_share(run) == 2.5 / 4
    assert run_share(cw.run(total=0)) == 0.0


def test_advice_says_what_it_means_what_to_try_and_whom_to_call():
    """N-38."""
    trouble = Trouble(error_class=ErrorClass.UNREACHABLE, message="no route")
    left, right = advice(trouble, "Branch 1, +91")
    assert said(left).startswith("unreachable: The branch's line or VPN is down")
    assert right == ["call Branch 1, +91"]
    assert advice(trouble)[1] == []
    assert advice(None) == ([], [])


def test_text_reaches_the_clipboard_also_through_tmux_and_screen():
    sequence, cut = osc52("grüße", {})
    assert not cut
    assert sequence.startswith("\x1b]52;c;")
    assert base64.b64decode(sequence[7:-1]).decode() == "grüße"
    assert osc52("a", {"TMUX": "x"})[0].startswith("\x1bPtmux;\x1b\x1b]52;c;")
    pieces = osc52("a" * 500, {"TERM": "screen-256color"})[0]
    assert pieces.count("\x1bP") > 5
    long, cut = osc52("ü" * MOST, {})
    assert cut
    assert len(long) < 100_100


def look(tmp_path, terminal=cw.TRUECOLOR, **console):
    return CurrentLook(Console(**console), terminal, config=tmp_path / "etltui.toml")


def test_a_terminal_of_few_colours_gets_its_own(tmp_path):
    assert look(tmp_path).theme.name == "etltui-dark"
    assert look(tmp_path, cw.SIXTEEN).theme.name == "terminal-dark"
    assert look(tmp_path, cw.SIXTEEN, theme="etltui-light").theme.name == "terminal-light"
    assert look(tmp_path, colour="16").theme.name == "terminal-dark"


def test_without_colours_nothing_has_one(tmp_path):
    plain = look(tmp_path, cw.PLAIN)
    assert not plain.colours
    for styles in (plain.palette.plain, plain.palette.chosen, plain.palette.bar):
        assert all(style.color is None and style.bgcolor is None for style in styles.values())


def test_signs_follow_the_terminal_unless_the_operator_says_otherwise(tmp_path):
    assert look(tmp_path, cw.ASCII).glyphs is ASCII
    assert look(tmp_path, cw.ASCII, glyphs="unicode").glyphs is UNICODE
    assert look(tmp_path, glyphs="ascii").glyphs is ASCII


def test_an_unknown_theme_is_the_default_one(tmp_path):
    found = look(tmp_path, theme="no-such")
    assert found.theme.name == "etltui-dark"
    assert not found.use("nor-this")
    assert found.use("fjord")
    assert not found.reload()


def test_n_26_what_is_left_warns_where_a_deadline_is_at_risk():
    """N-26."""
    eta = Eta(left_s=72, band_s=9)
    for due, role in ((cw.AT + 60, "warn"), (cw.AT + 600, ""), (0.0, "")):
        assert gauges(moment(cw.run(eta=eta, due=due)))[-1] == Styled("eta 1:12", role)
