"""How long a run may take still: its job's past, what this run has shown, and the free lanes.

The time is that of the best order: no shorter than the longest piece of work, nor than all of it
shared out evenly. Nothing is remembered between two looks, so each is right by itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

from etltui.domain.progress import ConnectionView, Eta
from etltui.domain.run import ConnectionStatus
from etltui.domain.usual import Past, Usual

_ENOUGH = 3
"""Connections that must have completed before this run's pace counts."""
_SLOWEST = 4.0
_UNSURE = 0.5
"""Of what is guessed: how far off it may be."""
_PUBLISHING = 0.25
_TO_DO = frozenset(
    {ConnectionStatus.WAITING, ConnectionStatus.RUNNING, ConnectionStatus.RETRYING},
)


@dataclass(slots=True)
class _Shown:
    """What connections that completed in this attempt took, and had usually taken."""

    count: int = 0
    seconds: float = 0.0
    compared: int = 0
    compared_s: float = 0.0
    usual_s: float = 0.0

    def add(self, took: float, usual: float | None) -> None:
        self.count += 1
        self.seconds += took
        if usual is not None:
            self.compared += 1
            self.compared_s += took
            self.usual_s += usual

    @property
    def pace(self) -> float:
        """How many times its usual time the work takes in this run."""
        if self.compared < _ENOUGH or not self.usual_s:
            return 1.0
        return min(max(self.compared_s / self.usual_s, 1 / _SLOWEST), _SLOWEST)


@dataclass(slots=True)
class _Work:
    """What is to be done still, added up."""

    sum_s: float = 0.0
    longest_s: float = 0.0
    longest_spread: float = 0.0
    squares: float = 0.0

    def add(self, left: float, spread: float, wait: float = 0.0) -> None:
        self.sum_s += left
        self.squares += spread * spread
        if left + wait > self.longest_s:
            self.longest_s = left + wait
            self.longest_spread = spread

    def over(self, lanes: int) -> tuple[float, float]:
        """Seconds until all is done, and how far off that may be."""
        left = max(self.longest_s, self.sum_s / lanes)
        return left, max(self.longest_spread, sqrt(self.squares) / lanes)


def time_left(
    views: Iterable[ConnectionView],
    past: Past,
    *,
    lanes: int,
    now: float,
    publishing_since: float | None = None,
) -> Eta | None:
    """How long a run takes still; None as long as nobody can know.

    Args:
        views: Its connections.
        past: What its job's last runs were.
        lanes: Connections that it can read at once.
        now: Unix time in seconds.
        publishing_since: When it began to make its targets; None before.
    """
    shown, to_do, known = _sorted(views, past)
    publish = _publishing(past.publish_s, publishing_since, now)
    if not to_do:
        return publish
    guess = 2 * len(known) < len(to_do)
    if guess and not shown.count:
        return None
    left, band = _reading(to_do, known, past, shown, now).over(max(lanes, 1))
    if guess:
        band = max(band, _UNSURE * left)
    if publish is None:
        return Eta(left_s=left, band_s=band, guess=guess)
    return Eta(left_s=left + publish.left_s, band_s=band + publish.band_s, guess=guess)


def _sorted(
    views: Iterable[ConnectionView],
    past: Past,
) -> tuple[_Shown, list[ConnectionView], dict[str, float]]:
    """What completed ones show, what is to be done, and of that what its past says in seconds."""
    shown = _Shown()
    to_do: list[ConnectionView] = []
    known: dict[str, float] = {}
    for view in views:
        usual = past.usual.get(view.connection)
        if view.status in _TO_DO:
            to_do.append(view)
            if usual is not None and usual.seconds is not None:
                known[view.connection] = usual.seconds
        elif view.status is ConnectionStatus.COMPLETED and view.tries:
            shown.add(sum(view.seconds.values()), usual.seconds if usual else None)
    return shown, to_do, known


def _publishing(usual: float | None, since: float | None, now: float) -> Eta | None:
    if usual is None:
        return None
    left = usual if since is None else max(usual - (now - since), 0.0)
    return Eta(left_s=left, band_s=_PUBLISHING * usual)


def _reading(
    to_do: list[ConnectionView],
    known: dict[str, float],
    past: Past,
    shown: _Shown,
    now: float,
) -> _Work:
    work = _Work()
    pace = shown.pace
    typical = shown.seconds / shown.count if shown.count else sum(known.values()) / len(known)
    for view in to_do:
        usual = past.usual[view.connection] if view.connection in known else None
        if usual is None:
            expected, spread = typical, _UNSURE * typical
        else:
            expected, spread = known[view.connection] * pace, usual.spread
        if view.status is ConnectionStatus.RUNNING:
            spent = max(now - view.since, 0.0)
            work.add(_rest(view, usual, expected=expected, spread=spread, spent=spent), spread)
        else:
            work.add(expected, spread, max(view.again_at - now, 0.0))
    return work


def _rest(
    view: ConnectionView,
    usual: Usual | None,
    *,
    expected: float,
    spread: float,
    spent: float,
) -> float:
    """What is left of a connection at work: by the clock, and more and more by its rows."""
    # Late already: it may take so much longer as it differs from run to run.
    by_clock = max(expected - spent, min(spread, expected))
    if usual is None or not usual.rows or not view.rows:
        return by_clock
    done = min(view.rows / usual.rows, 1.0)
    by_rows = spent * (1 - done) / done
    return done * by_rows + (1 - done) * by_clock
