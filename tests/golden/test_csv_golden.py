"""Whole CSV files against golden bytes: one file for each set of options."""

import os
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from etltui.domain.columns import Column
from etltui.domain.job import CsvOptions
from etltui.domain.task import ExtractTask, PublishEntry, PublishTask, WriterTask
from etltui.extractors.arrow import MIXED, canonical_type
from etltui.writers import csv
from etltui.writers.writer import PartTask

FOLDER = Path(__file__).parent
CASES = {
    "csv_default.csv": {},
    "csv_all_quoted.csv": {"quoting": "all", "null": "NULL", "line_end": "crlf", "bom": True},
    "csv_guarded.csv": {
        "quoting": "text",
        "delimiter": ";",
        "formula_guard": "quote",
        "connection_column": "branch",
    },
}
PROFILES = {
    "csv_german.csv": {
        "delimiter": ";",
        "decimal": ",",
        "thousands": ".",
        "date_format": "%d.%m.%Y",
        "timestamp_format": "%d.%m.%Y %H:%M:%S%z",
        "encoding": "utf-16",
    },
    "csv_indian.csv": {
        "quoting": "all",
        "thousands": "indian",
        "date_format": "%d/%m/%Y",
        "timestamp_format": "%d/%m/%Y %H:%M:%S",
    },
}
ROWS = pa.record_batch(
    {
        "id": pa.array([1, 2, None]),
        "name": pa.array(["Łukasz, 山田", '=1+"2"', ""]),
        "note, long": pa.array(["two\nlines", None, " NULL "]),
        "amount": pa.array([Decimal("-1.50"), None, Decimal(0)], pa.decimal128(12, 2)),
        "ratio": pa.array([0.1, float("nan"), 1e15]),
        "on": pa.array([True, None, False]),
        "day": pa.array([0, 20_000, None], pa.date32()),
        "at": pa.array([0, 1_500_000, None], pa.timestamp("us")),
        "seen": pa.array([0, None, 1], pa.timestamp("us", tz="UTC")),
        "raw": pa.array([b"\x00\xff", None, b""]),
        "any": pa.array(
            [{"text": "-5", "number": True}, {"text": "-x", "number": False}, None],
            MIXED,
        ),
    },
)


MONEY = pa.record_batch(
    {
        "id": pa.array([1, 1_234_567, None]),
        "amount": pa.array(
            [Decimal("-123456.50"), Decimal("99999999999999999999999999.99"), Decimal("0.05")],
            pa.decimal128(38, 2),
        ),
        "ratio": pa.array([1234.5, 1e-7, float("nan")]),
        "day": pa.array([20_000, -1, None], pa.date32()),
        "at": pa.array([1_500_000, 86_399_000_000, None], pa.timestamp("us")),
        "seen": pa.array([1_500_000, None, 0], pa.timestamp("us", tz="UTC")),
        "text": pa.array(["1234.5", "1.234,5", "a;b"]),
        "any": pa.array(
            [{"text": "-12345.5", "number": True}, {"text": "12345", "number": False}, None],
            MIXED,
        ),
    },
)


def _made(folder, options, rows=ROWS):
    """The target of two connections with the same rows."""
    columns = tuple(Column(name=f.name, type=canonical_type(f.type)) for f in rows.schema)
    fields = asdict(CsvOptions(**options))
    (folder / "0").mkdir()
    writer = WriterTask(destination=0, type="csv", folder=str(folder / "0"), options=fields)
    entries = []
    for number, name in enumerate(("Branch_001", "-Branch; 2")):
        extract = ExtractTask(
            run="r",
            connection=name,
            number=number,
            attempt=1,
            queries=(),
            writers=(writer,),
            plan_hash="p",
            connection_hash="c",
        )
        part = csv.part_writer(
            PartTask(extract=extract, writer=writer, query=0, columns=columns, found=columns),
        )
        part.write(rows)
        entries.append(PublishEntry(connection=name, status="completed", receipts=part.close()))
    csv.assemble(
        PublishTask(
            destination=0,
            type="csv",
            parts=str(folder),
            temporary=str(folder / "made"),
            target=str(folder / "out.csv"),
            options=fields,
            queries=("main",),
            columns=(columns,),
            entries=tuple(entries),
        ),
    )
    return (folder / "made").read_bytes()


@pytest.mark.parametrize("name", CASES)
def test_a_file_is_its_golden_bytes(tmp_path, name):
    _compare(_made(tmp_path, CASES[name]), name)


@pytest.mark.parametrize("name", PROFILES)
def test_n_16_a_file_in_a_profile_is_its_golden_bytes(tmp_path, name):
    _compare(_made(tmp_path, PROFILES[name], MONEY), name)


def _compare(made, name):
    if os.environ.get("GOLDEN") == "write":
        (FOLDER / name).write_bytes(made)
    assert made == (FOLDER / name).read_bytes()
