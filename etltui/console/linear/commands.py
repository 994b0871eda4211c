"""The commands of the linear console, and how what is typed behind them is understood."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from etltui.config.checks import nearest_or_all
from etltui.console.commands import Command
from etltui.domain.errors import misused

COMMANDS = (
    Command(id="linear.help", keys="", title="help", help="Say what can be typed."),
    Command(
        id="linear.status", keys="", title="status", help="Say what runs, waits and fails now."
    ),
    Command(id="linear.jobs", keys="", title="jobs", help="List the jobs, and how each stands."),
    Command(
        id="linear.run",
        keys="",
        title="run",
        help="Run a job, on some connections only, or where its last run stopped.",
        takes="JOB [--only GLOB]... [--resume] [--canary]",
        changes=True,
    ),
    Command(
        id="linear.estimate",
        keys="",
        title="estimate",
        help="Say what a run of a job would take.",
        takes="JOB [--only GLOB]...",
    ),
    Command(
        id="linear.cancel",
        keys="",
        title="cancel",
        help="End a run; what finished stays and can be resumed.",
        takes="RUN|JOB",
        changes=True,
    ),
    Command(
        id="linear.retry",
        keys="",
        title="retry",
        help="Read again what a run lacks, and patch its targets.",
        takes="RUN|JOB [--only GLOB]...",
        changes=True,
    ),
    Command(
        id="linear.show",
        keys="",
        title="show",
        help="Show a run, connection by connection; of a job the newest one.",
        takes="RUN|JOB [FILTER]",
    ),
    Command(
        id="linear.runs",
        keys="",
        title="runs",
        help="List the newest runs, of a job or of all.",
        takes="[JOB]",
    ),
    Command(
        id="linear.connections",
        keys="",
        title="connections",
        help="List the connections, or those that a filter lets through: north, !done, rows>10k.",
        takes="[FILTER]",
    ),
    Command(
        id="linear.test",
        keys="",
        title="test",
        help="Ask databases for an answer.",
        takes="CONNECTION...",
    ),
    Command(
        id="linear.hold",
        keys="",
        title="hold",
        help="Let no run read a connection, a glob or tag:NAME; say why.",
        takes="CONNECTION REASON",
        changes=True,
    ),
    Command(
        id="linear.release",
        keys="",
        title="release",
        help="Let runs read connections again that were held.",
        takes="CONNECTION...",
        changes=True,
    ),
    Command(id="linear.queue", keys="", title="queue", help="List what waits for its turn."),
    Command(
        id="linear.pause",
        keys="",
        title="pause",
        help="Give a job, or without one nobody, a turn any more; what runs goes on.",
        takes="[JOB]",
        changes=True,
    ),
    Command(
        id="linear.resume",
        keys="",
        title="resume",
        help="Undo a pause of a job, or without one of the queue.",
        takes="[JOB]",
        changes=True,
    ),
    Command(id="linear.pools", keys="", title="pools", help="List the pools of sessions."),
    Command(
        id="linear.checkpoints",
        keys="",
        title="checkpoints",
        help="List unfinished runs, and what is safe of them.",
    ),
    Command(
        id="linear.logs",
        keys="",
        title="logs",
        help="Show the last lines of the log, 20 or so many, that hold some words.",
        takes="[N] [WORDS]",
    ),
    Command(
        id="linear.settings",
        keys="",
        title="settings",
        help="List the settings, explain one, or let another value hold.",
        takes="[NAME [VALUE]]",
    ),
    Command(
        id="linear.detach",
        keys="",
        title="detach",
        help="Leave; the engine goes on, and etltui attaches again.",
    ),
    Command(
        id="linear.quit",
        keys="",
        title="quit",
        help="End the console; asks first where runs are at work.",
    ),
)
BY_WORD: Mapping[str, Command] = {each.word: each for each in COMMANDS}


@dataclass(frozen=True, kw_only=True, slots=True)
class Typed:
    """What stands behind a command.

    Attributes:
        words: What is no option, in order.
        only: Values of `--only`.
        resume: Whether `--resume` is said.
        canary: Whether `--canary` is.
    """

    words: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    resume: bool = False
    canary: bool = False

    @property
    def first(self) -> str:
        """The first word; empty for none."""
        return self.words[0] if self.words else ""


@dataclass(slots=True)
class _Taken:
    words: list[str] = field(default_factory=list)
    only: list[str] = field(default_factory=list)
    resume: bool = False
    canary: bool = False


def understood(text: str, *options: str) -> Typed:
    """What stands behind a command, quotes and options taken apart.

    Args:
        text: As it was typed.
        options: Those that the command has: `--only`, `--resume`, `--canary`.

    Raises:
        ConfigError: A quote is not closed, or an option is unknown or lacks its value.
    """
    try:
        words = iter(shlex.split(text))
    except ValueError:
        raise misused(text, "a quote is not closed", 'Write "two words" in two quotes') from None
    taken = _Taken()
    for word in words:
        name, is_said, value = word.partition("=")
        if not word.startswith("--"):
            taken.words.append(word)
        elif name not in options:
            raise misused(word, "there is no such option here", _there_are(word, options))
        elif name == "--resume":
            taken.resume = True
        elif name == "--canary":
            taken.canary = True
        else:
            taken.only.append(value if is_said else next(words, ""))
    if "" in taken.only:
        raise misused("--only", "it names no connection", "Write --only branch_0* or tag:north")
    return Typed(
        words=tuple(taken.words),
        only=tuple(taken.only),
        resume=taken.resume,
        canary=taken.canary,
    )


def _there_are(word: str, options: Sequence[str]) -> str:
    return nearest_or_all(word, options) if options else "Leave it out"


def needed(typed: Typed, command: str) -> str:
    """The first word behind a command that must have one.

    Raises:
        ConfigError: There is none.
    """
    if not typed.first:
        takes = BY_WORD[command].takes
        raise misused(command, "nothing is named", f"Write {command} {takes}")
    return typed.first


def help_lines() -> list[str]:
    """What can be typed."""
    usages = [f"{each.word} {each.takes}".rstrip() for each in COMMANDS]
    lines: list[str] = []
    for usage, command in zip(usages, COMMANDS, strict=True):
        lines += [usage, f"    {command.help}"]
    return lines
