"""Every type of DuckDB with its extreme values: what a reader makes of it, held to a golden file.

A line for each value: its column's SQL type, the canonical type, whether it stands as a number,
and the canonical text, as CSV has it.
"""

from contextlib import closing
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from etltui.domain.task import QueryTask, SessionTask
from etltui.extractors.arrow import arrow_schema
from etltui.readers.reader import RereadError
from etltui.readers.registry import connect
from etltui.writers.text import canonical

GOLDEN = Path(__file__).parent / "types_duckdb.txt"
TYPES = {
    "BOOLEAN": ["true", "false"],
    "TINYINT": ["-128", "127"],
    "SMALLINT": ["-32768", "32767"],
    "INTEGER": ["-2147483648", "2147483647"],
    "BIGINT": ["-9223372036854775808", "9223372036854775807"],
    "UTINYINT": ["0", "255"],
    "USMALLINT": ["65535"],
    "UINTEGER": ["4294967295"],
    "UBIGINT": ["0", "18446744073709551615"],
    "HUGEINT": ["-170141183460469231731687303715884105728", "0"],
    "UHUGEINT": ["340282366920938463463374607431768211455", "0"],
    "BIGNUM": ["-12345678901234567890123456789012345678901234567890"],
    "FLOAT": ["0.1", "'-inf'", "3.4028235e38", "1e-45", "2005941.75"],
    "DOUBLE": ["0.1", "'nan'", "1.7976931348623157e308", "5e-324", "'-0.0'", "1e15"],
    "DECIMAL(4,1)": ["-999.9", "0"],
    "DECIMAL(38,0)": ["99999999999999999999999999999999999999"],
    "DECIMAL(38,38)": ["0.00000000000000000000000000000000000001"],
    "VARCHAR": ["''", "'विभा “q” 😀'", "'a' || chr(9) || 'b'", "'NULL'"],
    "BLOB": ["''", r"'\x00\xFFabc'"],
    "BIT": ["'0'", "'0101000000001'"],
    "UUID": ["'00000000-0000-0000-0000-000000000000'"],
    "ENUM('sad', 'happy')": ["'happy'"],
    "JSON": ["""'{"b": 1,  "a": [1.10]}'"""],
    "DATE": ["'0001-01-01'", "'9999-12-31'", "'0044-03-15 (BC)'", "'5881580-07-10'"],
    "DATE NOT FINITE": ["'infinity'", "'-infinity'", "'0044-03-15 (BC)'", "'2026-11-22'"],
    "TIME": ["'00:00:00'", "'23:59:59.999999'"],
    "TIME OF 24": ["'24:00:00'", "'12:30:00.5'"],
    "TIME_NS": ["'12:00:00.123456789'"],
    "TIMETZ": ["'12:00:00+05:30'", "'00:00:00-15:59'"],
    "TIMESTAMP": ["'2026-11-22 23:59:59.999999'", "'290309-12-22 (BC) 00:00:00'"],
    "TIMESTAMP NOT FINITE": [
        "'-infinity'",
        "'0044-03-15 (BC) 01:02:03.5'",
        "'2026-11-22 10:00:00'",
    ],
    "TIMESTAMP_S": ["'2026-11-22 23:59:59'", "'1970-01-01 00:00:00'"],
    "TIMESTAMP_MS": ["'2026-11-22 23:59:59.125'"],
    "TIMESTAMP_NS": ["'2026-11-22 23:59:59.123456'"],
    "TIMESTAMP_NS OF NANOSECONDS": ["'2026-11-22 23:59:59.123456789'", "'infinity'"],
    "TIMESTAMPTZ": ["'2026-11-22 23:59:59.5+05:30'", "'1900-01-01 00:00:00+00'"],
    "TIMESTAMPTZ NOT FINITE": ["'infinity'", "'2026-11-22 00:00:00+05:30'"],
    "INTERVAL": ["'14 months 3 days 04:05:06.7'", "'-1 day'", "'0 days'"],
    "INTEGER[]": ["[1, NULL, 3]", "[]"],
    "VARCHAR[]": ["""['a "b"', NULL]"""],
    "DECIMAL(38,10)[]": ["[9999999999999999999999999999.0000000001]"],
    "DOUBLE[]": ["['nan'::DOUBLE, 'inf'::DOUBLE]"],
    "INTEGER[2]": ["[1, 2]"],
    "STRUCT(a INTEGER, b VARCHAR)": ["{'a': 1, 'b': 'x'}", "{'a': NULL, 'b': NULL}"],
    "MAP(VARCHAR, DATE)": ["MAP {'k': DATE 'infinity'}"],
    "UNION(n INTEGER, s VARCHAR)": ["union_value(s := 'x')"],
}
"""By the column's type; words behind it only tell columns of one type apart."""
_WORDS = (" NOT FINITE", " OF 24", " OF NANOSECONDS")


def sql_type(name: str) -> str:
    for words in _WORDS:
        name = name.removesuffix(words)
    return name


@pytest.fixture
def reader(tmp_path):
    path = tmp_path / "types.duckdb"
    with closing(duckdb.connect(path)) as db:
        for number, (name, values) in enumerate(TYPES.items()):
            kind = sql_type(name)
            db.execute(f"CREATE TABLE t{number} (n INTEGER, v {kind})")
            for order, value in enumerate([*values, "NULL"]):
                db.execute(f"INSERT INTO t{number} VALUES ({order}, CAST({value} AS {kind}))")
    task = SessionTask(
        connection="c",
        kind="sqlalchemy",
        host="",
        port=0,
        database=str(path),
        user="",
        password="",
        options={"dialect": "duckdb"},
    )
    with closing(connect(task)) as opened:
        yield opened


def read(reader, sql: str, *, exact: bool = False) -> pa.Table:
    with (
        reader.snapshot(),
        reader.read(QueryTask(name="q", sql=sql), batch_bytes=lambda: 1 << 20, exact=exact) as got,
    ):
        return pa.Table.from_batches(list(got.batches), schema=arrow_schema(got.columns))


def texts(table: pa.Table) -> list[str | None]:
    return canonical(table["v"].combine_chunks()).to_pylist()


def lines_of(reader, number: int, name: str) -> list[str]:
    sql = f"SELECT v FROM t{number} ORDER BY n"
    try:
        table = read(reader, sql)
    except RereadError:
        table = read(reader, sql, exact=True)
    column = table["v"].combine_chunks()
    kind = str(column.type) if not pa.types.is_struct(column.type) else "mixed"
    return [
        " | ".join((name, kind, "NULL" if text is None else repr(text)))
        for text in canonical(column).to_pylist()
    ]


def test_every_type_of_duckdb_arrives_as_the_golden_file_says(reader):
    lines = [line for number, name in enumerate(TYPES) for line in lines_of(reader, number, name)]
    assert lines == GOLDEN.read_text(encoding="utf-8").splitlines()


def test_both_lanes_say_the_same_of_every_type_that_keeps_its_claim(reader):
    for number in range(len(TYPES)):
        sql = f"SELECT v FROM t{number} ORDER BY n"
        try:
            fast = read(reader, sql)
        except RereadError:
            continue
        slow = read(reader, sql, exact=True)
        assert fast.schema == slow.schema
        assert texts(fast) == texts(slow)


def test_columns_of_one_name_and_a_null_of_no_type_are_read(reader):
    table = read(reader, "SELECT 1 AS a, 'x' AS a, NULL AS b, 2")
    assert table.schema.names == ["a", "a", "b", "2"]
    assert [column.to_pylist() for column in table.columns] == [[1], ["x"], [None], [2]]
