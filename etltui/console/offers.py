"""What the palette and the `:` line offer now."""

from collections.abc import Callable, Mapping, Sequence

from etltui.console.commands import Command
from etltui.console.frame import key_name
from etltui.console.model.matching import Choice
from etltui.console.registry import ENTRIES
from etltui.console.view import Desk, View
from etltui.console.views.list_view import ListView
from etltui.domain.words import short, words


def offers(desk: Desk, commands: Sequence[Command], *, unicode: bool) -> list[Choice]:
    """Everything that can be done now: `do COMMAND`, `view NAME`, `job NAME`, `run ID` are keys."""
    chosen = desk.config.console.keys
    found = {
        each.word: Choice(
            key=f"do {each.id}",
            text=each.title,
            detail=each.help,
            sign=key_name(chosen.get(each.id, each.keys), unicode=unicode) or f":{each.word}",
        )
        for each in reversed(commands)
        if each.id != "app.palette"
    }
    views = [
        Choice(
            key=f"view {each.name}",
            text=each.name,
            detail=each.help,
            sign=key_name(chosen.get(f"go.{each.name}", each.digit), unicode=unicode),
        )
        for each in ENTRIES
    ]
    jobs = [
        Choice(key=f"job {name}", text=f"run {name}", detail=job.title, sign="job")
        for name, job in sorted(desk.config.jobs.items())
    ]
    runs = [
        Choice(
            key=f"run {each.run}",
            text=f"show {each.job} {short(each.run)}",
            detail=words(each.status),
            sign="run",
        )
        for each in reversed(desk.moment.runs)
    ]
    return [*reversed(found.values()), *views, *jobs, *runs]


def sources_of(
    desk: Desk, view: View | None, themes: Sequence[str]
) -> Mapping[str, Callable[[], Sequence[str]]]:
    """From what a command takes to all words of that kind."""
    found: dict[str, Callable[[], Sequence[str]]] = {
        "JOB": lambda: sorted(desk.config.jobs),
        "CONNECTION": lambda: [each.name for each in desk.config.connections],
        "RUN": lambda: [each.run for each in reversed(desk.moment.runs)],
        "VIEW": lambda: [each.name for each in ENTRIES],
        "THEME": lambda: themes,
        "on|off": lambda: ("on", "off"),
    }
    if isinstance(view, ListView):
        found["COLUMN"] = lambda: [field.id for field in view.FIELDS]
    return found
