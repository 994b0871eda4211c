"""Following the log as a process: a reader that leaves, and an interrupt."""

import signal
from datetime import UTC, datetime

from functional.cli_kit import LIMIT_S, start

LINE = '{{"time": "{}", "level": "info", "message": "{}"}}\n'


def say(folder, message):
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "etltui.jsonl").open("a", encoding="utf-8") as file:
        file.write(LINE.format(datetime.now(UTC).isoformat(), message))


def follow(tmp_path):
    say(tmp_path / "logs", "one")
    process = start(
        "logs", "--follow", "--json", ETLTUI_STATE_DIR=str(tmp_path), HOME=str(tmp_path)
    )
    assert "one" in process.stdout.readline()
    say(tmp_path / "logs", "two")
    assert "two" in process.stdout.readline()
    return process


def test_an_interrupt_ends_following_cleanly(tmp_path):
    with follow(tmp_path) as process:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, out, err) == (0, "", "")


def test_a_reader_that_has_seen_enough_ends_following_without_another_line(tmp_path):
    with follow(tmp_path) as process:
        process.stdout.close()
        assert process.wait(timeout=LIMIT_S) == 0
        assert process.stderr.read() == ""
