"""What is said before a start beside its estimate: the deadline, the canary."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

import console_world as cw
from etltui.console.cells import Styled, text_of
from etltui.console.glyphs import ASCII, UNICODE
from etltui.console.starting import canary_line, due_lines
from etltui.domain.progress import Eta


def look(glyphs=UNICODE):
    return SimpleNamespace(timezone="UTC", glyphs=glyphs)


@pytest.mark.parametrize(
    ("deadline", "eta", "said"),
    [
        ("", Eta(left_s=60, band_s=0), []),
        (
            "12:00",
            Eta(left_s=1200, band_s=480),
            ["Deadline      finishes 11:26 ± 8 min, 12:00 safe"],
        ),
        (
            "11:30",
            Eta(left_s=1200, band_s=480),
            [Styled("Deadline      finishes 11:26 ± 8 min, 11:30 at risk", "warn")],
        ),
        # Its time has passed today: it means tomorrow's.
        ("11:00", Eta(left_s=1200, band_s=0), ["Deadline      finishes 11:26, 11:00 safe"]),
        ("11:30", None, ["Deadline      11:30"]),
    ],
)
def test_n_26_a_start_says_what_becomes_of_the_deadline(tmp_path, deadline, eta, said):
    """N-26."""
    job = replace(cw.configured(tmp_path).jobs["gst_sales"], deadline=deadline)
    assert due_lines(job, eta, cw.AT, look()) == said
    assert all(text_of(line).isascii() for line in due_lines(job, eta, cw.AT, look(ASCII)))


def test_n_25_c_does_the_other_thing_than_the_configuration():
    """N-25."""
    assert "c reads one connection first" in canary_line(configured=False)
    assert "c starts on all of them at once" in canary_line(configured=True)
