"""Text with styles in as few pieces as can be."""

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style


def merged(parts: Sequence[tuple[str, Style]]) -> list[Segment]:
    """Segments, neighbours of one style in one: each costs an escape sequence."""
    found: list[tuple[str, Style]] = []
    for text, style in parts:
        if found and (
            found[-1][1] is style or (not text.strip() and _blank_alike(found[-1][1], style))
        ):
            found[-1] = (found[-1][0] + text, found[-1][1])
        else:
            found.append((text, style))
    return [Segment(text, style) for text, style in found]


def _blank_alike(one: Style, other: Style) -> bool:
    """Whether blanks look the same in both styles."""
    return one.bgcolor == other.bgcolor and one.reverse == other.reverse and not one.underline
