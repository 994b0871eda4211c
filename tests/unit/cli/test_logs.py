"""`etltui logs`: what is shown of the log, and how (S0-136, S1-64)."""

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from etltui.cli import logs
from etltui.cli.logs import since
from etltui.domain.errors import ConfigError

NOW = datetime(2026, 11, 22, 4, 35, tzinfo=UTC)
RUN = "20261121T230500Z-7F3K"


@pytest.fixture
def full(desk):
    """A log over two files, of two runs."""
    desk.now = datetime.now(UTC) - timedelta(hours=3)
    desk.log({"message": "old", "run": "20261120T230500Z-ABCD"}, name="etltui.jsonl.1")
    desk.now = datetime.now(UTC)
    desk.log(
        {"message": "one", "run": RUN, "connection": "Branch_001"},
        {"message": "two", "run": RUN, "connection": "Other", "level": "warning"},
        {"message": "three", "run": RUN, "level": "error", "traceback": "Traceback\n  boom\x1b[2J"},
        "four",
    )
    return desk


def shown(told):
    assert told.exit_code == 0, told.output
    return [line[20:] for line in told.stdout.splitlines()]


def test_s0_136_lines_say_when_how_heavy_and_of_what(full):
    full.configure(settings='timezone = "Asia/Kolkata"')
    told = full.ask("logs")
    assert shown(told) == [
        "info    [ABCD] old",
        "info    [7F3K Branch_001] one",
        "warning [7F3K Other] two",
        "error   [7F3K] three",
        "",  # a traceback is indented below its line
        "",
        "info    four",
    ]
    assert told.stdout.splitlines()[4:6] == ["    Traceback", "      boom␛[2J"]
    there = full.now.astimezone(ZoneInfo("Asia/Kolkata"))
    assert told.stdout.splitlines()[1].startswith(f"{there:%Y-%m-%d %H:%M:%S} ")
    assert "\x1b" not in told.stdout


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (["--run", "7f3k"], ["one", "two", "three"]),
        (["--run", "20261120"], ["old"]),
        (["--run", RUN, "-n", "1"], ["three"]),
        (["--connection", "Branch_*"], ["one"]),
        (["--connection", "*"], ["old", "one", "two", "three", "four"]),
        (["--level", "warning"], ["two", "three"]),
        (["--level", "error"], ["three"]),
        (["--grep", "^t"], ["two", "three"]),
        (["--grep", "boom"], ["three"]),
        (["--since", "2h"], ["one", "two", "three", "four"]),
        (["--since", "2h", "-n", "2"], ["three", "four"]),
        (["--since", "1d", "--level", "info"], ["old", "one", "two", "three", "four"]),
        (["-n", "0"], []),
        (["-n", "3"], ["two", "three", "four"]),
    ],
)
def test_filters_choose_and_the_number_counts_what_is_left(full, words, left):
    told = full.ask("logs", "--json", *words)
    assert [json.loads(line)["message"] for line in told.stdout.splitlines()] == left


def test_json_lines_are_as_they_are_but_harmless(desk):
    desk.log({"message": "Zürich \u202e \x9b31m \x1b[0m"})
    (line,) = desk.ask("logs", "--json").stdout.splitlines()
    assert json.loads(line)["message"] == "Zürich \u202e \x9b31m \x1b[0m"
    assert "Zürich \\u202e \\u009b31m \\u001b[0m" in line
    desk.log("plain")
    *_, last = desk.ask("logs", "--json").stdout.splitlines()
    *_, raw = (desk.state / "logs" / "etltui.jsonl").read_text("utf-8").splitlines()
    assert last == raw


def test_the_last_fifty_are_shown_and_a_torn_line_among_them(desk):
    desk.log(*map(str, range(60)))
    with (desk.state / "logs" / "etltui.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"time": "2026-11{"time"\n')
    lines = desk.ask("logs").stdout.splitlines()
    assert len(lines) == 50
    assert lines[0].endswith("info    11")
    assert lines[-1] == '??????????????????? ?       {"time": "2026-11{"time"'


def test_everything_is_exported_into_a_new_private_file(desk, tmp_path):
    desk.log(*map(str, range(60)))
    told = desk.ask("logs", "--export", "night.log", "--grep", "^[1-5]?[0-9]$")
    assert told.output == "60 lines in night.log\n"
    file = tmp_path / "night.log"
    assert len(file.read_text("utf-8").splitlines()) == 60
    assert file.stat().st_mode & 0o777 == 0o600
    again = desk.ask("logs", "--export", "night.log")
    assert again.exit_code == 2
    assert "--export: night.log cannot be made: file exists" in again.output
    assert desk.ask("logs", "--export", "n.jsonl", "--json", "-n", 2).output.startswith("2 lines")
    assert len((tmp_path / "n.jsonl").read_text().splitlines()) == 2


def test_an_export_that_is_broken_off_leaves_nothing(desk, tmp_path, monkeypatch):
    desk.log("one")

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(logs, "readable", interrupted)
    assert desk.ask("logs", "--export", "night.log").exit_code == 1
    assert not (tmp_path / "night.log").exists()


def test_no_log_is_no_line(desk):
    told = desk.ask("logs")
    assert shown(told) == []
    assert told.stderr == "No line of the log is like that.\n"
    assert desk.ask("logs", "--json").output == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--grep", "("], "--grep: '(' is no pattern: missing )"),
        (["--since", "yesterday"], "--since: 'yesterday' is no time. Write 2h"),
        (["--follow", "--export", "x"], "--follow: does not go with --export"),
    ],
)
def test_what_cannot_be_meant_is_refused(desk, words, said):
    told = desk.ask("logs", *words)
    assert told.exit_code == 2
    assert said in told.output


@pytest.mark.parametrize(
    ("text", "timezone", "then"),
    [
        ("30s", "", NOW - timedelta(seconds=30)),
        ("90 m", "", NOW - timedelta(minutes=90)),
        ("2h", "", NOW - timedelta(hours=2)),
        ("3d", "", NOW - timedelta(days=3)),
        ("99999w", "", NOW - timedelta(weeks=99999)),
        ("2026-11-22", "Asia/Kolkata", datetime(2026, 11, 21, 18, 30, tzinfo=UTC)),
        ("2026-11-22T04:00", "Asia/Kolkata", datetime(2026, 11, 21, 22, 30, tzinfo=UTC)),
        ("2026-11-22 04:00Z", "Asia/Kolkata", datetime(2026, 11, 22, 4, 0, tzinfo=UTC)),
        ("2026-11-22T04:00", "", datetime(2026, 11, 22, 4, 0).astimezone()),
    ],
)
def test_times_are_ago_or_in_the_settings_zone(text, timezone, then):
    assert since(text, NOW, timezone) == then.timestamp()


def test_a_number_too_large_for_a_time_is_refused():
    with pytest.raises(ConfigError):
        since("100000w", NOW, "")


def test_following_ends_with_the_interrupt(desk, monkeypatch):
    desk.log("one")
    steps = [lambda: desk.log("two"), lambda: desk.log({"message": "no", "level": "debug"})]

    def turn():
        if not steps:
            raise KeyboardInterrupt
        steps.pop(0)()
        return True

    monkeypatch.setattr(logs, "_reader_is_there", turn)
    assert shown(desk.ask("logs", "-f", "--level", "info")) == ["info    one", "info    two"]
