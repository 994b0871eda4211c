"""Passwords by reference: their form, and what they lead to."""

import os
import re
import shlex
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path

from etltui.config.checks import RefusedError
from etltui.config.paths import located
from etltui.domain.errors import ErrorClass, Failure

COMMAND_LIMIT_S = 10.0
"""How long a `cmd:` may take."""

_FORMS = "env:NAME, file:PATH or cmd:COMMAND"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LARGEST = 65536  # bytes; no password is longer, and /dev/zero has no end


def reference(value: object) -> str:
    """Check the form of a reference. Nothing of it is ever shown: it may be a password.

    Raises:
        RefusedError: It is a password itself, or a reference that leads nowhere.
    """
    if not isinstance(value, str):
        raise RefusedError("is not text in quotes", f"Write {_FORMS}")
    scheme, colon, rest = value.partition(":")
    if not value:
        return value
    if not colon or scheme not in {"env", "file", "cmd"}:
        raise RefusedError(
            "is a password in plain sight (not shown here), or no reference that is known",
            f"Take it out of the file and write {_FORMS}",
        )
    if not rest.strip() or "\0" in rest:
        raise RefusedError(f"leads nowhere behind {scheme}:", f"Write {_FORMS}")
    if scheme == "env" and not _VARIABLE.fullmatch(rest):
        raise RefusedError(
            "is no name of an environment variable behind env:",
            "Write env:NAME with letters, digits and _ only",
        )
    if scheme == "cmd" and _words(rest) is None:
        raise RefusedError("has an open quote behind cmd:", "Close it")
    return value


def shown_reference(reference: str) -> str:
    """A reference as it may be shown: where it leads may be a secret too."""
    scheme, colon, _ = reference.partition(":")
    return f"{scheme}:***" if colon else "no password"


def _words(command: str) -> list[str] | None:
    try:
        return shlex.split(command)
    except ValueError:
        return None


def _refused(problem: str) -> Failure:
    return Failure(ErrorClass.SECRET, f"the password cannot be had: {problem}")


def _from_environment(name: str, environ: Mapping[str, str]) -> str:
    if not environ.get(name):
        raise _refused(f"the environment variable {name} is not set")
    return environ[name]


def _unwaiting(path: str, flags: int) -> int:
    """Open without waiting: a named pipe would hold us until somebody writes into it."""
    return os.open(path, flags | os.O_NONBLOCK)


def _content(path: Path) -> tuple[int, bytes] | str:
    """Mode and bytes of a regular file, or why they cannot be had."""
    try:
        with open(path, "rb", opener=_unwaiting) as file:
            mode = os.fstat(file.fileno()).st_mode  # of what is open, whatever the path names now
            return (mode, file.read(_LARGEST + 1)) if stat.S_ISREG(mode) else "not a file"
    except OSError as fault:
        return os.strerror(fault.errno or 0).lower()


def _from_file(path: Path) -> str:
    found = _content(path)
    if isinstance(found, str):
        raise _refused(f"{path}: {found}")
    mode, content = found
    if mode & 0o077:
        raise _refused(
            f"others than you may read {path} (mode {stat.S_IMODE(mode):04o}). "
            f"Run: chmod 600 {shlex.quote(str(path))}",
        )
    return _text(content, str(path))


def _text(content: bytes, source: str) -> str:
    """The one line that a file or a command gives."""
    if len(content) > _LARGEST:
        raise _refused(f"{source} gives more than {_LARGEST} bytes")
    # `replace` instead of catching: a decoding error keeps the bytes, and tracebacks travel.
    text = content.decode("utf-8", "replace")
    if "\N{REPLACEMENT CHARACTER}" in text:
        raise _refused(f"{source} gives bytes that are not UTF-8")
    line = re.sub(r"\r?\n\Z", "", text)
    if not line:
        # A login with no password would fail everywhere, and lock the account.
        raise _refused(f"{source} gives nothing")
    return line


def _run(words: list[str], base: Path, environ: Mapping[str, str]) -> bytes | str:
    """What a command prints, or why that cannot be had."""
    try:
        done = subprocess.run(  # noqa: S603 - the operator's own command, without a shell
            words,
            cwd=base,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # it may say the secret, and the screen is not its own
            timeout=COMMAND_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"took longer than {COMMAND_LIMIT_S:g} s"
    except OSError as fault:
        return f"cannot be started: {os.strerror(fault.errno or 0).lower()}"
    return done.stdout if done.returncode == 0 else f"ended with code {done.returncode}"


def _from_command(command: str, base: Path, environ: Mapping[str, str]) -> str:
    words = _words(command)
    if not words:
        raise _refused("cmd: names no command")
    # Only the program is named: an argument may be a secret.
    found = _run(words, base, environ)
    if isinstance(found, str):
        raise _refused(f"the command {words[0]} {found}")
    return _text(found, f"the command {words[0]}")


def resolve(reference: str, *, base: Path, environ: Mapping[str, str]) -> str:
    """The secret that a reference leads to. May take up to 10 s: call it off the loop.

    Args:
        reference: Empty, `env:NAME`, `file:PATH` (for the owner's eyes only; without one line end)
            or `cmd:COMMAND` (no shell; what it prints, without one line end).
        base: Where relative paths start and commands run.
        environ: The variables that `env:` reads and a command gets.

    Raises:
        Failure: Of class `secret`, without the secret.
    """
    scheme, _, rest = reference.partition(":")
    if not reference:
        return ""
    if scheme == "env":
        return _from_environment(rest, environ)
    if scheme == "file":
        return _from_file(located(rest, base))
    if scheme == "cmd":
        return _from_command(rest, base, environ)
    raise _refused(f"it is no reference. Write {_FORMS}")
