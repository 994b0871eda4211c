"""The dashboard: six numbers over time, and the log, under one time cursor."""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid

from etltui.console.bridge import Moment
from etltui.console.cells import Cell, Styled
from etltui.console.commands import Command, bindings
from etltui.console.frame import short_size, totals
from etltui.console.log_line import LineAt, line_in
from etltui.console.model.chart import DOTS_ACROSS
from etltui.console.model.dashboard import POINTS, RANGES, SERIES, Curve, curve
from etltui.console.view import Desk, View
from etltui.console.views.logs_keys import ROLES
from etltui.console.widgets.chart import Chart, Drawn
from etltui.domain.logbook import Sample
from etltui.domain.words import local, short

COMMANDS = (
    Command(
        id="dashboard.earlier",
        keys="left_square_bracket",
        title="earlier",
        help="Move the time cursor to the left.",
    ),
    Command(
        id="dashboard.later",
        keys="right_square_bracket",
        title="later",
        help="Move the time cursor to the right; behind the last moment it is now.",
    ),
    Command(
        id="dashboard.much_earlier",
        keys="left_curly_bracket",
        title="much earlier",
        help="Move the time cursor by ten.",
        footer=False,
    ),
    Command(
        id="dashboard.much_later",
        keys="right_curly_bracket",
        title="much later",
        help="Move the time cursor by ten to the right.",
        footer=False,
    ),
    Command(id="dashboard.out", keys="minus", title="longer", help="Show a longer time."),
    Command(id="dashboard.in", keys="plus", title="shorter", help="Show a shorter time."),
    Command(
        id="dashboard.range",
        keys="",
        title="range",
        help="Show the last 15m, 1h, 6h, 1d or 7d.",
        takes="RANGE",
        footer=False,
    ),
    Command(id="dashboard.logs", keys="l", title="log", help="Show the log at the time cursor."),
)

NARROW = 100
"""Columns under which the charts stand one above the other."""


