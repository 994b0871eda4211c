"""Says of runs that they may miss their deadline: no event tells it, time alone does."""

from collections.abc import Iterable, Iterator

from etltui.domain.deadline import Chance, outlook
from etltui.domain.events import Event, RunFinished, RunStarted
from etltui.domain.progress import RunView
from etltui.domain.words import local
from etltui.engine.deadlines import warning


class Deadlines:
    """Says of each run once that it is at risk, and once that it is too late.

    Args:
        timezone: Of the times; empty for the machine's own.
    """

    def __init__(self, timezone: str) -> None:
        self._timezone = timezone
        self._due: set[str] = set()
        self._said: dict[str, Chance] = {}

    @property
    def watched(self) -> bool:
        """Whether any run has a deadline still."""
        return bool(self._due)

    def begin(self, runs: Iterable[RunView]) -> None:
        """Watch runs that are at work already."""
        self._due.update(run.run for run in runs if run.due)

    def take(self, event: Event) -> None:
        """Watch a run that begins, and none that has ended."""
        if isinstance(event, RunStarted) and event.due:
            self._due.add(event.run)
        elif isinstance(event, RunFinished):
            self._due.discard(event.run)
            self._said.pop(event.run, None)

    def look(self, runs: Iterable[RunView], at: float) -> Iterator[str]:
        """A line for each run that stands worse than was said of it."""
        for run in runs:
            found = outlook(run, at)
            said = self._said.get(run.run)
            if found is None or not found.endangered or said in (found.chance, Chance.MISSED):
                continue
            if found.chance is not None:
                self._said[run.run] = found.chance
            clock = f"{local(at, self._timezone):%H:%M:%S}"
            yield f"{clock} {warning(run, found, at, self._timezone)}"
