"""What the control plane may rely on, whether extractors are processes or threads."""

import asyncio
import signal
import sqlite3
import time
from contextlib import closing

import pytest

import extractor_kit as kit
from etltui.domain.columns import Column
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.task import PublishEntry, PublishTask
from etltui.readers import registry
from extractor_kit import ENDLESS_ROWS, ENDLESS_THOUGHT, SLACK, Seen, World, sales_query, x_query


@pytest.fixture(params=["process", "threads"])
async def world(tmp_path, request):
    made = World(tmp_path, request.param)
    yield made
    await made.close()
    assert not kit.extractor_threads()
    await kit.until(lambda: not kit.children())


@pytest.fixture
async def process_world(tmp_path):
    made = World(tmp_path, "process", limit=1)
    yield made
    await made.close()
    await kit.until(lambda: not kit.children())


@pytest.fixture
async def thread_world(tmp_path, monkeypatch):
    monkeypatch.setitem(registry._READERS, "scripted", "extractor_kit")
    made = World(tmp_path, "threads", limit=3)
    yield made
    await made.close()
    kit.SCRIPTS.clear()
    await kit.until(lambda: not kit.extractor_threads())


def payload(world, receipt):
    return (world.parts / receipt.path).read_bytes()[: receipt.bytes]


async def begun(handle, task, fits=lambda _: True):
    """An extract under way, as a task, after progress that fits."""
    seen = Seen(fits)
    work = asyncio.create_task(handle.extract(task, seen))
    found = asyncio.create_task(seen.found.wait())
    await asyncio.wait({work, found}, timeout=kit.LONG, return_when=asyncio.FIRST_COMPLETED)
    assert not work.done(), work.exception()
    found.cancel()
    return work


async def hung(handle, world, name):
    """An extract whose driver surely hangs; before it does, a cancel would end it politely."""
    work = await begun(handle, world.task(x_query("")))
    await kit.until(lambda: "snapshot" in kit.SCRIPTS[name].calls)
    return work


async def cancelled(work):
    """Cancel; how long control took to come back."""
    started = time.monotonic()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    return time.monotonic() - started


class TestWork:
    async def test_warm_starts_one_and_only_one(self, world):
        await asyncio.gather(world.supervisor.warm(), world.supervisor.warm())
        await world.supervisor.warm()
        assert world.supervisor.count == 1

    async def test_a_session_is_opened_used_and_closed(self, world):
        async with world.session() as session:
            assert session.alive
            await session.ping()
            columns = await session.describe([sales_query(), sales_query(sql="SELECT 1 AS one")])
        assert [[c.name for c in of_one] for of_one in columns] == [["id", "customer"], ["one"]]
        assert world.books() == dict.fromkeys(world.books(), 0)

    async def test_a_plan_is_told_of_each_query(self, world):
        async with world.session() as session:
            plans = await session.explain([sales_query(), sales_query(sql="SELECT 1")])
            with pytest.raises(Failure) as caught:
                await session.explain([sales_query(sql="SELECT nothing FROM sales")])
        assert plans == ("SCAN sales", "SCAN CONSTANT ROW")
        assert caught.value.error_class is ErrorClass.SYNTAX

    async def test_a_session_that_is_closed_twice_is_counted_once(self, world):
        session = await world.supervisor.open(world.connection())
        await asyncio.gather(session.close(), session.close())
        await session.close()
        assert world.books()["sessions"] == 0

    async def test_receipts_are_what_the_parts_say(self, world):
        writers = (world.writer("csv", 0), world.writer("excel", 1))
        seen = Seen()
        async with world.session(world.connection(rows=5000)) as session:
            task = world.task(
                sales_query(),
                sales_query(name="few", sql="SELECT id, customer FROM sales WHERE id < 3"),
                writers=writers,
            )
            asked = time.monotonic()
            done = await session.extract(task, seen)
            took = time.monotonic() - asked
        assert done.rows == 5003
        assert sorted((r.destination, r.query, r.rows) for r in done.receipts) == [
            (0, 0, 5000),
            (0, 1, 3),
            (1, 0, 5000),
            (1, 1, 3),
        ]
        for receipt in done.receipts:
            assert await kit.receipt_in(world.parts / receipt.path) == receipt
        assert len(world.files()) == 4
        csv = next(r for r in done.receipts if (r.destination, r.query) == (0, 1))
        assert payload(world, csv) == b"0,Customer 0\n1,Customer 1\n2,Customer 2\n"
        assert set(done.seconds) == {"query", "fetch", "write"}
        assert all(seconds >= 0 for seconds in done.seconds.values())
        # Reading and writing overlap; no second is counted for both.
        assert sum(done.seconds.values()) <= took

    async def test_progress_only_grows_and_reaches_the_rows(self, world):
        """S1-12."""
        seen = Seen()
        async with world.session(world.connection(rows=30_000)) as session:
            done = await session.extract(world.task(sales_query(), sales_query(name="2")), seen)
        rows = [progress.rows for progress in seen]
        assert rows == sorted(rows)
        assert [p.bytes for p in seen] == sorted(p.bytes for p in seen)
        assert rows[-1] == done.rows == 60_000

    async def test_all_queries_see_one_state_of_the_database(self, world):
        connection = world.connection(rows=3)
        with closing(sqlite3.connect(connection.database)) as db:
            db.execute("PRAGMA journal_mode = WAL")
        count = sales_query(sql="SELECT count(*) AS id, 'x' AS customer FROM sales")
        numbers = f"({ENDLESS_ROWS} LIMIT 3000000)"
        slow = sales_query(sql=f"SELECT count(*) AS id, 'x' AS customer FROM {numbers}")
        async with world.session(connection) as session:
            seen = Seen(lambda progress: progress.rows == 1)
            work = asyncio.create_task(session.extract(world.task(count, slow, count), seen))
            await seen.found.wait()
            with closing(sqlite3.connect(connection.database)) as db, db:
                db.execute("INSERT INTO sales VALUES (9, 'late')")
            done = await work
        first, _, last = sorted(done.receipts, key=lambda receipt: receipt.query)
        assert payload(world, first) == payload(world, last)


