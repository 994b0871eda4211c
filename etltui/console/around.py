"""What surrounds a view: status line, hint, footer, and the panel that floats over it."""

from collections.abc import Callable, Mapping

from rich.cells import cell_len
from textual.app import ComposeResult

from etltui.config.schema import Config
from etltui.console.bridge import Moment
from etltui.console.cells import Styled, text_of
from etltui.console.commands import Command
from etltui.console.frame import gauges, key_name
from etltui.console.look import CurrentLook
from etltui.console.model.panel import Shape
from etltui.console.orders import Doer, why_not
from etltui.console.prompt import Prompt
from etltui.console.view import View
from etltui.console.widgets.footer import Footer
from etltui.console.widgets.line import Line
from etltui.console.widgets.panel import Panel
from etltui.console.widgets.table import Table


class Around:
    """The lines around the view in sight, and the panel.

    Args:
        look: How things are drawn.
        config: Whether there is a panel at first.
    """

    def __init__(self, look: CurrentLook, config: Config) -> None:
        self._look = look
        self.status = Line(look.palette, id="status")
        self.hint = Line(look.palette, bar=False, id="hint")
        self.footer = Footer(look.palette, id="footer")
        self.prompt = Prompt(look.palette)
        self.panel = Panel(look, shape(config))

    def below(self) -> ComposeResult:
        """What stands under the view."""
        yield self.hint
        yield self.prompt
        yield self.footer
        yield self.panel

    def opening(self) -> None:
        """Say that there is nothing to show yet."""
        self.status.show(
            [Styled("etltui", "accent"), f"  starting the engine {self._look.glyphs.ellipsis}"]
        )

    def show(
        self,
        view: View,
        moment: Moment,
        commands: tuple[Command, ...],
        *,
        keys: Mapping[str, str],
        refused: Callable[[Command], str],
    ) -> None:
        """Say where the operator is, how things stand, and which keys matter now.

        Args:
            view: What is in sight.
            moment: What it shows.
            commands: What can be done there, the view's own first.
            keys: As the operator has chosen them.
            refused: Why a command is not done now, empty where it is.
        """
        crumbs = f" {self._look.glyphs.crumb} ".join(view.crumbs())
        # Of the screen: the lines learn a little later that it has another size.
        width = view.app.size.width
        left, right = view.status(moment)
        said = [Styled(crumbs, "accent"), "  ", *left]
        beside = [*right, *(["  "] if right else [])]
        taken = cell_len("".join(map(text_of, (*said, *beside))).rstrip())
        facts = [*beside, *gauges(moment, width - taken - 4)]
        if moment.gone:
            facts = [Styled("the engine has ended: q, then etltui starts one", "bad")]
        self.status.show(said, facts)
        self.hint.show(*view.hint())
        self.footer.show_keys(
            [each for each in commands if each.footer and not refused(each)],
            keys=keys,
            unicode=self._look.glyphs.dots,
            width=width,
        )
        self.panel.key = key_name(keys.get("app.panel", "p"))
        self.float(view, moment)

    def float(self, view: View, moment: Moment) -> None:
        """Lay the panel over the view, off the line of the cursor."""
        tables = list(view.query(Table))
        table = next((each for each in tables if each.has_focus), next(iter(tables), None))
        cursor = table.cursor_line if table is not None else -1
        self.panel.follow(moment, view, view.free(), cursor)

    def restyle(self) -> None:
        """Paint with the colours and signs of the look."""
        self.prompt.look(self._look.palette)
        for line in (self.status, self.hint, self.footer):
            line.look(self._look.palette, self._look.glyphs.ellipsis)
        self.panel.use(self._look)


def shape(config: Config) -> Shape:
    """How much of the panel is there until the operator says otherwise."""
    return Shape.FULL if config.console.panel else Shape.CLOSED


def refusal(view: View, general: Doer, *, read_only: bool) -> Callable[[Command], str]:
    """Tells of each command why it is not done now."""

    def refused(command: Command) -> str:
        doer: Doer = general if command.id.startswith("app.") else view
        return why_not(command, read_only=read_only, enabled=doer.enabled(command))

    return refused
