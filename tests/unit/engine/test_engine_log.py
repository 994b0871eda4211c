"""The log's lines, its file, and the words the specification gives them."""

import json
import logging
import logging.handlers

import pytest

from etltui.domain.errors import StateError
from etltui.domain.job import Destination, ExcelOptions
from etltui.engine import log as log_module
from etltui.engine.log import JsonLines, about, logging_to

_log = logging.getLogger("etltui.test")


def lines(folder, name="etltui.jsonl"):
    return [json.loads(line) for line in (folder / name).read_text("utf-8").splitlines()]


def test_a_line_is_json_with_run_and_connection(tmp_path):
    with logging_to(tmp_path, "info"):
        with about(run="R1"), about(connection="Zürich"):
            _log.info("read %d rows\nand \x1b[31mmore", 7)
        _log.warning("alone")
    first, second = lines(tmp_path)
    assert first.pop("time").endswith("+00:00")
    assert first == {
        "level": "info",
        "run": "R1",
        "connection": "Zürich",
        "message": "read 7 rows\nand \x1b[31mmore",
    }
    assert set(second) == {"time", "level", "message"}


def test_an_inner_block_keeps_the_run_and_an_outer_one_comes_back(tmp_path):
    with logging_to(tmp_path, "info"), about(run="R1"):
        with about(connection="A"):
            _log.info("in")
        _log.info("out")
    inside, outside = lines(tmp_path)
    assert (inside["run"], inside["connection"]) == ("R1", "A")
    assert (outside["run"], "connection" in outside) == ("R1", False)


def test_a_traceback_stands_apart_from_the_message(tmp_path):
    password = "hunter2"  # a local, which must not be printed
    with logging_to(tmp_path, "info"):
        try:
            int(password[:1])
        except ValueError:
            _log.exception("it failed")
    (line,) = lines(tmp_path)
    assert line["message"] == "it failed"
    assert line["traceback"].startswith("Traceback")
    assert password not in line["traceback"]


def test_arguments_are_read_when_the_line_is_logged(tmp_path):
    names = ["A"]
    with logging_to(tmp_path, "info"):
        _log.info("kept %s", names)
        names.clear()
    assert lines(tmp_path)[0]["message"] == "kept ['A']"


@pytest.mark.parametrize(
    ("level", "count"), [("error", 1), ("warning", 2), ("info", 3), ("debug", 4)]
)
def test_the_level_decides(tmp_path, level, count):
    with logging_to(tmp_path, level):
        for say in (_log.error, _log.warning, _log.info, _log.debug):
            say("x")
    assert len(lines(tmp_path)) == count


def test_folder_and_file_are_the_owners_alone_after_a_rotation_too(tmp_path, monkeypatch):
    monkeypatch.setattr(log_module, "LARGEST", 200)
    folder = tmp_path / "logs"
    with logging_to(folder, "info"):
        for number in range(20):
            _log.info("line %d", number)
    files = sorted(folder.iterdir())
    assert [path.name for path in files] == [
        "etltui.jsonl",
        *(f"etltui.jsonl.{n}" for n in range(1, 5)),
    ]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert lines(folder)[-1]["message"] == "line 19"


def test_a_file_is_continued_and_logging_is_left_as_it_was(tmp_path):
    root = logging.getLogger("etltui")
    before = (root.level, root.propagate, list(root.handlers))
    for word in ("first", "second"):
        with logging_to(tmp_path, "debug"):
            assert root.propagate is False
            _log.info(word)
    assert (root.level, root.propagate, root.handlers) == before
    assert [line["message"] for line in lines(tmp_path)] == ["first", "second"]


@pytest.fixture
def file(tmp_path):
    """The handler that writes the file, without its thread."""
    made = log_module._PrivateFile(tmp_path / "etltui.jsonl", encoding="utf-8")
    made.setFormatter(JsonLines())
    yield made
    made.close()


def say(file, *texts):
    for text in texts:
        file.emit(logging.makeLogRecord({"levelname": "INFO", "msg": text}))


def test_a_log_on_a_full_disk_is_quiet_and_says_later_what_it_lacks(tmp_path, file, capsys):
    path = tmp_path / "etltui.jsonl"
    say(file, "before")
    path.rename(tmp_path / "aside")
    path.symlink_to("/dev/full")
    file.stream.close()
    say(file, "lost", "lost, too", "and this")
    path.unlink()
    (tmp_path / "aside").rename(path)
    say(file, "after")
    assert [line["message"] for line in lines(tmp_path)] == [
        "before",
        "3 lines are missing here: the log could not be written",
        "after",
    ]
    assert capsys.readouterr() == ("", "")


def test_half_a_line_does_not_take_the_next_one_with_it(tmp_path, file):
    say(file, "whole")
    with (tmp_path / "etltui.jsonl").open("a") as torn:
        torn.write('{"message": "hal')
    with logging_to(tmp_path, "info"):
        _log.info("next")
    _, half, last = (tmp_path / "etltui.jsonl").read_text().splitlines()
    assert (half, json.loads(last)["message"]) == ('{"message": "hal', "next")


def test_a_log_that_ends_on_a_full_disk_ends(tmp_path):
    (tmp_path / "etltui.jsonl").symlink_to("/dev/full")
    with logging_to(tmp_path, "info"):
        _log.info("lost")


def test_a_log_that_cannot_be_opened_is_named(tmp_path):
    (tmp_path / "etltui.jsonl").mkdir()
    with (
        pytest.raises(StateError, match=r"etltui\.jsonl cannot be opened"),
        logging_to(tmp_path, "info"),
    ):
        pass


def test_a_record_from_elsewhere_has_no_run():
    record = logging.LogRecord("x", logging.INFO, "x.py", 1, "hello", None, None)
    assert "run" not in json.loads(JsonLines().format(record))


async def test_s3_14_the_specifications_lines(world, tmp_path):
    with logging_to(tmp_path / "logs", "info"):
        excel = Destination(type="excel", path="out/a.xlsx", options=ExcelOptions())
        world.job(destinations=(*world.jobs["sales"].destinations, excel))
        world.renew()
        result = await world.run(only=["B"])
    audit, *found = lines(tmp_path / "logs")
    assert audit["message"].startswith("Audit record 1, submit sales: hash ")
    assert {line["run"] for line in found} == {result.run}
    of_b = [line["message"] for line in found if line.get("connection") == "B"]
    assert of_b == [
        "Memory usage: 0MB / 512MB (0.0%)",
        "Executing connection: B",
        "Progressive CSV write: B (2 rows) appended",
        "Progressive Excel write: B (2 rows) appended",
        "Memory cleaned for B",
    ]