class TestColumns:
    async def test_drift_that_is_not_allowed_fails_and_leaves_no_file(self, world):
        columns = (*kit.SALES, Column(name="city", type="text"))
        async with world.session() as session:
            with pytest.raises(Failure, match="lacks city") as caught:
                await session.extract(world.task(sales_query(columns=columns)), Seen())
        assert caught.value.error_class == ErrorClass.DRIFT
        assert caught.value.facts["missing"] == "city"
        assert not world.files()

    async def test_aligned_columns_are_filled_dropped_and_counted(self, world):
        columns = (Column(name="city", type="text"), Column(name="ID", type="int"))
        query = sales_query(columns=columns, drift="align")
        async with world.session(world.connection(rows=2)) as session:
            done = await session.extract(world.task(query), Seen())
        assert payload(world, done.receipts[0]) == b",0\n,1\n"
        assert done.notes == {"columns dropped: customer": 1, "missing: city": 1}

    async def test_a_value_of_another_type_that_comes_late_is_read_again_to_the_same_bytes(
        self,
        world,
    ):
        made = {}
        for name, insert in (("late", 60_000), ("never", 0)):
            connection = world.connection(name, rows=60_000)
            with closing(sqlite3.connect(connection.database)) as db, db:
                db.execute("UPDATE sales SET id = 'sixty' WHERE id = ?", (insert - 1,))
            seen = Seen()
            async with world.session(connection) as session:
                done = await session.extract(world.task(connection=name), seen)
            rows = [progress.rows for progress in seen]
            assert rows == sorted(rows)
            assert rows[-1] == done.rows == 60_000
            made[name] = payload(world, done.receipts[0])
        assert made["late"] == made["never"].replace(b"59999,", b"sixty,", 1)


