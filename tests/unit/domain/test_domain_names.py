"""Text made safe, names cut, names beside a target, numbers of parts."""

import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etltui.domain.job import Connection, Credential
from etltui.domain.part import part_name
from etltui.domain.run import ConnectionResult, ConnectionStatus
from etltui.domain.safe_text import middle_cut, safe_text
from etltui.domain.stored import ConnectionRow
from etltui.domain.targets import partial_path, temporary_path
from etltui.domain.task import SessionTask

CONTROLS = [*range(0x20), *range(0x7F, 0xA0)]
BIDI = [0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
ZERO_WIDTH = [0x00AD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF]
OTHERS = [0x2028, 0x2029, 0xD800, 0xDFFF, 0xE0001, 0xE0041]


@pytest.mark.parametrize("code", [*CONTROLS, *BIDI, *ZERO_WIDTH, *OTHERS], ids=hex)
def test_nothing_hidden_reaches_a_terminal(code):
    shown = safe_text(f"a{chr(code)}b")
    assert chr(code) not in shown
    assert shown.startswith("a")
    assert shown.endswith("b")
    assert len(shown) > 2, "it is made visible, not taken away"


def test_pictures_for_controls_and_codes_for_the_rest():
    assert safe_text("\x1b[31m\t\x7f") == "␛[31m␉␡"
    assert safe_text("\x9b\u202e") == "<U+009B><U+202E>"


@given(st.text())
def test_what_is_safe_stays_safe(text):
    shown = safe_text(text)
    assert safe_text(shown) == shown
    assert all(unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} for c in shown)


def test_every_other_character_stays():
    kept = [chr(code) for code in range(sys.maxunicode + 1)]
    kept = [c for c in kept if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}]
    text = "a".join(each for each in kept if not "\ufe00" <= each <= "\ufe0f")
    assert safe_text(text) == text


@given(st.text(), st.integers(0, 30))
def test_a_cut_is_at_most_as_wide_as_asked(text, width):
    cut = middle_cut(text, width)
    assert len(cut) <= width
    if len(text) <= width:
        assert cut == text


@pytest.mark.parametrize(
    ("width", "cut"),
    [(0, ""), (1, "B"), (2, "…1"), (3, "B…1"), (6, "Br…001"), (9, "Bran…_001"), (10, "Branch_001")],
)
def test_a_cut_keeps_both_ends(width, cut):
    assert middle_cut("Branch_001", width) == cut


@pytest.mark.parametrize(
    ("name", "partial"),
    [
        ("gst.xlsx", "gst.partial.xlsx"),
        ("gst.csv.gz", "gst.partial.csv.gz"),
        ("gst.2026.csv", "gst.2026.partial.csv"),
        ("gst", "gst.partial"),
        ("gst.gz", "gst.partial.gz"),
    ],
)
def test_a_partial_target_keeps_its_ending(name, partial):
    target = Path("/out") / name
    assert partial_path(target) == Path("/out") / partial
    assert partial_path(target) != target
    assert temporary_path(target) == Path(f"/out/.{name}.etltui-tmp")
    assert temporary_path(partial_path(target)) != temporary_path(target)


def test_a_parts_name():
    assert part_name(number=7, query=1, segment=2, attempt=3001) == "0007-1-2.3001.part"


def test_passwords_are_not_printed():
    """N-21."""
    task = SessionTask(
        connection="A",
        kind="mysql",
        host="h",
        port=1,
        database="d",
        user="u",
        password="hunter2",
    )
    assert "hunter2" not in repr(task)
    assert "hunter2" not in repr(Credential(name="c", user="u", password="hunter2"))
    assert "hunter2" not in repr(Connection(name="A", kind="mysql", url="mysql://h"))


def test_a_connection_is_done_when_it_completed():
    row = ConnectionRow(run="R", number=1, connection="A", hash="h")
    assert not row.done
    for status in ConnectionStatus:
        result = ConnectionResult(connection="A", status=status)
        done = ConnectionRow(run="R", number=1, connection="A", hash="h", result=result).done
        assert done is (status is ConnectionStatus.COMPLETED)
