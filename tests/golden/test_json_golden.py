"""Whole JSON files against golden bytes: one file for each set of options."""

import os
from pathlib import Path

import pytest

from unit.writers.format_kit import ROWS, Kit

FOLDER = Path(__file__).parent
CASES = {
    "json_lines.jsonl": ("jsonl", {}),
    "json_array.json": ("json", {"connection_column": ""}),
    "json_texts.jsonl": (
        "jsonl",
        {
            "connection_column": 'branch, "code"',
            "big_numbers": "text",
            "not_finite": "text",
            "binary": "hex",
        },
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_file_is_its_golden_bytes(tmp_path, name):
    kind, options = CASES[name]
    kit = Kit(tmp_path, kind, **options)
    kit.assemble([kit.part(ROWS, connection=each) for each in ("Branch_001", '"B"\\2')])
    made = kit.temporary.read_bytes()
    if os.environ.get("GOLDEN") == "write":
        (FOLDER / name).write_bytes(made)
    assert made == (FOLDER / name).read_bytes()
