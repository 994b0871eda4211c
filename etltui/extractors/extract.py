"""Moves one connection's rows from its reader to every destination's part writer.

The session's thread pulls batches; a second thread converts and writes them, one batch behind, so
that reading and writing overlap. Between them waits at most one batch: pulling is the
back-pressure. Nothing is reported before every part of the connection is durable.
"""

import queue
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Self, TypeAlias, cast

import pyarrow as pa

from etltui.domain import drift
from etltui.domain.closing import Closing
from etltui.domain.columns import Column
from etltui.domain.control import Control
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.part import Receipt
from etltui.domain.run import Step
from etltui.domain.task import Extracted, ExtractTask, QueryCost, QueryTask, WriterTask
from etltui.extractors import closing as day
from etltui.extractors.asides import said_of
from etltui.extractors.control import Sums, asked, first_row
from etltui.extractors.fitting import arranged, column_plan, found_columns, retyped
from etltui.extractors.gate import Gate
from etltui.extractors.lines import LineForm, Printed
from etltui.extractors.throttle import Throttle
from etltui.extractors.twice import Twice
from etltui.readers.reader import LinePrinter, Reader, RereadError, Result
from etltui.writers.csv_lines import shared_form
from etltui.writers.registry import format_of
from etltui.writers.writer import LineWriter, PartTask, PartWriter

_Batch: TypeAlias = pa.RecordBatch | Printed
_Part: TypeAlias = tuple[WriterTask, PartWriter]
"""A part writer with the destination that it writes for."""


@dataclass(slots=True)
class Watch:
    """How far an extract is; written by its threads, read by the beat and the watchdog."""

    step: str = Step.QUERYING
    rows: int = 0
    bytes: int = 0
    cancelled: bool = False
    verdict: Failure | None = None
    """Why the extract is of no use any more: a time limit has passed, or writing has failed."""
    told: bool = False
    """Whether the watchdog has heard of the verdict."""
    flowing: bool = False
    """Whether the running query has given its first rows."""
    begun: float = 0.0
    pulling_since: float | None = None
    pulled_s: float = 0.0
    """Seconds spent waiting for the source in the running query, back-pressure left out."""
    seconds: dict[str, float] = field(
        default_factory=lambda: {"query": 0.0, "fetch": 0.0},
    )

    def spent(self) -> dict[str, float]:
        """All seconds since the extract began; what did not wait for the source is `write`.

        Writing goes on while the source is waited for: only what it takes longer is its own.
        """
        rest = time.monotonic() - self.begun - sum(self.seconds.values())
        return {**self.seconds, "write": max(rest, 0.0)}

    def begin(self) -> None:
        """A query begins: its time is its own."""
        self.step, self.pulled_s, self.flowing = Step.QUERYING, 0.0, False

    @contextmanager
    def pulling(self) -> Iterator[None]:
        """In the block the source is waited for."""
        self.pulling_since = started = time.monotonic()
        try:
            yield
        finally:
            self.pulling_since = None
            took = time.monotonic() - started
            self.pulled_s += took
            self.seconds["fetch" if self.flowing else "query"] += took

    def check(self) -> None:
        """Stop here if somebody cancelled or the extract is of no use any more.

        Raises:
            Failure: The verdict, or of class `cancelled`.
        """
        if self.verdict is not None:
            raise self.verdict
        if self.cancelled:
            raise Failure(ErrorClass.CANCELLED, "cancelled")

    def judge(self, task: ExtractTask, now: float) -> bool:
        """Whether there is news that must wake the driver: a verdict, found now or by others."""
        if self.verdict is None:
            self.verdict = self._too_slow(task, now)
        if self.verdict is None or self.told:
            return False
        self.told = True
        return True

    def _too_slow(self, task: ExtractTask, now: float) -> Failure | None:
        """What the source has overstepped, None where it is within its limits."""
        # Read once: the session's thread may end its pull at any moment.
        since = self.pulling_since
        if since is None:
            return None
        waited = now - since
        if waited + self.pulled_s > task.query_timeout_s:
            return Failure(
                ErrorClass.TIMEOUT,
                f"the query took longer than query_timeout_s = {task.query_timeout_s:g} s",
            )
        if self.flowing and waited > task.stall_timeout_s:
            return Failure(
                ErrorClass.STALLED,
                f"no row for stall_timeout_s = {task.stall_timeout_s:g} s after {self.rows:,} rows",
            )
        return None


