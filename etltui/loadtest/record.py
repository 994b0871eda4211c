"""Stores reports of load tests as JSON, and reads them again."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from etltui.domain.errors import misused
from etltui.loadtest.compare import Ratio
from etltui.loadtest.figures import FORMAT, Report

FOLDER = "loadtests"
"""In the state folder."""


def as_json(report: Report, ratios: Sequence[Ratio] = ()) -> str:
    """The whole report, to be read by programs and people.

    Args:
        report: Which.
        ratios: Against an earlier one, which then stand behind `against`.
    """
    said: dict[str, object] = msgspec.to_builtins(report)
    if ratios:
        said["against"] = [
            {"name": each.name, "before": each.before, "now": each.now, "ratio": each.ratio}
            for each in ratios
        ]
    return msgspec.json.format(msgspec.json.encode(said), indent=1).decode() + "\n"


def stored(report: Report, folder: Path) -> Path:
    """Write the report into a file of its own, for its owner alone; where it is.

    Raises:
        OSError: It cannot be written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    moment = datetime.fromtimestamp(report.at, UTC)
    path = folder / f"{moment:%Y%m%dT%H%M%S}.{moment.microsecond // 1000:03d}Z.json"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(as_json(report))
    return path


def read(path: Path) -> Report:
    """A report that was stored.

    Raises:
        ConfigError: The file is none, or of another version's.
    """
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Report)
    except OSError as error:
        raise _refused(
            f"{path} cannot be read: {(error.strerror or 'no reason').lower()}"
        ) from None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise _refused(f"{path} is no report of a load test, or of another version") from None
    if (found.type, found.format) != ("loadtest", FORMAT):
        raise _refused(f"{path} is a report of another version")
    return found


def _refused(problem: str) -> Exception:
    return misused("--against", problem, "Name a file that `etltui loadtest` has stored")
