"""What may be asked before a run: tests of databases, dry runs."""

import asyncio
from contextlib import suppress
from dataclasses import replace

import pytest

from engine_world import MB, connection, csv
from etltui.domain.columns import Column
from etltui.domain.days import Days
from etltui.domain.errors import ConfigError, ErrorClass, StateError
from etltui.domain.inquiry import DryQuery, Explained, QueryPlan
from etltui.domain.job import (
    CsvOptions,
    Destination,
    ExcelOptions,
    Query,
    RunType,
)
from etltui.domain.logbook import Hold
from etltui.domain.task import QueryCost
from etltui.domain.usual import Usual
from etltui.engine.admission import Load
from etltui.engine.checkpoints import part_folders
from etltui.engine.explain import explained
from etltui.engine.first_rows import first_rows, readable
from fakes import COLUMNS, NOW, FakeSession, Held, Script, failure


def left(world):
    """What lies in the folder of parts."""
    folder = world.parts_folder
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


async def test_n_25_each_database_is_asked_and_what_it_says_is_told(world):
    world.connections = (connection("A", contact="Asha"), *world.connections[1:])
    world.renew()
    world.leases.opens["B"] = Script(failure(ErrorClass.LOGIN, "wrong password"))
    asked = await world.engine.inquiries.test()
    assert [(each.connection, each.contact) for each in asked] == [
        ("A", "Asha"),
        ("B", ""),
        ("C", ""),
    ]
    assert [each.trouble and each.trouble.message for each in asked] == [
        None,
        "wrong password",
        None,
    ]
    named = await world.engine.inquiries.test(["C", "[AC]"])
    assert [each.connection for each in named] == ["C", "A"]


async def test_how_long_an_answer_took_is_the_least_of_three(world, monkeypatch):
    took = iter([0.3, 0.1, 0.2])

    async def ping(self):
        del self
        world.clock.turn(next(took))

    monkeypatch.setattr(FakeSession, "ping", ping)
    [asked] = await world.engine.inquiries.test(["A"])
    assert asked.milliseconds == pytest.approx(100.0)


async def test_not_all_are_asked_at_once(world):
    world.connections = tuple(connection(f"B{number:02d}") for number in range(40))
    world.renew()
    opens = {each.name: Held() for each in world.connections}
    world.leases.opens = {name: Script(held) for name, held in opens.items()}
    asking = asyncio.create_task(world.engine.inquiries.test())
    for held in list(opens.values())[:16]:
        await held.reached.wait()
    assert sum(held.reached.is_set() for held in opens.values()) == 16
    for held in opens.values():
        held.let_go()
    assert len(await asking) == 40


async def test_what_means_no_database_is_refused(world):
    with pytest.raises(ConfigError, match='"Z" matches no connection'):
        await world.engine.inquiries.test(["A", "Z"])


def contents(world, monkeypatch, text):
    """Let every part hold this text."""
    real = FakeSession.extract

    async def extract(self, task, progress):
        extracted = await real(self, task, progress)
        world.parts_seen = await asyncio.to_thread(left, world)
        receipts = []
        for receipt in extracted.receipts:
            path = world.parts_folder / task.run / receipt.path
            await asyncio.to_thread(path.write_bytes, text + b"the footer\n")
            receipts.append(replace(receipt, bytes=len(text)))
        costs = (QueryCost(name="main", rows=extracted.rows, seconds=0.25),)
        return replace(extracted, receipts=tuple(receipts), notes={"cut": 1}, costs=costs)

    monkeypatch.setattr(FakeSession, "extract", extract)