@contextmanager
def _blamed(writer: WriterTask) -> Iterator[None]:
    """A failure in the block is this destination's: its facts and, for a value, its words say so.

    Of a disk the message names the file; of a value only the destination's settings are to blame.
    """
    try:
        yield
    except Failure as failure:
        failure.facts["destination"] = str(writer.destination)
        if failure.error_class is not ErrorClass.VALUE:
            raise
        # Counted from 1, as wherever a destination's settings are named.
        place = f"{writer.type}, destinations[{writer.destination + 1}]"
        message = f"{place}: {failure.message}"
        raise Failure(failure.error_class, message, failure.facts) from failure


class _Pump:
    """The writing half: a thread that hands each batch to every part writer."""

    def __init__(
        self,
        writers: list[_Part],
        gate: Gate,
        watch: Watch,
        sums: Sums | None = None,
    ) -> None:
        self._writers = writers
        self._sums = sums
        self._gate = gate
        self._watch = watch
        self.twice = Twice()
        self._batches: queue.Queue[_Batch | None] = queue.Queue(maxsize=1)
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="pump", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and self.error is None:
            # What is still queued is of no use: let the thread drop it.
            self.error = GeneratorExit()
        self._batches.put(None)
        self._thread.join()
        if kind is None and self.error is not None:
            raise self.error

    def put(self, batch: _Batch) -> None:
        """Hand over a batch; waits while the one before it is still queued.

        Raises:
            Failure: Writing failed.
        """
        if self.error is not None:
            raise self.error
        self._batches.put(batch)

    def _run(self) -> None:
        while (batch := self._batches.get()) is not None:
            if self.error is not None:
                continue
            try:
                self._write(batch)
            except BaseException as error:  # noqa: BLE001 - raised again in the session's thread
                self.error = error
                if isinstance(error, Failure) and self._watch.verdict is None:
                    # The source need not be waited for: the watchdog wakes it.
                    self._watch.verdict = error

    def _write(self, batch: _Batch) -> None:
        with self._gate.work(self._watch.check):
            for destination, writer in self._writers:
                with _blamed(destination):
                    if isinstance(batch, Printed):
                        # Lines are asked for only where every writer takes them.
                        cast("LineWriter", writer).write_lines(batch)
                    else:
                        writer.write(batch)
            if self._sums is not None and not isinstance(batch, Printed):
                self._sums.add(batch)
            self.twice.look(batch)
        self._watch.rows += batch.num_rows
        self._watch.bytes += batch.nbytes