class TestFailure:
    async def test_a_missing_file_is_no_database(self, world):
        missing = world.connection(database=world.folder / "nowhere.db")
        with pytest.raises(Failure) as caught:
            await world.supervisor.open(missing)
        assert caught.value.error_class == ErrorClass.NO_DATABASE
        assert world.books() == dict.fromkeys(world.books(), 0)

    async def test_a_query_that_fails_leaves_no_file_of_any_query(self, world):
        writers = (world.writer("csv", 0), world.writer("excel", 1))
        broken = x_query("SELECT nothing FROM sales")
        async with world.session() as session:
            with pytest.raises(Failure) as caught:
                await session.extract(world.task(sales_query(), broken, writers=writers), Seen())
            assert caught.value.error_class == ErrorClass.SYNTAX
            assert not world.files()
            # The session is as good as before.
            assert (await session.extract(world.task(), Seen())).rows == 10

    async def test_a_name_of_any_bytes_in_a_request_or_an_answer_is_a_failure(self, world):
        async with world.session() as session:
            with pytest.raises(Failure) as caught:
                await session.describe([sales_query(sql="SELECT '\udce9'")])
            assert caught.value.error_class == ErrorClass.INTERNAL
            with pytest.raises(Failure):
                await session.describe([sales_query(params={"n": 2**70})])
            assert not session._client._answers
            await session.ping()

    async def test_a_writer_that_does_not_exist_fails_its_extract_only(self, world):
        writer = world.writer("papyrus")
        async with world.session() as session:
            with pytest.raises(Failure, match="no writer for papyrus"):
                await session.extract(world.task(writers=(world.writer(), writer)), Seen())
            assert not world.files()
            await session.ping()

    async def test_an_endless_query_meets_its_time_limit(self, world):
        async with world.session() as session:
            task = world.task(x_query(ENDLESS_THOUGHT), query_timeout_s=0.1)
            with pytest.raises(Failure, match=r"query_timeout_s = 0\.1 s") as caught:
                await session.extract(task, Seen())
            assert caught.value.error_class == ErrorClass.TIMEOUT
            assert not world.files()
            assert (await session.extract(world.task(), Seen())).rows == 10


class TestCancel:
    @pytest.mark.parametrize("sql", [ENDLESS_ROWS, ENDLESS_THOUGHT])
    async def test_control_comes_back_and_no_part_stays(self, world, sql):
        async with world.session() as session:
            wanted = 1 if sql == ENDLESS_ROWS else 0
            work = await begun(session, world.task(x_query(sql)), lambda p: p.rows >= wanted)
            assert world.files() or not wanted
            assert await cancelled(work) < 2 + SLACK
            assert not world.files()
            assert session.alive
            assert not world.books()["running"]
            assert (await session.extract(world.task(), Seen())).rows == 10

    async def test_before_the_start(self, world):
        async with world.session() as session:
            work = asyncio.create_task(session.extract(world.task(), Seen()))
            assert await cancelled(work) < 2 + SLACK
            assert not world.files()
            # The request was sent, or not, and was ended: the next one is not touched.
            for _ in range(20):
                work = asyncio.create_task(session.extract(world.task(), Seen()))
                await asyncio.sleep(0)
                assert await cancelled(work) < 2 + SLACK
            await session.ping()
            assert not world.books()["running"]

    async def test_after_the_end(self, world):
        async with world.session() as session:
            work = asyncio.create_task(session.extract(world.task(), Seen()))
            done = await work
            assert not work.cancel()
            assert await kit.receipt_in(world.parts / done.receipts[0].path)

    async def test_once_more_while_the_first_is_under_way(self, world):
        async with world.session() as session:
            work = await begun(session, world.task(x_query(ENDLESS_ROWS)))
            work.cancel()
            await asyncio.sleep(0)
            await cancelled(work)
            await kit.until(lambda: not session._client.busy)
            assert session.alive
            await session.ping()
            assert not world.files()

    async def test_who_waits_for_a_permit_is_cancelled_alone(self, tmp_path):
        world = World(tmp_path, "threads", limit=1, cores=1)
        async with world.session() as one, world.session() as two, world.session() as three:
            endless = x_query(ENDLESS_THOUGHT)
            holders = [await begun(handle, world.task(endless)) for handle in (one, two)]
            waiting = await begun(three, world.task(endless))
            assert await cancelled(waiting) < 2 + SLACK
            assert three.alive
            assert not any(work.done() for work in holders)
            for work in holders:
                await cancelled(work)
        await world.close()

    async def test_while_it_opens(self, world):
        for pause in range(6):
            work = asyncio.create_task(world.supervisor.open(world.connection()))
            for _ in range(pause):
                await asyncio.sleep(0)
            await cancelled(work)
            # One that nobody waited for until it was ready does not stay half started.
            assert all(client.ready.is_set() for client in world.supervisor._clients)
        assert world.books() == dict.fromkeys(world.books(), 0)
        async with world.session() as session:
            await session.ping()


