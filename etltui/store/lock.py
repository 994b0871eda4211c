"""Who holds the state folder: one engine at a time, known to whoever finds it held."""

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from etltui.config.disk import lacking
from etltui.domain.errors import StateError, StateHeldError
from etltui.store.folder import DATABASE, make_file, make_folder, refuse_others

LOCK = ".lock"


@contextmanager
def hold(folder: Path, *, holder_text: str, now: datetime) -> Iterator[None]:
    """Hold the folder for the time of the block.

    The kernel frees it the moment this process ends, however it ends; programs that this process
    starts do not keep it. Made for local disks only.

    Args:
        folder: Made with mode 0700 if it is not there.
        holder_text: What others read, such as `etltui run gst_sales`; without secrets.
        now: When the holding begins, with a time zone.

    Raises:
        StateHeldError: Somebody else holds it, in this process or in another.
        StateError: The folder cannot be used.
    """
    refuse_others(folder, {LOCK, DATABASE})
    make_folder(folder)
    descriptor = make_file(folder / LOCK)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StateHeldError(folder=folder, holder=_holder(descriptor, now)) from error
        try:
            _write(descriptor, holder_text, now)
        except OSError as error:
            raise StateError(
                f"the state folder {folder} cannot be used: {error.strerror}"
                f"{lacking(folder, error)}. "
                "Free space or mend the disk, then try again",
            ) from error
        try:
            yield
        finally:
            # What is left in the file must not be taken for the next holder's words; on a disk
            # that has failed meanwhile it is left, and the lock is free all the same.
            with suppress(OSError):
                os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def is_held(folder: Path) -> bool:
    """Whether the process that wrote its name into the lock still lives.

    For whoever only reads: unlike trying the lock, it cannot get into an engine's way.
    """
    try:
        pid = int(json.loads((folder / LOCK).read_bytes())["pid"])
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return False
    return True


def _write(descriptor: int, holder_text: str, now: datetime) -> None:
    words = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "command": holder_text,
        "started": now.astimezone(UTC).isoformat(timespec="seconds"),
    }
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(words).encode(), 0)


def _holder(descriptor: int, now: datetime) -> str:
    """The holder as a sentence's part; it may be about to write its words."""
    try:
        words = json.loads(os.pread(descriptor, 4096, 0))
        started = datetime.fromisoformat(words["started"]).astimezone()
        same_day = started.date() == now.astimezone().date()
        since = f"{started:%H:%M}" if same_day else f"{started:%Y-%m-%d %H:%M}"
        return f"process {words['pid']} on host {words['host']} ({words['command']}, since {since})"
    except (ValueError, KeyError, TypeError):
        return "another process"
