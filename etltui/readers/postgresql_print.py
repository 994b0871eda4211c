"""What the server is asked to print: the query itself, or a SELECT around it that casts.

Whatever stands here is held to the writers' own bytes by `tests/golden`.
"""

import re
from collections.abc import Collection, Sequence

from etltui.extractors.lines import LineForm
from etltui.readers.postgresql_sql import quoted
from etltui.readers.postgresql_types import REAL, Field

_ODD = "etltui column "
_ODD_COLUMN = re.compile(rf"{_ODD}(\d+)")
_SHORTEST_FLOATS = 12
"""The first version that prints the fewest digits which read back as the same number."""

_ENDS = {
    "date": "10000-01-01",
    "timestamp": "10000-01-01 00:00:00",
    "timestamptz": "10000-01-01 00:00:00+00",
}
"""From here on Arrow reads no day; `infinity` is later than all."""
BEFORE_CHRIST = (
    "CASE WHEN {0} < '0001-01-01' AND {0} > '-infinity' THEN "
    "CASE WHEN extract(year FROM {0}) < -1 THEN '-' ELSE '' END "
    "|| lpad((-extract(year FROM {0}) - 1)::int::text, 4, '0') "
    "|| regexp_replace({0}::text, '^[0-9]+(.*) BC$', '\\1') ELSE {0}::text END"
)
"""Years before 0001 as ISO 8601 counts them: 1 BC is 0000."""


def values_select(sql: str, fields: Sequence[Field], misfits: Collection[int]) -> str:
    """What to print for Arrow: the query itself where every value fits its column."""
    if not misfits:
        return sql
    return _around(
        sql,
        [
            _canonical(field, f"q.c{number}") if number in misfits else f"q.c{number}"
            for number, field in enumerate(fields)
        ],
    )


def lines_select(
    sql: str,
    fields: Sequence[Field],
    form: LineForm,
    *,
    version: int,
) -> str | None:
    """What to print for a part as it is, None where a server's bytes are not proven to be ours.

    A day that no column can hold makes the server fail; see `odd_column`.
    """
    labels = () if form.label is None else (quoted(form.label) + "::text",)
    kinds = {field.column.type for field in fields}
    if len(fields) + len(labels) < 2:
        return None  # PostgreSQL quotes \. in a single column
    if form.quoting == "text" and "mixed" in kinds:
        return None  # a NaN among numbers is a text to us
    if "float" in kinds and version < _SHORTEST_FLOATS:
        return None
    values = [_line_value(number, field) for number, field in enumerate(fields)]
    return _around(sql, [*labels, *values], count=len(fields))


def quoted_columns(fields: Sequence[Field], form: LineForm) -> list[str] | bool | None:
    """Which columns of `lines_select` the form wants in quotes, True for all of them."""
    if form.quoting != "text":
        return True if form.quoting == "all" else None
    first = 0 if form.label is None else 1
    words = [n + first for n, field in enumerate(fields) if field.column.type == "text"]
    return [f"o{number}" for number in [*range(first), *words]] or None


def odd_column(words: str) -> int | None:
    """The column that an error of the server names because of an odd value in it."""
    found = _ODD_COLUMN.search(words)
    return int(found[1]) if found else None


def _around(sql: str, values: Sequence[str], count: int | None = None) -> str:
    names = ", ".join(f"c{number}" for number in range(len(values) if count is None else count))
    shown = ", ".join(f"{value} AS o{number}" for number, value in enumerate(values))
    # The server has parsed the query alone before: nothing in it reaches beyond the brackets.
    return f"SELECT {shown} FROM ({sql}\n) AS q ({names})"  # noqa: S608


def _line_value(number: int, field: Field) -> str:
    name = f"q.c{number}"
    kind = field.column.type.partition("(")[0]
    if field.oid == REAL:
        return f"{name}::text::float8"  # a real alone has an exponent from six digits on
    if kind == "bool":
        return f"{name}::text"
    if kind not in _ENDS:
        return name
    odd = f"({quoted(f'{_ODD}{number} ')} || {name})::{kind}"
    return f"CASE WHEN {name} < '{_ENDS[kind]}' THEN {name} ELSE {odd} END"


def _canonical(field: Field, name: str) -> str:
    """The canonical text of values that make a column mixed."""
    if field.column.type in {"date", "timestamp", "timestamptz"}:
        return BEFORE_CHRIST.format(name)
    return f"{name}::text"