class TestFiles:
    async def receipts(self, world):
        async with world.session() as session:
            return (await session.extract(world.task(), Seen())).receipts

    async def test_parts_are_held_against_their_receipts(self, world):
        (receipt,) = await self.receipts(world)
        path = world.parts / receipt.path

        async def whole():
            return await world.file_work.verify(str(world.parts), [receipt, receipt])

        good = path.read_bytes()
        assert await whole() == (True, True)
        path.write_bytes(good[:-1])
        assert await whole() == (False, False)
        path.write_bytes(bytes([good[0] ^ 1]) + good[1:])
        assert await whole() == (False, False)
        path.unlink()
        assert await whole() == (False, False)
        assert world.books()["sessions"] == 0

    def publish_task(self, world, receipts):
        return PublishTask(
            destination=0,
            type="csv",
            parts=str(world.parts),
            temporary=str(world.folder / "target.tmp"),
            target=str(world.folder / "target.csv"),
            options={},
            queries=("sales",),
            columns=(kit.SALES,),
            entries=(PublishEntry(connection="A", status="completed", rows=10, receipts=receipts),),
        )

    async def test_a_target_is_assembled_and_delivered(self, world):
        task = self.publish_task(world, await self.receipts(world))
        published = await world.file_work.assemble(task)
        assert published.rows == 10
        assert await world.file_work.deliver(task.temporary, task.target, published)
        text = (world.folder / "target.csv").read_text()
        assert text.splitlines()[:2] == ["id,customer", "0,Customer 0"]
        assert world.books()["sessions"] == 0

    async def test_a_damaged_part_is_not_assembled(self, world):
        receipts = await self.receipts(world)
        (world.parts / receipts[0].path).write_bytes(b"")
        with pytest.raises(Failure) as caught:
            await world.file_work.assemble(self.publish_task(world, receipts))
        assert caught.value.error_class == ErrorClass.CORRUPT
        assert world.books()["sessions"] == 0


class TestDeath:
    async def test_fails_its_own_sessions_and_no_others(self, tmp_path):
        world = World(tmp_path, "process", limit=2)
        async with world.session(world.connection("A")) as a, world.session() as b:
            assert kit.process_of(a).pid != kit.process_of(b).pid
            work = await begun(a, world.task(x_query(ENDLESS_ROWS)))
            neighbour = await begun(b, world.task(x_query(ENDLESS_THOUGHT)))
            kit.process_of(a).kill()
            with pytest.raises(Failure) as caught:
                await work
            assert caught.value.error_class == ErrorClass.DRIVER_CRASH
            assert caught.value.transient
            assert not a.alive
            assert not neighbour.done()
            await cancelled(neighbour)
            with pytest.raises(Failure):
                await a.ping()
            async with world.session(world.connection("C")) as c:
                await c.ping()
        assert world.books() == dict.fromkeys(world.books(), 0)
        await world.close()

    async def test_twice_over_the_same_connection_parks_it_and_not_its_neighbour(
        self,
        process_world,
    ):
        world = process_world
        monkey, neighbour = world.connection("monkey"), world.connection("neighbour")
        async with world.session(monkey) as one, world.session(neighbour) as two:
            works = [await begun(h, world.task(x_query(ENDLESS_THOUGHT))) for h in (one, two)]
            kit.process_of(one).kill()
            for work in works:
                with pytest.raises(Failure):
                    await work
        async with world.session(monkey) as one:
            work = await begun(one, world.task(x_query(ENDLESS_THOUGHT)))
            # Others do not share its extractor, a suspect waits until it is its turn.
            other = await world.supervisor.open(world.connection("other"))
            assert kit.process_of(other).pid != kit.process_of(one).pid
            suspect = asyncio.create_task(world.supervisor.open(neighbour))
            await other.ping()
            assert not suspect.done()
            kit.process_of(one).kill()
            with pytest.raises(Failure):
                await work
            assert other.alive
        two = await suspect
        assert (await two.extract(world.task(connection="neighbour"), Seen())).rows == 10
        # An extractor for one suspect is not kept.
        assert not two.alive
        await two.close()
        await other.close()
        with pytest.raises(Failure, match="2 times") as caught:
            await world.supervisor.open(monkey)
        assert caught.value.error_class == ErrorClass.POISON
        async with world.session(neighbour) as two:
            assert (await two.extract(world.task(connection="neighbour"), Seen())).rows == 10
            assert two.alive
        await kit.until(lambda: not world.books()["leaving"])
        assert world.books() == dict.fromkeys(world.books(), 0)

    async def test_an_open_session_of_a_suspect_is_not_lent_again(self, process_world):
        world = process_world
        world.supervisor._limit = 2
        async with world.session() as one, world.session() as idle:
            assert kit.process_of(one).pid != kit.process_of(idle).pid
            assert idle.alive
            work = await begun(one, world.task(x_query(ENDLESS_THOUGHT)))
            kit.process_of(one).kill()
            with pytest.raises(Failure):
                await work
            assert not idle.alive

    async def test_describing_does_not_clear_a_suspect(self, process_world):
        world = process_world
        async with world.session() as session:
            work = await begun(session, world.task(x_query(ENDLESS_THOUGHT)))
            kit.process_of(session).kill()
            with pytest.raises(Failure):
                await work
        async with world.session() as session:
            await session.describe([sales_query()])
            work = await begun(session, world.task(x_query(ENDLESS_THOUGHT)))
            kit.process_of(session).kill()
            with pytest.raises(Failure):
                await work
        with pytest.raises(Failure, match="2 times"):
            await world.supervisor.open(world.connection())

    async def test_a_suspect_that_cannot_be_opened_lets_the_next_one_pass(self, process_world):
        world = process_world
        async with world.session() as session:
            work = await begun(session, world.task(x_query(ENDLESS_THOUGHT)))
            kit.process_of(session).kill()
            with pytest.raises(Failure):
                await work
        (world.folder / "A.db").rename(world.folder / "away.db")
        missing = world.connection(database=world.folder / "A.db")
        for _ in range(2):
            with pytest.raises(Failure) as caught:
                await world.supervisor.open(missing)
            assert caught.value.error_class == ErrorClass.NO_DATABASE
            assert not world.books()["suspect"]
            assert not world.books()["alone"]
        for pause in (0, 1, 2, 5):
            opening = asyncio.create_task(world.supervisor.open(missing))
            for _ in range(pause):
                await asyncio.sleep(0)
            await cancelled(opening)
            assert not world.books()["suspect"]

    async def test_a_stopped_process_is_given_up_and_killed(self, process_world):
        world = process_world
        session = await world.supervisor.open(world.connection())
        work = await begun(session, world.task(x_query(ENDLESS_THOUGHT)))
        process = kit.process_of(session)
        process.send_signal(signal.SIGSTOP)
        assert await cancelled(work) < 2 + SLACK
        assert not session.alive
        await asyncio.wait_for(session.close(), 2 + SLACK)
        await kit.until(lambda: not process.is_running())
        # Retired, not crashed: nobody is suspected.
        async with world.session() as session:
            assert (await session.extract(world.task(), Seen())).rows == 10
            assert session.alive

    async def test_closing_ends_a_stopped_process_within_bounds(self, tmp_path):
        world = World(tmp_path, "process")
        async with world.session() as session:
            process = kit.process_of(session)
            await session.ping()
        process.send_signal(signal.SIGSTOP)
        await asyncio.wait_for(world.close(), 2 + 2 * SLACK)
        assert not process.is_running()


