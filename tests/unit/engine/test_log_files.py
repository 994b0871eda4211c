"""The log's files: order, torn lines, rotation while somebody reads."""

import json
import random

import pytest

from etltui.engine import log_files
from etltui.engine.log import LOG
from etltui.engine.log_files import Follower, LogFile, backwards, forwards, opened, parsed


def line(number, **more):
    facts = {"time": "2026-11-21T23:05:00.000+00:00", "level": "info", "message": f"m{number}"}
    return json.dumps({**facts, **more}, ensure_ascii=False) + "\n"


def put(path, *numbers, end=""):
    path.write_text("".join(map(line, numbers)) + end, encoding="utf-8")


def add(path, text):
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def messages(lines):
    return [each.message for each in lines]


def rotate(folder):
    """As `logging.handlers` does it."""
    for number in range(3, 0, -1):
        if (folder / f"{LOG}.{number}").exists():
            (folder / f"{LOG}.{number}").rename(folder / f"{LOG}.{number + 1}")
    (folder / LOG).rename(folder / f"{LOG}.1")


class Turns:
    """What happens whenever the reader has nothing more to read; after the last it stops."""

    def __init__(self, *turns):
        self.turns = list(turns)

    def __call__(self):
        if not self.turns:
            return False
        self.turns.pop(0)()
        return True


def test_a_line_is_read_with_all_it_holds():
    read = parsed(line(1, level="error", run="R1", connection="Zürich", traceback="T").encode())
    assert (read.message, read.level, read.run, read.connection, read.traceback) == (
        *("m1", "error", "R1", "Zürich"),
        "T",
    )
    assert read.time == 1795302300.0
    assert read.raw == line(1, level="error", run="R1", connection="Zürich", traceback="T")[:-1]


@pytest.mark.parametrize(
    "raw",
    [
        *(b"half a li", b'{"time": "x"}', b"[]", b"7", b"\xff\xfe", b'{"a"'),
        b'{"time": 1, "level": "info", "message": "m"}',
        b'{"time": "2026-11-21T23:05:00", "level": [], "message": "m"}',
    ],
)
def test_what_is_no_line_of_ours_is_kept_as_it_is(raw):
    read = parsed(raw)
    assert read.raw == read.message == raw.decode("utf-8", "replace")
    assert (read.time, read.level) == (0.0, "")
    assert read.weighs("error")


def test_a_level_that_nobody_knows_weighs_as_an_error():
    assert parsed(line(1, level="critical").encode()).level == "error"


def test_levels_weigh():
    read = parsed(line(1, level="warning").encode())
    assert [read.weighs(level) for level in ("debug", "warning", "error")] == [True, True, False]


def test_rotations_are_read_in_order_from_both_ends(tmp_path):
    put(tmp_path / LOG, 5, 6)
    put(tmp_path / f"{LOG}.1", 3, 4)
    put(tmp_path / f"{LOG}.4", 1, 2)
    with opened(tmp_path) as files:
        assert messages(forwards(files)) == ["m1", "m2", "m3", "m4", "m5", "m6"]
        assert messages(backwards(files)) == ["m6", "m5", "m4", "m3", "m2", "m1"]


def test_no_log_is_an_empty_log(tmp_path):
    with opened(tmp_path / "none") as files:
        assert [*forwards(files), *backwards(files)] == []


@pytest.mark.parametrize("block", [1, 7, 64, 65536])
def test_backwards_is_forwards_reversed_whatever_the_block(tmp_path, monkeypatch, block):
    monkeypatch.setattr(log_files, "_BLOCK", block)
    lengths = random.Random(block)
    put(tmp_path / LOG, *("ä" * lengths.randrange(90) for _ in range(20)), end="torn")
    with opened(tmp_path) as files:
        there = messages(forwards(files))
        assert len(there) == 20
        assert messages(backwards(files)) == there[::-1]