async def test_n_25_a_dry_run_says_what_the_queries_bring_and_keeps_nothing(world, monkeypatch):
    contents(world, monkeypatch, b'1,Asha\n2,"Ravi, jr."\n')
    before = await world.store.runs()
    told = await world.engine.inquiries.dry_run("sales", "B")
    assert (told.job, told.connection, told.trouble, told.columns_of) == ("sales", "B", None, "")
    assert told.queries == (
        DryQuery(
            name="main",
            columns=COLUMNS[0],
            rows=2,
            first=(("1", "Asha"), ("2", "Ravi, jr.")),
        ),
    )
    assert (told.rows, told.bytes, told.notes) == (2, 21, {"cut": 1})
    assert told.seconds == {"wait": 0, "connect": 0, "query": 0.5}
    # No other database was asked, nothing is recorded, no target made, no file left.
    assert world.leases.read() == ["B"]
    assert [entry[1] for entry in world.record.of("describe")] == ["B"]
    assert await world.store.runs() == before == []
    assert not (world.folder / "out").exists()
    assert not world.bus.events
    [name] = world.parts_seen
    assert name.startswith(".dry-")
    assert left(world) == []
    [statement] = world.leases.statements["B"]
    assert (statement.sql, statement.rows, statement.seconds) == ("select 1", 2, 0.25)


async def test_n_25_a_plan_is_asked_of_one_branch_in_its_own_words(world):
    """N-25: EXPLAIN per branch."""
    world.job(overrides={"B": {"main": "select 2 where id = :id"}})
    world.job(queries=(Query(name="main", sql="select 1", params={"id": 7}),))
    world.renew()
    told = await world.engine.inquiries.explain("sales", "B")
    plan = QueryPlan(name="main", plan="SCAN sales")
    assert told == Explained(job="sales", connection="B", queries=(plan,))
    [asked] = world.leases.explained
    assert (asked.sql, asked.params) == ("select 2 where id = :id", {"id": 7})
    assert world.leases.read() == []


async def test_a_plan_that_is_refused_is_the_answers_trouble(world):
    world.leases.explains["B"] = Script(failure(ErrorClass.SYNTAX, "no such table"))
    told = await world.engine.inquiries.explain("sales", "B")
    assert (told.queries, told.trouble.message) == ((), "no such table")


async def test_a_plan_that_does_not_come_is_not_waited_for(world):
    world.leases.explains["B"] = Script(Held())
    days = Days(day=NOW.date())
    told = await explained(
        world.leases, world.jobs["sales"], world.connections[1], days=days, limit_s=0
    )
    assert told.trouble.error_class is ErrorClass.TIMEOUT
    assert "request_timeout_s = 0 s" in told.trouble.message


async def test_a_plan_is_asked_of_one_connection_that_the_job_reads(world):
    for wanted in ("*", "Z"):
        with pytest.raises(ConfigError):
            await world.engine.inquiries.explain("sales", wanted)


async def test_a_dry_run_goes_the_job_s_way(world):
    world.job(query_timeout_s=7, stall_timeout_s=3, drift="align", aliases={"no": "id"})
    world.job(overrides={"B": {"main": "select 2"}})
    world.renew()
    await world.engine.inquiries.dry_run("sales", "B")
    [task] = world.leases.tasks
    assert (task.query_timeout_s, task.stall_timeout_s) == (7, 3)
    [query] = task.queries
    assert (query.sql, query.drift, query.aliases) == ("select 2", "align", {"no": "id"})
    assert query.columns == COLUMNS[0]


async def test_a_dry_run_has_the_priority_of_its_job_among_those_who_wait(world, monkeypatch):
    leased, real = [], world.leases.lease

    def lease(connection, *, priority=0, holder="", expected_s=None, waited=None):
        leased.append((priority, holder, expected_s))
        return real(connection, waited=waited)

    monkeypatch.setattr(world.leases, "lease", lease)
    world.types = {"extract": RunType(name="extract", priority=30, limit=50)}
    world.job(query_timeout_s=9)
    world.renew()
    await world.engine.inquiries.dry_run("sales", "B")
    world.job(priority=4)
    world.renew()
    await world.engine.inquiries.dry_run("sales", "B")
    assert leased == [(number, "dry run of sales, B", 9) for number in (30, 4)]


