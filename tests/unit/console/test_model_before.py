"""What is read before something is started, worked out without a screen."""

from dataclasses import replace

from etltui.console.cells import role_of, text_of
from etltui.console.model.before import dry_run_lines, estimate_lines
from etltui.domain.columns import Column
from etltui.domain.inquiry import DryQuery, DryRun, Estimate, Room, TargetSize
from etltui.domain.progress import Eta

ESTIMATE = Estimate(
    job="gst_sales",
    connections=56,
    known=54,
    rows=1_940_000,
    targets=(
        TargetSize(type="excel", path="/out/gst.xlsx", bytes=120_000_000),
        TargetSize(type="csv", path="/out/gst.csv"),
    ),
    eta=Eta(left_s=250.0, band_s=30.0, guess=True),
    memory=300_000_000,
    memory_is="the most that it weighed",
    disks=(
        Room(folder="/out", free=9_000_000_000, need=10_000_000),
        Room(folder="/parts", free=1_000_000, need=10_000_000),
    ),
    warnings=("branch_003 is held.",),
)


def told(lines):
    return [text_of(line) for line in lines]


def test_an_estimate_says_first_what_stands_against_the_run():
    lines = estimate_lines(ESTIMATE, "!")
    assert lines[0] == ("! branch_003 is held.", "warn")
    assert told(lines)[1:] == [
        "",
        "Connections   56, of 54 the usual rows are known",
        "Rows          about 1,940,000 of those",
        "Time          about 4:10, 30.0s more or less (a guess)",
        "Targets       /out/gst.xlsx (excel, about 120.0 MB)",
        "              /out/gst.csv (csv, size not known)",
        "Memory        300.0 MB, the most that it weighed",
        "Disk          /out: 9.0 GB free, 10.0 MB to come",
        "              /parts: 1.0 MB free, 10.0 MB to come",
    ]
    assert [role_of(line) for line in lines[-2:]] == ["", "bad"]


def test_where_nothing_is_known_no_number_is_made_up():
    unknown = replace(ESTIMATE, known=0, rows=0, eta=None, warnings=(), targets=(), disks=())
    assert told(estimate_lines(unknown, "!"))[:3] == [
        "Connections   56, of 0 the usual rows are known",
        "Rows          not known",
        "Time          not known",
    ]


def test_where_all_is_known_it_is_said_plainly():
    known = replace(ESTIMATE, known=56, eta=Eta(left_s=4.1, band_s=0.0), warnings=())
    assert told(estimate_lines(known, "!"))[:3] == [
        "Connections   56",
        "Rows          about 1,940,000",
        "Time          about 4.1s",
    ]


def test_a_dry_run_shows_each_column_with_its_first_values():
    """Wide letters take two cells: what stands behind them stays in its column."""
    query = DryQuery(
        name="main",
        columns=(Column(name="customer", type="text"), Column(name="b", type="int")),
        rows=5,
        first=(("陳美玲", "1"), ("w" * 40, "2"), ("c", "3"), ("d", "4")),
    )
    found = DryRun(
        job="gst_sales",
        connection="branch_001",
        queries=(query,),
        columns_of="R1",
        rows=5,
        bytes=2000,
        seconds={"query": 1.0, "fetch": 0.5},
        notes={"long number as text": 3},
    )
    assert told(dry_run_lines(found)) == [
        "Rows          5",
        "Time          1.5s",
        "Parts         2.0 kB, deleted again",
        "Columns       those of run R1",
        "Changed       3 x long number as text",
        "",
        "main: 5 rows, 2 columns, the first 3 rows at the right",
        "  customer  text  陳美玲        wwwwwwwwwww…  c",
        "  b         int   1             2             3",
    ]


def test_a_query_without_rows_still_shows_its_columns():
    query = DryQuery(name="main", columns=(Column(name="a", type="int"),))
    lines = told(dry_run_lines(DryRun(job="j", connection="c", queries=(query,))))
    assert lines[-2:] == ["main: 0 rows, 1 column", "  a  int"]
