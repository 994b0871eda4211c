"""The tables that benchmarks read, the same rows in each database."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass

ROWS = {"narrow": 1_000_000, "wide": 200_000, "long": 50_000, "nulls": 1_000_000}
"""Narrow: 12 columns; wide: 60; long: texts of 4,000 characters; nulls: nine in ten are NULL."""
_NAMES = ("Asha Rao", "Łukasz Żółć", "山田太郎", "Иван", "O''Brien, Pat", 'The "Best" Co', "محمد")
_CITIES = ("Pune", "Mumbai", "Nagpur")


@dataclass(frozen=True)
class Dialect:
    """What differs from one database to the next, each an expression over the number `g`."""

    types: dict[str, str]
    columns: dict[str, str]
    text: str
    counted: str


def _pick(form: str, words: tuple[str, ...]) -> str:
    return form.format(words=", ".join(f"'{word}'" for word in words), count=len(words))


POSTGRESQL = Dialect(
    types={},
    columns={
        "id": "g::int",
        "code": "('INV-' || lpad(g::text, 7, '0'))::varchar(20)",
        "day": "date '2025-01-01' + (g % 365)::int",
        "at": "timestamp '2025-01-01' + (g * 7919 % 10000000) * interval '1 s'",
        "amount": "(g * 7919 % 100000000 / 100.0)::numeric(12,2)",
        "tax": "(g * 104729 % 1000000 / 100.0)::numeric(12,2)",
        "total": "(g * 15485863 % 10000000000 / 10000.0)::numeric(18,4)",
        "name": _pick("(ARRAY[{words}])[1 + g % {count}]::varchar(40)", _NAMES),
        "city": _pick("(ARRAY[{words}])[1 + g % {count}]::varchar(20)", _CITIES),
        "note": "CASE WHEN g % 10 > 2 THEN 'note ' || g % 999983 || ' on it' END",
        "ok": "g % 2 = 0",
        "ratio": "(g * 7919 % 1000003) / 7.0::float8",
    },
    text="repeat(md5(g::text), 125)",
    counted="generate_series(1::bigint, {rows}) AS s(g)",
)
MYSQL = Dialect(
    types={},
    columns={
        "id": "cast(g AS int)",
        "code": "cast(concat('INV-', lpad(g, 7, '0')) AS char(20))",
        "day": "date_add(date '2025-01-01', INTERVAL g % 365 DAY)",
        "at": "cast(date_add('2025-01-01', INTERVAL g * 7919 % 10000000 SECOND) AS datetime)",
        "amount": "cast(g * 7919 % 100000000 / 100 AS decimal(12,2))",
        "tax": "cast(g * 104729 % 1000000 / 100 AS decimal(12,2))",
        "total": "cast(g * 15485863 % 10000000000 / 10000 AS decimal(18,4))",
        "name": _pick("elt(1 + g % {count}, {words})", _NAMES),
        "city": _pick("elt(1 + g % {count}, {words})", _CITIES),
        "note": "if(g % 10 > 2, concat('note ', g % 999983, ' on it'), NULL)",
        "ok": "g % 2 = 0",
        "ratio": "cast(g * 7919 % 1000003 / 7 AS double)",
    },
    text="repeat(md5(g), 125)",
    counted="(SELECT seq AS g FROM seq_1_to_{rows}) AS s",
)
SQLITE = Dialect(
    types={
        "id": "INTEGER",
        "code": "TEXT",
        "day": "DATE",
        "at": "TIMESTAMP",
        "amount": "DECIMAL(12,2)",
        "tax": "DECIMAL(12,2)",
        "total": "DECIMAL(18,4)",
        "name": "TEXT",
        "city": "TEXT",
        "note": "TEXT",
        "ok": "BOOLEAN",
        "ratio": "DOUBLE",
    },
    columns={
        "id": "g",
        "code": "printf('INV-%07d', g)",
        "day": "date('2025-01-01', (g % 365) || ' days')",
        "at": "datetime('2025-01-01', (g * 7919 % 10000000) || ' seconds')",
        "amount": "g * 7919 % 100000000 / 100.0",
        "tax": "g * 104729 % 1000000 / 100.0",
        "total": "g * 15485863 % 10000000000 / 10000.0",
        "name": _pick("json_extract(json_array({words}), '$[' || (g % {count}) || ']')", _NAMES),
        "city": _pick("json_extract(json_array({words}), '$[' || (g % {count}) || ']')", _CITIES),
        "note": "CASE WHEN g % 10 > 2 THEN 'note ' || (g % 999983) || ' on it' END",
        "ok": "g % 2",
        "ratio": "(g * 7919 % 1000003) / 7.0",
    },
    text="replace(hex(zeroblob(2000)), '0', 'x') || g",
    counted="(WITH RECURSIVE c(g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM c WHERE g < {rows}) "
    "SELECT g FROM c) AS s",
)


def table(dialect: Dialect, shape: str, rows: int) -> list[str]:
    """Statements that make the table of a shape, named as the shape is."""
    columns = _columns(dialect, shape)
    chosen = ", ".join(f"{value} AS {name}" for name, (value, _) in columns.items())
    source = dialect.counted.format(rows=rows)
    if not dialect.types:
        return [f"CREATE TABLE {shape} AS SELECT {chosen} FROM {source}"]
    declared = ", ".join(f"{name} {kind}" for name, (_, kind) in columns.items())
    return [
        f"CREATE TABLE {shape} ({declared})",
        f"INSERT INTO {shape} SELECT {chosen} FROM {source}",
    ]


def _columns(dialect: Dialect, shape: str) -> dict[str, tuple[str, str]]:
    """By name its expression and its declared type."""
    plain = {name: (value, dialect.types.get(name, "")) for name, value in dialect.columns.items()}
    if shape == "long":
        return {"id": plain["id"], "note": plain["note"], "story": (dialect.text, "TEXT")}
    if shape == "wide":
        return {f"{name}{n}": each for n in range(5) for name, each in plain.items()}
    if shape == "nulls":
        return {
            name: (value if name == "id" else f"CASE WHEN g % 10 = 0 THEN {value} END", kind)
            for name, (value, kind) in plain.items()
        }
    return plain


def sqlite_file(path: str, shape: str, rows: int) -> None:
    """Add the table of a shape to a SQLite database."""
    with closing(sqlite3.connect(path)) as database, database:
        for statement in table(SQLITE, shape, rows):
            database.execute(statement)
