"""Which extracts take printed lines: those whose every destination would have made the same."""

from contextlib import contextmanager
from dataclasses import asdict

import pytest

import extractor_kit as kit
from etltui.domain.job import CsvOptions
from etltui.domain.task import ExtractTask, QueryTask, WriterTask
from etltui.extractors.extract import Watch, extract
from etltui.extractors.gate import Gate
from etltui.extractors.lines import Printed
from etltui.readers.reader import RereadError, Result


class Printer(kit.ScriptedReader):
    """A reader that prints, unless its script says otherwise."""

    @contextmanager
    def lines(self, query, *, form, batch_bytes):
        self.form, self.query, self.size = form, query, batch_bytes()
        self._do("lines")
        columns = self.script.get("columns", kit.X)
        printed = [Printed(data=b"1\n2\n", num_rows=2), Printed(data=b"3\n", num_rows=1)]
        yield None if self.script.get("mute") else Result(columns=columns, batches=iter(printed))


def task(folder, *options, columns=kit.X, kind="csv"):
    writers = []
    for number, each in enumerate(options or ({},)):
        place = folder / str(number)
        place.mkdir()
        made = asdict(CsvOptions(**each)) if kind == "csv" else each
        writers.append(
            WriterTask(destination=number, type=kind, folder=str(place), options=made),
        )
    return ExtractTask(
        run="r",
        connection="A",
        number=1,
        attempt=1,
        queries=(QueryTask(name="x", sql="SELECT x", columns=columns, drift="align"),),
        writers=tuple(writers),
        plan_hash="p",
        connection_hash="c",
        query_timeout_s=7.0,
    )


def run(reader, asked, folder):
    watch = Watch()
    done = extract(reader, asked, Gate(1), watch)
    assert done.rows == watch.rows == sum(r.rows for r in done.receipts) // len(asked.writers)
    return [(folder / r.path).read_bytes()[: r.bytes] for r in done.receipts]


def values(_):
    return [kit.batch(1, 2, 3)]


def test_lines_go_into_every_part_as_they_are(tmp_path):
    reader = Printer(read=values)
    assert run(reader, task(tmp_path, {}, {}), tmp_path) == [b"1\n2\n3\n"] * 2
    assert "read" not in reader.calls
    assert reader.form.label is None
    assert reader.query.limit_s == 7.0
    assert reader.size > 0


@pytest.mark.parametrize(
    ("script", "options"),
    [
        ({"mute": True}, {}),
        ({"columns": (*kit.X, *kit.SALES)}, {}),
        ({}, {"line_end": "crlf"}),
    ],
)
def test_values_are_read_where_lines_would_not_do(tmp_path, script, options):
    reader = Printer(read=values, **script)
    end = b"\r\n" if options else b"\n"
    assert run(reader, task(tmp_path, options), tmp_path) == [end.join([b"1", b"2", b"3", b""])]
    assert "read" in reader.calls


def test_a_reader_without_lines_is_not_asked_for_any(tmp_path):
    assert run(kit.ScriptedReader(read=values), task(tmp_path), tmp_path) == [b"1\n2\n3\n"]


def test_what_misfits_is_read_as_values_the_second_time(tmp_path):
    def misfit(_):
        raise RereadError

    reader = Printer(read=values, lines=misfit)
    assert run(reader, task(tmp_path), tmp_path) == [b"1\n2\n3\n"]
    assert reader.exact is True
    assert reader.calls.count("lines") == 1
