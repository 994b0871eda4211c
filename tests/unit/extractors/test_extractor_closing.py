"""Whether the day is closed is asked where the rows are read, before them: N-9."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from etltui.domain.closing import Closing
from etltui.domain.columns import Column
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.task import ExtractTask, QueryTask, WriterTask
from etltui.extractors.closing import still_open
from etltui.extractors.extract import Watch, extract
from etltui.extractors.gate import Gate
from etltui.readers.sqlite import SqliteReader

COLUMNS = (Column(name="at", type="text"), Column(name="day", type="text"))
UNTIL = datetime(2026, 11, 21, 18, tzinfo=UTC)


@pytest.fixture
def shop(tmp_path):
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE bills (at TEXT, day TEXT)")
        db.executemany(
            "INSERT INTO bills VALUES (?, '2026-11-21')",
            [("2026-11-21 09:00:00",), ("2026-11-21 17:30:00",)],
        )
    return path


def read(shop, **question):
    """Extract the bills of a shop that is asked this."""
    folder = shop.parent / "parts"
    folder.mkdir()
    with closing(SqliteReader(str(shop), busy_s=1)) as reader:
        query = QueryTask(name="main", sql="SELECT at, day FROM bills", columns=COLUMNS)
        task = ExtractTask(
            run="r",
            connection="A",
            number=1,
            attempt=1,
            queries=(query,),
            writers=(WriterTask(destination=0, type="csv", folder=str(folder), options={}),),
            plan_hash="",
            connection_hash="",
            closing=Closing(**question),
        )
        return extract(reader, task, Gate(1), Watch())


DAY = {"day": "2026-11-21"}
LAST = "SELECT MAX(at) FROM bills WHERE day = :day"


@pytest.mark.parametrize(
    ("question", "why"),
    [
        ({"sql": "SELECT 1"}, ""),
        ({"sql": "SELECT 0"}, "the day is not closed"),
        ({"sql": "SELECT 'closed' WHERE :day = '2026-11-21'", "params": DAY}, ""),
        ({"sql": "SELECT NULL"}, "the day is not closed"),
        ({"sql": "SELECT 1 WHERE 1 = 0"}, "the day is not closed"),
        # What stands below the first row, or beside its first value, says nothing.
        ({"sql": "SELECT 0, 1 UNION ALL SELECT 1, 1"}, "the day is not closed"),
        ({"sql": LAST, "params": DAY, "until": UNTIL}, "the last row is of 2026-11-21 17:30"),
        ({"sql": LAST, "params": DAY, "until": UNTIL.replace(hour=17)}, ""),
        ({"sql": LAST, "params": {"day": "2026-11-20"}, "until": UNTIL}, "no row of the day yet"),
    ],
)
def test_n_9_rows_are_provisional_until_the_branch_has_closed_their_day(shop, question, why):
    done = read(shop, **question)
    assert (done.provisional, done.rows) == (why, 2)


def test_n_9_a_time_that_is_none_fails_the_rows_and_names_the_key(shop):
    with pytest.raises(Failure, match="day_until gives 'soon' is no time") as caught:
        read(shop, sql="SELECT 'soon'", until=UNTIL)
    assert caught.value.error_class is ErrorClass.VALUE


@pytest.mark.parametrize(
    ("batches", "why"),
    [
        ([], "the day is not closed"),
        ([[], [1]], ""),
        ([[0], [1]], "the day is not closed"),
        ([[1], [0]], ""),
    ],
)
def test_n_9_the_first_row_answers_in_whichever_batch_it_comes_and_all_are_taken(batches, why):
    coming = (pa.record_batch({"a": pa.array(each, pa.int64())}) for each in batches)
    assert still_open(Closing(sql=""), coming) == why
    assert next(coming, None) is None
