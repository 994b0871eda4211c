"""What is written is held against what a control query counts in the same snapshot: N-7."""

import sqlite3
from contextlib import closing
from decimal import Decimal

import pyarrow as pa
import pytest

import extractor_kit as kit
from etltui.domain.columns import Column
from etltui.domain.control import told
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.task import ExtractTask, QueryTask, WriterTask
from etltui.extractors.control import Sums, first_row
from etltui.extractors.extract import Watch, extract
from etltui.extractors.gate import Gate
from etltui.readers.sqlite import SqliteReader

COLUMNS = (
    Column(name="id", type="int"),
    Column(name="Amount", type="decimal(12,2)"),
    Column(name="note", type="text"),
)


@pytest.fixture
def shop(tmp_path):
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE bills (id INTEGER, amount REAL, tax INTEGER, code TEXT)")
        db.executemany(
            "INSERT INTO bills VALUES (?, ?, ?, ?)", ((n, n / 10, n, f"{n}.5") for n in range(100))
        )
    return path


def read(shop, sql, control, **changes):
    """Extract one query of the shop into a CSV part."""
    folder = shop.parent / "parts"
    folder.mkdir(exist_ok=True)
    for part in folder.iterdir():
        part.unlink()
    with closing(SqliteReader(str(shop), busy_s=1)) as reader:
        query = QueryTask(name="main", sql=sql)
        fixed = changes.pop("columns", None) or reader.describe(query)
        query = QueryTask(name="main", sql=sql, columns=fixed, control=control, **changes)
        task = ExtractTask(
            run="r",
            connection="A",
            number=1,
            attempt=1,
            queries=(query,),
            writers=(WriterTask(destination=0, type="csv", folder=str(folder), options={}),),
            plan_hash="",
            connection_hash="",
        )
        try:
            return extract(reader, task, Gate(1), Watch())
        finally:
            assert not kit.extractor_threads()


ALL = "SELECT id, amount, tax, code FROM bills"
CONTROL = (
    "SELECT COUNT(*) AS rows, SUM(amount) AS amount, SUM(tax) AS Tax, SUM(code) AS code FROM bills"
)


def test_n_7_what_was_written_is_what_was_counted(shop):
    done = read(shop, ALL, CONTROL)
    assert [(each.what, each.got, each.agrees) for each in done.controls] == [
        ("rows", "100", True),
        ("amount", "495", True),
        ("tax", "4,950", True),
        ("code", "5,000.0", True),
    ]
    assert told(done.controls) == "agrees: rows, amount, tax, code"


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (f"{ALL} LIMIT 99", "rows 99 written, 100 at the source; amount"),
        (f"{ALL} UNION ALL SELECT NULL, 0, 0.0, 0", "rows 101 written, 100 at the source"),
        (ALL.replace("tax,", "tax + (id = 7) AS tax,"), "tax 4,951 written, 4,950 at the source"),
    ],
)
def test_n_7_rows_that_are_lost_doubled_or_changed_on_the_way_fail_and_leave_no_part(
    shop, sql, said
):
    with pytest.raises(Failure) as caught:
        read(shop, sql, CONTROL)
    assert caught.value.error_class is ErrorClass.CONTROL
    assert said in caught.value.message
    assert not list((shop.parent / "parts").iterdir())


def test_n_7_a_control_query_that_cannot_be_run_is_told_from_the_jobs_own(shop):
    with pytest.raises(Failure, match=r"^the control query: no such table: bill$") as caught:
        read(shop, ALL, "SELECT count(*) AS rows FROM bill")
    assert caught.value.error_class is ErrorClass.SYNTAX


def test_a_difference_may_only_warn_or_be_within_what_is_allowed(shop):
    warned = read(shop, f"{ALL} LIMIT 99", "SELECT 100 AS row_count", on_control="warn")
    assert [each.agrees for each in warned.controls] == [False]
    allowed = read(shop, f"{ALL} LIMIT 99", "SELECT 100 AS rows", control_tolerance=1)
    assert [each.agrees for each in allowed.controls] == [True]


