"""SQLite's plans: steps of a step are moved in below it."""

import sqlite3
from contextlib import closing

from etltui.domain.task import QueryTask
from etltui.readers.sqlite import SqliteReader


def test_n_25_the_steps_of_a_step_stand_below_it(tmp_path):
    """N-25: EXPLAIN per branch."""
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b)")
    reader = SqliteReader(str(path), busy_s=1)
    sql = "SELECT a FROM t UNION SELECT b FROM t WHERE a = :a"
    try:
        plan = reader.explain(QueryTask(name="q", sql=sql, params={"a": 1}))
    finally:
        reader.close()
    lines = plan.splitlines()
    depths = [len(line) - len(line.lstrip()) for line in lines]
    assert lines[0] == "COMPOUND QUERY"
    assert depths[0] == 0
    assert {2, 4} <= set(depths)
    assert "    SCAN t" in lines
    assert "    SEARCH t USING INTEGER PRIMARY KEY (rowid=?)" in lines
