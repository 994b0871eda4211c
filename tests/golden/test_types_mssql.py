"""Every type of SQL Server with its extreme values, in the one text that all sources share."""

from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest

from etltui.domain.task import QueryTask
from etltui.extractors.arrow import arrow_schema
from etltui.readers.reader import RereadError
from etltui.readers.registry import connect
from etltui.writers.text import canonical
from mssql_kit import DRIVERS, serving, session_task

GOLDEN = Path(__file__).with_name("types_mssql.txt")
_LONG = "ünï" * 20_000

TYPES = {
    "bit": [0, 1],
    "tinyint": [0, 255],
    "smallint": [-32768, 32767],
    "int": [-(2**31), 2**31 - 1],
    "bigint": [-(2**63), 2**63 - 1],
    "real": [0.1, -3.4e38, 1.18e-38],
    "float": [0.1, -1.7976931348623157e308, 2.2250738585072014e-308, 5e-324],
    "decimal(1,0)": [-9, 9],
    "decimal(9,2)": ["-9999999.99", "0.50", "-0.01"],
    "decimal(19,4)": ["-999999999999999.9999"],
    "decimal(28,28)": ["0.0000000000000000000000000001", "-0.9999999999999999999999999999"],
    "decimal(38,0)": ["9" * 38, "-" + "9" * 38],
    "decimal(38,38)": ["-0." + "9" * 38],
    "numeric(10,3)": ["1234567.891"],
    "smallmoney": ["-214748.3648", "214748.3647"],
    "money": ["-922337203685477.5808", "922337203685477.5807", "0.0001"],
    "date": ["0001-01-01", "9999-12-31", "1752-09-09"],
    "time(0)": ["00:00:00", "23:59:59"],
    "time(3)": ["23:59:59.999", "00:00:00.100"],
    "time(6)": ["23:59:59.999999", "00:00:00"],
    "time(7)": ["23:59:59.9999999", "12:00:00.0000001"],
    "smalldatetime": ["1900-01-01 00:00", "2079-06-06 23:59"],
    "datetime": ["1753-01-01 00:00:00.000", "9999-12-31 23:59:59.997", "2026-11-22 10:11:12.003"],
    "datetime2(0)": ["0001-01-01 00:00:00", "9999-12-31 23:59:59"],
    "datetime2(3)": ["2026-11-22 10:11:12.100"],
    "datetime2(6)": ["0001-01-01 00:00:00.000001", "9999-12-31 23:59:59.999999"],
    "datetime2(7)": ["2026-11-22 10:11:12.1234567", "2026-11-22 10:11:12.1000000"],
    "datetimeoffset(0)": ["2026-11-22 10:11:12 +05:30", "2026-11-22 10:11:12 -14:00"],
    "datetimeoffset(6)": ["2026-11-22 10:11:12.123456 +00:00", "0001-01-01 14:00:00 +14:00"],
    "datetimeoffset(7)": ["9999-12-31 09:59:59.9999999 -14:00"],
    "uniqueidentifier": ["6F9619FF-8B86-D011-B42D-00C04FC964FF"],
    "char(5)": ["ab", "–€"],
    "varchar(10)": ["", "naïve –€", " x "],
    "varchar(10) collate Cyrillic_General_CI_AS": ["Привет", "№"],
    "varchar(40) collate Latin1_General_100_CI_AS_SC_UTF8": ["विभा 付 😀", "Ø"],
    "nchar(4)": ["ü", "😀"],
    "nvarchar(20)": ["", "विभा Ø Ù Ú Û 付 😀", "tab\tline\n"],
    "varchar(max)": ["", _LONG.replace("ï", "i"), "x"],
    "nvarchar(max)": [_LONG, "", "😀" * 3000],
    "binary(4)": [b"\x00\x01", b"\xff\xfe\xfd\xfc"],
    "varbinary(8)": [b"", b"\x00", b"\x00\x00\xff"],
    "varbinary(max)": [b"", bytes(range(256)) * 100],
    "xml": ["<a>ü😀</a>", "<b>" + "x" * 9000 + "</b>"],
    "sql_variant": [12, 0.5, "ünï"],
}


def read_all(reader, sql):
    """The rows, read again as often as the reader wants."""
    exact = False
    for _ in range(4):
        query = QueryTask(name="q", sql=sql)
        try:
            with reader.read(query, batch_bytes=lambda: 1 << 20, exact=exact) as result:
                batches = list(result.batches)
                return pa.Table.from_batches(batches, schema=arrow_schema(result.columns))
        except RereadError:
            exact = True
    raise AssertionError("reading again does not converge")


def shown(text):
    """A value in one line of the golden file; long ones by their length and ends."""
    if text is None:
        return "NULL"
    return repr(text) if len(text) <= 80 else f"{len(text)} characters, {text[:6]!r}…{text[-6:]!r}"


def printed(reader, number, spoken):
    table = read_all(reader, f"SELECT id, v FROM t{number} ORDER BY id")
    column = table["v"].combine_chunks()
    kind = reader.describe(QueryTask(name="q", sql=f"SELECT v FROM t{number}"))[0].type
    yield f"{spoken}: {kind} / {column.type}"
    values = column.field(0) if pa.types.is_struct(column.type) else canonical(column)
    for text, missing in zip(values.to_pylist(), column.is_null().to_pylist(), strict=True):
        yield f"    {shown(None if missing else text)}"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("tds")) as made:
        for number, (spoken, values) in enumerate(TYPES.items()):
            rows = [(each, value) for each, value in enumerate([*values, None])]
            made.table("etltui_test_types", f"t{number}", {"id": "int", "v": spoken}, rows)
        yield made


@pytest.mark.parametrize("driver", sorted(DRIVERS))
def test_every_type_has_one_text_whichever_driver_reads_it(server, driver):
    task = session_task(server, "etltui_test_types", DRIVERS[driver]())
    with closing(connect(task)) as reader:
        lines = [
            line for number, spoken in enumerate(TYPES) for line in printed(reader, number, spoken)
        ]
    assert lines == GOLDEN.read_text(encoding="utf-8").splitlines()
