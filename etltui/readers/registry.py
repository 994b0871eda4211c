"""Which reader serves which kind, imported on first use."""

from collections.abc import Callable
from importlib import import_module
from typing import cast

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.task import SessionTask
from etltui.readers.reader import Reader

_READERS = {
    "mssql": "etltui.readers.mssql",
    "mysql": "etltui.readers.mysql",
    "odbc": "etltui.readers.odbc",
    "postgresql": "etltui.readers.postgresql",
    "sqlalchemy": "etltui.readers.sqlalchemy",
    "sqlite": "etltui.readers.sqlite",
}
"""Modules with `connect(task) -> Reader`."""


def connect(task: SessionTask) -> Reader:
    """Open a session with the reader of the task's kind.

    Raises:
        Failure: No session could be opened.
    """
    module = _READERS.get(task.kind)
    if module is None:
        raise Failure(
            ErrorClass.INTERNAL,
            f"no reader for {task.kind}; there are {', '.join(sorted(_READERS))}",
        )
    connect = cast("Callable[[SessionTask], Reader]", import_module(module).connect)
    return connect(task)
