"""The lines around a view, in words: status, hint, footer."""

from collections.abc import Iterable, Mapping, Sequence

from rich.cells import cell_len

from etltui.console.bridge import Moment
from etltui.console.cells import Cell, Styled, joined, role_of, text_of
from etltui.console.commands import Command
from etltui.console.glyphs import Glyphs
from etltui.domain.deadline import in_danger
from etltui.domain.progress import RunView
from etltui.domain.run import AT_WORK, ConnectionStatus
from etltui.domain.words import duration

MOST_KEYS = 7
_KIB = 1024
_NAMES = {
    "enter": "⏎",
    "slash": "/",
    "colon": ":",
    "question_mark": "?",
    "space": "space",
    "escape": "esc",
    "asterisk": "*",
    "comma": ",",
    "number_sign": "#",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "plus": "+",
    "minus": "-",
    "underscore": "_",
    "delete": "del",
}


def key_name(keys: str, *, unicode: bool = True) -> str:
    """How the first of a command's keys reads."""
    first = keys.partition(",")[0].strip()
    if first == "enter" and not unicode:
        return "enter"
    return _NAMES.get(first, first)


def shown_keys(
    commands: Iterable[Command], *, keys: Mapping[str, str], unicode: bool, width: int
) -> list[tuple[str, Command]]:
    """The keys that matter with their commands, at most seven, as many as there is room for."""
    keyed = [(each, keys.get(each.id, each.keys)) for each in commands]
    named = [(key_name(key, unicode=unicode), each) for each, key in keyed if key]
    # What the console itself can do, its help above all, stands there whatever the view can do.
    anywhere = [pair for pair in named if pair[1].id.startswith("app.")]
    own = [pair for pair in named if not pair[1].id.startswith("app.")]
    room = width - 1 - sum(map(_width, anywhere))
    kept = _fitting(own, max(room, 0))[: max(MOST_KEYS - len(anywhere), 0)]
    return _fitting([*kept, *anywhere], width - 1)[:MOST_KEYS]


def _width(named: tuple[str, Command]) -> int:
    name, command = named
    return len(name) + len(command.title) + 3


def _fitting(named: Sequence[tuple[str, Command]], room: int) -> list[tuple[str, Command]]:
    """The first of them, as many as there is room for."""
    found: list[tuple[str, Command]] = []
    for each in named:
        room -= _width(each)
        if room < 0:
            break
        found.append(each)
    return found


def footer(
    commands: Iterable[Command], *, keys: Mapping[str, str], unicode: bool, width: int
) -> list[Cell]:
    """The keys that matter and what they do, in a line."""
    found: list[Cell] = []
    for name, command in shown_keys(commands, keys=keys, unicode=unicode, width=width):
        found += [Styled(name, "accent"), f" {command.title}  "]
    return found


def key_at(shown: Iterable[tuple[str, Command]], x: int) -> Command | None:
    """The command whose key or title stands at a cell of the line; None between two."""
    begin = 0
    for name, command in shown:
        end = begin + len(name) + len(command.title) + 1
        if begin <= x < end:
            return command
        begin = end + 2
    return None


def failing(run: RunView) -> int:
    """Connections of a run that failed, or whose last try did."""
    retrying = sum(view.status is ConnectionStatus.RETRYING for view in run.connections.values())
    return run.failed + retrying


def totals(moment: Moment, glyphs: Glyphs) -> list[Cell]:
    """How everything stands: what runs, waits and fails."""
    at_work = [run for run in moment.runs if run.status in AT_WORK]
    waiting = moment.snapshot.queue.pending
    bad = sum(failing(run) for run in at_work)
    parts: list[Cell] = [f"{len(at_work)} running"]
    if waiting:
        parts.append(f"{waiting} queued")
    if moment.snapshot.queue.paused:
        parts.append(Styled(f"{glyphs.paused} paused", "warn"))
    if bad:
        parts.append(Styled(f"{bad} failing", "bad"))
    return joined(parts, f" {glyphs.between} ")


def gauges(moment: Moment, room: int = 999) -> list[Cell]:
    """Sessions, memory and what is left, while anything is at work.

    Args:
        moment: What is shown.
        room: Cells; where they are few sessions and memory give way, unless it runs short.
    """
    snapshot = moment.snapshot
    if not any(run.status in AT_WORK for run in moment.runs):
        return []
    pools = snapshot.pools
    parts: list[Cell] = [f"conn {pools.places}/{pools.max_connections}"]
    if snapshot.threshold:
        share = snapshot.memory / snapshot.threshold
        role = "bad" if share >= 1 else "warn" if share >= 0.8 else ""
        parts.append(
            Styled(f"mem {short_size(snapshot.memory)}/{short_size(snapshot.threshold)}", role)
        )
    left = longest(moment.runs)
    if left:
        role = "warn" if in_danger(moment.runs, snapshot.at) else ""
        parts.append(Styled(left, role))
    usual = [each for each in parts if not role_of(each) and text_of(each) != left]
    while usual and sum(cell_len(text_of(each)) for each in joined(parts)) > room:
        parts.remove(usual.pop(0))
    return joined(parts)


def short_size(count: int) -> str:
    """A size of memory in as few characters as can be, as settings count it: `393M`, `1.0G`."""
    amount, unit = float(count), "B"
    for bigger in "KMG":
        if amount < _KIB:
            break
        amount, unit = amount / _KIB, bigger
    return f"{amount:.1f}{unit}" if unit == "G" else f"{amount:.0f}{unit}"


def longest(runs: Sequence[RunView]) -> str:
    """When the last of the runs at work will be done, `~` before a guess."""
    etas = [run.eta for run in runs if run.status in AT_WORK and run.eta is not None]
    if not etas:
        return ""
    eta = max(etas, key=lambda each: each.left_s)
    return f"eta {'~' if eta.guess else ''}{duration(eta.left_s)}"
