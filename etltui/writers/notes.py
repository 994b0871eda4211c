"""The words in which writers count what a format's limits changed.

A connection's own notes (what its columns lacked) and those of all its parts travel together, so
that a target's writer has to know whose words are whose.
"""

LONG_NUMBER = "long number as text"
NOT_FINITE = "not a finite number, as text"
OUTSIDE_CALENDAR = "date before 1900-03-01 or after 9999-12-31 as text"
CLOCK_CUT = "time cut at 23:59:59.999"
NOT_FINITE_NULL = "not a finite number, as null"
BINARY = "binary as hex text"
NUMBER_AS_TEXT = "number as text"
MISFIT = "value that its column cannot hold, as null"
RENAMED = "column renamed, its name stood there twice"
REMOVED = "control characters removed"
GUARDED = "formula guarded"
REPLACED = "characters replaced"
_CUT = "text cut at "
_COUNTED = {
    LONG_NUMBER,
    NOT_FINITE,
    NOT_FINITE_NULL,
    OUTSIDE_CALENDAR,
    CLOCK_CUT,
    BINARY,
    NUMBER_AS_TEXT,
    MISFIT,
    RENAMED,
    REMOVED,
    GUARDED,
    REPLACED,
}


def cut_note(units: int) -> str:
    """What was done to a text longer than a cell."""
    return f"{_CUT}{units:,}"


def of_a_part(note: str) -> bool:
    """Whether some writer counts this in its receipts."""
    return note in _COUNTED or note.startswith(_CUT)
