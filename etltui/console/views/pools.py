"""The pools of sessions: lent, idle, waited for; drained, paused, warmed up."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from etltui.config.schema import Config
from etltui.console.bridge import Moment
from etltui.console.cells import Cell, Row, Styled, joined
from etltui.console.commands import Command, bindings
from etltui.console.glyphs import Glyphs
from etltui.console.model.listing import Field, row_of
from etltui.console.model.pool_page import pool_page
from etltui.console.model.pool_rows import FIELDS, LIMIT, USE, PoolRow, gauge_row, row_of_pool
from etltui.console.model.pools import (
    Known,
    PoolLine,
    gauges_of,
    keys_of,
    leak_of,
    meaning,
    pool_lines,
    totals,
)
from etltui.console.model.server_page import NO_SERVER, server_page
from etltui.console.view import Desk
from etltui.console.views.list_view import LIST_COMMANDS, ListView
from etltui.domain.job import Connection
from etltui.domain.pools import PoolHistory, PoolKey
from etltui.domain.words import counted, duration

MINE = (
    Command(
        id="pools.open",
        keys="enter",
        title="open",
        help="Show a pool in full, or the files that a row stands for.",
    ),
    Command(
        id="pools.pause",
        keys="P",
        title="pause",
        help="Let whoever needs the selected pools wait, or let them go on; at `all` every pool.",
        changes=True,
    ),
    Command(
        id="pools.drain",
        keys="D",
        title="drain",
        help="Lend nothing more at the selected pools and close what comes back, until P.",
        changes=True,
        ask="Drain the selected pools?",
    ),
    Command(
        id="pools.release",
        keys="L",
        title="release login",
        help="Let a login be tried again that a server refused.",
        takes="LOGIN",
        changes=True,
    ),
    Command(
        id="pools.warm_up",
        keys="W",
        title="warm up",
        help="Have sessions open ahead of need.",
        takes="COUNT",
        changes=True,
    ),
    Command(
        id="pools.close_idle",
        keys="I",
        title="close idle",
        help="Close all sessions that nobody uses.",
        changes=True,
        footer=False,
    ),
    Command(
        id="pools.reconnect",
        keys="R",
        title="reconnect all",
        help="Use no session again that is open now: idle ones close, lent ones as they return.",
        name="reconnect-all",
        changes=True,
        ask="Open all sessions anew?",
        footer=False,
    ),
    Command(
        id="pools.check",
        keys="c",
        title="check server",
        help="Ask the pool's server how many sessions it has and allows, and what they wait for.",
        footer=False,
    ),
    Command(
        id="pools.fold",
        keys="left,right,o",
        title="fold",
        help="Show or hide the files that a row stands for.",
        footer=False,
    ),
)
_LOOK_S = 5.0
"""How often it is asked for pools that have no session now."""
_OF_A_POOL = frozenset({"pools.drain", "pools.warm_up", "pools.open", "pools.check"})


class Pools(ListView[PoolRow]):
    """Shows every pool, then the limits over several of them."""

    NAME = "pools"
    TITLE = "Pools"
    FIELDS = FIELDS
    EMPTY = (
        "No session is open, and no database has failed to answer.",
        "A run opens them; its pools are here then. 2 shows the jobs.",
    )
    COMMANDS: ClassVar[tuple[Command, ...]] = (*MINE, *LIST_COMMANDS)
    BINDINGS = bindings(MINE)

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._opened: set[str] = set()
        self._histories: Sequence[PoolHistory] = ()
        self._asked = 0.0
        self._keys: tuple[Config | None, Mapping[str, PoolKey]] = (None, {})
        self._drawn: dict[str, tuple[tuple[PoolLine, bool], PoolRow]] = {}
        self._rows: dict[str, tuple[PoolRow, Row]] = {}
        self._columns: tuple[Field[PoolRow], ...] = ()
        self._drawn_as: tuple[Glyphs, int] = (desk.look.glyphs, USE)

    def enter(self, argument: str) -> None:
        """Come into sight; an argument is a filter."""
        super().enter(argument)
        self._asked = 0.0
        if argument:
            self.call_later(self.filter_by, argument)

    def key(self, record: PoolRow) -> str:
        """The pool's text, or the kind of files."""
        return record.line.key

    def records(self, moment: Moment) -> Sequence[PoolRow]:
        """A record for each pool, and one for the files of a kind."""
        self._look(moment)
        if self._keys[0] is not self.desk.config:
            self._keys = (self.desk.config, keys_of(self.desk.config.connections))
        drawn_as = (self.desk.look.glyphs, self.table.width_of("use") or USE)
        if drawn_as != self._drawn_as:
            self._drawn, self._drawn_as = {}, drawn_as
        known = Known(histories=self._histories, keys=self._keys[1], opened=self._opened)
        snapshot = moment.snapshot
        return [self._row(line) for line in pool_lines(snapshot.pool_info, snapshot.pools, known)]

    def _look(self, moment: Moment) -> None:
        """Ask now and then for what no snapshot tells: pools that have no session."""
        if abs(moment.at - self._asked) >= _LOOK_S and not moment.gone:
            self._asked = moment.at
            self.run_worker(self._read(), name="pools")

    async def _read(self) -> None:
        found: Sequence[PoolHistory] | None = await self.desk.inquire("pools.get_history")
        if found is not None:
            self._histories = found
            self.desk.redraw()

    def _row(self, line: PoolLine) -> PoolRow:
        """The row of a line; the same one as long as it says the same."""
        opened = line.key in self._opened
        known = self._drawn.get(line.key)
        if known is None or known[0] != (line, opened):
            row = row_of_pool(line, *self._drawn_as, opened=opened)
            known = self._drawn[line.key] = ((line, opened), row)
        return known[1]

    def rows(self, records: Sequence[PoolRow]) -> Sequence[Row]:
        """The pools, then the limits over several of them."""
        fields = self.fields()
        if self._columns != fields:
            self._rows, self._columns = {}, fields
        rows = [self._row_of(record) for record in records]
        if not rows:
            return rows
        title = Styled("limits over several pools", "muted")
        columns = tuple(field.id for field in fields)
        gauges = gauges_of(self.desk.moment.snapshot.pools)
        limits = [gauge_row(gauge, *self._drawn_as, columns) for gauge in gauges]
        return [*rows, Row(key="limits", cells=(title,), heading=True), *limits]

    def _row_of(self, record: PoolRow) -> Row:
        """The line of a record; the same one as long as that is the same."""
        known = self._rows.get(record.line.key)
        if known is None or known[0] is not record:
            row = row_of(record, record.line.key, self._columns)
            known = self._rows[record.line.key] = (record, row)
        return known[1]

    def status(self, moment: Moment) -> tuple[Sequence[Cell], Sequence[Cell]]:
        """The numbers of all pools together."""
        found = totals(moment.snapshot.pool_info, moment.snapshot.pools)
        return joined(found, f" {self.desk.look.glyphs.between} "), self.marks()

    def hint(self) -> tuple[Sequence[Cell], Sequence[Cell]]:
        """What the state under the cursor means, and whom to call."""
        if self.current is None:
            return (self._of_limits(),), ()
        line = self.current.line
        if (breakers := self.desk.moment.snapshot.pools.breakers) and not line.troubled:
            return (Styled(f"{breakers[0]}.", "bad"),), ()
        leak = leak_of(line)
        if leak is not None and not line.troubled:
            held = f"A session is held for {duration(leak.seconds)} by {leak.holder}."
            return (Styled(held, "bad"),), ()
        contact = next((each.contact for each in self._served(line) if each.contact), "")
        right = (f"call {contact}",) if contact and line.troubled else ()
        return (meaning(line),), right

    def _of_limits(self) -> Cell:
        metrics = self.desk.moment.snapshot.pools
        if not self.table.key.startswith(LIMIT) or not metrics.acquires:
            return ""
        return (
            f"{counted(metrics.active_pools, 'pool')} of {metrics.total_pools} with a session; "
            f"{metrics.efficiency:.0%} of leases found one open."
        )

    def _served(self, line: PoolLine) -> list[Connection]:
        """The connections that a pool serves."""
        pools = {*line.pools}
        return [c for c in self.desk.config.connections if str(PoolKey.of(c)) in pools]

    def enabled(self, command: Command) -> bool:
        """Whether a command makes sense for the row under the cursor."""
        if command.id == "pools.fold":
            return self.current is not None and self.current.line.many
        if command.id in _OF_A_POOL:
            return self.current is not None
        if command.id == "pools.pause":
            return bool(self.table.key) or self.desk.moment.snapshot.pools.paused
        if command.id == "pools.release":
            return bool(self.desk.moment.snapshot.pools.locked_credentials)
        return True

    def on_table_opened(self) -> None:
        """Look into what was clicked."""
        self.action_command("pools.open")

    def _pools(self) -> list[str]:
        """The texts of the selected pools that have a session now."""
        there = {pool.pool for pool in self.desk.moment.snapshot.pool_info}
        found = dict.fromkeys(pool for row in self.selected for pool in row.line.pools)
        return [pool for pool in found if pool in there]

    async def _each(self, call: str, said: str) -> None:
        """Do something to each selected pool, and say to how many it was done."""
        done = 0
        for pool in self._pools():
            done += bool(await self.desk.order(call, key_text=pool))
        if done:
            self.desk.tell(f"{counted(done, 'pool')} {said}")
        else:
            self.desk.tell("it has no session now: there is no pool to change", "warning")

    async def do_open(self, _: str = "") -> None:
        """Show the pool under the cursor in full, or its files."""
        row = self.current
        if row is None:
            return
        if row.line.many:
            await self.do_fold()
            return
        await self._read()
        history = next((each for each in self._histories if each.pool == row.line.key), None)
        self.desk.page(row.line.key, pool_page(row.line, history, self._served(row.line)))

    async def do_check(self, _: str = "") -> None:
        """Ask the server of the pool under the cursor how loaded it is."""
        row = self.current
        served = [] if row is None else self._served(row.line)
        if row is None or not any(each.host for each in served):
            self.desk.tell(NO_SERVER, "warning")
            return
        self.desk.tell(f"asking {served[0].host}")
        found = await self.desk.inquire("inquiries.server_check", connections=(served[0].name,))
        for each in found or ():
            self.desk.page(each.server, server_page(each))

    async def do_fold(self, _: str = "") -> None:
        """Show or hide the files that a row stands for."""
        if self.current is not None and self.current.line.many:
            self._opened ^= {self.current.line.key}
            self.desk.redraw()

    async def do_drain(self, _: str = "") -> None:
        """Lend nothing more at the selected pools."""
        await self._each("pools.drain", "draining")

    async def do_pause(self, _: str = "") -> None:
        """Pause the selected pools, or let them go on."""
        metrics = self.desk.moment.snapshot.pools
        if metrics.paused:
            if await self.desk.order("pools.resume"):
                self.desk.tell("all pools go on")
        elif self.table.key == LIMIT:
            if await self.desk.order("pools.pause"):
                self.desk.tell("all pools are paused; P lets them go on")
        elif self.table.key.startswith(LIMIT):
            await self._pause_server(self.table.key.removeprefix(LIMIT))
        elif self.current is not None:
            rests = self.current.line.state in ("paused", "draining")
            await self._each(*(_RESUMED if rests else _PAUSED))

    async def _pause_server(self, server: str) -> None:
        pools = [p for p in self.desk.moment.snapshot.pool_info if p.server == server]
        rest = any(pool.paused or pool.draining for pool in pools)
        call, said = _RESUMED if rest else _PAUSED
        for pool in pools:
            await self.desk.order(call, key_text=pool.pool)
        self.desk.tell(f"{counted(len(pools), 'pool')} {said}")

    async def do_warm_up(self, text: str = "") -> None:
        """Ask how many sessions are to be open at the selected pools."""
        served = [self._served(row.line)[:1] for row in self.selected if not row.line.many]
        names = [each.name for found in served for each in found]
        if not names:
            self.desk.tell("no connection of the configuration uses it", "warning")
            return
        wanted = text or await self.desk.ask("sessions to have open: ", text="1")
        if wanted is None:
            return
        if not wanted.strip().isdecimal() or int(wanted) < 1:
            self.desk.tell(f"{wanted!r} is no number of sessions; write 1 or more", "error")
            return
        opened = 0
        for name in names:
            opened += await self.desk.order("warm_up", connection=name, count=int(wanted)) or 0
        self.desk.tell(f"{counted(opened, 'session')} open at {counted(len(names), 'pool')}")

    async def do_close_idle(self, _: str = "") -> None:
        """Close all idle sessions."""
        closed = await self.desk.order("pools.close_idle")
        if closed is not None:
            self.desk.tell(f"{counted(closed, 'idle session')} closed")

    async def do_reconnect(self, _: str = "") -> None:
        """Use no session again that is open now."""
        if await self.desk.attempt("pools.reconnect_all"):
            self.desk.tell("all sessions are opened anew")

    async def do_release(self, text: str = "") -> None:
        """Let the locked login be tried again, of several the one that is named."""
        locked = self.desk.moment.snapshot.pools.locked_credentials
        mine = self.current.line.login if self.current else ""
        name: str | None = text or mine or (locked[0] if len(locked) == 1 else "")
        if not name:
            name = await self.desk.ask("release which login? ", choices=locked)
        if not name:
            return
        if name not in locked:
            self.desk.tell(f"the login {name} is not locked; locked: {', '.join(locked)}", "error")
        elif await self.desk.order("pools.release_credential", name=name):
            self.desk.tell(f"{name} is tried again")


_PAUSED = ("pools.pause", "paused")
_RESUMED = ("pools.resume", "at work")

VIEW = Pools