class _Extract:
    """One try at one connection: its readers, writers and what they found."""

    def __init__(self, reader: Reader, task: ExtractTask, gate: Gate, watch: Watch) -> None:
        self.reader = reader
        self.task = task
        self.gate = gate
        self.watch = watch
        self.throttle = Throttle(task.rows_per_s)
        self.parts: list[_Part] = []
        self.notes: Counter[str] = Counter()
        self.costs: list[QueryCost] = []
        self.columns: list[tuple[Column, ...]] = []
        self.controls: list[Control] = []
        self.provisional = ""

    def query(self, number: int, query: QueryTask, *, exact: bool) -> None:
        """Move one query's rows into parts that are not sealed yet."""
        # The server counts the pauses between batches, too: then only the extractor is a judge.
        limit_s = 0.0 if self.throttle.holds_back else self.task.query_timeout_s
        query = replace(query, limit_s=limit_s)
        sums = self._control(query, exact=exact) if query.control else None
        self.watch.begin()
        rows = self.watch.rows
        with ExitStack() as stack:
            with self.watch.pulling():
                lines = not exact and (sums is None or sums.counts_only)
                writers = [each for each in self.task.writers if each.takes(number)]
                form = shared_form(writers, self.task.connection) if lines else None
                result, plan = self._result(stack, query, form, exact=exact)
            self.columns.append(result.columns)
            for name, columns in (("columns dropped", plan.dropped), ("missing", plan.missing)):
                if columns:
                    self.notes[f"{name}: {', '.join(columns)}"] = len(columns)
            found = found_columns(query, result, plan)
            self.notes.update(retyped(query, found))
            opened = self._open(number, query, found)
            with _Pump(opened, self.gate, self.watch, sums) as pump:
                for batch in self._pulled(result):
                    pump.put(arranged(batch, plan, found))
            self.notes.update(result.notes)
            self.notes.update(pump.twice.notes())
        rows = self.watch.rows - rows
        self.costs.append(QueryCost(name=query.name, rows=rows, seconds=self.watch.pulled_s))
        if sums is not None:
            self.controls += sums.proved(rows)

    def _control(self, query: QueryTask, *, exact: bool) -> Sums:
        """What the query's rows must come to, asked in the snapshot that they are read in."""
        with said_of("the control query"), self._read(asked(query), exact=exact) as result:
            return Sums(query, first_row(result.columns, self._pulled(result)))

    def _close(self, closing: Closing, *, exact: bool) -> None:
        """See whether the day is closed, before its rows are read: later it may well be."""
        question = day.asked(closing, self.task.query_timeout_s)
        with said_of(question.name), self._read(question, exact=exact) as result:
            self.provisional = day.still_open(closing, self._pulled(result))

    @contextmanager
    def _read(self, query: QueryTask, *, exact: bool) -> Iterator[Result]:
        """A query beside those of the job, under way."""
        self.watch.begin()
        with ExitStack() as stack:
            with self.watch.pulling():
                reading = self.reader.read(query, batch_bytes=self.batch_bytes, exact=exact)
                result = stack.enter_context(reading)
            yield result

    def _pulled(self, result: Result) -> Iterator[_Batch]:
        """The batches, with the time that each took and the gate held for local ones."""
        watch = self.watch
        while True:
            watch.check()
            # Of no time limit, since the source has no part in it; of the time that fetching took.
            watch.seconds["fetch"] += self.throttle.pause(watch.check)
            # Waiting for a permit is not the source's fault, nor limited; a cancel ends it.
            permit = self.gate.work(watch.check) if self.reader.local else nullcontext()
            with permit, watch.pulling():
                batch = next(result.batches, None)
            # An own flag decides, never that the driver raised no error.
            watch.check()
            if batch is None:
                return
            watch.flowing = True
            watch.step = Step.PROCESSING
            self.throttle.took(batch.num_rows, batch.nbytes)
            yield batch

    def batch_bytes(self) -> int:
        """How large the next batch may be."""
        share = self.throttle.batch_bytes(self.gate.batch_bytes())
        return min(share, self.task.batch_bytes) if self.task.batch_bytes else share

    def _result(
        self,
        stack: ExitStack,
        query: QueryTask,
        form: LineForm | None,
        *,
        exact: bool,
    ) -> tuple[Result, drift.ColumnPlan]:
        """The query under way, by the fastest lane that gives the same parts."""
        if form is not None and isinstance(self.reader, LinePrinter):
            printing = self.reader.lines(query, form=form, batch_bytes=self.batch_bytes)
            printed = stack.enter_context(printing)
            if printed is not None and (plan := column_plan(query, printed)).straight:
                return printed, plan
        reading = self.reader.read(query, batch_bytes=self.batch_bytes, exact=exact)
        result = stack.enter_context(reading)
        return result, column_plan(query, result)

    def _open(self, number: int, query: QueryTask, found: tuple[Column, ...]) -> list[_Part]:
        opened: list[_Part] = []
        for writer in self.task.writers:
            if not writer.takes(number):
                continue
            part = PartTask(
                extract=self.task,
                writer=writer,
                query=number,
                columns=query.columns,
                found=found,
            )
            with _blamed(writer):
                opened.append((writer, format_of(writer.type).part_writer(part)))
            self.parts.append(opened[-1])
        return opened

    def run(self, *, exact: bool) -> Extracted:
        """All queries in one snapshot, then every part sealed; or nothing left behind."""
        try:
            with self.reader.snapshot():
                if self.task.closing is not None:
                    self._close(self.task.closing, exact=exact)
                for number, query in enumerate(self.task.queries):
                    self.query(number, query, exact=exact)
            self.watch.check()
            receipts = tuple(receipt for part in self.parts for receipt in _closed(part))
            self.watch.check()
        except BaseException:
            for _, writer in self.parts:
                writer.abandon()
            raise
        for receipt in receipts:
            self.notes.update(receipt.notes)
        return Extracted(
            receipts=receipts,
            rows=self.watch.rows,
            seconds=self.watch.spent(),
            notes=dict(self.notes),
            costs=tuple(self.costs),
            columns=tuple(self.columns),
            controls=tuple(self.controls),
            provisional=self.provisional,
            bytes=self.watch.bytes,
        )


def _closed(part: _Part) -> tuple[Receipt, ...]:
    """A part's receipts, once it is durable."""
    destination, writer = part
    with _blamed(destination):
        return writer.close()


def extract(reader: Reader, task: ExtractTask, gate: Gate, watch: Watch) -> Extracted:
    """Move one connection's rows into durable parts.

    Raises:
        Failure: Nothing was left on disk.
    """
    exact = False
    watch.begun = time.monotonic()
    with gate.fetch():
        while True:
            try:
                return _Extract(reader, task, gate, watch).run(exact=exact)
            except RereadError:
                # The reader learned which columns need care; each time at least one more.
                exact = True
                watch.rows = watch.bytes = 0