class Dashboard(View, can_focus=True):
    """Draws what the engine has sampled."""

    NAME = "dashboard"
    TITLE = "Dashboard"
    COMMANDS: ClassVar[tuple[Command, ...]] = COMMANDS
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(COMMANDS),
        Binding("up,k", "scroll_up", "Up", show=False, id="dashboard.up"),
        Binding("down,j", "scroll_down", "Down", show=False, id="dashboard.down"),
    ]
    DEFAULT_CSS = """
    Dashboard { height: 1fr; overflow-y: auto; scrollbar-size: 0 0; }
    Dashboard Grid { grid-size: 2; grid-rows: 1fr; grid-gutter: 0 1; height: 1fr; min-height: 18; }
    Dashboard.narrow Grid { grid-size: 1; grid-rows: 6; height: auto; }
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._charts = [Chart(desk.look.palette, desk.look.glyphs) for _ in SERIES]
        self._range = RANGES[0]
        self._samples: Sequence[Sample] = ()
        self._known = False
        self._back: int | None = None
        """Cells between the time cursor and now; None where it follows the newest moment."""
        self._window = (0.0, 1.0)
        self._log = LineAt(partial(line_in, desk.state / "logs"), desk.redraw)

    def compose(self) -> ComposeResult:
        """Six charts."""
        with Grid():
            yield from self._charts

    def on_resize(self) -> None:
        """One column where two would be too narrow."""
        self.set_class(self.size.width < NARROW, "narrow")
        # The charts have their new sizes only then.
        self.call_after_refresh(self.desk.redraw)

    def on_unmount(self) -> None:
        """Look for nothing in the log any more."""
        self._log.close()

    def focus_default(self) -> None:
        """Take the keyboard itself."""
        self.focus()

    def restyle(self) -> None:
        """Paint with the colours and signs of the desk."""
        for chart in self._charts:
            chart.look(self.desk.look.palette, self.desk.look.glyphs)

    def show(self, moment: Moment) -> None:
        """Draw the samples up to this moment."""
        step = self._range.step_s
        until = (moment.at // step + 1) * step
        self._window = (until - self._range.seconds, until)
        found = self.desk.reads.get("samples", *self._window, POINTS)
        if found is not None:
            # Until the newest ones have come, those of a step ago are shown.
            self._samples, self._known = found, True
        cells = self._cells
        if self._back is not None and self._back >= cells:
            self._back = cells - 1
        for series, chart in zip(SERIES, self._charts, strict=True):
            drawn = curve(series, self._samples, self._window, chart.across, self._at)
            chart.show(self._drawn(drawn))
        self._log.want(self._at)

    @property
    def _cells(self) -> int:
        """Cells of a chart's area."""
        across = self._charts[0].across
        return max(across // (DOTS_ACROSS if self.desk.look.glyphs.dots else 1), 1)

    @property
    def _at(self) -> float | None:
        """The moment under the time cursor; None for now."""
        if self._back is None:
            return None
        since, until = self._window
        return until - (self._back + 0.5) * (until - since) / self._cells

    def _drawn(self, drawn: Curve) -> Drawn:
        top = short_size(round(drawn.top)) if drawn.series.title == "memory" else _short(drawn.top)
        return Drawn(
            title=drawn.series.title,
            said=drawn.said,
            top=top,
            greatest=drawn.top,
            values=drawn.values,
            cursor=-1 if self._back is None else self._cells - 1 - self._back,
            role=drawn.series.role,
        )

    def status(self, moment: Moment) -> tuple[Sequence[Cell], Sequence[Cell]]:
        """What runs, and which time is shown."""
        left = [*totals(moment, self.desk.look.glyphs), f"  last {self._range.name}"]
        at = self._at
        if at is not None:
            left.append(Styled(f"  at {local(at, self.desk.look.timezone):%a %H:%M:%S}", "accent"))
        if not self._known:
            left.append(Styled("  reading …", "muted"))
        return left, ()

    def hint(self) -> tuple[Sequence[Cell], Sequence[Cell]]:
        """The line of the log at the time cursor, or what an empty dashboard waits for."""
        if self._back is not None:
            return self._log_line(), ()
        if self._known and not self._samples:
            return (
                Styled("No samples of this time yet: an engine writes one every 5 s.", "muted"),
            ), ()
        return (), ()

    def _log_line(self) -> Sequence[Cell]:
        line = self._log.line
        if line is None:
            text = "The log has no line." if self._log.known else "reading the log …"
            return (Styled(text.replace("…", self.desk.look.glyphs.ellipsis), "muted"),)
        when = local(line.time, self.desk.look.timezone)
        about = " ".join(filter(None, (short(line.run), line.connection)))
        return (
            Styled(f"{when:%a %H:%M:%S} ", "accent"),
            Styled(f"{line.level:<7} ", ROLES.get(line.level, "")),
            Styled(f"[{about}] " if about else "", "muted"),
            line.message,
        )

    def _move(self, cells: int) -> None:
        now = -1 if self._back is None else self._back
        moved = min(now + cells, self._cells - 1)
        self._back = None if moved < 0 else moved
        self.desk.redraw()

    async def do_earlier(self, _: str = "") -> None:
        """Move the time cursor to the left."""
        self._move(1)

    async def do_later(self, _: str = "") -> None:
        """Move the time cursor to the right."""
        self._move(-1)

    async def do_much_earlier(self, _: str = "") -> None:
        """Move the time cursor by ten to the left."""
        self._move(10)

    async def do_much_later(self, _: str = "") -> None:
        """Move the time cursor by ten to the right."""
        self._move(-10)

    async def do_out(self, _: str = "") -> None:
        """Show a longer time."""
        self._zoom(1)

    async def do_in(self, _: str = "") -> None:
        """Show a shorter time."""
        self._zoom(-1)

    def _zoom(self, step: int) -> None:
        at = min(max(RANGES.index(self._range) + step, 0), len(RANGES) - 1)
        self._range, self._known = RANGES[at], False
        self.desk.redraw()

    async def do_range(self, text: str = "") -> None:
        """Show a range by its name."""
        names = [each.name for each in RANGES]
        wanted = text or await self.desk.ask("last: ", choices=names)
        if wanted is None:
            return
        if wanted not in names:
            self.desk.tell(f"there is no range {wanted!r}; there are {', '.join(names)}", "error")
            return
        self._range, self._known = RANGES[names.index(wanted)], False
        self.desk.redraw()

    async def do_logs(self, _: str = "") -> None:
        """Show the log at the time cursor."""
        at = self._at
        self.desk.go("logs", "" if at is None else f"@{at:.0f}")


def _short(value: float) -> str:
    """A number in at most five characters."""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


VIEW = Dashboard
