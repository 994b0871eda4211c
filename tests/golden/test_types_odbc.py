"""Every type of three databases through their ODBC drivers, against the golden files beside.

What a driver would cut, round or turn into something else shows here: the values are those that
lose something on the usual ways through ODBC.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest

from etltui.domain.task import QueryTask
from etltui.extractors.arrow import arrow_schema, canonical_type
from etltui.readers.reader import RereadError
from etltui.readers.registry import connect
from etltui.writers.text import canonical
from odbc_kit import (
    MARIADB,
    POSTGRESQL,
    SQLITE,
    mariadb_task,
    missing,
    postgresql_task,
    sqlite_task,
)
from postgresql_kit import session_task

LONG_TEXT = "ü" * 40_000
TEXTS = ["''", "' a '", "'Łukasz 山田 🙂 ØÙÚÛ付'", "E'1\\t2\\n3'", f"'{LONG_TEXT}'"]
POSTGRESQL_TYPES = {
    "boolean": ["true", "false"],
    "smallint": ["-32768", "32767"],
    "integer": ["-2147483648", "2147483647"],
    "bigint": ["-9223372036854775808", "9223372036854775807"],
    "oid": ["4294967295"],
    "real": ["0.1", "3.4e38", "'NaN'", "'-Infinity'"],
    "double precision": ["0.1", "1.7976931348623157e308", "5e-324", "0.30000000000000004", "'NaN'",
                         "'Infinity'"],
    "numeric(12,2)": ["0", "-1.5", "9999999999.99"],
    "numeric(38,10)": ["-1234567890123456789012345678.0123456789", "0.0000000001"],
    "numeric(60,30)": ["123456789012345678901234567890.123456789012345678901234567891"],
    "numeric": ["1.50", "0.00000000000000000000000001", "1e40", "'NaN'"],
    "numeric(5,2)": ["'NaN'", "1.5"],
    "money": ["92233720368547758.07"],
    "text": TEXTS,
    "varchar(30)": ["'Ø'", "repeat('付', 30)"],
    "char(5)": ["'ab'"],
    "bytea": ["'\\x'", "'\\x00ff'", f"decode(repeat('00ff', {20_000}), 'hex')"],
    "date": ["'0001-01-01'", "'2024-02-29'", "'9999-12-31'"],
    "date (no day)": ["'infinity'", "'0044-03-15 BC'", "'2024-02-29'"],
    "time": ["'00:00'", "'23:59:59.999999'", "'12:34:56.1'"],
    "timetz": ["'12:34:56.789+05:30'"],
    "timestamp": ["'2024-02-29 12:34:56.123456'", "'0001-01-01'", "'1969-12-31 23:59:59.999999'"],
    "timestamp (no day)": ["'infinity'", "'-infinity'", "'2024-02-29 12:00'"],
    "timestamptz": ["'2024-02-29 12:34:56.123456+05:30'", "'1900-01-01 00:00+00'"],
    "interval": ["'1 year 2 days 03:04:05.678'", "'-1 day'"],
    "uuid": ["'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'"],
    "json": ["'{\"a\": [1, null]}'"],
    "jsonb": ["'{\"a\":  1}'"],
    "xml": ["'<a>ü</a>'"],
    "inet": ["'10.0.0.1'", "'10.0.0.0/8'"],
    "cidr": ["'10.0.0.0/8'"],
    "macaddr": ["'08:00:2b:01:02:03'"],
    "integer[]": ["'{1,NULL,3}'"],
    "text[]": ["'{\"a,b\",\"c\"}'"],
    "int4range": ["'[1,5)'"],
    "bit(3)": ["B'101'"],
    "varbit": ["B'10101'"],
    "point": ["'(1.5,2)'"],
    "tsvector": ["'a b'"],
    "name": ["'n'"],
}  # fmt: skip
MARIADB_TEXTS = ["''", "' a '", "'Łukasz 山田 🙂 ØÙÚÛ付'", "'1\\t2\\n3'", f"'{LONG_TEXT}'"]
MARIADB_TYPES = {
    "boolean": ["1", "0", "7"],
    "bit(1)": ["b'1'", "b'0'"],
    "bit(10)": ["b'1111111111'"],
    "tinyint": ["-128", "127"],
    "tinyint unsigned": ["255"],
    "smallint": ["-32768", "32767"],
    "mediumint": ["-8388608"],
    "int": ["-2147483648", "2147483647"],
    "int unsigned": ["4294967295"],
    "bigint": ["-9223372036854775808", "9223372036854775807"],
    "bigint unsigned": ["18446744073709551615", "0"],
    "float": ["0.1", "3.4e38"],
    "double": ["0.1", "1.7976931348623157e308", "0.30000000000000004"],
    "decimal(12,2)": ["0", "-1.5", "9999999999.99"],
    "decimal(38,10)": ["-1234567890123456789012345678.0123456789"],
    "decimal(65,30)": ["12345678901234567890123456789012345.123456789012345678901234567891"],
    "char(5)": ["'ab'"],
    "varchar(40)": ["'Łukasz 山田 🙂 ØÙÚÛ付'", "'付付付'"],
    "text": MARIADB_TEXTS[:4],
    "longtext": MARIADB_TEXTS,
    "enum('a','b')": ["'b'"],
    "set('a','b')": ["'a,b'"],
    "json": ["'{\"a\": 1}'"],
    "uuid": ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"],
    "inet6": ["'::1'"],
    "binary(3)": ["'ab'"],
    "varbinary(10)": ["x'00ff'"],
    "longblob": ["''", f"repeat(x'00ff', {20_000})"],
    "date": ["'0001-01-01'", "'2024-02-29'", "'9999-12-31'"],
    "time": ["'00:00:00'", "'23:59:59'"],
    "time(6)": ["'12:34:56.123456'"],
    "time (no day's)": ["'838:59:59'", "'-100:00:01'", "'12:00:00'"],
    "time(6) (no day's)": ["'838:59:59'", "'-00:00:00.000010'", "'12:00:00.5'"],
    "datetime": ["'2024-02-29 12:34:56'", "'0001-01-01 00:00:00'"],
    "datetime(6)": ["'2024-02-29 12:34:56.123456'", "'1969-12-31 23:59:59.999999'"],
    "timestamp(6)": ["'2024-02-29 12:34:56.123456'"],
    "date (no day)": ["'0000-00-00'", "'2024-02-00'", "'2024-02-29'"],
    "datetime (no day)": ["'0000-00-00 00:00:00'", "'2024-02-29 12:00:00'"],
    "datetime(6) (no day)": ["'0000-00-00 00:00:00'", "'2024-02-29 12:00:00.120000'"],
    "timestamp(6) NULL (no day)": ["'0000-00-00 00:00:00'", "'2024-02-29 12:00:00.120000'"],
    "year": ["2024", "1901"],
}
SQLITE_TYPES = {
    "INTEGER": ["-9223372036854775808", "9223372036854775807", "0"],
    "INTEGER (others)": ["1.5", "'abc'", "7"],
    "REAL": ["0.1", "0.30000000000000004", "1.0/3", "1e300", "123456789.123456789", "2.0"],
    "DECIMAL(12,2)": ["4.35", "1.5", "9999999999.99", "0.1+0.2"],
    "BOOLEAN": ["1", "0"],
    "TEXT": ["''", "'Łukasz 山田 🙂 ØÙÚÛ付'", "'1' || char(9) || '2'", f"'{LONG_TEXT}'"],
    "TEXT (zeros)": ["'a' || char(0) || 'b付'", "char(0)"],
    "INTEGER (bytes)": ["x'0000ff'", "'12'", "7"],
    "REAL (17 digits)": ["1.7976931348623157e308", "-1.4453806440287044e+228"],
    "VARCHAR(10)": ["'longer than that it may well be'"],
    "DATE": ["'2024-02-29'"],
    "TIMESTAMP": ["'2024-02-29 12:34:56.123456'", "'2024-02-29 12:34:56'"],
    "TIME": ["'12:34:56.789'"],
    "BLOB": ["x'00ff'", "x''"],
    "none": ["1", "0.1", "'x'"],
}


def column(type_, values, task, table):
    """A line for each value: the type here, the canonical one, the text."""
    with closing(connect(task)) as reader:
        exact = False
        for _ in range(3):
            asked = QueryTask(name="q", sql=f"SELECT v FROM {table} ORDER BY n")
            try:
                with reader.snapshot(), reader.read(
                    asked, batch_bytes=lambda: 1 << 20, exact=exact,
                ) as result:  # fmt: skip
                    found = pa.Table.from_batches(
                        list(result.batches), schema=arrow_schema(result.columns)
                    )
                break
            except RereadError:
                exact = True
        else:
            raise AssertionError(f"{type_}: reading again does not converge")
    array = found.column("v").combine_chunks()
    texts = canonical(array).to_pylist()
    assert len(texts) == len(values) + 1
    kind = canonical_type(array.type)
    return [f"{type_} -> {kind}: {_short(text)}" for text in texts]


def _short(text):
    if text is None:
        return "NULL"
    return repr(text) if len(text) < 200 else f"{text[:3]!r} … {len(text)} characters"


def compare(name, lines):
    golden = Path(__file__).with_name(f"types_odbc_{name}.txt")
    made = "\n".join(lines) + "\n"
    if os.environ.get("ETLTUI_GOLDEN") == "write":
        golden.write_text(made)
    assert made == golden.read_text()


def tables(
    types, quoted=lambda type_: type_.partition(" (")[0] if type_.endswith(("s)", "y)")) else type_
):
    """Statements that make a table for each type, and its name."""
    made = {}
    for number, (type_, values) in enumerate(types.items()):
        declared = "" if type_ == "none" else quoted(type_)
        made[type_] = (
            f"t{number}",
            [
                f"CREATE TABLE t{number} (n integer, v {declared})",
                *(
                    f"INSERT INTO t{number} VALUES ({n}, {value})"
                    for n, value in enumerate([*values, "NULL"])
                ),
            ],
        )
    return made


@pytest.mark.server
def test_postgresql_by_its_odbc_driver(postgresql):
    if why := missing(POSTGRESQL):
        pytest.skip(why)
    made = tables(POSTGRESQL_TYPES)
    database = postgresql.database(*(each for _, all_ in made.values() for each in all_))
    lines, differs = [], []
    for type_, (table, _) in made.items():
        values = POSTGRESQL_TYPES[type_]
        found = column(type_, values, postgresql_task(database), table)
        lines += found
        native = column(type_, values, session_task(database), table)
        differs += [(one, other) for one, other in zip(found, native, strict=True) if one != other]
    compare("postgresql", lines)
    # One text for one value, whatever the way there.
    assert not differs


@pytest.mark.server
def test_mariadb_by_its_odbc_driver(mysql):
    if why := missing(MARIADB):
        pytest.skip(why)
    made = tables(MARIADB_TYPES)
    database = mysql.database(
        *(
            each.replace("v timestamp(6)", "v timestamp(6) NULL")
            for _, all_ in made.values()
            for each in all_
        ),
    )
    lines = [
        line
        for type_, (table, _) in made.items()
        for line in column(type_, MARIADB_TYPES[type_], mariadb_task(database), table)
    ]
    compare("mariadb", lines)


def test_sqlite_by_its_odbc_driver(tmp_path):
    if why := missing(SQLITE):
        pytest.skip(why)
    made = tables(SQLITE_TYPES)
    path = tmp_path / "types.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for _, statements in made.values():
            for statement in statements:
                db.execute(statement)
    lines = [
        line
        for type_, (table, _) in made.items()
        for line in column(type_, SQLITE_TYPES[type_], sqlite_task(path), table)
    ]
    compare("sqlite", lines)
