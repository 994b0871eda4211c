"""What a SQLite file is known by."""

import shutil
import sqlite3


def test_n_18_a_file_is_the_same_by_every_way_to_it_and_a_copy_is_not(bench, tmp_path):
    bench.write("CREATE TABLE t (id INTEGER)")
    link, copy = tmp_path / "link.db", tmp_path / "copy.db"
    link.symlink_to(bench.path)
    shutil.copy(bench.path, copy)
    by_link, by_copy = type(bench)(link, bench._closes), type(bench)(copy, bench._closes)

    facts = bench.reader.facts()

    assert facts.identity == str(bench.path.resolve())
    assert by_link.reader.facts().identity == facts.identity
    assert by_copy.reader.facts().identity != facts.identity


def test_a_file_that_is_replaced_each_night_stays_itself(bench, tmp_path):
    bench.write("CREATE TABLE t (id INTEGER)")
    before = bench.reader.facts()
    newer = tmp_path / "newer.db"
    with sqlite3.connect(newer) as db:
        db.execute("CREATE TABLE t (id INTEGER, more TEXT)")
    db.close()
    newer.replace(bench.path)
    bench.reader.ping()

    assert bench.reader.facts() == before
    assert before.product == f"SQLite {sqlite3.sqlite_version}"
    assert (before.encrypted, before.skew_s, before.started) == (None, None, "")