async def test_a_dry_run_meets_the_columns_of_the_newest_run_that_it_fits(world):
    run = (await world.run(only=["A"])).run
    world.leases.read()
    told = await world.engine.inquiries.dry_run("sales", "B")
    assert told.columns_of == run
    [task] = world.leases.tasks
    assert task.queries[0].columns == COLUMNS[0]
    # Another query makes another table of it.
    world.job(queries=(Query(name="main", sql="select 3"),))
    world.renew()
    assert (await world.engine.inquiries.dry_run("sales", "B")).columns_of == ""


async def test_a_dry_run_meets_the_columns_that_the_job_names(world):
    await world.run(only=["A"])
    world.job(columns=("id", "amount"))
    world.renew()
    told = await world.engine.inquiries.dry_run("sales", "B")
    assert told.columns_of == ""
    assert told.queries[0].columns == (Column(name="id"), Column(name="amount"))


async def test_a_run_that_never_had_columns_says_nothing_of_them(world):
    for name in "ABC":
        world.leases.opens[name] = Script(failure(), failure(), None)
    await world.run()
    told = await world.engine.inquiries.dry_run("sales", "B")
    assert (told.columns_of, told.trouble) == ("", None)


async def test_what_fails_is_the_answer_and_leaves_nothing(world):
    world.leases.extracts["B"] = Script(failure(ErrorClass.DRIFT, "other columns"))
    told = await world.engine.inquiries.dry_run("sales", "B")
    assert (told.trouble.error_class, told.trouble.message) == (ErrorClass.DRIFT, "other columns")
    assert (told.queries, told.rows) == ((), 0)
    assert left(world) == []
    # One try.
    assert world.leases.read() == ["B"]


async def test_a_dry_run_that_is_given_up_leaves_nothing(world):
    held = Held()
    world.leases.extracts["B"] = Script(held)
    asking = asyncio.create_task(world.engine.inquiries.dry_run("sales", "B"))
    await held.reached.wait()
    # Upkeep takes it for nobody's leavings only once it is over.
    assert len(left(world)) == 1
    assert await asyncio.to_thread(part_folders, world.parts_folder) == {}
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking
    assert left(world) == []
    assert ("cancelled", "B") in world.record


async def test_what_a_crash_leaves_of_a_dry_run_the_next_start_removes(world):
    (world.parts_folder / ".dry-20261121T230500Z-7F3K" / "0").mkdir(parents=True)
    await world.restart()
    assert left(world) == []


async def test_a_disk_that_is_full_and_memory_that_is_short_stop_a_dry_run(world):
    world.settings = replace(world.settings, memory_threshold_mb=64)
    world.weight = 65 * MB
    world.renew()
    told = await world.engine.inquiries.dry_run("sales", "B")
    assert told.trouble.error_class is ErrorClass.MEMORY
    world.weight, world.free = 0, -1
    world.renew()
    told = await world.engine.inquiries.dry_run("sales", "B")
    assert told.trouble.error_class is ErrorClass.DISK
    assert world.leases.read() == []


async def test_a_connection_that_is_held_is_not_read_dry_either(world):
    hold = Hold(connection="B", reason="moving house", who="asha@desk", since=0.0)
    world.engine._tools.holds.put([hold])
    told = await world.engine.inquiries.dry_run("sales", "B")
    assert told.trouble.error_class is ErrorClass.HELD
    assert told.trouble.message == "moving house (asha@desk, since 1970-01-01 05:30)"
    assert world.leases.read() == []


@pytest.mark.parametrize(("job", "name"), [("sale", "B"), ("sales", "Z"), ("sales", "[AB]")])
async def test_a_dry_run_of_what_is_not_there_or_not_one_is_refused(world, job, name):
    with pytest.raises(ConfigError):
        await world.engine.inquiries.dry_run(job, name)


async def test_a_folder_that_cannot_be_made_is_said(world):
    world.parts_folder.rmdir() if world.parts_folder.exists() else None
    world.parts_folder.write_text("no folder")
    with pytest.raises(StateError):
        await world.engine.inquiries.dry_run("sales", "B")


