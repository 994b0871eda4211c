"""Who did what to the engine and when: as lines to read, and by the runs that came of it."""

from collections.abc import Iterable, Sequence

from etltui.console.cells import Cell, Styled
from etltui.domain.logbook import Action
from etltui.domain.words import moment

MOST = 500
"""Actions that are shown, the newest first."""
_DONE = "done"
_STARTS = frozenset({"submit", "retry"})


def action_lines(actions: Sequence[Action], timezone: str) -> list[Cell]:
    """A line for each action, refused ones marked.

    Args:
        actions: The newest first.
        timezone: Of the times; empty for the machine's own.
    """
    if not actions:
        return ["Nobody has changed anything yet: runs, settings, holds and pools are noted here."]
    lines: list[Cell] = []
    for each in actions:
        parts = (moment(each.at, timezone), each.who, each.what, each.target, each.detail)
        text = "  ".join(filter(None, parts))
        came_of_it = "" if each.outcome == _DONE else f"  → {each.outcome}"
        lines.append(Styled(text + came_of_it, "warn" if _refused(each) else ""))
    return lines


def who_began(actions: Iterable[Action]) -> dict[str, str]:
    """From a run to who asked for it first.

    Args:
        actions: The newest first.
    """
    return {each.outcome: each.who for each in actions if each.what in _STARTS}


def _refused(action: Action) -> bool:
    return action.outcome.startswith("refused")
