"""The log: JSON lines with run and connection on each, written by a thread of its own."""

import contextvars
import copy
import json
import logging
import logging.handlers
import os
import queue
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import cast

from etltui.config.disk import lacking
from etltui.domain.errors import StateError

_run: contextvars.ContextVar[str] = contextvars.ContextVar("run", default="")
_connection: contextvars.ContextVar[str] = contextvars.ContextVar("connection", default="")

LEVELS = {
    "error": logging.ERROR,
    "warning": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
}
LOG = "etltui.jsonl"
LARGEST = 16 * 1024 * 1024
"""Bytes of one log file."""
ROTATIONS = 4
"""Former log files that are kept: `etltui.jsonl.1`, the newest of them, and so on."""


@contextmanager
def about(*, run: str = "", connection: str = "") -> Iterator[None]:
    """Put run or connection on every line logged in the block, tasks started in it included."""
    run_token = _run.set(run or _run.get())
    connection_token = _connection.set(connection or _connection.get())
    try:
        yield
    finally:
        _connection.reset(connection_token)
        _run.reset(run_token)


class _Handover(logging.handlers.QueueHandler):
    """Puts lines into the queue with their traceback still apart from the message."""

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """A copy with its message made now, before its arguments change."""
        line = copy.copy(record)
        line.msg, line.args = record.getMessage(), None
        return line


class _PrivateFile(logging.handlers.RotatingFileHandler):
    """A log file that only its owner reads, the ones after a rotation too.

    One that cannot be written stops nothing and puts nothing on the operator's screen. When it can
    be written again, it says how many lines it lacks.
    """

    lost = 0

    def _open(self) -> TextIOWrapper:
        flags = os.O_CREAT | os.O_APPEND | os.O_RDWR
        descriptor = os.open(self.baseFilename, flags, 0o600)
        size = os.fstat(descriptor).st_size
        # A full disk and a kill leave half a line, which must not take the next one with it.
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            with suppress(OSError):
                os.write(descriptor, b"\n")
        return TextIOWrapper(os.fdopen(descriptor, "ab"), encoding=self.encoding)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, after what is to be said of those before it."""
        lost, self.lost = self.lost, 0
        if lost:
            text = f"{lost} lines are missing here: the log could not be written"
            super().emit(logging.makeLogRecord({"levelname": "WARNING", "msg": text}))
        if self.lost:
            self.lost += lost
        else:
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - logging's own
        """Count the line, and begin anew with the next."""
        self.lost += 1
        stream, self.stream = self.stream, cast(TextIOWrapper, None)
        with suppress(OSError):
            if stream is not None:
                stream.close()


class _Stamp(logging.Filter):
    """Takes run and connection while still in the task that logs."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.run = _run.get()
        record.connection = _connection.get()
        return True


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "run": getattr(record, "run", ""),
            "connection": getattr(record, "connection", ""),
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps({key: value for key, value in line.items() if value}, ensure_ascii=False)


@contextmanager
def logging_to(folder: Path, level: str) -> Iterator[None]:
    """Write the log into a folder for the time of the block.

    Args:
        folder: Made if missing, 0700; the file is `LOG`, 0600.
        level: A key of `LEVELS`.

    Raises:
        StateError: The file cannot be opened.
    """
    path = folder / LOG
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = _PrivateFile(path, maxBytes=LARGEST, backupCount=ROTATIONS, encoding="utf-8")
    except OSError as error:
        raise StateError(
            f"the log {path} cannot be opened: {error.strerror}{lacking(path, error)}. "
            "Free space or mend the disk, or use another --state-dir",
        ) from error
    file.setFormatter(JsonLines())
    lines: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    handler = _Handover(lines)
    handler.addFilter(_Stamp())
    listener = logging.handlers.QueueListener(lines, file)
    root = logging.getLogger("etltui")
    former = root.level, root.propagate
    root.setLevel(LEVELS[level])
    root.propagate = False
    root.addHandler(handler)
    listener.start()
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(former[0])
        root.propagate = former[1]
        listener.stop()
        file.close()
