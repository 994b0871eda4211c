"""Keeps beside the database, a line each, the changes that rebuild the runs that may go on.

They are a second copy, written once their transaction is committed and not forced to the disk: what
is missing of them is read again. A line proves itself by its checksum.
"""

import json
import logging
import os
import zlib
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, unquote

from etltui.domain.errors import StateError
from etltui.domain.run import RunStatus
from etltui.store.database import Change, Row
from etltui.store.folder import make_file, make_folder

FOLDER = "marks"
_KEPT = frozenset(
    {
        *("put_run", "put_plan", "put_connection", "insert_part", "put_publication"),
        *("put_queued", "put_outcome", "put_far"),
        *("drop_run", "drop_connection", "drop_parts", "drop_queued"),
    },
)
_ENDED = frozenset({RunStatus.COMPLETED, RunStatus.DISCARDED})
_ENDING = ".jsonl"
_log = logging.getLogger(__name__)


class Marks:
    """The files `<folder>/marks/<run>.jsonl`, written by whoever holds the folder.

    Args:
        folder: The state folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER
        self._failed = False

    def take(self, changes: Sequence[Change]) -> None:
        """Write down what a transaction has changed; never raises.

        The file of a run that completed, was given up or is forgotten goes: nobody resumes it.
        """
        lines: defaultdict[str, list[bytes]] = defaultdict(list)
        over = set()
        for query, row in ((q, row) for q, rows in changes if q in _KEPT for row in rows):
            run = str(row["run"])
            lines[run].append(_line(query, row))
            if _ends(query, row):
                over.add(run)
        try:
            for run in over:
                self._path(run).unlink(missing_ok=True)
            for run in lines.keys() - over:
                self._append(run, lines[run])
        except (OSError, StateError) as error:
            if not self._failed:
                _log.warning(
                    "What rebuilds a damaged state database is not written to %s: %s",
                    self._folder,
                    error,
                )
            self._failed = True
        else:
            self._failed = False

    def _path(self, run: str) -> Path:
        return self._folder / f"{quote(run, safe='')}{_ENDING}"

    def _append(self, run: str, lines: Sequence[bytes]) -> None:
        path = self._path(run)
        if not path.exists():
            make_folder(self._folder)
        descriptor = make_file(path)
        try:
            # Begins with an end of line: what a kill has left of the last one stays apart.
            os.lseek(descriptor, 0, os.SEEK_END)
            os.write(descriptor, b"\n" + b"".join(lines))
        finally:
            os.close(descriptor)

    def prune(self, wanted: Collection[str]) -> None:
        """Delete the files of all other runs."""
        for run, path in _files(self._folder):
            if run not in wanted:
                with suppress(OSError):
                    path.unlink()


def marked(folder: Path) -> list[str]:
    """Runs that have marks in the state folder, in their order."""
    return sorted(run for run, _ in _files(folder / FOLDER))


def read_marks(folder: Path, run: str) -> Iterator[tuple[str, Row]]:
    """The changes of a run that prove themselves, in their order."""
    for line in (folder / FOLDER / f"{quote(run, safe='')}{_ENDING}").read_bytes().splitlines():
        crc, _, text = line.partition(b" ")
        if crc == _crc(text):
            query, row = json.loads(text)
            yield query, row


def _files(folder: Path) -> list[tuple[str, Path]]:
    found = folder.glob(f"*{_ENDING}")
    return [(unquote(path.name.removesuffix(_ENDING)), path) for path in found]


def _ends(query: str, row: Row) -> bool:
    return query == "drop_run" or (query == "put_run" and row["status"] in _ENDED)


def _line(query: str, row: Row) -> bytes:
    text = json.dumps([query, row]).encode()
    return _crc(text) + b" " + text + b"\n"


def _crc(text: bytes) -> bytes:
    return f"{zlib.crc32(text):08x}".encode()
