"""What a crash leaves behind: a report, and no secret."""

import stat
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from textual.widgets import Static
from textual.worker import WorkerFailed

from etltui.console.base import Left, ScreenApp
from etltui.console.crash import MOST_TEXT, report, safe_words, secrets, write
from etltui.console.terminal import Terminal
from etltui.domain.job import Credential

AT = datetime(2026, 11, 21, 20, 30, tzinfo=UTC)
SECRET = "s3cret-w0rd"
SCREEN = Terminal(kind="screen", colour="none", unicode=True)


def raised():
    password = SECRET
    try:
        try:
            refused(password)
        except KeyError as error:
            raise ValueError(f"postgresql://me:{password}@host/db") from error
    except ValueError as error:
        return error


def refused(password):
    raise KeyError(f"login with {password} refused")


def test_the_report_has_frames_and_versions_but_no_values():
    text = report(raised(), at=AT, known=[SECRET])
    assert SECRET not in text
    assert "builtins.ValueError: postgresql://me:***@host/db" in text
    assert "builtins.KeyError: 'login with *** refused'" in text
    assert f"{__file__}:" in text
    assert "raised\n" in text
    assert "textual 8" in text
    assert "2026-11-21T20:30:00+00:00" in text
    assert "password = SECRET" not in text


def test_exceptions_in_a_group_are_told_once_each():
    inner = raised()
    group = ExceptionGroup("both", [inner, OSError("disk")])
    text = report(group, at=AT, known=[SECRET])
    assert text.count("builtins.ValueError") == 1
    assert "builtins.OSError: disk" in text
    assert "ExceptionGroup: both" in text


def test_what_was_set_aside_on_purpose_is_not_told():
    def quiet():
        try:
            refused("inner")
        except KeyError:
            raise OSError("outer") from None

    with pytest.raises(OSError, match="outer") as caught:
        quiet()
    assert "inner" not in report(caught.value, at=AT)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("mssql://sa:pw@h", "mssql://sa:***@h"),
        ("Password=abc;x", "Password=***"),
        ("a\x1b[2Jb", "a␛[2Jb"),
        ("x" * 2 * MOST_TEXT, "x" * MOST_TEXT),
    ],
)
def test_words_are_harmless_without_knowing_the_secret(text, left):
    assert safe_words(ValueError(text), []) == left


def test_secrets_come_from_the_configuration_and_the_environment(tmp_path):
    (tmp_path / "pw").write_text("from-a-file\n")
    (tmp_path / "pw").chmod(0o600)
    config = SimpleNamespace(
        path=tmp_path / "etltui.toml",
        credentials={
            "a": Credential(name="a", password="env:NORTH"),
            "b": Credential(name="b", password="file:pw"),
            "c": Credential(name="c", password="cmd:exit 1"),
            "d": Credential(name="d", password="env:MISSING"),
        },
    )
    environ = {"NORTH": "northern", "DB_PASSWORD": "hunter22", "API_KEY": "abc", "HOME": "/root"}
    assert sorted(secrets(config, environ)) == ["from-a-file", "hunter22", "northern"]
    assert secrets(None, environ) == ["hunter22"]


def test_the_report_is_for_its_owner_only(tmp_path):
    path = write("text", tmp_path / "state", AT)
    assert path.read_text() == "text"
    assert path.name.startswith("crash-20261121T203000-")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


class Broken(ScreenApp):
    def compose(self):
        yield Static("here")

    def key_x(self):
        password = SECRET
        raise ValueError(f"with {password}")

    def key_p(self):
        self.panic(f"with {SECRET}")


async def test_an_exception_ends_the_screen_and_nothing_is_printed(capsys):
    app = Broken(SCREEN)
    with pytest.raises(ValueError, match="with"):
        async with app.run_test() as pilot:
            await pilot.press("x")
    assert isinstance(app.crash, ValueError)
    assert app.return_code == 1
    assert capsys.readouterr() == ("", "")


async def test_what_a_worker_raised_is_told_with_where_it_was(capsys):
    app = Broken(SCREEN)
    error = raised()
    with pytest.raises(ValueError, match="postgresql"):
        async with app.run_test():
            app._handle_exception(WorkerFailed(error))
    assert app.crash is error
    assert capsys.readouterr() == ("", "")


async def test_a_panic_ends_the_screen_and_nothing_is_printed(capsys):
    app = Broken(SCREEN)
    with pytest.raises(RuntimeError):
        async with app.run_test() as pilot:
            await pilot.press("p")
    assert "could not go on" in str(app.crash)
    assert capsys.readouterr() == ("", "")


async def test_a_terminal_that_has_gone_ends_the_screen():
    app = Broken(SCREEN)
    async with app.run_test():
        assert (app.waiting_bytes, app.drained_s) == (0, 0.0)
        app.terminal_gone()
    assert app.return_value is Left.GONE
    assert app.crash is None
