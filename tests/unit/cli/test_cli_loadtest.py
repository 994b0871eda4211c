"""`etltui loadtest` in this process: what it refuses, and a small test from order to report."""

import json
import signal
from pathlib import Path

import pytest
from click.testing import CliRunner

from etltui.bootstrap import open_records
from etltui.cli import loadtest as module
from etltui.cli.main import main
from etltui.loadtest import drive, record
from etltui.loadtest.judge import Verdict
from loadtest_kit import report

TINY = ("--connections", 3, "--rows", 5, "--jobs", 2, "--rounds", 1)


@pytest.fixture
def ask(tmp_path, monkeypatch):
    """Call it in an empty folder, with nothing of the operator's around."""
    for name in ("ETLTUI_CONFIG", "ETLTUI_STATE_DIR", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def asked(*words):
        arguments = ["loadtest", *map(str, words)]
        return CliRunner().invoke(main, arguments, catch_exceptions=False)

    return asked


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--connections", 501), "501 is not in the range 1<=x<=500"),
        (("--stall", "x"), "'x' is no share: write 0.1 or 10%"),
        (("--stall", "101%"), "'101%' is no share"),
        (("--stall", "10%:0"), "'0' is no time of a stall"),
        (("--stall", "10%:201"), "'201' is no time of a stall"),
        (("--stall", "10%:"), "'' is no time of a stall"),
        (("--failures", "nan"), "'nan' is no share"),
        (("--failures", "-1"), "'-1' is no share"),
        (("--stall", "60%", "--failures", "0.5"), "together more than all connections"),
        (("--job", "sales", "--rows", 3, "--latency", 2), "leave out --rows, --latency"),
        (("--user", "reader"), "--user and --password are of --url"),
        (("--against", "absent.json"), "--against: absent.json cannot be read"),
        (("--html", "absent/report.html"), "--html: absent/report.html is there already, or"),
        (("--job", "sales"), "no configuration found"),
        (("--url", "nonsense", "--folder", "."), "--url: is not a url"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_made(ask, tmp_path, words, why):
    told = ask(*words)
    assert told.exit_code == 2
    assert why in told.output
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_page_that_is_there_is_kept(ask, tmp_path):
    page = tmp_path / "report.html"
    page.write_text("mine")
    assert ask("--html", page).exit_code == 2
    assert page.read_text() == "mine"


def test_s0_138_a_test_is_reported_stored_and_held_against_another(ask, tmp_path):
    before = record.stored(report(), tmp_path / "before")
    folder, page = tmp_path / "reports", tmp_path / "report.html"
    told = ask(*TINY, "--against", before, "--folder", folder, "--html", page, "--keep")
    assert told.exit_code == 0
    assert "✓ Load test passed" in told.stdout
    assert "3 connections (sqlite) x 2 jobs, 5 rows each" in told.stdout
    assert "rows a second" in told.stdout
    assert "jobs was" not in told.stdout
    assert "connections was 6, is 3" in told.stdout
    assert "Against an earlier test" in page.read_text(encoding="utf-8")
    (stored,) = folder.iterdir()
    assert record.read(stored).rows == 30
    (kept,) = (tmp_path / "tmp").iterdir()
    assert f"kept: {kept}" in told.stderr
    assert (kept / "output" / "load_2.csv").exists()


def test_s0_138_what_goes_wrong_ends_with_1(ask, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "judged", lambda *_: Verdict(wrong=("so it is",)))
    told = ask(*TINY, "--json")
    assert told.exit_code == 1
    assert json.loads(told.stdout)["wrong"] == ["so it is"]
    assert list((tmp_path / "tmp").iterdir()) == []


async def test_a_state_folder_that_is_held_takes_reports_too(tmp_path):
    async with open_records(tmp_path / "state"):
        await module.made(tmp_path / "state")


def test_a_signal_stops_it_with_what_there_is(ask, monkeypatch):
    told_of = []

    class Raised(drive.Drive):
        """Is stopped as soon as its engine has started."""

        def __init__(self, *arguments, tell, **named):
            def tell_and_stop(words):
                tell(words)
                if not told_of:
                    told_of.append(words)
                    signal.raise_signal(signal.SIGINT)

            super().__init__(*arguments, tell=tell_and_stop, **named)

    monkeypatch.setattr(module, "Drive", Raised)
    told = ask(*TINY, "--stall", "0.4:150")
    assert told.exit_code == 130
    assert "stopped early, nothing wrong by then" in told.stdout
    assert told_of == ["running 2 jobs at once for 1 round"]
    assert list(Path("tmp").iterdir()) == []
