"""The hours of the day in which a connection may be read, such as `22:00-06:00`."""

import re
from datetime import datetime, timedelta

_SPAN = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-(?:([01][0-9]|2[0-3]):([0-5][0-9])|24:00)")
_BETWEEN = ", "
_DAY = 24 * 60


def spans(hours: str) -> tuple[tuple[int, int], ...]:
    """The spans as minutes since midnight; one whose end is not behind its begin wraps midnight.

    Raises:
        ValueError: The text says no such spans, or one that is empty.
    """
    return tuple(_span(each) for each in hours.split(_BETWEEN))


def _span(text: str) -> tuple[int, int]:
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError(text)
    begin = int(found[1]) * 60 + int(found[2])
    end = _DAY if found[3] is None else int(found[3]) * 60 + int(found[4])
    if begin == end:
        raise ValueError(text)
    return begin, end


def _within(span: tuple[int, int], minute: int) -> bool:
    begin, end = span
    if begin < end:
        return begin <= minute < end
    return minute >= begin or minute < end


def opening(hours: str, now: datetime) -> float:
    """When the next span begins, in Unix seconds; 0 where one holds now, or none is said.

    The clock on the wall decides, whatever daylight saving does to it.

    Args:
        hours: Checked before; empty: always.
        now: In the zone of the hours.
    """
    if not hours:
        return 0.0
    found = spans(hours)
    minute = now.hour * 60 + now.minute
    if any(_within(span, minute) for span in found):
        return 0.0
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    begins = [
        (midnight + timedelta(days=day, minutes=begin)).timestamp()
        for day in (0, 1)
        for begin, _ in found
    ]
    return min(begin for begin in begins if begin > now.timestamp())
