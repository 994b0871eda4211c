"""Which views there are, loaded when they are first shown."""

from dataclasses import dataclass
from importlib import import_module

from etltui.console.view import View


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A view to choose.

    Attributes:
        digit: The key that shows it from anywhere.
        help: One sentence.
    """

    name: str
    digit: str
    help: str

    def load(self) -> type[View]:
        """The view's class: the one of its module that carries its name."""
        module = import_module(f"etltui.console.views.{self.name}")
        found: type[View] = module.VIEW
        return found


ENTRIES = (
    Entry(name="monitor", digit="1", help="What runs, what fails, and how much is left."),
    Entry(name="jobs", digit="2", help="Every job: its last result, its next run."),
    Entry(name="connections", digit="3", help="The fleet: which branches answer, and how well."),
    Entry(name="run", digit="4", help="One run, connection by connection."),
    Entry(name="pools", digit="5", help="Sessions: lent, idle, waited for."),
    Entry(name="queue", digit="6", help="What waits for its turn."),
    Entry(name="dashboard", digit="7", help="Charts over time."),
    Entry(name="history", digit="8", help="Past runs, and each branch day by day."),
    Entry(name="checkpoints", digit="9", help="What unfinished runs hold."),
    Entry(name="logs", digit="0", help="What was said."),
    Entry(name="settings", digit="comma", help="Every setting, and where it comes from."),
)
BY_NAME = {each.name: each for each in ENTRIES}
