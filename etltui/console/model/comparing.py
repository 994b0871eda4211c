"""Two runs beside each other, connection by connection: what changed first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from etltui.console.cells import Cell, Styled, fitted, text_of
from etltui.console.glyphs import Glyphs, status_glyph
from etltui.console.model.difference import difference
from etltui.console.model.history import PastRun
from etltui.console.steps import run_status
from etltui.domain.run import ConnectionResult, ConnectionStatus
from etltui.domain.stored import ConnectionRow
from etltui.domain.usual import deviation
from etltui.domain.words import counted, duration, moment, number, short, words

_NAME = 16
_ROWS = 9


@dataclass(frozen=True, slots=True)
class Pair:
    """A connection in two runs; None where it never ended in one, or was no part of it."""

    connection: str
    then: ConnectionResult | None
    now: ConnectionResult | None

    @property
    def moved(self) -> bool:
        """Whether it ended otherwise than before."""
        return _ending(self.then) != _ending(self.now)

    @property
    def far(self) -> bool:
        """Whether its rows are half, double or further off what they were."""
        both = self.then is not None and self.now is not None and not self.moved
        return both and bool(deviation(_rows(self.now), _rows(self.then)))


def _ending(result: ConnectionResult | None) -> str:
    if result is None:
        return "not read"
    if result.trouble is not None and result.status is not ConnectionStatus.COMPLETED:
        return words(result.trouble.error_class)
    return words(result.status)


def _rows(result: ConnectionResult | None) -> int:
    return result.rows if result is not None else 0


def _seconds(result: ConnectionResult | None) -> float:
    return sum(result.seconds.values()) if result is not None else 0.0


def pairs(then: Iterable[ConnectionRow], now: Iterable[ConnectionRow]) -> list[Pair]:
    """Every connection of either run.

    What ended otherwise comes first, then what is far off, then by the difference in rows.
    """
    before = {row.connection: row.result for row in then}
    after = {row.connection: row.result for row in now}
    found = [Pair(name, before.get(name), after.get(name)) for name in {**before, **after}]

    def rank(pair: Pair) -> tuple[bool, bool, int, str]:
        difference_ = abs(_rows(pair.now) - _rows(pair.then))
        return not pair.moved, not pair.far, -difference_, pair.connection

    return sorted(found, key=rank)


def comparison(
    runs: tuple[PastRun, PastRun], found: Sequence[Pair], glyphs: Glyphs, timezone: str
) -> list[Cell]:
    """The page that says what is different.

    Args:
        runs: The older one first.
        found: Their connections.
        glyphs: Signs.
        timezone: In which moments are told.
    """
    lines: list[Cell] = []
    for word, run in zip(("Then", "Now"), runs, strict=True):
        status = text_of(run_status(glyphs, run.status))
        rows = "" if run.rows is None else f", {counted(run.rows, 'row')}"
        took = "" if run.seconds is None else f", {duration(run.seconds)}"
        lines.append(
            f"{word:<5}{moment(run.started, timezone)}  {status} "
            f"{run.completed}/{run.total}{rows}{took}  {short(run.run)}"
        )
    other = [pair for pair in found if pair.moved]
    far = sum(pair.far for pair in found)
    said = [f"{counted(len(other), 'connection')} ended otherwise", f"{far:,} far off"]
    lines += ["", Styled(", ".join(said), "warn" if other or far else "ok"), ""]
    numbers = f"{'THEN':>{_ROWS}} {'NOW':>{_ROWS}} {'ROWS':>6} {'TIME':>12}"
    lines.append(Styled(f"{'CONNECTION':<{_NAME}} {numbers}  ENDED", "muted"))
    lines += [_line(pair, glyphs) for pair in found]
    return lines


def _line(pair: Pair, glyphs: Glyphs) -> Cell:
    then, now = pair.then, pair.now
    name = fitted(pair.connection, _NAME, cut="middle", mark=glyphs.ellipsis)
    rows = [glyphs.none if each is None else number(each.rows) for each in (then, now)]
    both = then is not None and now is not None
    far = difference(_rows(now), _rows(then), glyphs.minus) if both else ""
    times = [duration(_seconds(each)) if _seconds(each) else glyphs.none for each in (then, now)]
    took = f" {glyphs.arrow} ".join(times)
    text = (
        f"{name} {rows[0]:>{_ROWS}} {rows[1]:>{_ROWS}} {far:>6} {took:>12}  {_ended(pair, glyphs)}"
    )
    return Styled(text, _role(pair))


def _ended(pair: Pair, glyphs: Glyphs) -> str:
    if not pair.moved:
        return _said(pair.now, glyphs)
    # Whatever completed needs no word: there is little room.
    said = [
        status_glyph(glyphs, each.status)
        if each is not None and each.status is ConnectionStatus.COMPLETED
        else _said(each, glyphs)
        for each in (pair.then, pair.now)
    ]
    return f" {glyphs.arrow} ".join(said)


def _said(result: ConnectionResult | None, glyphs: Glyphs) -> str:
    sign = status_glyph(glyphs, result.status) if result is not None else glyphs.none
    return f"{sign} {_ending(result)}"


def _role(pair: Pair) -> str:
    if pair.moved:
        good = pair.now is not None and pair.now.status is ConnectionStatus.COMPLETED
        return "ok" if good else "bad"
    return "warn" if pair.far else ""
