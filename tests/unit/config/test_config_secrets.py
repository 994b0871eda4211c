"""Secrets: how references are resolved, and that nothing ever shows one."""

import os
import shlex
import sys
import traceback

import pytest

from etltui.config import secrets
from etltui.config.secrets import resolve, shown_reference
from etltui.domain.errors import ErrorClass, Failure
from unit.config.config_desk import CANARY


def command(script, *arguments):
    return "cmd:" + shlex.join([sys.executable, "-c", script, *arguments])


def failure(reference, base, environ=None):
    """Why it cannot be had: of class secret, and bare of the secret down to its last cause."""
    with pytest.raises(Failure) as caught:
        resolve(reference, base=base, environ=os.environ if environ is None else environ)
    fault = caught.value
    assert fault.error_class is ErrorClass.SECRET
    assert CANARY not in "".join(traceback.format_exception(fault))
    while fault is not None:
        assert CANARY not in repr(vars(fault))
        fault = fault.__cause__ or fault.__context__
    return caught.value.message


def test_nothing_leads_to_nothing(tmp_path):
    assert resolve("", base=tmp_path, environ={}) == ""


def test_a_variable(tmp_path):
    assert resolve("env:X", base=tmp_path, environ={"X": " a:b\n"}) == " a:b\n"
    for environ in ({}, {"X": ""}):
        assert "the environment variable X is not set" in failure("env:X", tmp_path, environ)


@pytest.mark.parametrize(
    ("content", "secret"),
    [(b"x y \n", "x y "), (b"x\r\n", "x"), (b"x\n\n", "x\n"), ("ß".encode(), "ß"), (b"x\r", "x\r")],
)
def test_a_file_without_one_line_end(tmp_path, content, secret):
    path = tmp_path / "secret"
    path.write_bytes(content)
    path.chmod(0o400)
    for reference in ("file:secret", f"file:{path}"):
        assert resolve(reference, base=tmp_path, environ={}) == secret


def test_a_file_in_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "secret").write_text("x")
    (tmp_path / "secret").chmod(0o600)
    assert resolve("file:~/secret", base=tmp_path / "other", environ={}) == "x"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o610, 0o602, 0o601, 0o620])
def test_a_file_that_others_may_touch_is_refused_with_what_to_run(tmp_path, mode):
    path = tmp_path / "my secret"
    path.write_text(CANARY)
    path.chmod(mode)
    said = failure("file:my secret", tmp_path)
    assert f"(mode {mode:04o})" in said
    assert f"Run: chmod 600 '{path}'" in said


def test_what_is_no_readable_file_is_refused_and_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "empty").touch(0o600)
    (tmp_path / "large").touch(0o600)
    (tmp_path / "large").write_text(CANARY * 5000)
    (tmp_path / "latin").touch(0o600)
    (tmp_path / "latin").write_bytes(CANARY.encode("latin-1"))
    for name, said in [
        ("none", "no such file or directory"),
        ("pipe", "not a file"),
        ("empty", "gives nothing"),
        ("large", "gives more than 65536 bytes"),
        ("latin", "gives bytes that are not UTF-8"),
        (".", "is a directory"),
    ]:
        assert said in failure(f"file:{name}", tmp_path)


def test_a_command_runs_in_the_folder_without_a_shell(tmp_path):
    script = (
        "import os, sys; print('noise', file=sys.stderr);"
        "print(os.getcwd(), os.environ['X'], sys.argv[1])"
    )
    said = resolve(command(script, "$X;`id`"), base=tmp_path, environ={"X": "y"})
    assert said == f"{tmp_path} y $X;`id`"


def test_a_command_that_fails_shows_neither_output_nor_arguments(tmp_path):
    talk = f"import sys; print({CANARY!r}); print({CANARY!r}, file=sys.stderr); sys.exit(3)"
    said = failure(command(talk, CANARY), tmp_path)
    assert said.endswith(f"the command {sys.executable} ended with code 3")
    assert "gives nothing" in failure(command("print()"), tmp_path)
    assert "cannot be started" in failure(f"cmd:/nowhere/x {CANARY}", tmp_path)
    assert "names no command" in failure(f'cmd:"{CANARY}', tmp_path)
    assert "names no command" in failure("cmd:", tmp_path)


def test_a_command_that_hangs_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(secrets, "COMMAND_LIMIT_S", 0.5)
    hang = f"import time; print({CANARY!r}, flush=True); time.sleep(60)"
    assert "took longer than 0.5 s" in failure(command(hang), tmp_path)


def test_what_is_no_reference_is_refused_unseen(tmp_path):
    assert "it is no reference" in failure(CANARY, tmp_path)


@pytest.mark.parametrize(
    ("reference", "said"),
    [("env:NAME", "env:***"), (f"cmd:pass {CANARY}", "cmd:***"), ("", "no password")],
)
def test_of_a_reference_only_its_kind_is_shown(reference, said):
    assert shown_reference(reference) == said