def test_a_line_that_is_being_written_is_not_read_yet(tmp_path):
    put(tmp_path / LOG, 1, end=line(2)[:-1])
    with opened(tmp_path) as files:
        assert messages(forwards(files)) == messages(backwards(files)) == ["m1"]
    (tmp_path / LOG).write_text("torn and nothing else")
    with opened(tmp_path) as files:
        assert [*forwards(files), *backwards(files)] == []


def test_what_came_after_the_opening_is_not_read(tmp_path):
    put(tmp_path / LOG, 1)
    with opened(tmp_path) as files:
        add(tmp_path / LOG, line(2))
        assert messages(forwards(files)) == messages(backwards(files)) == ["m1"]


def test_a_file_written_before_the_time_asked_for_is_left_alone(tmp_path):
    put(tmp_path / LOG, 2)
    put(tmp_path / f"{LOG}.1", 1)
    now = (tmp_path / LOG).stat().st_mtime
    with opened(tmp_path) as files:
        assert messages(forwards(files, since=now)) in (["m2"], ["m1", "m2"])
        assert messages(forwards(files, since=now + 1)) == []


def test_a_rotation_in_the_midst_of_opening_hides_and_repeats_nothing(tmp_path, monkeypatch):
    put(tmp_path / LOG, 2)
    put(tmp_path / f"{LOG}.1", 1)
    of, rotations = LogFile.of, [rotate]

    def rotated(file):
        if rotations:
            rotations.pop()(tmp_path)
        return of(file)

    monkeypatch.setattr(LogFile, "of", rotated)
    with opened(tmp_path) as files:
        assert messages(forwards(files)) == ["m1", "m2"]


def test_following_goes_on_where_reading_ended_over_rotations(tmp_path):
    put(tmp_path / LOG, 1)

    def twice():
        add(tmp_path / LOG, line(4))
        rotate(tmp_path)
        put(tmp_path / LOG, 5)
        rotate(tmp_path)
        put(tmp_path / LOG, 6)

    turns = Turns(
        lambda: add(tmp_path / LOG, line(3)[:9]),
        lambda: add(tmp_path / LOG, line(3)[9:]),
        twice,
        lambda: add(tmp_path / LOG, line(7)),
    )
    with opened(tmp_path) as files:
        add(tmp_path / LOG, line(2))
        assert messages(forwards(files)) == ["m1"]
        follower = Follower(tmp_path, files[-1])
    with follower:
        assert messages(follower.lines(turns)) == ["m2", "m3", "m4", "m5", "m6", "m7"]


def test_following_begins_before_there_is_a_log(tmp_path):
    folder = tmp_path / "logs"
    turns = Turns(folder.mkdir, lambda: put(folder / LOG, 1), lambda: add(folder / LOG, line(2)))
    with Follower(folder, None) as follower:
        assert messages(follower.lines(turns)) == ["m1", "m2"]


def test_following_where_nothing_ever_comes(tmp_path):
    with Follower(tmp_path, None) as follower:
        assert messages(follower.lines(Turns(lambda: None))) == []


def test_following_outlives_the_emptying_and_the_loss_of_the_file(tmp_path):
    put(tmp_path / LOG, 1, 2)
    with opened(tmp_path) as files:
        follower = Follower(tmp_path, files[-1])
    turns = Turns(
        lambda: put(tmp_path / LOG, 3),
        (tmp_path / LOG).unlink,
        lambda: put(tmp_path / LOG, 4),
    )
    with follower:
        assert messages(follower.lines(turns)) == ["m3", "m4"]


def test_following_starts_over_when_its_file_is_gone_with_all_it_knew(tmp_path):
    put(tmp_path / LOG, 1)
    with opened(tmp_path) as files:
        follower = Follower(tmp_path, files[-1])

    def replaced():
        (tmp_path / LOG).rename(tmp_path / "elsewhere")
        put(tmp_path / f"{LOG}.1", 2)
        put(tmp_path / LOG, 3)

    with follower:
        assert messages(follower.lines(Turns(replaced))) == ["m2", "m3"]
