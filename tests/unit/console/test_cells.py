"""Cells: how lines are laid out, cut, and how little of them is painted again."""

import itertools

from rich.cells import cell_len

from console_foreign import Foreign, hidden_in
from etltui.console.cells import (
    Column,
    Row,
    Styled,
    changed_spans,
    fitted,
    folded,
    joined,
    places,
)
from etltui.console.widgets.line import cut
from etltui.domain.safe_text import safe_text

CUTS = ("left", "middle", "right")

NAME = Column(id="name", title="NAME", width=10, flexible=True)
ROWS = Column(id="rows", title="ROWS", width=8, align="right")
NOTE = Column(id="note", title="NOTE", width=6, below=60)


def test_a_flexible_column_takes_what_the_others_leave():
    name, rows = places((NAME, ROWS), 40)
    assert (name.x, name.width) == (1, 29)
    assert (rows.x, rows.width) == (31, 8)


def test_a_column_hides_on_a_narrow_line():
    assert [place.column for place in places((NAME, ROWS, NOTE), 59)] == [0, 1]
    assert [place.column for place in places((NAME, ROWS, NOTE), 60)] == [0, 1, 2]


def test_what_does_not_fit_is_cut_and_then_left_out():
    assert [place.width for place in places((NAME, ROWS), 15)] == [10, 2]
    assert [place.width for place in places((NAME, ROWS), 9)] == [7]


def test_two_flexible_columns_share_to_the_last_cell():
    both = places((NAME, Column(id="b", title="", width=10, flexible=True)), 51)
    assert both[-1].x + both[-1].width == 50


def test_text_fits_exactly_and_is_cut_where_its_kind_says():
    assert fitted("abc", 5) == "abc  "
    assert fitted("abc", 5, "right") == "  abc"
    assert fitted("Branch_of_the_North", 9, cut="middle") == "Bran…orth"
    assert fitted("/srv/reports/gst.xlsx", 9, cut="left") == "…gst.xlsx"
    assert fitted("no route to host", 9) == "no route…"
    assert fitted("abc", 1) == "a"


def test_wide_characters_count_for_two_cells():
    for width in range(1, 12):
        for where in CUTS:
            assert cell_len(fitted("支店_北京_データ", width, cut=where)) == width


def test_nothing_foreign_can_move_the_terminal():
    assert "\x1b" not in fitted("a\x1b[2Jb", 20)
    assert fitted("a\x1bb", 5) == "a␛b  "


def row(*cells):
    return Row(key="k", cells=cells)


def test_only_what_differs_is_painted_again():
    where = places((NAME, ROWS, NOTE), 60)
    before = row("a", "1", "x")
    assert list(changed_spans(before, row("a", "1", "x"), where, 60)) == []
    assert list(changed_spans(before, row("a", "2", "x"), where, 60)) == [
        (where[1].x, where[1].x + where[1].width)
    ]


def test_changed_neighbours_are_painted_as_one():
    where = places((NAME, ROWS, NOTE), 60)
    spans = list(changed_spans(row("a", "1", "x"), row("a", "2", "y"), where, 60))
    assert spans == [(where[1].x, where[2].x + where[2].width)]
    spans = list(changed_spans(row("a", "1", "x"), row("b", "1", "y"), where, 60))
    assert len(spans) == 2


def test_a_role_alone_is_a_change():
    where = places((NAME,), 20)
    assert list(changed_spans(row("a"), row(Styled("a", "bad")), where, 20)) == [(1, 19)]


def test_a_heading_in_a_rows_place_is_painted_whole():
    where = places((NAME, ROWS), 40)
    heading = Row(key="k", cells=("a",), heading=True)
    assert list(changed_spans(row("a", "1"), heading, where, 40)) == [(0, 40)]
    assert list(changed_spans(heading, Row(key="k", cells=("a",), heading=True), where, 40)) == []


def test_parts_that_are_empty_take_no_place():
    assert joined(["a", "", Styled("", "bad"), "b"], "·") == ["a", "·", "b"]


def test_ten_thousand_foreign_texts_fit_exactly():
    """Every width, alignment and cut."""
    kinds = itertools.cycle(itertools.product((1, 2, 7, 12, 40), ("left", "right"), CUTS))
    for text, (width, align, cut_at) in zip(Foreign(3).many(10_000), kinds, strict=False):
        shown = fitted(text, width, align, cut_at)
        assert cell_len(shown) == width, repr(text)
        assert not hidden_in(shown)


def test_a_line_of_foreign_texts_has_no_cell_too_many():
    well = Foreign(4)
    for _ in range(500):
        parts = cut([well(), Styled(well(), "bad"), well()], 40)
        assert sum(cell_len(text) for text, _ in parts) <= 40
        assert not [text for text, _ in parts if hidden_in(text)]


def test_a_folded_text_loses_nothing_that_is_made_visible():
    well = Foreign(5)
    for text in well.many(500):
        lines = folded(text, 30, 4)
        assert not [line for line in lines if cell_len(line) > 30 or hidden_in(line)]
        whole = "".join(line.replace(" ", "") for line in lines)
        assert whole == "".join(map(safe_text, text.split("\n"))).replace(" ", "")


def test_a_line_that_is_cut_says_so_wherever_the_cut_falls():
    parts = ["12 lent", " · ", Styled("3 idle", "ok"), "  "]
    whole = "12 lent · 3 idle"
    for room in range(2, len(whole)):
        assert "".join(text for text, _ in cut(parts, room)) == whole[: room - 1] + "…"
    assert "".join(text for text, _ in cut(parts, len(whole))) == whole
    assert "".join(text for text, _ in cut(parts, 40)) == f"{whole}  "
    assert cut(parts, 0) == []
    assert cut(["abc"], 1) == [("a", "")]
