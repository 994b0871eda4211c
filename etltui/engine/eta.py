"""How long a run may take still: its job's past, what this run has shown, and the free lanes.

The connections are dealt out to the lanes as a run takes them, the longest first. Nothing is
remembered between two looks, so each is right by itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import heapify, heapreplace

from etltui.domain.progress import ConnectionView, Eta
from etltui.domain.run import ConnectionStatus
from etltui.domain.usual import Past, Usual

_ENOUGH = 3
"""Connections that must have completed before this run's pace counts."""
_SLOWEST = 4.0
_UNSURE = 0.5
"""Of what is guessed: how far off it may be."""
_PUBLISHING = 0.25
_TWO_THIRDS = 1.5
"""Half of past runs were within their spread; within so many of it two thirds were."""
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
    """What is to be done still.

    Attributes:
        at_work: Seconds that each connection at work takes still.
        waiting: … and each that waits for its turn, in order.
        later: … and each that waits for its next try, after the seconds until then.
        whole: All seconds together; `spread` is how far off they may be.
    """

    at_work: list[float] = field(default_factory=list)
    waiting: list[float] = field(default_factory=list)
    later: list[tuple[float, float]] = field(default_factory=list)
    whole: float = 0.0
    spread: float = 0.0

    def over(self, lanes: int) -> tuple[float, float]:
        """Seconds until all is done, and how far off that may be."""
        ends = self.at_work + [0.0] * (lanes - len(self.at_work))
        heapify(ends)
        waiting = self.waiting if lanes == 1 else sorted(self.waiting, reverse=True)
        for seconds in waiting:
            heapreplace(ends, ends[0] + seconds)
        for wait, seconds in sorted(self.later):
            heapreplace(ends, max(ends[0], wait) + seconds)
        left = max(ends)
        # A slow night is slow as a whole: what one loses no other gains.
        share = self.spread / self.whole if self.whole else 0.0
        return left, _TWO_THIRDS * share * left


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
        work.whole += expected
        work.spread += spread
        if view.status is ConnectionStatus.WAITING:
            work.waiting.append(expected)
        elif view.status is ConnectionStatus.RETRYING:
            work.later.append((max(view.again_at - now, 0.0), expected))
        else:
            spent = max(now - view.since, 0.0)
            work.at_work.append(_rest(view, usual, expected=expected, spread=spread, spent=spent))
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
