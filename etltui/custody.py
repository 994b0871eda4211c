"""What may be done to the state database itself: looked at, copied, put back, made smaller, anew.

Beside `bootstrap` it is the second file that names concrete classes: no engine runs for this.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from etltui.domain.errors import StateError
from etltui.domain.words import size
from etltui.store import rebuild as rebuilding
from etltui.store.database import unusable
from etltui.store.files import Files, copy, files, free_name, replace_database, work_on
from etltui.store.folder import DATABASE
from etltui.store.health import Health, examine
from etltui.store.lock import hold
from etltui.store.rebuild import sealed
from etltui.store.seal import break_seal

__all__ = ["Files", "Health", "backup", "check", "files", "rebuild", "restore", "work"]

WORKS = {
    "vacuum": ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"),
    "analyze": ("ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)"),
    "reindex": ("REINDEX", "PRAGMA wal_checkpoint(TRUNCATE)"),
}
"""What is done to the database by each command that only tidies it."""


def check(state: Path) -> Health:
    """Look at all of the database; also while an engine runs.

    Raises:
        StateError: There is none, it cannot be read, or is of a newer program.
    """
    path = state / DATABASE
    if not path.exists():
        raise StateError(f"there is no state database {path}. The first run makes it")
    return examine(path)


def backup(state: Path, target: Path | None) -> Path:
    """Copy the database into a new file, which is returned; also while an engine runs.

    Args:
        state: The state folder.
        target: None: a dated file in the folder `backups` in it.

    Raises:
        StateError: One of them cannot be used, or the database is damaged.
    """
    wanted = target or state / "backups" / f"state-{datetime.now(UTC):%Y%m%d-%H%M%S}.db"
    copy(state / DATABASE, wanted)
    return wanted


def restore(state: Path, source: Path, holder: str) -> str:
    """Put a copy in the place of the database; the name that the former one has now, or empty.

    Args:
        state: The state folder.
        source: The copy.
        holder: Who does it, for others who find the folder held.

    Raises:
        StateHeldError: An engine holds the folder.
        StateError: The copy is damaged or of a newer program; nothing was changed.
    """
    with _held(state, holder) as now:
        new = state / f"{DATABASE}.restored"
        new.unlink(missing_ok=True)
        copy(source, new)
        there = (state / DATABASE).exists()
        aside = free_name(state, "replaced", now)
        break_seal(state / DATABASE)
        replace_database(state, new, aside)
        return aside if there else ""


def work(state: Path, what: str, holder: str) -> tuple[int, int]:
    """Tidy the database in one of the ways of `WORKS`; its bytes before and after.

    Raises:
        StateHeldError: An engine holds the folder.
        StateError: It cannot be done.
    """
    path = state / DATABASE
    with _held(state, holder):
        before = files(state)
        break_seal(path)
        work_on(path, WORKS[what])
        sealed(path)
        return before.database + before.log, files(state).database


def rebuild(state: Path, holder: str) -> str:
    """Set the database aside and make it anew; what was lost and what was kept.

    Raises:
        StateHeldError: An engine holds the folder.
        StateError: It cannot be done.
    """
    with _held(state, holder) as now:
        path = state / DATABASE
        break_seal(path)
        try:
            why = "" if not path.exists() else examine(path, holding=True).why
        except StateError as error:
            # Of a newer program, or out of reach: the operator has decided.
            why = str(error)
        try:
            return rebuilding.rebuild(state, now, why).text
        except sqlite3.Error as error:
            raise unusable(path, error) from error


@contextmanager
def _held(state: Path, holder: str) -> Iterator[datetime]:
    now = datetime.now(UTC)
    if not state.is_dir():
        raise StateError(f"there is no state folder {state}. The first run makes it")
    with hold(state, holder_text=holder, now=now):
        yield now


def told(before: int, after: int) -> str:
    """How large it was and is."""
    return f"{size(before)} before, {size(after)} now"
