"""From T-SQL to what SQLite runs, and which types the columns of a query have."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import sqlglot
from sqlglot import exp

from tds.catalogue import FUNCTIONS, VARIABLES, VIEWS
from tds.kinds import Kind, kind

_PIECE = re.compile(
    r"'(?:[^']|'')*'|\"[^\"]*\"|\[(?:[^\]]|\]\])*\]|--[^\n]*|/\*.*?\*/|;|.", re.DOTALL
)
_HINTS = re.compile(
    r"\bWITH\s*\(\s*NOLOCK\s*\)|\bOPTION\s*\((?:[^()]|\([^()]*\))*\)\s*$|\bN(?=')",
    re.IGNORECASE,
)
_SYSTEM = re.compile(r"@@(\w+)")
_VIEW = re.compile(r"\bsys\.(\w+)", re.IGNORECASE)
_FALLBACK = "nvarchar(4000)"

Tables = Mapping[str, Mapping[str, Kind]]
"""By name in lower case: the columns with their types."""


class SyntaxMistakeError(Exception):
    """The text is no T-SQL."""


@dataclass(frozen=True, kw_only=True)
class Query:
    """A query as SQLite takes it, and the types of its columns as far as they are known."""

    sql: str
    kinds: tuple[Kind | None, ...]
    reads_system: bool


def statements(batch: str) -> Iterator[str]:
    """The statements of a batch: this double needs a semicolon between two."""
    held = ""
    for piece in _PIECE.findall(batch):
        if piece == ";":
            if held.strip():
                yield held.strip()
            held = ""
        elif not piece.startswith(("--", "/*")):
            held += piece
        else:
            held += " "
    if held.strip():
        yield held.strip()


def query(text: str, tables: Tables) -> Query:
    """A SELECT.

    Raises:
        SyntaxMistakeError: It cannot be read.
    """
    plain = _outside_strings(text)
    try:
        parsed = sqlglot.parse_one(plain, read="tsql")
    except sqlglot.errors.SqlglotError as error:
        raise SyntaxMistakeError(str(error)) from error
    if not isinstance(parsed, exp.Query):
        raise SyntaxMistakeError(text[:60])
    known = {**tables, **_kinds_of_views()}
    kinds = tuple(_projected(parsed, known))
    return Query(
        sql=parsed.sql(dialect="sqlite"),
        kinds=kinds,
        reads_system="sys_" in plain,
    )


def statement(text: str) -> str:
    """Any other statement."""
    try:
        return sqlglot.transpile(_outside_strings(text), read="tsql", write="sqlite")[0]
    except sqlglot.errors.SqlglotError as error:
        raise SyntaxMistakeError(str(error)) from error


def _outside_strings(text: str) -> str:
    """Hints, variables and system views as SQLite can have them."""
    kept: list[str] = []
    out = ""
    for piece in _PIECE.findall(text):
        if piece.startswith("'"):
            kept.append(piece)
            out += f"'\ue000{len(kept) - 1}'"
        else:
            out += piece
    while _HINTS.search(out.rstrip()):
        out = _HINTS.sub("", out.rstrip())
    out = _SYSTEM.sub(lambda found: f"{VARIABLES.get(found[1].upper(), found[1])}()", out)
    out = _VIEW.sub(r"sys_\1", out)
    return re.sub(r"'\ue000(\d+)'", lambda found: kept[int(found[1])], out)


def _kinds_of_views() -> Tables:
    return {f"sys_{view}": _kinds(VIEWS[view]) for view in VIEWS}


def _kinds(columns: Mapping[str, str]) -> dict[str, Kind]:
    return {name: kind(spoken) for name, spoken in columns.items()}


def _projected(parsed: exp.Query, tables: Tables) -> Iterator[Kind | None]:
    """The type of each column, None where only its values tell."""
    if isinstance(parsed, exp.SetOperation):
        yield from _projected(parsed.left, tables)
        return
    if isinstance(parsed, exp.Subquery):
        yield from _projected(parsed.this, tables)
        return
    sources = dict(_sources(parsed, tables))
    for projection in parsed.expressions:
        if isinstance(projection, exp.Star) or (
            isinstance(projection, exp.Column) and isinstance(projection.this, exp.Star)
        ):
            for columns in sources.values():
                yield from columns.values()
        else:
            yield _typed(projection, sources)


def _sources(
    parsed: exp.Query,
    tables: Tables,
) -> Iterator[tuple[str, Mapping[str, Kind | None]]]:
    common = dict(tables)
    for each in parsed.ctes:
        columns = each.args["alias"].columns
        inner = each.this.left if isinstance(each.this, exp.SetOperation) else each.this
        names = [c.name for c in columns] or inner.named_selects
        common[each.alias.lower()] = dict(zip(names, _projected(each.this, common), strict=False))
    start = parsed.args.get("from_") or parsed.args.get("from")
    for node in [start, *(parsed.args.get("joins") or [])]:
        source = node.this if node is not None else None
        if isinstance(source, exp.Table):
            yield source.alias_or_name, common.get(source.name.lower(), {})
        elif isinstance(source, exp.Subquery):
            inner = source.this
            names = inner.named_selects
            if "*" in names:
                names = [name for _, cols in _sources(inner, common) for name in cols]
            yield source.alias_or_name, dict(zip(names, _projected(inner, common), strict=False))


def _typed(node: exp.Expression, sources: Mapping[str, Mapping[str, Kind | None]]) -> Kind | None:
    node = node.unalias()
    if isinstance(node, exp.Paren | exp.Neg):
        return _typed(node.this, sources)
    if isinstance(node, exp.Subquery):
        known = {name: dict(columns) for name, columns in sources.items()}
        return next(_projected(node.this, {**_kinds_of_views(), **known}), None)
    if isinstance(node, exp.Column):
        found = (
            of
            for columns in sources.values()
            for name, of in columns.items()
            if name.lower() == node.name.lower()
        )
        return next(found, None)
    spoken = _spoken(node)
    return kind(spoken) if spoken else None


def _spoken(node: exp.Expression) -> str:
    """The type of what is no column, as DDL says it; empty where it is not known."""
    if isinstance(node, exp.Cast):
        return node.to.sql(dialect="tsql")
    if isinstance(node, exp.Count):
        return "bigint" if node.args.get("big_int") else "int"
    if isinstance(node, exp.Literal):
        return f"varchar({max(1, len(node.name))})" if node.is_string else _number(node.name)
    if isinstance(node, exp.Func):
        name = node.name if isinstance(node, exp.Anonymous) else node.sql_name()
        return FUNCTIONS.get(name.upper(), "")
    return ""


def _number(text: str) -> str:
    if "e" in text.lower():
        return "float"
    if "." in text:
        digits = text.replace(".", "").lstrip("0")
        return f"decimal({max(1, len(digits))},{len(text.partition('.')[2])})"
    return "int" if int(text) < 2**31 else "bigint"


def by_values(value: object) -> Kind:
    """The type of a column of which only a value is known."""
    if isinstance(value, bool | int):
        return kind("int" if abs(int(value)) < 2**31 else "bigint")
    if isinstance(value, float):
        return kind("float")
    return kind("varbinary(max)" if isinstance(value, bytes) else _FALLBACK)
