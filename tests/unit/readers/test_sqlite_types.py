"""What declared types claim."""

import pytest

from etltui.domain.columns import Column
from etltui.readers.sqlite_types import canonical


@pytest.mark.parametrize(
    ("declared", "kind"),
    [
        ("INTEGER", "int"),
        ("int", "int"),
        ("BIGINT", "int"),
        ("TINYINT(1)", "int"),
        ("UNSIGNED BIG INT", "int"),
        ("INT8", "int"),
        ("int unsigned", "int"),
        ("BOOLEAN", "bool"),
        ("REAL", "float"),
        ("double  precision", "float"),
        ("FLOAT(24)", "float"),
        ("DECIMAL(12,2)", "decimal(12,2)"),
        ("numeric( 10 , 3 )", "decimal(10,3)"),
        ("DECIMAL(38,38)", "decimal(38,38)"),
        ("DECIMAL(39,2)", "mixed"),
        ("DECIMAL(5,6)", "mixed"),
        ("DECIMAL(0,0)", "mixed"),
        ("NUMERIC", "mixed"),
        ("DECIMAL(10)", "mixed"),
        ("MONEY", "mixed"),
        ("DATE", "date"),
        ("DATETIME", "timestamp"),
        ("TIMESTAMP", "timestamp"),
        ("TIMESTAMP WITH TIME ZONE", "mixed"),
        ("TIME", "time"),
        ("VARCHAR(20)", "text"),
        ("CHARACTER VARYING(20)", "text"),
        ("TEXT", "text"),
        ("CLOB", "text"),
        ("BLOB", "binary"),
        ("POINT", "mixed"),
        ("", "mixed"),
        ("STRING", "mixed"),
        ("what (ever", "mixed"),
        ("ENUM('a','b')", "mixed"),
    ],
)
def test_canonical(declared, kind):
    assert canonical(declared) == kind
    assert Column(name="c", type=kind)
