"""The map of the history: each connection day by day, and what of it can be asked for."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from etltui.console.bridge import Moment
from etltui.console.cells import Cell, Styled
from etltui.console.model.heat import (
    DAYS,
    WORDS,
    Calendar,
    Heat,
    Ledger,
    calendar,
    csv_lines,
    heat_of,
    heat_sign,
    in_words,
    ledgers,
    lost,
    percent,
)
from etltui.console.new_file import as_csv, why_not_written, write_new
from etltui.console.view import Desk
from etltui.console.widgets.heatmap import WHOLE, HeatMap, HeatRow
from etltui.domain.logbook import Outcome
from etltui.domain.words import counted, local, words

WIDE = 100
"""Columns from which the map stands beside the runs."""
_POOR = 0.9
"""Of the times it was asked: a connection that answers less often is bad."""


class HistoryMap(HeatMap):
    """Draws how connections ended, as the store has it.

    Args:
        desk: The console around it.
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk.look.palette, desk.look.glyphs)
        self._desk = desk
        self._filter = ""
        self._calendar = Calendar((), ())
        self._ledgers: list[Ledger] = []
        self._made_of: tuple[object, ...] = ()

    def draw(self, moment: Moment, job: str) -> None:
        """Show the last days of one job, or of all for an empty name."""
        look, reads, config = self._desk.look, self._desk.reads, self._desk.config
        day = local(moment.at, look.timezone).date()
        if not self._calendar.days or self._calendar.days[-1] != day:
            self._calendar = calendar(moment.at, look.timezone)
        since = self._calendar.begins[0]
        outcomes = reads.get("outcomes", since)
        # The same answer is the same object: the map is made anew only for another one.
        now = (outcomes, config, job, self._calendar, self._filter, look.glyphs)
        if self._made_of and all(
            one is other for one, other in zip(now, self._made_of, strict=True)
        ):
            return
        self._made_of = now
        names = () if job or outcomes is None else (each.name for each in config.connections)
        found = [each for each in outcomes or () if job in ("", each.job)]
        made = ledgers(found, names, self._calendar, look.timezone)
        wanted = self._filter.lower()
        self._ledgers = [each for each in made if wanted in each.connection.lower()]
        self.empty = self._nothing(known=outcomes is not None)
        rows = [self._row(each) for each in self._ledgers]
        self.show(self._calendar.days, rows, self._signs())

    def _signs(self) -> list[Cell]:
        found: list[Cell] = []
        for heat, word in WORDS.items():
            sign, role = heat_sign(self._desk.look.glyphs, heat)
            # Without Unicode nothing at all says that a day had no run.
            short = word.removesuffix(" rows").removesuffix(" from usual")
            found += [Styled(sign, role), Styled(f" {short}  ", "muted")] if sign.strip() else []
        return found

    def _row(self, ledger: Ledger) -> HeatRow:
        glyphs, part = self._desk.look.glyphs, ledger.reliability
        role = "" if part is None else "bad" if part < _POOR else "warn" if part < 1 else "muted"
        return HeatRow(
            key=ledger.connection,
            signs=tuple(heat_sign(glyphs, each) for each in ledger.cells),
            said=Styled(percent(part), role),
        )

    def _nothing(self, *, known: bool) -> Sequence[str]:
        if not known:
            return ("", f"reading {self._desk.look.glyphs.ellipsis}")
        if self._filter:
            return ("", f"No connection is called {self._filter}.", "/ changes that.")
        return ("", f"Nothing was read in the last {DAYS} days.")

    def status(self) -> list[Cell]:
        """How many connections there are, and how many have failed."""
        bad = sum(each.failed > 0 for each in self._ledgers)
        parts: list[Cell] = [f"{counted(len(self._ledgers), 'connection')}, {DAYS} days"]
        if bad:
            parts.append(Styled(f"  {bad:,} failed at least once", "bad"))
        if self._filter:
            parts.append(Styled(f"  /{self._filter}", "accent"))
        return [*parts, Styled(f"  {self.position}", "muted")]

    def hint(self) -> tuple[Sequence[Cell], Sequence[Cell]]:
        """What happened in the cell, how well the connection answers at all, whom to call."""
        place = self.place
        if place is None:
            return (), ()
        name, day = place
        when = "" if day == WHOLE else f" {self._calendar.days[day]:%a %d %b}"
        if not name:
            return [f"{when.strip()}: {counted(len(self.lost()), 'connection')} failed"], ()
        (ledger,), _ = self._under()
        told = ", ".join(in_words(ledger))
        there = ledger.by_day.get(day, ())
        heat = heat_of(there)
        contact = self._desk.contact_of(name)
        # On a small screen it would hide what happened; on the name of the connection it stands.
        wide = self.app.size.width >= WIDE
        called = contact and (ledger.failed if day == WHOLE else heat is Heat.FAILED and wide)
        right: list[Cell] = [f"call {contact}"] if called else []
        if day == WHOLE:
            return [f"{name}: {told}"], right
        sign, role = heat_sign(self._desk.look.glyphs, heat)
        said = f"{sign} {WORDS[heat]}{_troubles(there)}".strip()
        return [f"{name}{when}: ", Styled(said, role), f"; {told}"], right

    def _under(self) -> tuple[list[Ledger], range]:
        """The connections and days that the cursor is on."""
        place = self.place
        if place is None:
            return [], range(0)
        name, day = place
        chosen = [each for each in self._ledgers if not name or each.connection == name]
        return chosen, range(len(self._calendar.days)) if day == WHOLE else range(day, day + 1)

    def lost(self) -> list[Outcome]:
        """What failed there and was not read since, the newest first."""
        return lost(*self._under())

    def opened(self) -> tuple[str, str]:
        """The view that shows what is under the cursor, and about what; empty for none."""
        place = self.place
        if place is None or not place[0]:
            return ("", "")
        name, day = place
        if day == WHOLE:
            return ("connections", name)
        (ledger,), _ = self._under()
        there = ledger.by_day.get(day, ())
        last = next(iter(self.lost() or reversed(there)), None)
        return ("run", f"{last.run} {name}") if last else ("", "")

    async def ask_filter(self, text: str) -> None:
        """Ask for a part of a connection's name; it holds while it is typed."""
        before = self._filter

        def typed(part: str) -> None:
            self._filter = part.strip()
            self._desk.redraw()

        wanted = text or await self._desk.ask("connection: ", text=before, changed=typed)
        typed(before if wanted is None else wanted)

    async def export(self, text: str) -> None:
        """Write the map as CSV, with how well each connection answers."""
        path = text or await self._desk.ask("write to: ", text="connections.csv")
        if not path:
            return
        timezone = self._desk.look.timezone
        lines = csv_lines(self._ledgers, self._calendar, timezone, self._desk.contact_of)
        try:
            made = await asyncio.to_thread(write_new, Path(path), as_csv(lines[0], lines[1:]))
        except OSError as error:
            self._desk.tell(why_not_written(Path(path), error), "error")
        else:
            self._desk.tell(f"{counted(len(lines) - 1, 'connection')} in {made}")


def _troubles(outcomes: Sequence[Outcome]) -> str:
    """What went wrong on a day, and in how many of its runs where there were several."""
    bad = [each for each in outcomes if each.error_class]
    if not bad:
        return ""
    classes = ", ".join(dict.fromkeys(words(each.error_class) for each in bad if each.error_class))
    many = len(outcomes) > 1
    return f", {len(bad)} of {len(outcomes)} runs failed ({classes})" if many else f" ({classes})"
