"""Reading no faster than a connection allows; N-31."""

import time
from functools import partial
from types import SimpleNamespace

import pytest

import extractor_kit as kit
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.task import ExtractTask, WriterTask
from etltui.extractors import extract as extracting
from etltui.extractors.extract import Watch, extract
from etltui.extractors.gate import BATCH_LEAST, PERMITS_PER_CORE, Gate
from etltui.extractors.throttle import Throttle, Timer
from etltui.writers import registry


class Hours:
    """Time that passes only while somebody sleeps."""

    def __init__(self):
        self.now = 1000.0
        self.slept = []
        self.on_sleep = lambda: None

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds
        self.on_sleep()

    @property
    def timer(self):
        return Timer(monotonic=lambda: self.now, sleep=self.sleep)


@pytest.fixture
def hours():
    return Hours()


def unasked():
    """Nobody has given up."""


@pytest.mark.parametrize(("rate", "rows", "batches"), [(100, 50, 9), (7, 1, 30), (5000, 9000, 3)])
def test_n_31_rows_come_at_the_rate_and_no_faster(hours, rate, rows, batches):
    throttle, begun = Throttle(rate, hours.timer), hours.now
    for _ in range(batches):
        throttle.pause(unasked)
        throttle.took(rows, rows * 100)
    throttle.pause(unasked)
    assert hours.now - begun == pytest.approx(batches * rows / rate)


def test_the_time_of_a_slow_source_counts_as_a_pause_but_is_not_saved_up(hours):
    throttle = Throttle(10, hours.timer)
    throttle.pause(unasked)
    hours.now += 0.4  # the source's own
    throttle.took(10, 10)
    assert throttle.pause(unasked) == pytest.approx(0.6)
    hours.now += 60
    throttle.took(10, 10)
    assert throttle.pause(unasked) == 0
    throttle.took(10, 10)
    assert throttle.pause(unasked) == pytest.approx(1)


def test_without_a_limit_nothing_waits_and_batches_stay_as_they_are(hours):
    throttle = Throttle(0, hours.timer)
    throttle.took(10**9, 1)
    assert throttle.pause(unasked) == 0
    assert throttle.batch_bytes(BATCH_LEAST) == BATCH_LEAST
    assert hours.slept == []


def test_batches_get_small_so_that_rows_come_evenly(hours):
    throttle = Throttle(1000, hours.timer)
    assert throttle.batch_bytes(BATCH_LEAST) == 50_000
    throttle.took(100, 100 * 20)
    assert throttle.batch_bytes(BATCH_LEAST) == 10_000
    throttle.took(1, 10**7)
    assert throttle.batch_bytes(BATCH_LEAST) == BATCH_LEAST
    assert Throttle(1, hours.timer).batch_bytes(BATCH_LEAST) > 0


def test_a_pause_ends_soon_after_somebody_gave_up(hours):
    throttle = Throttle(1, hours.timer)
    throttle.took(3600, 1)

    def check():
        if len(hours.slept) == 3:
            raise Failure(ErrorClass.CANCELLED, "cancelled")

    with pytest.raises(Failure):
        throttle.pause(check)
    assert hours.slept == [0.1] * 3


@pytest.fixture
def writer():
    return kit.ScriptedWriter()


@pytest.fixture
def reading(hours, writer, monkeypatch):
    """An extract of five batches of ten rows at ten rows a second, by these hours."""
    monkeypatch.setitem(registry._WRITERS, "scripted", "extractor_kit")
    monkeypatch.setattr(extracting, "Throttle", partial(Throttle, timer=hours.timer))
    kit.WRITERS[:] = [writer]
    reader = kit.ScriptedReader(read=lambda _: iter([kit.batch(*range(10))] * 5))
    task = ExtractTask(
        run="r",
        connection="A",
        number=1,
        attempt=1,
        queries=(kit.x_query(""),),
        writers=(WriterTask(destination=0, type="scripted", folder="", options={}),),
        plan_hash="",
        connection_hash="",
        rows_per_s=10,
        query_timeout_s=1,
        stall_timeout_s=1,
    )
    yield lambda gate, watch: extract(reader, task, gate, watch)
    kit.WRITERS.clear()
    assert not kit.extractor_threads()


def test_an_extract_pauses_and_counts_it_as_fetching_within_no_limit(reading, hours):
    watch, gate = Watch(), Gate(1)
    strict = SimpleNamespace(query_timeout_s=0.0, stall_timeout_s=0.0)
    judged = []

    def look():
        # No limit is so strict that a pause oversteps it, and no permit is held in it.
        judged.append(watch._too_slow(strict, time.monotonic() + 3600))
        for _ in range(PERMITS_PER_CORE):
            assert gate._permits.acquire(timeout=5)
        for _ in range(PERMITS_PER_CORE):
            gate._permits.release()

    hours.on_sleep = look
    done = reading(gate, watch)
    assert done.rows == 50
    assert sum(hours.slept) == pytest.approx(5)
    assert judged
    assert set(judged) == {None}
    assert done.seconds["fetch"] == pytest.approx(5, abs=1)
    assert done.costs[0].seconds < 5


def test_a_cancel_ends_an_extract_in_its_pause(reading, hours, writer):
    watch = Watch()

    def cancel():
        watch.cancelled = True

    hours.on_sleep = cancel
    with pytest.raises(Failure) as caught:
        reading(Gate(1), watch)
    assert caught.value.error_class is ErrorClass.CANCELLED
    assert len(hours.slept) == 1
    assert writer.state == "abandoned"
