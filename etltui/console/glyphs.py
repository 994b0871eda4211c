"""The signs on the screen: one set for terminals with Unicode, one for those without."""

from collections.abc import Mapping
from dataclasses import dataclass

from etltui.domain.run import ConnectionStatus, RunStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class Glyphs:
    """Every sign that is drawn; each is one cell wide.

    Attributes:
        bar: Eighths of a cell from the least to a full one; only the full one in ASCII.
        empty: What a bar is not.
        heat: All rows, far from usual, empty.
        dots: Whether charts may draw with braille dots.
    """

    running: str
    done: str
    failed: str
    waiting: str
    retrying: str
    warning: str
    paused: str
    skipped: str
    cancelled: str
    bar: str
    empty: str
    rule: str
    upright: str
    cursor: str
    open: str
    shut: str
    crumb: str
    ellipsis: str
    none: str
    box_on: str
    box_off: str
    heat: str
    minus: str
    arrow: str
    between: str
    dots: bool

    @property
    def about(self) -> str:
        """Before what a number may be off; the one sign that is words without Unicode."""
        return "±" if self.dots else "+/-"


UNICODE = Glyphs(
    running="◐",
    done="✓",
    failed="✗",
    waiting="·",
    retrying="↻",
    warning="!",
    paused="‖",
    skipped="»",
    cancelled="⊘",
    bar="▏▎▍▌▋▊▉█",
    empty=" ",
    rule="─",
    upright="│",
    cursor="┃",
    open="▾",
    shut="▸",
    crumb="▸",
    ellipsis="…",
    none="–",
    box_on="[x]",
    box_off="[ ]",
    heat="█▓░",
    minus="−",
    arrow="→",
    between="·",
    dots=True,
)
ASCII = Glyphs(
    running="*",
    done="+",
    failed="x",
    waiting=".",
    retrying="r",
    warning="!",
    paused="=",
    skipped=">",
    cancelled="o",
    bar="#",
    empty="-",
    rule="-",
    upright="|",
    cursor="|",
    open="v",
    shut=">",
    crumb=">",
    ellipsis="~",
    none="-",
    box_on="[x]",
    box_off="[ ]",
    heat="#%.",
    minus="-",
    arrow="->",
    between="|",
    dots=False,
)

_NAMES: Mapping[str, str] = {
    RunStatus.QUEUED: "waiting",
    RunStatus.RUNNING: "running",
    RunStatus.PUBLISHING: "running",
    RunStatus.COMPLETED: "done",
    RunStatus.COMPLETED_WITH_ERRORS: "warning",
    RunStatus.FAILED: "failed",
    RunStatus.STOPPED: "paused",
    RunStatus.CANCELLED: "cancelled",
    RunStatus.DISCARDED: "cancelled",
    ConnectionStatus.WAITING: "waiting",
    ConnectionStatus.RETRYING: "retrying",
    ConnectionStatus.SKIPPED: "skipped",
}
_ROLES: Mapping[str, str] = {
    "running": "busy",
    "done": "ok",
    "failed": "bad",
    "waiting": "muted",
    "retrying": "warn",
    "warning": "warn",
    "paused": "warn",
    "skipped": "muted",
    "cancelled": "muted",
}


def status_glyph(glyphs: Glyphs, status: str) -> str:
    """The sign of a run's or a run connection's status."""
    sign: str = getattr(glyphs, _NAMES[status])
    return sign


def status_role(status: str) -> str:
    """The role of colour of a run's or a run connection's status."""
    return _ROLES[_NAMES[status]]


def bar(glyphs: Glyphs, share: float, width: int) -> str:
    """A bar of a width in cells; a share of 0 to 1, others count as the nearer end."""
    steps = len(glyphs.bar)
    filled = round(min(max(share, 0.0), 1.0) * width * steps)
    whole, rest = divmod(filled, steps)
    text = glyphs.bar[-1] * whole + (glyphs.bar[rest - 1] if rest else "")
    return text + glyphs.empty * (width - len(text))
