"""What the floating panel says of the runs at work, and where on the screen it may stand."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rich.cells import cell_len

from etltui.console.bridge import Moment
from etltui.console.cells import Cell, Cut, Styled, fitted, joined, text_of
from etltui.console.frame import failing
from etltui.console.glyphs import Glyphs, bar
from etltui.console.model.tree import errors_first, groups, share
from etltui.console.steps import connection_status, progress, run_share, run_status, step_word
from etltui.domain.progress import ConnectionView, RunView
from etltui.domain.run import AT_WORK, ConnectionStatus, RunStatus
from etltui.domain.words import counted, number

HIDE_S = 5.0
"""A completed run leaves the panel after so many seconds."""
BAD_S = 30.0
"""One that ended otherwise stays longer: it should be seen."""
NARROW, BROAD = 34, 46
_BROAD_FROM, _HIGH_FROM = 110, 30
_LOW = 6
_STEP = 10
_MOST = 100
"""Connections of a run that are listed at most."""


class Shape(StrEnum):
    """How much of the panel is there."""

    FULL = "full"
    BADGE = "badge"
    CLOSED = "closed"

    @property
    def next(self) -> "Shape":
        """The shape after this one."""
        order = tuple(Shape)
        return order[(order.index(self) + 1) % len(order)]


@dataclass(frozen=True, kw_only=True, slots=True)
class PanelLine:
    """A line of the panel.

    Attributes:
        key: Of the run that it opens and shuts; empty for what the cursor passes over.
    """

    cells: tuple[Cell, ...]
    key: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Box:
    """Where the panel stands."""

    x: int
    y: int
    width: int
    height: int


def panel_runs(moment: Moment) -> list[RunView]:
    """The runs at work, and those that have just ended."""
    return [run for run in moment.runs if _of_interest(run, moment.at)]


def _of_interest(run: RunView, at: float) -> bool:
    if run.status in AT_WORK:
        return True
    if run.status is RunStatus.COMPLETED:
        return at - run.changed < HIDE_S
    return run.status is not RunStatus.QUEUED and at - run.changed < BAD_S


def fading(moment: Moment) -> bool:
    """Whether a run that completed is shown for a few seconds still, though nothing happens."""
    return any(
        run.status is RunStatus.COMPLETED and moment.at - run.changed < HIDE_S
        for run in moment.runs
    )


def badge(runs: Sequence[RunView], glyphs: Glyphs) -> list[Cell]:
    """The runs in a few words."""
    at_work = [run for run in runs if run.status in AT_WORK]
    bad = sum(failing(run) for run in at_work)
    said = [Styled(f"{len(at_work)} running", "busy")] if at_work else []
    if len(at_work) < len(runs):
        said.append(Styled(f"{len(runs) - len(at_work)} ended", "muted"))
    if bad:
        said.append(Styled(f"{bad} failing", "bad"))
    return joined(said, f" {glyphs.between} ")


def panel_lines(
    moment: Moment, runs: Sequence[RunView], *, opened: Collection[str], glyphs: Glyphs, width: int
) -> list[PanelLine]:
    """All lines below the first."""
    lines: list[PanelLine] = []
    for run in runs:
        lines += _run_lines(run, glyphs, width, is_open=run.run in opened)
        if run.run in opened:
            lines += _inside(moment, run, glyphs, width)
    return lines


def _run_lines(run: RunView, glyphs: Glyphs, width: int, *, is_open: bool) -> Iterator[PanelLine]:
    """A run in two lines: what it is, how it stands and how far; step, bar, counts."""
    status = run_status(glyphs, run.status)
    right: list[Cell] = [" ", status]
    if run.status in AT_WORK:
        right.append(f" {run_share(run) * 100:3.0f}%")
    sign = glyphs.open if is_open else glyphs.shut
    name = f"{sign} {run.title or run.job}"
    yield PanelLine(cells=tuple(spread(name, right, width, glyphs)), key=run.run)
    counts: list[Cell] = [f"{run.completed}/{run.total}"]
    if run.failed:
        counts.append(Styled(f" {run.failed} failed", "bad"))
    if run.status not in AT_WORK:
        said = run.reason or counted(run.rows, "row")
        yield PanelLine(cells=("  ", *counts, f" {glyphs.between} {said}"))
        return
    step = fitted(step_word(run.step), _STEP)
    room = width - _STEP - 4 - length(counts)
    drawn = Styled(bar(glyphs, run_share(run), max(room, 0)), "busy")
    yield PanelLine(cells=("  ", step, " ", drawn, " ", *counts))


def _inside(moment: Moment, run: RunView, glyphs: Glyphs, width: int) -> Iterator[PanelLine]:
    """The connections of a run: what fails, what is at work, and how many others there are."""
    found = groups(run)
    listed = [*errors_first(found.failing), *found.running][:_MOST]
    for view in listed:
        yield from _connection_lines(moment, view, glyphs, width)
    counts = [
        f"{count} {word}"
        for count, word in ((found.done, "completed"), (found.waiting, "waiting"))
        if count
    ]
    if counts:
        text = f" {glyphs.between} ".join(counts)
        yield PanelLine(cells=(Styled(f"    {text}", "muted"),))


def _connection_lines(
    moment: Moment, view: ConnectionView, glyphs: Glyphs, width: int
) -> Iterator[PanelLine]:
    status = connection_status(glyphs, view)
    rows: list[Cell] = [f" {number(view.rows)}"] if view.rows else []
    yield PanelLine(
        cells=tuple(spread(f"    {view.connection}", [" ", status, *rows], width, glyphs, "middle"))
    )
    if view.status is ConnectionStatus.RUNNING:
        drawn = progress(glyphs, share(view), width - 6)
        if drawn:
            yield PanelLine(cells=("      ", drawn))
    elif view.trouble is not None:
        again = ""
        if view.status is ConnectionStatus.RETRYING:
            again = f"again in {max(view.again_at - moment.at, 0.0):.0f}s: "
        yield PanelLine(cells=("      ", Styled(f"{again}{view.trouble.message}", "bad")))


def spread(
    left: str, right: Sequence[Cell], width: int, glyphs: Glyphs, cut: Cut = "right"
) -> list[Cell]:
    """A text at the left and others at the right of a line, which win where both do not fit."""
    return [fitted(left, max(width - length(right), 0), cut=cut, mark=glyphs.ellipsis), *right]


def length(cells: Iterable[Cell]) -> int:
    """Cells of the terminal that a line takes."""
    return sum(cell_len(text_of(cell)) for cell in cells)


def panel_width(screen: int) -> int:
    """How wide the panel is on a screen."""
    return min(BROAD if screen >= _BROAD_FROM else NARROW, max(screen - 2, 0))


def panel_box(
    lines: int, width: int, *, screen: tuple[int, int], top: int, bottom: int, cursor: int
) -> Box:
    """Where the panel stands: at the bottom right, at the top right while the cursor is there.

    Args:
        lines: That it has to show.
        width: Of it, in cells.
        screen: Width and height of the screen.
        top: The first line that it may cover.
        bottom: The line below the last that it may cover.
        cursor: The line that it must not cover; -1 for none.
    """
    most = _LOW if screen[1] < _HIGH_FROM else screen[1] // 3
    height = max(min(lines, most, bottom - top), 0)
    x = max(screen[0] - width, 0)
    below = Box(x=x, y=bottom - height, width=width, height=height)
    if not below.y <= cursor < bottom:
        return below
    if not top <= cursor < top + height:
        return Box(x=x, y=top, width=width, height=height)
    # No room for all of it on either side of the cursor: what fits below, or above.
    under = bottom - cursor - 1
    if under >= cursor - top:
        return Box(x=x, y=cursor + 1, width=width, height=under)
    return Box(x=x, y=top, width=width, height=cursor - top)
