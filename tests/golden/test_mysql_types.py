"""Every type of MariaDB and MySQL with its extreme values: canonical type, Arrow type and text.

The file beside this test says what they are; GOLDEN=write writes it anew.
"""

import os
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest

from etltui.domain.task import QueryTask
from etltui.extractors.arrow import arrow_schema
from etltui.readers.mysql import connect
from etltui.readers.reader import RereadError
from etltui.writers.text import canonical
from mysql_kit import mysql_task

pytestmark = pytest.mark.server

GOLDEN = Path(__file__).with_name("types_mysql.txt")
BIG = "9" * 35 + "." + "9" * 30
TYPES = {
    "BOOLEAN": ["0", "1"],
    "TINYINT(1)": ["-1", "0", "2", "127"],
    "TINYINT(1) UNSIGNED": ["0", "1", "255"],
    "TINYINT": ["-128", "127"],
    "TINYINT UNSIGNED": ["0", "255"],
    "SMALLINT": ["-32768", "32767"],
    "SMALLINT UNSIGNED": ["65535"],
    "MEDIUMINT": ["-8388608", "8388607"],
    "MEDIUMINT UNSIGNED": ["16777215"],
    "INT": ["-2147483648", "2147483647"],
    "INT(8) ZEROFILL": ["42"],
    "INT UNSIGNED": ["4294967295"],
    "BIGINT": ["-9223372036854775808", "9223372036854775807"],
    "BIGINT UNSIGNED": ["0", "9223372036854775807"],
    "BIGINT UNSIGNED ": ["1", "9223372036854775808", "18446744073709551615"],
    "BIT(1)": ["b'0'", "b'1'"],
    "BIT(9)": ["b'100000001'"],
    "BIT(64)": ["0", "18446744073709551615"],
    "DECIMAL(12,2)": ["-9999999999.99", "0.5", "0"],
    "DECIMAL(5,0) UNSIGNED": ["99999"],
    "DECIMAL(38,38)": ["0.00000000000000000000000000000000000001", "-0." + "9" * 38],
    "DECIMAL(65,30)": [BIG, f"-{BIG}", "0.000000000000000000000000000001"],
    "FLOAT": ["0.1", "16777216", "-3.4028234e38", "1.17549435e-38", "123456.789", "1e-45", "-0e0"],
    "FLOAT(7,2)": ["12345.67", "0.1"],
    "DOUBLE": ["0.1", "1.7976931348623157e308", "-5e-324", "9007199254740993", "1e22", "-0e0"],
    "DOUBLE(8,3)": ["12345.678"],
    "DATE": ["'1000-01-01'", "'9999-12-31'", "'0001-01-01'", "'2000-02-29'"],
    "DATE ": ["'0000-00-00'", "'2026-00-12'", "'2026-11-00'", "'2026-11-22'"],
    "DATETIME": ["'1000-01-01 00:00:00'", "'9999-12-31 23:59:59'", "'1969-12-31 23:59:59'"],
    "DATETIME ": ["'0000-00-00 00:00:00'", "'2026-00-00 10:00:00'", "'2026-11-22 01:02:03'"],
    "DATETIME(3)": ["'2026-11-22 01:02:03.120'"],
    "DATETIME(6)": ["'9999-12-31 23:59:59.999999'", "'2026-11-22 00:00:00.000001'", "'2026-11-22'"],
    "DATETIME(6) ": ["'0000-00-00'", "'2026-00-01 01:02:03.5'"],
    "TIMESTAMP": ["'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'"],
    "TIMESTAMP(6)": ["'2026-11-22 01:02:03.000001'"],
    "TIMESTAMP(6) ": ["'0000-00-00 00:00:00'", "'2026-11-22 01:02:03.5'"],
    "TIME": ["'00:00:00'", "'23:59:59'"],
    "TIME(6)": ["'23:59:59.999999'", "'00:00:00.000001'", "'10:00:00'"],
    "TIME ": ["'838:59:59'", "'-838:59:59'", "'24:00:00'", "'-00:00:01'", "'12:00:00'"],
    "TIME(6) ": ["'-01:00:00.5'", "'838:59:58.999999'"],
    "YEAR": ["1901", "2155", "0"],
    "CHAR(5)": ["'ab  '", "''", "'é山🙂'"],
    "VARCHAR(20)": ["'  a  '", "''", "'\\0\\n\\t\"'", "'NULL'"],
    "VARCHAR(20) CHARACTER SET latin1": ["'Grüße €'"],
    "VARCHAR(20) CHARACTER SET cp1251": ["'Иван'"],
    "VARCHAR(20) CHARACTER SET utf8mb3": ["'山田'"],
    "VARCHAR(20) CHARACTER SET utf16": ["'山🙂'"],
    "BINARY(3)": ["'a'", "x'00ff01'"],
    "VARBINARY(5)": ["''", "x'00ff'"],
    "TINYTEXT": ["'a'"],
    "TEXT": ["REPEAT('x', 300)", "REPEAT('é', 200)"],
    "MEDIUMTEXT": ["'b'"],
    "LONGTEXT": ["REPEAT('y', 70000)"],
    "TINYBLOB": ["x'00'"],
    "BLOB": ["x'ff'", "''"],
    "LONGBLOB": ["REPEAT('z', 66000)"],
    "ENUM('a','b,c')": ["'b,c'", "''"],
    "SET('x','y')": ["'x,y'", "''"],
    "JSON": ["'{\"a\": [1, null]}'"],
    "UUID": ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"],
    "INET4": ["'192.0.2.1'"],
    "INET6": ["'2001:db8::ff00:42:8329'"],
    "GEOMETRY": [
        f"ST_GeomFromText('{shape}')"
        for shape in (
            "POINT(1 2.5)",
            "LINESTRING(0 0,1e20 1)",
            "POLYGON((0 0,4 0,4 4,0 0),(1 1,2 1,2 2,1 1))",
            "MULTIPOINT(0 0,1 1)",
            "MULTILINESTRING((0 0,1 1),(2 2,3 3))",
            "MULTIPOLYGON(((0 0,1 0,1 1,0 0)))",
            "GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,1 1))",
            "GEOMETRYCOLLECTION EMPTY",
        )
    ],
    "POINT": ["ST_GeomFromText('POINT(-0.1 1e-7)')"],
}
"""By the declaration; one with a space behind it is the same with values that its type lacks."""


