"""How a run is started from a view: what it would take is shown before."""

from collections.abc import Collection, Sequence

from etltui.config.schema import Config
from etltui.console.bridge import Moment
from etltui.console.cells import Cell, Styled
from etltui.console.model.before import estimate_lines, said
from etltui.console.view import Desk, Look
from etltui.domain.deadline import due_at, finishes, outlook, verdict
from etltui.domain.inquiry import Estimate
from etltui.domain.job import Job
from etltui.domain.progress import Eta, RunView
from etltui.domain.run import NOT_ENDED, RunStatus
from etltui.domain.words import counted, local, short, words

_OVERLAPS = {
    "join": "no other one starts; that one is followed.",
    "refuse": "another one is refused until it has ended.",
    "queue": "this one waits for its end.",
}


def selectors(text: str) -> tuple[str, ...]:
    """What was typed to choose connections: words, with commas or blanks between them."""
    return tuple(text.replace(",", " ").split())


def offered(config: Config, names: Collection[str]) -> list[str]:
    """What may be typed to choose among connections: their tags, then their names."""
    there = [each for each in config.connections if each.name in names]
    tags = dict.fromkeys(tag for each in there for tag in each.tags)
    return [*(f"tag:{tag}" for tag in sorted(tags)), *(each.name for each in there)]


def stands_against(job: Job, config: Config, moment: Moment) -> list[Cell]:
    """What a start meets that no estimate knows: a run of the job that is there already."""
    there = next(
        (run for run in moment.runs if run.job == job.name and run.status in NOT_ENDED), None
    )
    if there is None:
        return []
    policy = job.overlap or config.settings.overlap
    what = f"Its run {short(there.run)} is {words(there.status)} already: {_OVERLAPS[policy]}"
    return [Styled(what, "warn"), ""]


def due_lines(job: Job, eta: Eta | None, at: float, look: Look) -> list[Cell]:
    """What would become of the job's deadline in a run that starts now; nothing without one."""
    due = due_at(job.deadline, local(at, look.timezone), look.timezone)
    run = RunView(run="", job=job.name, status=RunStatus.RUNNING, eta=eta, due=due)
    found = outlook(run, at)
    if found is None:
        return []
    when = finishes(found, look.timezone, look.glyphs.about)
    text = verdict(found, at, look.timezone)
    line = said("Deadline", f"{when}, {text}" if when else text)
    return [Styled(line, "warn") if found.endangered else line]


def canary_line(*, configured: bool) -> Cell:
    """What the key `c` does with a start."""
    if configured:
        text = "one connection first, then five; c starts on all of them at once"
    else:
        text = "c reads one connection first, then five; stops where one fails"
    return said("Canary", text)


async def start(desk: Desk, name: str, only: Sequence[str] = ()) -> None:
    """Show what a run of a job would take, and start it if the operator still wants it.

    Args:
        desk: The console.
        name: The job.
        only: Selectors of the connections to read; none for all.
    """
    found: Estimate | None = await desk.inquire("inquiries.estimate", job=name, only=tuple(only))
    job = desk.config.jobs.get(name)
    if found is None or job is None:
        return
    of_them = f" on {counted(found.connections, 'connection')}" if only else ""
    lines = [
        *stands_against(job, desk.config, desk.moment),
        *estimate_lines(found, desk.look.glyphs.warning),
        *due_lines(job, found.eta, desk.moment.at, desk.look),
    ]
    answers = {"enter": "start"}
    if found.connections > 1:
        lines += ["", canary_line(configured=job.canary)]
        answers["c"] = "all at once" if job.canary else "canary"
    answer = await desk.choose(f"Run {job.title}{of_them}?", lines, answers)
    if answer == "c":
        await desk.order("submit", job=name, only=tuple(only), canary=not job.canary)
    elif answer:
        await desk.order("submit", job=name, only=tuple(only))
