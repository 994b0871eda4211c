"""The style numbers that parts are written with and every workbook must define in this order.

A part is compressed long before its workbook exists, so a number here never changes its meaning.
New styles go to the end.
"""

from dataclasses import dataclass

GENERAL = 0
TEXT = 1
DATE = 2
TIMESTAMP = 3
TIMESTAMP_MS = 4
TIME = 5
TIME_MS = 6
HEADER = 7
DECIMAL = 8
"""Of scale 0; scale s is DECIMAL + s."""
MAX_SCALE = 10
"""Excel shows no more digits of a number than 15; finer scales are shown with ten."""
LINK = DECIMAL + MAX_SCALE + 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Style:
    """How a cell looks.

    Attributes:
        format: Excel's number format.
        look: `plain`, `header` or `link`.
    """

    format: str = "General"
    look: str = "plain"


STYLES: tuple[Style, ...] = (
    Style(),
    Style(format="@"),
    Style(format="yyyy-mm-dd"),
    Style(format="yyyy-mm-dd hh:mm:ss"),
    Style(format="yyyy-mm-dd hh:mm:ss.000"),
    Style(format="hh:mm:ss"),
    Style(format="hh:mm:ss.000"),
    Style(format="@", look="header"),
    Style(format="0"),
    *(Style(format="0." + "0" * scale) for scale in range(1, MAX_SCALE + 1)),
    Style(format="@", look="link"),
)


def decimal_style(scale: int) -> int:
    """The style of a decimal with so many digits behind the point."""
    return DECIMAL + min(scale, MAX_SCALE)