class TestHang:
    """Drivers that do not come back; as threads, where the test can let them go in the end."""

    @pytest.fixture
    def gate(self):
        gates = []

        def make():
            gates.append(kit.threading.Event())
            return gates[-1]

        yield make
        for made in gates:
            made.set()

    def hang(self, world, event, name="hang", *calls):
        kit.SCRIPTS[name] = kit.ScriptedReader(**{call: lambda _: event.wait() for call in calls})
        return world.connection(name, kind="scripted", database=name)

    async def test_a_reader_that_ignores_cancel_retires_its_extractor(self, thread_world, gate):
        world = thread_world
        session = await world.supervisor.open(self.hang(world, gate(), "h", "snapshot"))
        work = await hung(session, world, "h")
        client = session._client
        assert await cancelled(work) < 2 + SLACK
        assert kit.SCRIPTS["h"].cancelled.is_set()
        # Nobody else is in it, so it need not live on.
        await kit.until(lambda: client not in world.supervisor._clients)
        assert not session.alive
        await session.close()
        assert world.books() == dict.fromkeys(world.books(), 0)

    async def test_neighbours_have_time_and_no_newcomers(self, thread_world, gate):
        world = thread_world
        world.supervisor._limit = 1
        session = await world.supervisor.open(self.hang(world, gate(), "h", "snapshot"))
        async with world.session() as neighbour:
            busy = await begun(neighbour, world.task(x_query(ENDLESS_THOUGHT)))
            await cancelled(await hung(session, world, "h"))
            client = session._client
            assert world.supervisor.leaving(client)
            assert not neighbour.alive
            assert not busy.done()
            assert client.alive
            async with world.session() as newcomer:
                assert newcomer._client is not client
            await cancelled(busy)
        await session.close()
        # The time of grace has passed.
        world.supervisor._end(client)
        await kit.until(lambda: not world.books()["leaving"])
        assert not client.alive
        assert not world.supervisor._deaths

    async def test_at_most_two_are_retiring(self, thread_world, gate):
        world = thread_world
        hanging = [self.hang(world, gate(), name, "snapshot") for name in "abc"]
        handles = [await world.supervisor.open(connection) for connection in hanging]
        endless = []
        clients = [handle._client for handle in handles]
        assert len(set(clients)) == 3
        for _ in clients:
            neighbour = await world.supervisor.open(world.connection())
            handles.append(neighbour)
            endless.append(await begun(neighbour, world.task(x_query(ENDLESS_THOUGHT))))
        pairs = zip(handles[:3], "abc", strict=True)
        works = [await hung(handle, world, name) for handle, name in pairs]
        for work in works:
            work.cancel()
        await asyncio.gather(*works, return_exceptions=True)
        await kit.until(lambda: len(world.supervisor._clients) == 2)
        oldest = next(client for client in clients if not client.alive)
        assert all(world.supervisor.leaving(c) for c in clients if c is not oldest)
        for work, handle in zip(endless, handles[3:], strict=True):
            if handle._client is oldest:
                with pytest.raises(Failure):
                    await work
            else:
                await cancelled(work)
        await asyncio.gather(*(handle.close() for handle in handles))

    async def test_close_is_bounded(self, thread_world, gate):
        world = thread_world
        session = await world.supervisor.open(self.hang(world, gate(), "h", "close"))
        await asyncio.wait_for(session.close(), 2 + SLACK)
        await kit.until(lambda: not world.supervisor._clients)
        await session.close()
        assert world.books() == dict.fromkeys(world.books(), 0)

    async def test_opening_is_bounded(self, thread_world, gate):
        world, event = thread_world, gate()

        def connect():
            event.wait()
            return kit.ScriptedReader()

        kit.SCRIPTS["h"] = connect
        world.connect_timeout_s = 0.1
        with pytest.raises(Failure, match=r"connection_timeout_s = 0\.1 s") as caught:
            async with asyncio.timeout(2.1 + SLACK):
                await world.supervisor.open(world.connection("h", kind="scripted", database="h"))
        assert caught.value.error_class == ErrorClass.TIMEOUT
        await kit.until(lambda: not world.supervisor._clients)
        assert world.books() == dict.fromkeys(world.books(), 0)

    async def test_a_late_session_of_an_opening_that_was_given_up_is_closed(
        self,
        thread_world,
        gate,
    ):
        world, event = thread_world, gate()
        reader, connecting = kit.ScriptedReader(), gate()

        def connect():
            connecting.set()
            event.wait()
            return reader

        kit.SCRIPTS["h"] = connect
        opening = asyncio.create_task(
            world.supervisor.open(world.connection("h", kind="scripted", database="h")),
        )
        await kit.until(connecting.is_set)
        opening.cancel()
        await asyncio.sleep(0)
        event.set()
        with pytest.raises(asyncio.CancelledError):
            await opening
        await kit.until(reader.closed.is_set)
        assert world.supervisor.count == 1

    async def test_a_time_limit_that_the_driver_ignores_still_ends_the_request(
        self,
        thread_world,
        gate,
    ):
        world = thread_world
        event = gate()

        def rows(_):
            yield kit.batch(1)
            event.wait()

        kit.SCRIPTS["h"] = kit.ScriptedReader(read=rows)
        session = await world.supervisor.open(
            world.connection("h", kind="scripted", database="h"),
        )
        task = world.task(x_query(""), stall_timeout_s=0.1)
        with pytest.raises(Failure) as caught:
            async with asyncio.timeout(kit.LONG):
                await session.extract(task, Seen())
        assert caught.value.error_class == ErrorClass.STALLED
        assert not session.alive
        await session.close()

    async def test_a_cancel_that_hangs_holds_up_nobody_else(self, thread_world, gate):
        world, event = thread_world, gate()
        world.supervisor._limit = 1
        session = await world.supervisor.open(
            self.hang(world, event, "h", "snapshot", "on cancel"),
        )
        async with world.session() as neighbour:
            work = await hung(session, world, "h")
            work.cancel()
            await kit.until(kit.SCRIPTS["h"].cancelled.is_set)
            await neighbour.ping()
            event.set()
            with pytest.raises(asyncio.CancelledError):
                await work
        await session.close()