async def test_rows_are_shown_where_the_job_writes_no_csv_and_not_counted_to_it(world, monkeypatch):
    contents(world, monkeypatch, b"1,Asha\n")
    excel = Destination(type="excel", path="a.xlsx", options=ExcelOptions(layout="both"))
    world.job(destinations=(excel, csv("out/a.csv.gz")))
    world.renew()
    told = await world.engine.inquiries.dry_run("sales", "B")
    assert told.queries[0].first == (("1", "Asha"),)
    # Two variants of a workbook and a compressed file; the one that is shown is nobody's.
    assert told.bytes == 3 * 7
    [task] = world.leases.tasks
    assert [writer.type for writer in task.writers] == ["excel", "excel", "csv", "csv"]


async def test_rows_come_from_the_job_s_own_csv_where_it_has_one(world):
    world.job(destinations=(csv("out/a.csv.gz"), csv("out/a.csv")))
    world.renew()
    told = await world.engine.inquiries.dry_run("sales", "B")
    assert told.queries[0].first == (("B:2",),)
    assert len(world.leases.tasks[0].writers) == 2


def rows(tmp_path, content, limit=20, **options):
    path = tmp_path / "a.part"
    path.write_bytes(content + b"FOOTER")
    return first_rows(path, len(content), CsvOptions(**options), limit)


def test_first_rows_are_read_as_they_were_written(tmp_path):
    assert rows(tmp_path, b"") == ()
    assert rows(tmp_path, b'1;"a;b"\r\n2;\r\n', delimiter=";") == (("1", "a;b"), ("2", ""))
    assert rows(tmp_path, b"here,1\n", connection_column="branch") == (("1",),)
    assert rows(tmp_path, "ä\n".encode("cp1252"), encoding="cp1252") == (("ä",),)
    assert rows(tmp_path, b"\xff\n") == (("\N{REPLACEMENT CHARACTER}",),)
    assert rows(tmp_path, b'"two\nlines",2\n') == (("two\nlines", "2"),)
    assert rows(tmp_path, b"1\n2\n3\n", limit=2) == (("1",), ("2",))


def test_of_long_rows_the_beginning_is_shown(tmp_path):
    [[value]] = rows(tmp_path, b"x" * 1001 + b"\n")
    assert (len(value), value[-1]) == (1000, "…")
    [[value]] = rows(tmp_path, b"x" * 1000 + b"\n")
    assert value == "x" * 1000
    # The third goes on beyond what is read; a value of 128 KiB is more than anybody shows.
    many = b"".join(b"%d,%s\n" % (number, b"x" * 100_000) for number in range(5))
    assert [row[0] for row in rows(tmp_path, many)] == ["0", "1"]
    assert [row[0] for row in rows(tmp_path, many, limit=1)] == ["0"]
    assert rows(tmp_path, b"1\n" + b"x" * 140_000 + b"\n2\n") == (("1",),)


def test_rows_can_be_read_from_plain_csv_alone():
    assert readable(csv("a.csv")) == CsvOptions()
    assert readable(csv("a.csv.gz")) is None
    excel = Destination(type="excel", path="a.xlsx", options=ExcelOptions())
    assert readable(excel) is None


async def test_a_dry_run_takes_its_room_in_memory_beside_the_runs_at_work(world, monkeypatch):
    rooms, real = [], world.engine._tools.memory.room

    def room(load, **more):
        rooms.append(load)
        return real(load, **more)

    monkeypatch.setattr(world.engine._tools.memory, "room", room)
    usual = {"B": Usual(rows=10, seconds=1.0, bytes=1000)}

    async def past(*_, **__):
        return usual

    monkeypatch.setattr(world.store, "usual", past)
    await world.engine.inquiries.dry_run("sales", "B")
    assert rooms == [Load(rows=10, row_bytes=100)]
    assert world.leases.tasks[0].batch_bytes > 0
    assert world.engine._tools.memory._working == []