@pytest.mark.parametrize(
    ("control", "said"),
    [
        ("SELECT 1 AS amout", "says amout, which is neither rows nor a written column: id, amount"),
        ("SELECT 1 AS rows FROM bills", "gives more than one row; it must give one"),
        ("SELECT 1 AS rows WHERE 0", "gives no row"),
        ("SELECT 'many' AS rows", "says of rows: 'many' is no number"),
        ("SELECT 1 AS name", "neither rows nor"),
    ],
)
def test_a_control_query_that_says_nothing_of_the_rows_is_refused(shop, control, said):
    with pytest.raises(Failure) as caught:
        read(shop, ALL, control)
    assert caught.value.error_class is ErrorClass.CONTROL
    assert said in caught.value.message


def test_a_column_of_words_cannot_be_summed(shop):
    with pytest.raises(Failure, match="column word cannot be summed"):
        read(shop, "SELECT 'abc' AS word", "SELECT 1 AS word")


def test_nothing_written_is_nothing_counted(shop):
    done = read(shop, f"{ALL} WHERE 0", f"{CONTROL} WHERE 0")
    assert [each.agrees for each in done.controls] == [True] * 4


def test_it_is_asked_in_the_snapshot_of_the_rows(shop):
    """A till that sells between the two makes no difference."""
    with closing(sqlite3.connect(shop)) as till:
        till.execute("PRAGMA journal_mode = WAL")
        with closing(SqliteReader(str(shop), busy_s=1)) as reader:
            sums = None
            with reader.snapshot():
                for sql in ("SELECT COUNT(*) AS rows FROM bills", ALL):
                    query = QueryTask(name="main", sql=sql, columns=())
                    with reader.read(query, batch_bytes=lambda: 10**6, exact=False) as result:
                        if sums is None:
                            sums = Sums(query, first_row(result.columns, result.batches))
                        else:
                            rows = sum(batch.num_rows for batch in result.batches)
                    with till:
                        till.execute("INSERT INTO bills VALUES (1, 1, 1, 1)")
    assert [each.agrees for each in sums.proved(rows)] == [True]


def sums_of(kind, *batches, said=0):
    """The sum of a column, batch by batch."""
    sums = Sums(QueryTask(name="q", sql="", columns=(Column(name="x"),)), {"X": said})
    for values in batches:
        sums.add(pa.RecordBatch.from_arrays([pa.array(values, kind)], ["other name"]))
    return sums._got["x"]


@pytest.mark.parametrize(
    ("kind", "batches", "total"),
    [
        (pa.int64(), [[1, None], [2]], 3),
        (pa.int64(), [[2**62, 2**62], [2**62, None]], 3 * 2**62),
        (pa.int64(), [[-(2**63)], [-(2**63), -1]], -(2**64) - 1),
        (pa.int64(), [[None]], 0),
        (pa.bool_(), [[True, None, True]], 2),
        (pa.decimal128(12, 2), [[Decimal("0.10"), None], [Decimal("0.20")]], Decimal("0.30")),
        (pa.decimal128(38, 0), [[Decimal(10**38 - 1)] * 20] * 2, Decimal(40 * (10**38 - 1))),
        (
            pa.decimal256(50, 3),
            [[Decimal("1e40")], [Decimal("0.001")]],
            Decimal(f"1{'0' * 40}.001"),
        ),
        (pa.string(), [["1.5", None, " 2 "]], Decimal("3.5")),
        (pa.null(), [[None]], 0),
    ],
)
def test_sums_are_exact_over_batches(kind, batches, total):
    assert sums_of(kind, *batches) == total


def test_floats_stay_floats():
    assert isinstance(sums_of(pa.float64(), [0.1, None], [0.2]), float)


def test_dates_are_refused():
    with pytest.raises(Failure, match="column x cannot be summed: it holds date32"):
        sums_of(pa.date32(), [1])
