"""How numbers, times, statuses and notes read: one way wherever something is said to people."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

_MINUTE = 60
_HOUR = 3600
_KB = 1000


def counted(count: int, noun: str) -> str:
    """`1 connection`, `56 connections`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def words(status: str) -> str:
    """A status or class of failure as it is read: `completed with errors`."""
    return status.replace("_", " ")


def some(names: Sequence[str], most: int = 8) -> str:
    """The first few of perhaps 500 names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")


def noted(note: str, count: int) -> str:
    """What was changed, and how often: `3 x long number as text`.

    A note that names columns says all by itself: `column c is mixed instead of date`,
    `missing: city, state`.
    """
    return note if names_columns(note) else f"{count:,} x {note}"


def names_columns(note: str) -> bool:
    """Whether a note is of columns, by name: of what a connection's columns are not."""
    return ": " in note or " instead of " in note


def because(status: str, reason: str) -> str:
    """How something stands and why, once: `failed: the disk is full`, `stopped by SIGINT`."""
    if reason.startswith(status):
        return reason
    return f"{status}: {reason}" if reason else status


def number(value: int) -> str:
    """With thousands separators."""
    return f"{value:,}"


def duration(seconds: float) -> str:
    """`4.1s`, `1:12`, `2h05`."""
    if round(seconds, 1) < _MINUTE:
        return f"{seconds:.1f}s"
    whole = int(seconds + 0.05)
    if whole < _HOUR:
        return f"{whole // _MINUTE}:{whole % _MINUTE:02d}"
    return f"{whole // _HOUR}h{whole % _HOUR // _MINUTE:02d}"


def age(seconds: float) -> str:
    """How long ago something was: `40 s`, `12 min`, `5 h`, `3 d`."""
    for unit, length in (("d", 24 * _HOUR), ("h", _HOUR), ("min", _MINUTE)):
        if seconds >= length:
            return f"{seconds // length:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def size(value: int) -> str:
    """`512 B`, `4.3 MB`: powers of 1,000, as disks are sold."""
    amount = float(value)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < _KB:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= _KB
    return f"{amount:.1f} TB"


def local(unix: float, timezone: str) -> datetime:
    """The time in a zone; empty for the machine's own."""
    return datetime.fromtimestamp(unix, UTC).astimezone(ZoneInfo(timezone) if timezone else None)


def today(timezone: str) -> date:
    """The day that it is in a zone."""
    return local(datetime.now(UTC).timestamp(), timezone).date()


def moment(unix: float, timezone: str) -> str:
    """Date and time."""
    return f"{local(unix, timezone):%Y-%m-%d %H:%M:%S}"


def short(run: str) -> str:
    """The letters that tell a run from the others of a day."""
    return run.rpartition("-")[2]
