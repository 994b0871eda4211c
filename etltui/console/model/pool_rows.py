"""The columns of the list of pools, and what a pool's row says in them."""

from dataclasses import dataclass
from functools import lru_cache

from etltui.console.cells import Cell, Row, Styled
from etltui.console.glyphs import Glyphs, bar
from etltui.console.model.listing import Field
from etltui.console.model.pools import Gauge, PoolLine, milliseconds, state_cell
from etltui.domain.words import counted


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolRow:
    """A pool, and what its row says."""

    line: PoolLine
    name: str
    lent: Cell
    idle: Cell
    waiting: Cell
    size: Cell
    use: Cell
    connect: Cell
    state: Cell


USE = 10
"""Cells of the bar, at least."""

FIELDS: tuple[Field[PoolRow], ...] = (
    Field(
        id="pool",
        title="POOL",
        width=20,
        cell=lambda row: row.name,
        flexible=True,
        cut="middle",
        keep=True,
    ),
    Field(
        id="lent",
        title="LENT",
        width=4,
        cell=lambda row: row.lent,
        value=lambda row: row.line.lent,
        align="right",
    ),
    Field(
        id="idle",
        title="IDLE",
        width=4,
        cell=lambda row: row.idle,
        value=lambda row: row.line.idle,
        align="right",
    ),
    Field(
        id="wait",
        title="WAIT",
        width=4,
        cell=lambda row: row.waiting,
        value=lambda row: row.line.waiting,
        align="right",
    ),
    Field(
        id="max",
        title="MAX",
        width=4,
        cell=lambda row: row.size,
        value=lambda row: row.line.size or None,
        align="right",
    ),
    Field(
        id="use",
        title="USE",
        width=USE,
        cell=lambda row: row.use,
        value=lambda row: row.line.lent / row.line.size if row.line.size else None,
        flexible=True,
        below=70,
    ),
    Field(
        id="connect",
        title="CONN",
        width=6,
        cell=lambda row: row.connect,
        value=lambda row: row.line.connect_ms or None,
        align="right",
        below=50,
    ),
    Field(id="state", title="STATE", width=15, cell=lambda row: row.state),
)


def _name(line: PoolLine, glyphs: Glyphs, *, opened: bool) -> str:
    if line.many:
        sign = glyphs.open if opened else glyphs.shut
        return f"{sign} {line.name} ({counted(len(line.pools), 'file')})"
    if line.inside:
        # Files lie in few folders: their ends tell them apart.
        return "  " + "/".join(line.name.rsplit("/", 2)[-2:])
    return line.name


def row_of_pool(line: PoolLine, glyphs: Glyphs, width: int, *, opened: bool = False) -> PoolRow:
    """What the row of a pool says.

    Args:
        line: The pool.
        glyphs: Signs.
        width: Cells of the bar.
        opened: Whether the files that it stands for are shown below it.
    """
    none = Styled(glyphs.none, "muted")
    there = line.many or line.stats is not None
    use = Styled(bar(glyphs, line.lent / line.size, width), "busy") if line.size else ""
    return PoolRow(
        line=line,
        name=_name(line, glyphs, opened=opened),
        lent=str(line.lent) if there else none,
        idle=str(line.idle) if there else none,
        waiting=Styled(str(line.waiting), "warn") if line.waiting else "0" if there else none,
        size=str(line.size) if line.size else none,
        use=use,
        connect=milliseconds(line.connect_ms) if line.connect_ms else none,
        state=state_cell(line, glyphs),
    )


@lru_cache(maxsize=2048)
def gauge_row(gauge: Gauge, glyphs: Glyphs, width: int, columns: tuple[str, ...]) -> Row:
    """The row of a limit over several pools.

    Args:
        gauge: The limit.
        glyphs: Signs.
        width: Cells of the bar.
        columns: The columns that are shown.
    """
    name = f"host {gauge.key}" if gauge.key else "all"
    part = gauge.taken / gauge.most if gauge.most else 0.0
    text = f"{gauge.taken}/{gauge.most} {counted(gauge.pools, 'pool')}"
    cells: dict[str, Cell] = {
        "pool": name,
        "max": str(gauge.most),
        "use": Styled(bar(glyphs, part, width), "busy"),
        "state": Styled(text, "warn" if part >= 1 else ""),
    }
    return Row(key=f"{LIMIT}{gauge.key}", cells=tuple(cells.get(column, "") for column in columns))


LIMIT = "limit "
"""Before the server in the key of a limit's row; alone it is that over all."""
