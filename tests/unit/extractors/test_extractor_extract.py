"""Rows from a reader to part writers: pressure, failures, limits, second readings."""

import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest

import extractor_kit as kit
from etltui.domain.columns import Column
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.run import Step
from etltui.domain.task import ExtractTask, WriterTask
from etltui.extractors import protocol as p
from etltui.extractors.arrow import arrow_schema, arrow_type, canonical_type
from etltui.extractors.extract import Watch, extract
from etltui.extractors.gate import BATCH_MOST, Gate
from etltui.extractors.session import Request
from etltui.readers.reader import RereadError
from etltui.writers import registry


@pytest.fixture(autouse=True)
def _scripted(monkeypatch):
    monkeypatch.setitem(registry._WRITERS, "scripted", "extractor_kit")
    yield
    kit.WRITERS.clear()
    assert not kit.extractor_threads()


def task(*writers, queries=1, **changes):
    kit.WRITERS[:] = writers
    writer = WriterTask(destination=0, type="scripted", folder="", options={})
    return ExtractTask(
        run="r",
        connection="A",
        number=1,
        attempt=1,
        queries=(kit.x_query(""),) * queries,
        writers=(writer,) * (len(writers) // queries),
        plan_hash="",
        connection_hash="",
        **changes,
    )


def run(reader, given, watch=None, gate=None):
    return extract(reader, given, gate or Gate(1), watch or Watch())


def rows_of(*values):
    return lambda _: iter([kit.batch(value) for value in values])


def test_every_writer_gets_every_batch_in_order():
    writers = [kit.ScriptedWriter(), kit.ScriptedWriter()]
    watch = Watch()
    done = run(kit.ScriptedReader(read=rows_of(1, 2, 3)), task(*writers), watch)
    assert [writer.rows for writer in writers] == [[1, 2, 3]] * 2
    assert [writer.state for writer in writers] == ["closed"] * 2
    assert (done.rows, watch.rows, watch.bytes) == (3, 3, 24)
    assert done.bytes == 24


def test_at_most_one_batch_waits_behind_the_one_that_is_written():
    """S4-4, S4-29."""
    pulled, exhausted = [], threading.Event()

    def rows(_):
        for number in range(20):
            pulled.append(number)
            yield kit.batch(number)
        exhausted.set()

    def first_write(writer):
        if not writer.rows:
            # Without pressure the source runs dry in an instant; with it, it never does.
            assert not exhausted.wait(0.5)
            assert len(pulled) <= 3

    writer = kit.ScriptedWriter(write=first_write)
    run(kit.ScriptedReader(read=rows), task(writer))
    assert writer.rows == pulled == list(range(20))


@pytest.mark.parametrize("error", [Failure(ErrorClass.DISK, "full"), ZeroDivisionError("bug")])
@pytest.mark.parametrize("last", [False, True])
def test_a_writer_that_fails_raises_here_and_all_files_go(error, last):
    def fail(_):
        raise error

    writers = [kit.ScriptedWriter(), kit.ScriptedWriter(write=fail)]
    rows = rows_of(1) if last else rows_of(*range(50))
    with pytest.raises(type(error)) as caught:
        run(kit.ScriptedReader(read=rows), task(*writers))
    assert caught.value is error
    assert [writer.state for writer in writers] == ["abandoned"] * 2


@pytest.mark.parametrize("where", ["write", "close"])
def test_a_value_that_one_destination_refuses_is_told_of_that_one(where):
    def refuse(_):
        raise Failure(ErrorClass.VALUE, "row 1: no", {"row": "1"})

    given = task(kit.ScriptedWriter(), kit.ScriptedWriter(**{where: refuse}))
    writers = tuple(replace(each, destination=n) for n, each in enumerate(given.writers))
    with pytest.raises(Failure) as caught:
        run(kit.ScriptedReader(read=rows_of(1)), replace(given, writers=writers))
    assert caught.value.message == "scripted, destinations[2]: row 1: no"
    assert caught.value.facts == {"row": "1", "destination": "1"}


def test_n_30_batches_are_no_larger_than_the_engine_allows():
    seen = []

    def rows(reader):
        seen.append(reader.batch_bytes())
        return iter(())

    for allowed in (0, BATCH_MOST // 4, 2 * BATCH_MOST):
        run(kit.ScriptedReader(read=rows), task(kit.ScriptedWriter(), batch_bytes=allowed))
    assert seen == [BATCH_MOST, BATCH_MOST // 4, BATCH_MOST]


def test_s4_38_each_query_has_its_own_rows_and_seconds_and_a_second_reading_counts_once():
    seconds = iter([500.0, 100.0, 200.0])
    watch = Watch()

    def rows(reader):
        number = reader.calls.count("read")
        yield kit.batch(*range(number))
        watch.pulled_s = next(seconds)
        if number == 1:
            raise RereadError

    given = task(kit.ScriptedWriter(), kit.ScriptedWriter(), queries=2)
    kit.WRITERS.append(kit.ScriptedWriter())
    queries = (kit.x_query("a"), kit.x_query("b"))
    done = run(kit.ScriptedReader(read=rows), replace(given, queries=queries), watch)
    assert done.rows == 5
    # The pull that finds the end adds a moment.
    found = [(cost.name, cost.rows, cost.seconds // 100) for cost in done.costs]
    assert found == [("x", 2, 1), ("x", 3, 2)]


def test_a_reader_that_fails_abandons_the_parts_of_earlier_queries_too():
    def fail_late(reader):
        yield kit.batch(1)
        if reader.calls.count("read") == 2:
            raise Failure(ErrorClass.LOST, "line cut")

    writers = [kit.ScriptedWriter(), kit.ScriptedWriter()]
    with pytest.raises(Failure, match="line cut"):
        run(kit.ScriptedReader(read=fail_late), task(*writers, queries=2))
    assert [writer.state for writer in writers] == ["abandoned"] * 2


def test_a_writer_that_cannot_close_takes_the_others_back():
    def fail(_):
        raise Failure(ErrorClass.DISK, "full")

    writers = [kit.ScriptedWriter(), kit.ScriptedWriter(close=fail)]
    with pytest.raises(Failure, match="full"):
        run(kit.ScriptedReader(read=rows_of(1)), task(*writers))
    assert [writer.state for writer in writers] == ["abandoned"] * 2


@pytest.mark.parametrize("when", ["snapshot", "read", "write", "close"])
def test_a_cancel_at_any_time_takes_everything_back(when):
    watch = Watch()

    def cancel(*_):
        watch.cancelled = True

    def rows(_):
        yield kit.batch(1)
        if when == "read":
            # A driver may end its rows after a cancel as if there were no more.
            cancel()

    script = {"snapshot": cancel} if when == "snapshot" else {}
    writer = kit.ScriptedWriter(**({when: cancel} if when in {"write", "close"} else {}))
    with pytest.raises(Failure) as caught:
        run(kit.ScriptedReader(read=rows, **script), task(writer), watch)
    assert caught.value.error_class == ErrorClass.CANCELLED
    assert writer.state == "abandoned"


class Asked(Watch):
    """A watch that counts how often it is asked: once before a pull, then while waiting."""

    checks = 0

    def check(self):
        self.checks += 1
        super().check()


def test_a_cancel_reaches_who_waits_for_a_permit():
    gate, watch = Gate(1), Asked()
    reader = kit.ScriptedReader(read=rows_of(1))
    reader.local = True
    watch.cancelled = True
    with gate.work(lambda: None), gate.work(lambda: None):
        with pytest.raises(Failure) as caught:
            run(reader, task(kit.ScriptedWriter()), watch, gate)
        watch.cancelled, watch.checks = False, 0
        wrote = kit.ScriptedWriter()
        thread = threading.Thread(target=run, args=(reader, task(wrote), watch, gate))
        thread.start()
        kit.until_now(lambda: watch.checks >= 3)
        # Waiting for a permit is not the source's time.
        assert watch.pulling_since is None
        assert not wrote.rows
    thread.join(kit.LONG)
    assert caught.value.error_class == ErrorClass.CANCELLED
    assert wrote.rows == [1]


def test_rows_that_are_read_again_are_counted_and_written_once():
    def rows(reader):
        yield kit.batch(1)
        yield kit.batch(2)
        if not reader.exact:
            raise RereadError

    writers = [kit.ScriptedWriter(), kit.ScriptedWriter()]
    given = task(writers[0])
    kit.WRITERS.append(writers[1])
    done = run(kit.ScriptedReader(read=rows), given)
    assert done.rows == 2
    assert [writer.state for writer in writers] == ["abandoned", "closed"]
    assert writers[1].rows == [1, 2]


def test_a_fetch_counts_only_while_it_runs():
    gate, seen = Gate(1), []

    def rows(reader):
        seen.append((gate._fetches, reader.batch_bytes()))
        raise Failure(ErrorClass.LOST, "cut")

    with pytest.raises(Failure):
        run(kit.ScriptedReader(read=rows), task(kit.ScriptedWriter()), gate=gate)
    assert seen == [(1, BATCH_MOST)]
    assert gate._fetches == 0


class TestWatch:
    LIMITS = task(query_timeout_s=10, stall_timeout_s=4)

    def judged(self, now, **facts):
        watch = Watch(**facts)
        news, verdict = watch.judge(self.LIMITS, now), watch.verdict
        assert news == (verdict is not None)
        # It is news once.
        assert not (news and watch.judge(self.LIMITS, now + 1000))
        return verdict and verdict.error_class

    def test_a_source_that_is_not_waited_for_is_never_late(self):
        assert self.judged(1e6, pulled_s=1e6) is None

    def test_the_time_of_a_query_is_that_of_all_its_pulls(self):
        assert self.judged(110, pulling_since=100) is None
        assert self.judged(110.1, pulling_since=100) == ErrorClass.TIMEOUT
        assert self.judged(103, pulling_since=100, pulled_s=7) is None
        assert self.judged(103.1, pulling_since=100, pulled_s=7) == ErrorClass.TIMEOUT

    def test_only_rows_that_flow_can_stall(self):
        assert self.judged(105, pulling_since=100) is None
        assert self.judged(104, pulling_since=100, flowing=True) is None
        assert self.judged(104.1, pulling_since=100, flowing=True) == ErrorClass.STALLED

    def test_a_second_query_may_think_as_long_as_the_first(self):
        watch = Watch(rows=1000, flowing=True, pulled_s=9)
        watch.begin()
        watch.pulling_since = 100
        assert not watch.judge(self.LIMITS, 109)
        assert watch.step == Step.QUERYING

    def test_a_verdict_of_the_writing_half_is_news_once(self):
        watch = Watch(verdict=Failure(ErrorClass.DISK, "full"))
        assert watch.judge(self.LIMITS, 0)
        assert not watch.judge(self.LIMITS, 1)
        with pytest.raises(Failure, match="full"):
            watch.check()

    def test_seconds_are_told_apart_by_what_they_were_spent_on(self):
        watch = Watch()
        with watch.pulling():
            assert watch.pulling_since is not None
        assert watch.seconds["query"] > 0 == watch.seconds["fetch"]
        watch.flowing = True
        with pytest.raises(ZeroDivisionError), watch.pulling():
            _ = 1 / 0
        assert watch.pulling_since is None
        assert watch.seconds["fetch"] > 0


def test_the_seconds_of_an_extract_add_up_to_all_of_it(monkeypatch):
    """Reading again counts, and what is written while the source is waited for counts once."""
    times = []

    def second():
        times.append(len(times) + 1.0)
        return times[-1]

    monkeypatch.setattr("etltui.extractors.extract.time", SimpleNamespace(monotonic=second))

    def rows(reader):
        yield kit.batch(1)
        if not reader.exact:
            raise RereadError
        yield kit.batch(2)

    kit.WRITERS.append(again := kit.ScriptedWriter())
    given = task(kit.ScriptedWriter())
    kit.WRITERS.append(again)
    done = run(kit.ScriptedReader(read=rows), given)
    assert sum(done.seconds.values()) == times[-1] - times[0]
    assert all(done.seconds[part] > 0 for part in ("query", "fetch", "write"))


def test_progress_is_told_when_it_moves_and_never_shrinks():
    request = Request(id=7, extract=p.Extract(id=7, session=1, task=task()))
    assert request.progress().step == Step.QUERYING
    assert request.progress() is None
    request.watch.rows, request.watch.bytes = 5, 50
    assert (request.progress().rows, request.reported[2]) == (5, 50)
    request.watch.rows = request.watch.bytes = 0
    assert request.progress() is None
    request.watch.step = Step.PROCESSING
    assert request.progress().rows == 5
    assert Request(id=1).progress() is None


def test_what_is_not_an_extract_is_not_judged():
    request = Request(id=1)
    request.judge(1e9)
    assert not request.overdue(1e9)


@pytest.mark.parametrize(
    "kind",
    [
        *("bool", "int", "float", "date", "time", "timestamp", "timestamptz", "text", "binary"),
        *("mixed", "decimal(12,2)", "decimal(60,5)"),
    ],
)
def test_canonical_types_survive_arrow(kind):
    assert canonical_type(arrow_type(kind)) == kind
    assert arrow_schema((Column(name="x", type=kind),)).field("x").type == arrow_type(kind)


def test_an_arrow_type_of_no_reader_is_refused():
    with pytest.raises(TypeError, match="null"):
        canonical_type(kit.pa.null())
