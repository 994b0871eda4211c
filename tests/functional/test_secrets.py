"""Passwords are found where the configuration refers to, and written nowhere."""

import zipfile

import pytest

from etltui.cli import demo
from etltui.cli.demo_data import Demo
from functional.cli_kit import configure, etltui, run

GOOD, LEAKED = "canary-of-a-variable", "canary-of-a-command"
CREDENTIALS = """
[credentials.good]
user = "reader"
password = "env:TILL_PASSWORD"

[credentials.bad]
user = "reader"
password = "cmd:./fails.sh"
"""

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def folder(tmp_path):
    """Two branches: the password of one is found, the command for the other's fails loudly."""
    made = tmp_path / "demo"
    demo.prepare(made, Demo(seed=3, branches=2, rows=50))
    script = made / "fails.sh"
    script.write_text(f"#!/bin/sh\necho {LEAKED}\necho {LEAKED} >&2\nexit 1\n")
    script.chmod(0o700)
    configure(made, "[settings]", '[settings]\nlog_level = "debug"')
    configure(made, "[connections.branch_001]", '[connections.branch_001]\ncredential = "good"')
    configure(made, "[connections.branch_002]", '[connections.branch_002]\ncredential = "bad"')
    config = made / "config.toml"
    config.write_text(config.read_text() + CREDENTIALS)
    return made


def written(folder):
    """All bytes of all files that the commands left, workbooks taken apart."""
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "fails.sh":
            yield path.name.encode() + path.read_bytes()
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as book:
                    yield from map(book.read, book.namelist())


def test_a_password_is_in_no_file_and_no_answer(folder):
    """N-21: state, logs, targets, and what commands say, after a run that needed it."""
    config = ("--config", folder / "config.toml")
    ended = run(folder, TILL_PASSWORD=GOOD)
    assert ended.code == 3, ended.err
    assert ended.finished["connections"] == ended.finished["connections"] | {
        "completed": 1,
        "failed": 1,
    }
    told = [ended]
    for words in (
        ("show", ended.finished["run"], "--json"),
        ("config", "show", "--json"),
        ("doctor", "--json"),
        ("test", "--json"),
        ("logs", "--json"),
    ):
        told.append(etltui(*words, *config, TILL_PASSWORD=GOOD))
        assert told[-1].out, words
    said = [(answer.out + answer.err).encode() for answer in told]
    files = list(written(folder))
    assert any(b"fails.sh" in each for each in files)
    assert any(b"cmd:***" in each for each in said)
    for text in [*said, *files]:
        assert GOOD.encode() not in text
        assert LEAKED.encode() not in text
