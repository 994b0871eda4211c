"""Reads the log: its files in order, forwards, backwards and as it grows, in constant memory."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Self

from etltui.domain.safe_text import safe_text
from etltui.domain.words import moment, short
from etltui.engine.log import LEVELS, LOG, ROTATIONS

_BLOCK = 64 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class LogLine:
    """A line of the log.

    Attributes:
        raw: As it stands in the file, without its end.
        time: Unix time in seconds; 0 where the line is none of ours, or torn by a kill.
        level: A key of `engine.log.LEVELS`; empty likewise.
        message: The whole line likewise.
    """

    raw: str
    message: str
    time: float = 0.0
    level: str = ""
    run: str = ""
    connection: str = ""
    traceback: str = ""

    def weighs(self, level: str) -> bool:
        """Whether it is of this level or a heavier one; a line that cannot be read always is."""
        return not self.level or LEVELS[self.level] >= LEVELS[level]


def readable(line: LogLine, timezone: str) -> str:
    """The line for people; a traceback is indented below it."""
    when = moment(line.time, timezone) if line.time else "?" * len("2026-11-22 04:35:12")
    about = " ".join(filter(None, (short(line.run), line.connection)))
    head = f"{when} {line.level or '?':<7} {f'[{about}] ' if about else ''}{line.message}"
    return "\n".join(
        [safe_text(head), *(f"    {safe_text(each)}" for each in line.traceback.splitlines())],
    )


def parsed(raw: bytes) -> LogLine:
    """The line that these bytes hold, whatever they are."""
    text = raw.decode("utf-8", "replace").rstrip("\r\n")
    try:
        found: dict[str, Any] = json.loads(text)
        return LogLine(
            raw=text,
            time=datetime.fromisoformat(found["time"]).timestamp(),
            level=found["level"] if found["level"] in LEVELS else "error",
            message=str(found["message"]),
            **{key: str(found.get(key, "")) for key in ("run", "connection", "traceback")},
        )
    except (ValueError, KeyError, TypeError):
        return LogLine(raw=text, message=text)


def paths(folder: Path) -> list[Path]:
    """The log's files, the newest first, whether or not they are there."""
    return [folder / LOG, *(folder / f"{LOG}.{n}" for n in range(1, ROTATIONS + 1))]


@dataclass(frozen=True, kw_only=True, slots=True)
class LogFile:
    """A file of the log, open.

    Attributes:
        end: Behind its last whole line when it was opened; what came later is not read.
        identity: Tells it from every other file that is open, whatever its name is by now.
    """

    file: BinaryIO
    end: int
    identity: tuple[int, int]

    @classmethod
    def of(cls, file: BinaryIO) -> "LogFile":
        """The open file as it is now."""
        facts = os.fstat(file.fileno())
        end = facts.st_size
        while end > 0:
            size = min(_BLOCK, end)
            file.seek(end - size)
            if found := file.read(size).rfind(b"\n") + 1:
                end = end - size + found
                break
            end -= size
        return cls(file=file, end=end, identity=(facts.st_dev, facts.st_ino))

    def forwards(self) -> Iterator[bytes]:
        """Its lines from the first to the last."""
        place = self.file.seek(0)
        while place < self.end and (line := self.file.readline()):
            place += len(line)
            yield line

    def backwards(self) -> Iterator[bytes]:
        """Its lines from the last to the first."""
        place, tail = self.end, b""
        while place > 0:
            size = min(_BLOCK, place)
            place -= size
            self.file.seek(place)
            # What stands before the first line end may be the rest of a line of the block before.
            tail, *lines = (self.file.read(size) + tail).split(b"\n")
            yield from (line for line in reversed(lines) if line)
        if tail:
            yield tail


@contextmanager
def opened(folder: Path) -> Iterator[list[LogFile]]:
    """The log's files that are there, the oldest first, each once.

    Opened from the newest on: a rotation meanwhile shows a file a second time, and hides none.
    """
    files: dict[tuple[int, int], LogFile] = {}
    with ExitStack() as stack:
        for path in paths(folder):
            with suppress(FileNotFoundError):
                found = LogFile.of(stack.enter_context(path.open("rb")))
                files.setdefault(found.identity, found)
        yield list(files.values())[::-1]


def forwards(files: Sequence[LogFile], since: float = 0.0) -> Iterator[LogLine]:
    """Every line from the oldest on; a file last written before `since` is not read."""
    for each in files:
        if os.fstat(each.file.fileno()).st_mtime >= since:
            yield from map(parsed, each.forwards())


def backwards(files: Sequence[LogFile]) -> Iterator[LogLine]:
    """Every line from the newest on."""
    for each in reversed(files):
        yield from map(parsed, each.backwards())


class Follower:
    """Reads what is added to the log, over rotations, each whole line once.

    Args:
        folder: Of the log; it may not be there yet.
        after: The file to begin with, behind the lines that it held when it was opened; None to
            begin with whatever comes.
    """

    def __init__(self, folder: Path, after: LogFile | None) -> None:
        self._folder = folder
        self._at: LogFile | None = None
        self._rest = b""
        if after is not None:
            self._change_to(after, after.end)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._at is not None:
            self._at.file.close()

    def lines(self, wait: Callable[[], bool]) -> Iterator[LogLine]:
        """New lines as they come.

        Args:
            wait: Called whenever there is no more for now; False ends the reading.
        """
        return map(parsed, self.raw(wait))

    def raw(self, wait: Callable[[], bool]) -> Iterator[bytes]:
        """New lines as they stand in the files, for who reads more of them than it looks into.

        Args:
            wait: Called whenever there is no more for now; False ends the reading.
        """
        while True:
            yield from self._more()
            if not wait():
                return

    def _more(self) -> Iterator[bytes]:
        """What was added to the file that is being read, then what came after it."""
        later: list[LogFile] = []
        with ExitStack() as stack:
            if not self._is_newest():
                files = stack.enter_context(opened(self._folder))
                known = [each.identity for each in files]
                mine = self._at.identity if self._at else None
                later = files[known.index(mine) + 1 :] if mine in known else files
            yield from self._added()
            for each in later:
                self._change_to(each, 0)
                yield from self._added()

    def _is_newest(self) -> bool:
        with suppress(FileNotFoundError):
            facts = (self._folder / LOG).stat()
            return self._at is not None and self._at.identity == (facts.st_dev, facts.st_ino)
        return False

    def _change_to(self, to: LogFile, place: int) -> None:
        if self._at is not None:
            self._at.file.close()
        # Opened again, not duplicated, which would share its place. Closed when it is left.
        file = Path(f"/proc/self/fd/{to.file.fileno()}").open("rb")  # noqa: SIM115
        file.seek(place)
        self._at, self._rest = replace(to, file=file), b""

    def _added(self) -> Iterator[bytes]:
        if self._at is None:
            return
        file = self._at.file
        if os.fstat(file.fileno()).st_size < file.tell():
            # Somebody has emptied it.
            file.seek(0)
            self._rest = b""
        while block := file.read(_BLOCK):
            *lines, self._rest = (self._rest + block).split(b"\n")
            yield from (line for line in lines if line)
