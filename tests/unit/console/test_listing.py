"""Filters and sorts of lists."""

from dataclasses import dataclass

import pytest

from etltui.console.cells import Styled
from etltui.console.model.listing import Field, arranged, row_of
from etltui.console.model.listing import test_of as filtering


@dataclass(frozen=True)
class Branch:
    name: str
    rows: int | None
    status: str = "completed"


FIELDS = (
    Field(id="name", title="NAME", width=10, cell=lambda b: b.name),
    Field(id="status", title="STATUS", width=10, cell=lambda b: Styled(f"✓ {b.status}", "ok")),
    Field(
        id="rows",
        title="ROWS",
        width=8,
        cell=lambda b: "–" if b.rows is None else f"{b.rows:,}",
        value=lambda b: b.rows,
    ),
)
BRANCHES = [
    Branch("north_1", 100),
    Branch("north_2", 20_000, "failed"),
    Branch("south_1", None),
]


def found(text):
    test = filtering(text, FIELDS)
    return [branch.name for branch in BRANCHES if test(branch)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("north", ["north_1", "north_2"]),
        ("NORTH", ["north_1", "north_2"]),
        ("!north", ["south_1"]),
        ("/_1$/", ["north_1", "south_1"]),
        ("/north 1|south/", ["south_1"]),
        ("!/_1$/", ["north_2"]),
        ("rows>1000", ["north_2"]),
        ("rows>=100", ["north_1", "north_2"]),
        ("rows<1k", ["north_1"]),
        ("rows<=20k", ["north_1", "north_2"]),
        ("rows=100", ["north_1"]),
        ("rows!=100", ["north_2", "south_1"]),
        ("status=fail", ["north_2"]),
        ("status!=fail", ["north_1", "south_1"]),
        ("name>north_2", ["south_1"]),
        ("name<=north_1", ["north_1"]),
        ("north rows>1000", ["north_2"]),
        ("!", []),
        ("/", []),
    ],
)
def test_a_filter_lets_through(text, names):
    assert found(text) == names


def test_an_unknown_column_is_named_with_those_there_are():
    with pytest.raises(ValueError, match="no column 'size'; there are name, status, rows"):
        filtering("size>3", FIELDS)


def test_a_broken_pattern_is_named():
    with pytest.raises(ValueError, match="is no pattern"):
        filtering("/(/", FIELDS)


def test_what_has_no_value_comes_last_either_way():
    by = FIELDS[2]
    assert [b.name for b in arranged(BRANCHES, by)] == ["north_1", "north_2", "south_1"]
    assert [b.name for b in arranged(BRANCHES, by, descending=True)] == [
        "north_2",
        "north_1",
        "south_1",
    ]
    assert arranged(BRANCHES, None) == BRANCHES


def test_a_row_is_its_cells():
    assert row_of(BRANCHES[0], "k", FIELDS).cells == ("north_1", Styled("✓ completed", "ok"), "100")
    assert FIELDS[2].column.title == "ROWS"
