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


def _made(folder, options):
    """The target of two connections with the same rows."""
    columns = tuple(Column(name=f.name, type=canonical_type(f.type)) for f in ROWS.schema)
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
        part.write(ROWS)
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
    made = _made(tmp_path, CASES[name])
    if os.environ.get("GOLDEN") == "write":
        (FOLDER / name).write_bytes(made)
    assert made == (FOLDER / name).read_bytes()
