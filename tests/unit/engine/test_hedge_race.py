"""Two readings of which one is kept, whatever comes in the same moment."""

import asyncio
from types import SimpleNamespace

from engine_world import connection
from etltui.domain.plan import PlanConnection
from etltui.domain.task import Extracted, Progress
from etltui.engine.hedge import Race
from etltui.engine.limits import QueryLimit
from etltui.engine.reading import How, Reading
from etltui.engine.spending import Spending
from fakes import TurnedClock


class Scripted:
    """A reading that ends when the test says so."""

    name = "A"

    def __init__(self, rows):
        self.rows = rows
        self.sent = asyncio.Event()
        self.go = asyncio.Event()
        self.told = []
        self.tell = self.told.append
        self.discarded = []

    async def read(self):
        self.sent.set()
        await self.go.wait()
        return Extracted(receipts=(), rows=self.rows)

    async def discard(self, extracted):
        self.discarded.append(extracted.rows)


async def test_n_2_of_two_that_end_in_one_moment_one_is_kept_and_the_others_parts_removed():
    clock, first, second = TurnedClock(), Scripted(7), Scripted(3)
    race = Race(first, lambda: second, 5, clock)
    run = asyncio.create_task(race.run())
    await clock.until_asleep()
    clock.turn(5)
    await second.sent.wait()
    first.go.set()
    second.go.set()
    assert (await run).rows == 7
    assert (race.hedged, race.kept) == ("first", first)
    assert (first.discarded, second.discarded) == ([], [3])


async def test_n_2_only_what_is_kept_is_told_of_and_never_falls_back():
    clock, first, second = TurnedClock(), Scripted(7), Scripted(3)
    race = Race(first, lambda: second, 5, clock)
    run = asyncio.create_task(race.run())
    await clock.until_asleep()
    clock.turn(5)
    await second.sent.wait()
    waiting, rows, late = (
        Progress(request=1, step="x", rows=count, bytes=count) for count in (0, 2, 9)
    )
    for progress in (waiting, late):
        second.tell(waiting)
        first.tell(waiting)
        second.tell(rows)
        first.tell(progress)
    second.go.set()
    assert (await run).rows == 3
    assert (race.hedged, first.told) == ("second", [waiting])
    assert second.told == [rows, waiting, rows]


async def test_parts_that_are_not_used_are_removed(tmp_path):
    folder = tmp_path / "run" / "0"
    folder.mkdir(parents=True)
    names = ["0/1-0-0.1.part", "0/1-0-0.2.part"]
    for name in names:
        (tmp_path / "run" / name).touch()
    tools = SimpleNamespace(parts_folder=tmp_path, clock=TurnedClock())
    host = SimpleNamespace(plan=SimpleNamespace(run="run"))
    planned = PlanConnection(number=1, connection=connection("A"), queries=(), hash="")
    reading = Reading(
        tools,
        host,
        planned,
        how=How(number=2, limit=QueryLimit(seconds=1.0)),
        spending=Spending(tools.clock),
        tell=print,
    )
    gone = [SimpleNamespace(path=names[1]), SimpleNamespace(path="0/never.part")]
    await reading.discard(SimpleNamespace(receipts=gone))
    assert [each.name for each in folder.iterdir()] == ["1-0-0.1.part"]