@pytest.fixture(scope="module")
def database(mysql):
    return mysql.database()


@pytest.fixture(scope="module")
def reader(database):
    with closing(connect(mysql_task(database))) as opened:
        yield opened


def table(mysql, database, declared, values):
    mysql.execute(
        "DROP TABLE IF EXISTS t",
        f"CREATE TABLE t (n INT, v {declared} NULL)",
        *(f"INSERT INTO t VALUES ({n}, {value})" for n, value in enumerate([*values, "NULL"])),
        database=database,
    )


def read(reader, sql):
    """All rows, read again where the reader asks for it."""
    query, exact = QueryTask(name="q", sql=sql), False
    for _ in range(4):
        try:
            with reader.read(query, batch_bytes=lambda: 1 << 20, exact=exact) as result:
                return pa.Table.from_batches(result.batches, schema=arrow_schema(result.columns))
        except RereadError:
            exact = True
    raise AssertionError("reading again does not converge")


def shown(text):
    if text is None:
        return "NULL"
    return repr(text) if len(text) < 100 else f"{text[:5]!r} × {len(text)}"


def described(mysql, database, reader):
    lines = []
    for declared, values in TYPES.items():
        table(mysql, database, declared, values)
        (column,) = reader.describe(QueryTask(name="q", sql="SELECT v FROM t"))
        found = read(reader, "SELECT v FROM t ORDER BY n")["v"].combine_chunks()
        lines.append(f"{declared.strip()}: {column.type}, {found.type}")
        lines += [f"    {shown(text)}" for text in canonical(found).to_pylist()]
    return "\n".join(lines) + "\n"


def test_every_type_is_as_the_golden_file_says(mysql, database, reader):
    if "MariaDB" not in mysql.execute("SELECT VERSION() AS v")[0]["v"]:
        pytest.skip("the file is of MariaDB: MySQL lacks some of its types")
    found = described(mysql, database, reader)
    if os.environ.get("GOLDEN") == "write":
        GOLDEN.write_text(found, encoding="utf-8")
    assert found == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "declared",
    [d for d in TYPES if not d.startswith(("FLOAT", "DOUBLE", "BIT", "GEOM", "POINT", "BOOL"))],
)
def test_the_servers_own_text_is_the_same(mysql, database, reader, declared):
    """Held against the text form of the protocol, which is another way through the server."""
    table(mysql, database, declared, TYPES[declared])
    found = canonical(read(reader, "SELECT v FROM t ORDER BY n")["v"].combine_chunks()).to_pylist()
    told = [row["s"] for row in mysql.execute("SELECT CONCAT(v) AS s FROM t ORDER BY n",
                                              database=database)]  # fmt: skip
    kind = declared.partition("(")[0].strip()
    assert found == [None if text is None else expected(kind, text) for text in told]


def expected(kind, text):
    """The canonical form of what the server prints."""
    if isinstance(text, bytes):
        return "\\x" + text.hex() if "B" in kind else text.decode()
    if kind.startswith(("DATETIME", "TIMESTAMP", "TIME")) and "." in text:
        text = text.rstrip("0").rstrip(".")
    if kind == "TIMESTAMP" and not text.startswith("0000"):
        text += "+00"
    if kind in {"INT", "YEAR"}:
        return str(int(text))
    return text
