"""What every format that is made by copying parts promises, whatever its bytes look like."""

import gzip
import json
import os
import zlib
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from etltui.domain.errors import ErrorClass, Failure
from etltui.writers.part import read_receipt
from etltui.writers.registry import format_of
from unit.writers.format_kit import ROWS, Kit, flip

TARGETS = {
    "csv": "out.csv",
    "csv.gz": "out.csv.gz",
    "jsonl": "out.jsonl",
    "jsonl.gz": "out.jsonl.gz",
    "json": "out.json",
    "json.gz": "out.json.gz",
    "parquet": "out.parquet",
}
HEAVY = pa.record_batch({"n": range(20_000), "t": [f"{n:0150d}" for n in range(20_000)]})
"""More than a page of Parquet and a block of gzip."""


@pytest.fixture(params=TARGETS)
def kit(request, tmp_path):
    return Kit(tmp_path, request.param.removesuffix(".gz"), TARGETS[request.param])


def rows_in(kit):
    """How many rows a target has, as somebody else reads it."""
    path = kit.temporary
    if kit.kind == "parquet":
        return parquet.read_table(path).num_rows
    content = path.read_bytes()
    text = (gzip.decompress(content) if kit.variant else content).decode()
    if kit.kind == "json":
        return len(json.loads(text))
    return text.count("\n") - (kit.kind == "csv")


def test_the_bytes_of_a_part_are_a_function_of_its_rows(kit):
    whole = kit.part(HEAVY)
    pieces = kit.part(*(HEAVY.slice(start, 777) for start in range(0, HEAVY.num_rows, 777)))
    assert kit.payload(whole) == kit.payload(pieces)
    assert (whole.crc, whole.rows, whole.raw_bytes) == (pieces.crc, pieces.rows, pieces.raw_bytes)


def test_a_part_proves_itself(kit):
    receipt = kit.part(ROWS)
    assert read_receipt(kit.folder / receipt.path) == receipt
    assert (receipt.rows, receipt.crc) == (3, zlib.crc32(kit.payload(receipt)))
    assert len(kit.payload(receipt)) == receipt.bytes


def test_a_target_holds_every_part_where_it_says(kit):
    rows = ROWS.slice(1)  # without the line end in a field
    parts = [kit.part(rows, connection=f"B{n}") for n in range(3)]
    empty = kit.part(schema=rows.schema, connection="empty")
    published = kit.assemble([parts[0], empty, *parts[1:]])
    content = kit.temporary.read_bytes()
    assert (published.bytes, published.crc) == (len(content), zlib.crc32(content))
    assert published.rows == rows_in(kit) == 6
    assert [m.connection for m in published.members] == ["B0", "empty", "B1", "B2"]
    for member, receipt in zip(published.members, [parts[0], empty, *parts[1:]], strict=True):
        held = content[member.offset : member.offset + member.length]
        assert held == kit.payload(receipt)
    again = kit.assemble([parts[0], empty, *parts[1:]])
    assert (again, kit.temporary.read_bytes()) == (published, content)


def test_no_rows_and_no_parts_still_make_a_target(kit):
    empty = kit.part(schema=ROWS.schema)
    for receipts in ([empty], [empty, kit.part(schema=ROWS.schema)], []):
        assert kit.assemble(receipts, columns=empty.columns).rows == rows_in(kit) == 0


def test_an_abandoned_part_leaves_nothing(kit):
    writer = format_of(kit.kind).part_writer(kit.part_task(ROWS.schema))
    writer.write(ROWS)
    writer.abandon()
    del writer
    assert not list((kit.folder / "0").iterdir())


@pytest.mark.parametrize("harm", ["payload", "footer", "missing"])
def test_a_harmed_part_is_named_and_leaves_no_target(kit, harm):
    good, bad = kit.part(ROWS, connection="good"), kit.part(ROWS, connection="bad")
    path = kit.folder / bad.path
    if harm == "missing":
        path.unlink()
    else:
        flip(path, bad.bytes // 2 if harm == "payload" else bad.bytes + 10)
    with pytest.raises(Failure, match="bad: its part") as caught:
        kit.assemble([good, bad])
    assert caught.value.error_class is ErrorClass.CORRUPT
    assert not kit.temporary.exists()


def test_parts_of_two_queries_are_refused(kit):
    other = replace(kit.part(ROWS), query=1)
    with pytest.raises(Failure, match="takes one query"):
        kit.assemble([kit.part(ROWS), other])


@pytest.mark.parametrize("kind", ["jsonl", "json", "parquet"])
def test_text_that_is_no_utf8_is_refused_and_named(tmp_path, kind):
    raw = pa.array([b"fine", b"\xff"])
    broken = pa.record_batch({"n": [1, 2], "t": raw.view(pa.string())})
    kit = Kit(tmp_path, kind)
    with pytest.raises(Failure, match=r"^row 4, column 't': \"\uFFFD\" is not valid UTF-8"):
        kit.part(broken.slice(0, 1), broken.slice(0, 1), broken)
    assert not list((kit.folder / "0").iterdir())


def test_a_disk_that_takes_nothing_is_a_failure_of_its_own(kit):
    part = format_of(kit.kind).part_writer(kit.part_task(ROWS.schema))
    (path,) = (kit.folder / "0").iterdir()
    (opened,) = (
        int(fd.name) for fd in Path("/proc/self/fd").iterdir() if fd.resolve() == path.resolve()
    )
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, opened)
    os.close(nowhere)
    with pytest.raises(Failure, match=r"cannot use .*: Bad file descriptor") as caught:
        _write_all(part)
    assert caught.value.error_class is ErrorClass.DISK
    part.abandon()
    del part
    assert not list((kit.folder / "0").iterdir())


def _write_all(part):
    part.write(ROWS)
    part.close()
