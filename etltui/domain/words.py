"""How counts, statuses and notes read: one way wherever something is said to people."""


def counted(count: int, noun: str) -> str:
    """`1 connection`, `56 connections`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def words(status: str) -> str:
    """A status or class of failure as it is read: `completed with errors`."""
    return status.replace("_", " ")


def noted(note: str, count: int) -> str:
    """What was changed, and how often: `3 x long number as text`.

    A note that names columns says all by itself: `column c is mixed instead of date`,
    `missing: city, state`.
    """
    names_columns = ": " in note or " instead of " in note
    return note if names_columns else f"{count:,} x {note}"


def because(status: str, reason: str) -> str:
    """How something stands and why, once: `failed: the disk is full`, `stopped by SIGINT`."""
    if reason.startswith(status):
        return reason
    return f"{status}: {reason}" if reason else status
