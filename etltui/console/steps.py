"""Runs and their connections in short words: status, step, what a row says at its end."""

from etltui.console.cells import Cell, Styled
from etltui.console.glyphs import Glyphs, bar, status_glyph, status_role
from etltui.console.model.tree import share
from etltui.domain.errors import ADVICE, Trouble
from etltui.domain.progress import ConnectionView, RunView
from etltui.domain.run import ConnectionStatus, RunStatus, Step
from etltui.domain.words import duration, words

_STEPS = {
    Step.CONNECTING: "connecting",
    Step.QUERYING: "querying",
    Step.PROCESSING: "fetching",
    Step.SENDING: "writing",
}
PERCENT = 5
"""Cells of a percentage behind its bar."""


def step_word(step: str) -> str:
    """A step in one word; what is no step of a connection stays as it is."""
    return _STEPS.get(step, step.lower()) if step else "running"  # type: ignore[call-overload]


def connection_status(glyphs: Glyphs, view: ConnectionView) -> Styled:
    """Status of a run connection: sign and word; of a failure its class."""
    sign = status_glyph(glyphs, view.status)
    if view.status is ConnectionStatus.RUNNING:
        word = step_word(view.step)
    elif view.trouble is not None and view.status is not ConnectionStatus.COMPLETED:
        word = words(view.trouble.error_class)
    else:
        word = words(view.status)
    return Styled(f"{sign} {word}", status_role(view.status))


def run_status(glyphs: Glyphs, status: RunStatus) -> Cell:
    """Status of a run: sign and word."""
    short = "with errors" if status is RunStatus.COMPLETED_WITH_ERRORS else words(status)
    return Styled(f"{status_glyph(glyphs, status)} {short}", status_role(status))


def progress(glyphs: Glyphs, part: float | None, width: int, role: str = "busy") -> Cell:
    """A bar and its percentage in so many cells; nothing where no share is known."""
    if part is None:
        return ""
    return Styled(f"{bar(glyphs, part, width - PERCENT)}{part * 100:4.0f}%", role)


def note(glyphs: Glyphs, view: ConnectionView, at: float, retries: int, width: int) -> Cell:
    """What a run connection's row says at its end: how far, when again, what went wrong."""
    if view.status is ConnectionStatus.RETRYING:
        wait = max(view.again_at - at, 0.0) if view.again_at else 0.0
        again = f"again in {wait:.0f}s" if wait >= 1 else "again now"
        # The engine may have another configuration: this one knows the job otherwise, or not.
        known = view.tries <= retries
        return Styled(f"{again} {view.tries}/{retries + 1}" if known else again, "warn")
    if view.trouble is not None and view.status is ConnectionStatus.FAILED:
        return Styled(view.trouble.message, "bad")
    if view.status is ConnectionStatus.COMPLETED:
        return Styled(view.remark, "warn" if view.far else "muted") if view.remark else ""
    part = share(view)
    if part is None and view.usual_s and view.status is ConnectionStatus.RUNNING:
        return Styled(f"usual {duration(view.usual_s)}", "muted")
    return progress(glyphs, part, width)


def run_share(run: RunView) -> float:
    """How much of a run is done: connections that ended, and what the others have done so far."""
    if not run.total:
        return 0.0
    begun = sum(
        share(view) or 0.0
        for view in run.connections.values()
        if view.status is ConnectionStatus.RUNNING
    )
    ended = run.completed + run.failed
    return min((ended + begun) / run.total, 1.0)


def advice(trouble: Trouble | None, contact: str = "") -> tuple[list[Cell], list[Cell]]:
    """What a failure means and what to try, and whom to call; nothing where there is none."""
    if trouble is None:
        return [], []
    known = ADVICE[trouble.error_class]
    what: list[Cell] = [
        Styled(f"{words(trouble.error_class)}: ", "bad"),
        f"{known.means} {known.try_}",
    ]
    return what, [f"call {contact}"] if contact else []
