"""What the palette and the `:` line offer now."""

from collections.abc import Callable, Mapping, Sequence

from etltui.config.profiles import PROFILES
from etltui.config.setting_views import all_rules
from etltui.console.commands import Command
from etltui.console.frame import key_name
from etltui.console.model.logs import STEPS
from etltui.console.model.matching import Choice
from etltui.console.registry import ENTRIES
from etltui.console.view import Desk, View
from etltui.console.views.list_view import ListView
from etltui.domain.words import short, words

RUNS = 50
"""Recorded runs to offer."""


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
            key=f"run {run}",
            text=f"show {job} {short(run)}",
            detail=words(status),
            sign="run",
        )
        for run, (job, status) in runs_of(desk).items()
    ]
    return [*reversed(found.values()), *views, *jobs, *runs]


def runs_of(desk: Desk) -> dict[str, tuple[str, str]]:
    """Job and status of the newest runs by their id: those at work, then those recorded."""
    found = {each.run: (each.job, str(each.status)) for each in reversed(desk.moment.runs)}
    for row in desk.reads.get("runs", limit=RUNS) or ():
        found.setdefault(row.run, (row.job, str(row.status)))
    return found


def sources_of(
    desk: Desk, view: View | None, themes: Sequence[str]
) -> Mapping[str, Callable[[], Sequence[str]]]:
    """From what a command takes to all words of that kind."""
    found: dict[str, Callable[[], Sequence[str]]] = {
        "JOB": lambda: sorted(desk.config.jobs),
        "CONNECTION": lambda: [each.name for each in desk.config.connections],
        "RUN": lambda: list(runs_of(desk)),
        "LEVEL": lambda: STEPS,
        "VIEW": lambda: [each.name for each in ENTRIES],
        "THEME": lambda: themes,
        "on|off": lambda: ("on", "off"),
        "LOGIN": lambda: desk.moment.snapshot.pools.locked_credentials,
        "PROFILE": lambda: ("none", *PROFILES),
        "SETTING VALUE": lambda: list(all_rules()),
    }
    if isinstance(view, ListView):
        found["COLUMN"] = lambda: [field.id for field in view.FIELDS]
    return found
