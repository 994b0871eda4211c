"""Finds a moment in the log by halving, in a few reads however long the log is."""

from collections.abc import Sequence

from etltui.engine.log_files import LogFile, LogLine, parsed


def nearest(files: Sequence[LogFile], at: float) -> LogLine | None:
    """The line whose time is nearest to a moment; of two the earlier one. None without any.

    Args:
        files: The oldest first.
        at: Unix time in seconds.
    """
    after: LogLine | None = None
    for each in reversed(files):
        before, later = _around(each, at)
        after = later or after
        if before is not None:
            return after if after is not None and after.time - at < at - before.time else before
    return after


def _around(log: LogFile, at: float) -> tuple[LogLine | None, LogLine | None]:
    """The last line of a file up to a moment, and the first one after it."""
    before: LogLine | None = None
    after: LogLine | None = None
    low, high = 0, log.end
    while low < high:
        middle = (low + high) // 2
        line, end = _line_from(log, middle, high)
        if line is None or line.time > at:
            high, after = middle, line or after
        else:
            low, before = end, line
    return before, after


def _line_from(log: LogFile, place: int, stop: int) -> tuple[LogLine | None, int]:
    """The first line with a time that begins between two places, and where it ends."""
    file = log.file
    if place:
        file.seek(place - 1)
        file.readline()
    else:
        file.seek(0)
    while (begin := file.tell()) < stop and (raw := file.readline()):
        line = parsed(raw)
        if line.time:
            return line, begin + len(raw)
    return None, stop
