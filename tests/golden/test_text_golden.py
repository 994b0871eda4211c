"""The text form of every type against a golden file; see `canonical_text.txt` beside it."""

import os
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from etltui.extractors.arrow import MIXED
from etltui.writers.text import canonical

GOLDEN = Path(__file__).with_name("canonical_text.txt")
FLOATS = [
    0.0, -0.0, 1.0, -1.5, 0.1, 1e-4, 9.99e-5, 1e-5, -1.5e-7, 5e-324, 1.7976931348623157e308,
    123456789.123, 9999999999.5, 1e10, 12345678901.5, 999999999999999.0, 1e15, 9007199254740993.0,
    1.2345678901234568e17, 1e22, 1e100, float("nan"), float("inf"), float("-inf"), None,
]  # fmt: skip
DAYS = [
    0,
    -719_162,
    2_932_896,
    2_932_897,
    15_000_000,
    -719_163,
    -719_528,
    -719_529,
    2**31 - 1,
    -(2**31),
    None,
]
DAY_US = 86_400_000_000
MOMENTS = [
    0, 1, -1, 1_500_000, 10**9, -62_135_596_800_000_000, 253_402_300_799_999_999,
    253_402_300_800_000_000, -62_135_596_800_000_001, 2**63 - 1, -(2**63) + 1, None,
]  # fmt: skip
SECONDS = [0, 59, -1, 253_402_300_800, -(10**11), 10**15, None]
TIMES = [0, 1, 10, 1_500_000, DAY_US - 1, None]
DECIMALS = ["0", "1.5", "-0.00000001", "1E-10", "-12345678901234567890.0123456789", None]
CASES = {
    "bool": pa.array([True, False, None]),
    "int": pa.array([0, -1, 2**63 - 1, -(2**63), None], pa.int64()),
    "int (8 bits, unsigned)": pa.array([0, 255, None], pa.uint8()),
    "float": pa.array(FLOATS, pa.float64()),
    "float (32 bits)": pa.array([0.1, 16777216.0, 1e10, 3.4e38, 1e-5, None], pa.float32()),
    "float (16 bits)": pa.array([0.1, 65504.0, None], pa.float16()),
    "decimal(12,2)": pa.array([Decimal(0), Decimal("-1.5"), None], pa.decimal128(12, 2)),
    "decimal(12,6)": pa.array([Decimal(0), Decimal("1E-6"), None], pa.decimal128(12, 6)),
    "decimal(12,7)": pa.array([Decimal(0), Decimal("1E-7"), None], pa.decimal128(12, 7)),
    "decimal(38,10)": pa.array([d and Decimal(d) for d in DECIMALS], pa.decimal128(38, 10)),
    "decimal(60,30)": pa.array([d and Decimal(d) for d in DECIMALS], pa.decimal256(60, 30)),
    "date": pa.array(DAYS, pa.date32()),
    "date (64 bits)": pa.array([0, 86_400_000, None], pa.date64()),
    "time": pa.array(TIMES, pa.time64("us")),
    "time (seconds)": pa.array([0, 86_399, None], pa.time32("s")),
    "timestamp": pa.array(MOMENTS, pa.timestamp("us")),
    "timestamp (whole seconds)": pa.array([0, 10**9, None], pa.timestamp("us")),
    "timestamp (seconds)": pa.array(SECONDS, pa.timestamp("s")),
    "timestamp (milliseconds)": pa.array([1, 10, 1000, None], pa.timestamp("ms")),
    "timestamp (nanoseconds)": pa.array([0, 1, -(2**63) + 1, 2**63 - 1], pa.timestamp("ns")),
    "timestamptz": pa.array(MOMENTS, pa.timestamp("us", tz="UTC")),
    "timestamptz (Kolkata)": pa.array([0, 1_500_000, None], pa.timestamp("us", "Asia/Kolkata")),
    "text": pa.array(["", " a ", "Łukasz 山田 🙂", "1\t2", None]),
    "text (large)": pa.array(["", "é", None], pa.large_string()),
    "binary": pa.array([b"", b"\x00\xff", b"abc", None], pa.binary()),
    "binary (large)": pa.array([b"\xc3\xa9", None], pa.large_binary()),
    "mixed": pa.array(
        [{"text": "1.5", "number": True}, {"text": "", "number": False}, None], MIXED
    ),
}


def _rendered():
    return "".join(
        f"{kind}: {'NULL' if text is None else repr(text)}\n"
        for kind, array in CASES.items()
        for text in canonical(array).to_pylist()
    )


def test_every_type_has_the_text_of_the_golden_file():
    if os.environ.get("GOLDEN") == "write":
        GOLDEN.write_text(_rendered(), encoding="utf-8")
    assert _rendered() == GOLDEN.read_text(encoding="utf-8")


def test_a_slice_has_the_same_text_as_the_whole():
    for kind, array in CASES.items():
        whole = canonical(array)
        assert whole.type == pa.string(), kind
        whole.validate(full=True)
        for start in range(len(array) + 1):
            part = canonical(array.slice(start, 2))
            part.validate(full=True)
            assert part.to_pylist() == whole.to_pylist()[start : start + 2], kind
