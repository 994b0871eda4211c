"""Whether the files that jobs will write may stand where their destinations say."""

import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from etltui.config.checks import RefusedError, shown
from etltui.config.document import local_path
from etltui.config.folders import foreign_file
from etltui.config.paths import located
from etltui.config.schema import Settings
from etltui.config.table import Notebook
from etltui.config.templates import render
from etltui.domain.job import Connection, Destination, Job
from etltui.domain.safe_text import safe_text

_LONGEST_NAME = 240  # bytes; 255 on most disks, less what `.partial` and a temporary name add
_MOMENTS = (
    datetime(2026, 11, 21, 23, 5, 0, tzinfo=UTC),
    datetime(1987, 5, 3, 4, 42, 59, tzinfo=UTC),
)
"""Two that no form of {date} gives alike."""
_BESIDE = ("-wal", "-shm", "-journal")
"""Endings of the files that SQLite keeps beside a database; its last rows may stand there."""
_ANOTHER = "Write another path"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Target:
    """A destination's path as it may look in a run, and the key that says it.

    Attributes:
        fixed: The part that the paths of all runs share; the whole where each run writes the same.
        place: The path with its folder's links followed; the name is what a run replaces.
        is_folder: Whether it is a folder of files.
    """

    key: str
    path: Path
    fixed: Path
    place: Path
    is_folder: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kept:
    """What no target may replace.

    Attributes:
        files: Paths with what each is, by name, so that no target asks the disks of 500 branches.
        state: The state folder, None where the settings leave it open.
    """

    files: Mapping[str, Sequence[tuple[Path, str]]]
    state: Path | None


def _real(path: Path) -> Path:
    """A path without links, or as it is written where the disk cannot tell."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):  # a loop, or a name that the locale cannot encode
        return Path(os.path.normpath(path))


def _place(path: Path) -> Path:
    return _real(path.parent) / path.name


def _targets(jobs: Iterable[tuple[str, Job]]) -> Iterator[_Target]:
    """Every destination as if all jobs had started in the same moment, each with its own run."""
    for position, (key, job) in enumerate(jobs):
        for number, each in enumerate(job.destinations, start=1):
            if each.path:
                one, other = (_rendered(job, each, moment, position) for moment in _MOMENTS)
                yield _Target(
                    key=f"{key}.destinations[{number}].path",
                    path=one,
                    fixed=Path(os.path.commonpath([one, other])),
                    place=_place(one),
                    is_folder=each.is_folder,
                )


def _rendered(job: Job, destination: Destination, moment: datetime, position: int) -> Path:
    return render(
        destination.path,
        job,
        run=f"{moment:%Y%m%dT%H%M%SZ}-{position:04d}",
        started=moment,
        day=moment.date(),
    )


def _kept(file: Path, settings: Settings, connections: Iterable[Connection]) -> _Kept:
    """What the program reads or keeps for itself."""
    own = {file: "this configuration", local_path(file): "the local configuration"}
    if settings.connections_file:
        own[located(settings.connections_file, file.parent)] = "the connections file"
    words = {place: what for path, what in own.items() for place in (path, _real(path))}
    for each in connections:
        if each.database:
            of = f"of connection {shown(each.name)}"
            words[Path(each.database)] = f"the database {of}"
            words.update({Path(each.database + end): f"the {end} file {of}" for end in _BESIDE})
    files: dict[str, list[tuple[Path, str]]] = {}
    for path, what in words.items():
        files.setdefault(path.name, []).append((path, what))
    state = settings.state_dir
    return _Kept(files=files, state=_real(located(state, file.parent)) if state else None)


def _kind(path: Path) -> str:
    """What stands at a path, links followed; empty for nothing, or where it cannot be told."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):  # ValueError: the locale cannot encode the name
        return ""
    if stat.S_ISDIR(mode):
        return "a folder"
    return "a file" if stat.S_ISREG(mode) else "no regular file"


def _check_new(target: _Target, seen: dict[Path, _Target]) -> None:
    first = seen.setdefault(target.place, target)
    if first is not target:
        raise RefusedError(
            f"is the same target as {first.key}",
            "Give each its own name, with {job} or {run} for instance",
        )
    for other in seen.values():
        for inner, outer in ((target, other), (other, target)):
            if outer.is_folder and outer.place in inner.place.parents:
                raise RefusedError(
                    f"and {other.key} lie in each other: a folder is replaced as a whole",
                    _ANOTHER,
                )


def _check_kept(target: _Target, kept: _Kept) -> None:
    for path, what in kept.files.get(target.place.name, ()):
        if _place(path) == target.place:
            raise RefusedError(f"would overwrite {what}", _ANOTHER)
    if kept.state and (
        target.place.is_relative_to(kept.state)
        or (target.is_folder and kept.state.is_relative_to(target.place))
    ):
        raise RefusedError(
            f"lies in the state folder {safe_text(str(kept.state))}",
            "Write to another folder, or set another state_dir",
        )


def _check_disk(target: _Target) -> None:
    """Refuse what is no file already, as far as it is the same for each run."""
    folder = target.fixed
    if target.fixed == target.path:
        kind, folder = _kind(target.path), target.path.parent
        wanted = "a folder" if target.is_folder else "a file"
        if kind not in {"", wanted}:
            # Renaming onto a device would replace it for the whole machine.
            raise RefusedError(f"{safe_text(str(target.path))} is {kind}", f"Name {wanted}")
        if kind == "a folder" and (found := foreign_file(target.path)):
            raise RefusedError(
                f"{safe_text(str(target.path))} holds {shown(found)}, which no run has put there",
                "Name another folder: it is replaced as a whole",
            )
    above, kind = next((each, kind) for each in (folder, *folder.parents) if (kind := _kind(each)))
    if kind != "a folder":
        raise RefusedError(f"{safe_text(str(above))} is no folder", _ANOTHER)


def _check_name(target: _Target) -> None:
    # Not os.fsencode: under an ASCII locale it raises for what the template may well hold.
    length = len(target.path.name.encode("utf-8", "surrogateescape"))
    if length > _LONGEST_NAME:
        raise RefusedError(
            f"gives a file name of {length} bytes",
            f"Allowed: at most {_LONGEST_NAME}. Shorten the title or the path",
        )


def check_targets(
    jobs: Sequence[tuple[str, Job]],
    connections: Iterable[Connection],
    settings: Settings,
    file: Path,
    book: Notebook,
) -> None:
    """Refuse targets that would overwrite what is no target, and names that no disk takes.

    Args:
        jobs: With the dotted key of each.
        connections: Whose files must stay what they are.
        settings: Whose state folder is the program's own.
        file: The configuration, absolute.
        book: Where mistakes are noted, one for each target.
    """
    kept = _kept(file, settings, connections)
    seen: dict[Path, _Target] = {}
    for target in _targets(jobs):
        try:
            _check_new(target, seen)
            _check_kept(target, kept)
            _check_disk(target)
            _check_name(target)
        except RefusedError as refused:
            book.note(target.key, refused.problem, refused.way_out)
