"""Draws lines and bars as SVG, with colours that the page chooses."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

_WIDE, _HIGH = 480, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 14, 10, 26
_MOST_POINTS = 160
_TICKS = 4
_LEAST = 0.001
"""On an axis of powers of ten what is less stands at its foot."""

Form = Callable[[float], str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """One line.

    Attributes:
        points: Across and up, from left to right.
    """

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Axes:
    """How numbers read.

    Attributes:
        across: The form of what is across; `up` of what is up.
        tens: Whether what is up is by powers of ten.
    """

    across: Form
    up: Form
    tens: bool = False


def ticks(top: float) -> tuple[float, ...]:
    """Round numbers from 0 to at least `top`, a few of them."""
    if top <= 0:
        return (0.0, 1.0)
    rough = top / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * each for each in (1, 2, 2.5, 5, 10) if power * each >= rough * 0.999)
    return tuple(step * count for count in range(math.ceil(top / step - 1e-9) + 1))


def powers(low: float, top: float) -> tuple[float, ...]:
    """Powers of ten from at most `low` to at least `top`."""
    first = math.floor(math.log10(max(low, _LEAST)))
    last = max(math.ceil(math.log10(max(top, _LEAST))), first + 1)
    return tuple(10.0**each for each in range(first, last + 1))


def thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most so many points as can be told apart: of several beside each other the highest."""
    if len(points) <= _MOST_POINTS:
        return list(points)
    width = math.ceil(len(points) / _MOST_POINTS)
    groups = (points[start : start + width] for start in range(0, len(points), width))
    return [max(group, key=lambda point: point[1]) for group in groups]


def lines(title: str, series: Sequence[Series], axes: Axes) -> str:
    """A figure with a line for each series, and what each of them is.

    Args:
        title: What is shown, with its unit.
        series: In the order of their colours.
        axes: How numbers read.
    """
    drawn = [Series(name=each.name, points=thinned(each.points)) for each in series]
    points = [point for each in drawn for point in each.points]
    if not points:
        return _figure(title, [], '<p class="none">too short to tell</p>')
    plot = _Plot(points, axes)
    body = "".join(plot.line(number, each) for number, each in enumerate(drawn, 1))
    picture = (
        f'<svg viewBox="0 0 {_WIDE} {_HIGH}" role="img" aria-label="{escape(title)}">'
        f"{plot.grid()}{body}</svg>"
    )
    return _figure(title, [each.name for each in drawn] if len(drawn) > 1 else [], picture)


def bars(title: str, counts: Sequence[tuple[str, int]]) -> str:
    """A figure with a bar for each count."""
    most = max((count for _, count in counts), default=0)
    rows = "".join(
        f'<div class="bar"><span>{escape(name)}</span>'
        f'<i style="width:{60 * count / most:.1f}%"></i><b>{count:,}</b></div>'
        for name, count in counts
    )
    return _figure(title, [], rows or '<p class="none">none</p>')


def _figure(title: str, names: Sequence[str], body: str) -> str:
    keys = "".join(
        f'<span class="key k{number}">{escape(name)}</span>' for number, name in enumerate(names, 1)
    )
    return f"<figure><figcaption>{escape(title)}{keys}</figcaption>{body}</figure>"


class _Plot:
    """Where numbers stand in a picture."""

    def __init__(self, points: Sequence[tuple[float, float]], axes: Axes) -> None:
        self._axes = axes
        self._from = min(x for x, _ in points)
        self._to = max(x for x, _ in points)
        ups = [y for _, y in points]
        self._ticks = powers(min(ups), max(ups)) if axes.tens else ticks(max(ups))

    def _x(self, value: float) -> float:
        span = (self._to - self._from) or 1.0
        return _LEFT + (value - self._from) / span * (_WIDE - _LEFT - _RIGHT)

    def _y(self, value: float) -> float:
        low, top = self._ticks[0], self._ticks[-1]
        if self._axes.tens:
            value, low, top = (math.log10(max(each, low)) for each in (value, low, top))
        return _HIGH - _BOTTOM - (value - low) / (top - low) * (_HIGH - _TOP - _BOTTOM)

    def grid(self) -> str:
        """Lines to read by, with their numbers."""
        across = "".join(
            f'<path d="M{_LEFT} {self._y(each):.1f}H{_WIDE - _RIGHT}"/>'
            f'<text x="{_LEFT - 6}" y="{self._y(each) + 4:.1f}" text-anchor="end">'
            f"{escape(self._axes.up(each))}</text>"
            for each in self._ticks
        )
        ends = "".join(
            f'<text x="{self._x(at):.1f}" y="{_HIGH - 8}" text-anchor="{anchor}">'
            f"{escape(self._axes.across(at))}</text>"
            for at, anchor in (
                (self._from, "start"),
                ((self._from + self._to) / 2, "middle"),
                (self._to, "end"),
            )
        )
        return f'<g class="grid">{across}{ends}</g>'

    def line(self, number: int, series: Series) -> str:
        """A line, and over each of its points what it says."""
        places = [(self._x(x), self._y(y)) for x, y in series.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        said = "".join(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4"><title>'
            f"{escape(series.name)} {escape(self._axes.up(value))} at "
            f"{escape(self._axes.across(at))}</title></circle>"
            for (x, y), (at, value) in zip(places, series.points, strict=True)
        )
        return f'<g class="s{number}"><polyline points="{path}"/>{said}</g>'
