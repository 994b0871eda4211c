"""A moment in the log: found by halving, over files, torn lines and whatever is none of ours."""

import json
import random
from datetime import UTC, datetime

import pytest

from etltui.engine import log_search
from etltui.engine.log import LOG
from etltui.engine.log_files import opened, parsed
from etltui.engine.log_search import nearest


def line(at, message=None):
    when = datetime.fromtimestamp(at, UTC).isoformat()
    return json.dumps({"time": when, "level": "info", "message": message or f"at {at}"}) + "\n"


@pytest.fixture
def look(tmp_path):
    def at(moment):
        with opened(tmp_path) as files:
            found = nearest(files, moment)
        return found and found.message

    return at


def test_the_line_nearest_to_a_moment_is_found_in_every_file(tmp_path, look):
    (tmp_path / f"{LOG}.2").write_text(line(100) + line(200), "utf-8")
    (tmp_path / f"{LOG}.1").write_text(line(300) + line(400), "utf-8")
    (tmp_path / LOG).write_text(line(500) + line(600), "utf-8")
    wanted = {0: 100, 149: 100, 151: 200, 249: 200, 251: 300, 449: 400, 451: 500, 9999: 600}
    assert {at: look(at) for at in wanted} == {at: f"at {to}" for at, to in wanted.items()}
    # Of two that are as near the earlier one.
    assert look(450) == "at 400"


def test_of_lines_of_one_moment_the_last_one_before_the_next_moment_is_shown(tmp_path, look):
    (tmp_path / LOG).write_text(line(5) + line(7, "a") + line(7, "b") + line(9), "utf-8")
    assert look(7) == "b"


def test_a_log_without_a_line_has_none(tmp_path, look):
    assert look(5) is None
    (tmp_path / LOG).write_text("", "utf-8")
    assert look(5) is None
    (tmp_path / LOG).write_text("none of ours\n" * 3 + line(5).rstrip("\n"), "utf-8")
    assert look(5) is None
    (tmp_path / f"{LOG}.1").write_text(line(1), "utf-8")
    assert look(5) == "at 1"


def test_what_is_no_line_of_ours_is_passed_over(tmp_path, look):
    torn = '{"time": "2026\n'
    (tmp_path / LOG).write_text(f"{torn}{line(10)}{torn * 50}{line(20)}{torn}", "utf-8")
    assert [look(at) for at in (0, 14, 16, 99)] == ["at 10", "at 10", "at 20", "at 20"]


@pytest.fixture
def read(monkeypatch):
    """The lines that were looked into."""
    found, real = [], parsed
    monkeypatch.setattr(log_search, "parsed", lambda raw: found.append(raw) or real(raw))
    return found


def test_whatever_is_in_it_no_line_is_looked_at_many_times(tmp_path, look, read):
    (tmp_path / LOG).write_text("none of ours\n" * 5000 + line(5), "utf-8")
    assert look(1) == "at 5"
    assert len(read) < 5100


def test_a_long_log_is_not_read_through(tmp_path, look, read):
    chance = random.Random(5)
    times = sorted({chance.randrange(100_000) for _ in range(5000)})
    text = "".join(line(at, f"{at} {'x' * chance.randrange(90)}") for at in times)
    (tmp_path / LOG).write_text(text, "utf-8")
    for _ in range(200):
        at = chance.randrange(100_000)
        expected = min(times, key=lambda time: (abs(time - at), time))
        read.clear()
        assert look(at).split()[0] == str(expected)
        assert len(read) < 25
