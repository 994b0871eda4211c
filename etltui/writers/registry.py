"""Which writer serves which destination type, imported on first use."""

from collections.abc import Callable
from importlib import import_module
from typing import cast

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.part import Published
from etltui.domain.read_back import ReadTask, TargetRead
from etltui.domain.task import PublishTask
from etltui.writers.writer import Format, Sender

_WRITERS = {
    "csv": "etltui.writers.csv",
    "excel": "etltui.writers.excel",
    "json": "etltui.writers.json",
    "jsonl": "etltui.writers.json",
    "parquet": "etltui.writers.parquet",
    "webhook": "etltui.writers.webhook",
}
_SENDERS = {"webhook"}


def format_of(kind: str) -> Format:
    """The writer module of a destination type.

    Raises:
        Failure: There is none.
    """
    if kind not in _WRITERS:
        raise Failure(
            ErrorClass.INTERNAL,
            f"no writer for {kind}; there are {', '.join(sorted(_WRITERS))}",
        )
    return cast("Format", import_module(_WRITERS[kind]))


def assembled(task: PublishTask, stopped: Callable[[], bool]) -> Published:
    """Have a target assembled by its writer; one that sends breaks off when it is stopped.

    Raises:
        Failure: See `Format.assemble` and `Sender.assemble`.
    """
    chosen = format_of(task.type)
    if task.type in _SENDERS:
        return cast("Sender", chosen).assemble(task, stopped)
    return chosen.assemble(task)


def read_back(task: ReadTask) -> TargetRead:
    """Read every cell of a target of any type; see `writers.read_back`.

    Raises:
        Failure: It cannot be read.
    """
    read: Callable[[ReadTask], TargetRead] = import_module("etltui.writers.read_back").read_back
    return read(task)
