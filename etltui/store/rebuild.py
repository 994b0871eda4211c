"""Sets a damaged database aside and makes it anew from what of it and beside it proves itself.

Rows with a sum that fits are taken over, then the marks of the runs that may go on; which of their
parts are whole is proved by whoever resumes them. Interrupted anywhere it can be done again.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from etltui.domain.errors import StateError
from etltui.domain.logbook import REBUILT
from etltui.domain.words import counted, some
from etltui.store.database import unusable
from etltui.store.files import free_name, replace_database
from etltui.store.folder import DATABASE, make_file
from etltui.store.health import examine
from etltui.store.marks import marked, read_marks
from etltui.store.queries import QUERIES, STEPS
from etltui.store.salvage import Salvaged, salvage
from etltui.store.seal import Seal, break_seal, put_seal

_NEW = f"{DATABASE}.rebuilt"


@dataclass(frozen=True, kw_only=True, slots=True)
class Rebuilt:
    """What became of a damaged database.

    Attributes:
        aside: The name that it was given, empty where there was none.
        text: What was lost and what was kept, as sentences.
    """

    aside: str
    text: str


def mended(folder: Path, now: datetime) -> str:
    """Make the state database usable, if it is not; what was lost and kept then, else empty.

    Raises:
        StateError: It is of a newer program, or cannot be read or made anew.
    """
    try:
        done = mend(folder, now)
    except sqlite3.Error as error:
        raise unusable(folder / DATABASE, error) from error
    except OSError as error:
        raise StateError(
            f"the state database in {folder} cannot be made anew: {error.strerror}. "
            "Check its disk and who may write there",
        ) from error
    return done.text if done else ""


def sealed(path: Path) -> None:
    """Seal a database that was closed; without a seal it is looked at more closely next time."""
    with suppress(OSError, StateError):
        put_seal(path)


def mend(folder: Path, now: datetime, *, steps: Sequence[str] = STEPS) -> Rebuilt | None:
    """Make the state database usable, if it is not; for whoever holds the folder.

    Args:
        folder: The state folder.
        now: Names what is set aside.
        steps: The migrations that make the schema.

    Returns:
        What was done; None where nothing had to be.

    Raises:
        StateError: It is of a newer program, or cannot be read or made anew.
        OSError: The folder cannot be written.
    """
    path = folder / DATABASE
    _finish(folder)
    if not path.exists() or not path.stat().st_size:
        if not _used(folder):
            return None
        missing = "it was missing" if not path.exists() else "it was empty"
        return rebuild(folder, now, missing, steps=steps)
    seal = break_seal(path)
    if seal is Seal.WHOLE:
        return None
    found = examine(path, steps=steps, thorough=seal is Seal.BROKEN, holding=True)
    return None if found.sound else rebuild(folder, now, found.why, steps=steps)


def _finish(folder: Path) -> None:
    """Finish or forget what an interrupted rebuild has left."""
    new = folder / _NEW
    if new.exists():
        if (folder / DATABASE).exists():
            new.unlink()
        else:
            new.rename(folder / DATABASE)


def _used(folder: Path) -> bool:
    """Whether something was recorded that is not there any more."""
    return bool(marked(folder)) or any((folder / "parts").glob("*/*"))


def rebuild(folder: Path, now: datetime, why: str, *, steps: Sequence[str] = STEPS) -> Rebuilt:
    """Set the database aside, whatever it is, and make it anew.

    Args:
        folder: The state folder, held.
        now: Names what is set aside.
        why: What is wrong with it, as a part of a sentence; empty: it was asked for.
        steps: The migrations that make the schema.

    Raises:
        OSError: The folder cannot be written.
        Error: SQLite cannot make the new one.
    """
    path, new = folder / DATABASE, folder / _NEW
    new.unlink(missing_ok=True)
    with open(make_file(new), "rb"):  # noqa: PTH123 - a descriptor has no path
        pass
    with closing(sqlite3.connect(new, isolation_level=None)) as made:
        taken = salvage(path, made, steps)
        made.execute("BEGIN")
        replayed = replay(folder, made)
        kept = _durable(folder, made)
        runs = int(made.execute("SELECT count(*) FROM runs").fetchone()[0])
        aside = free_name(folder, "damaged", now)
        text = _told(why, aside, taken, runs=runs, replayed=replayed, kept=kept)
        made.execute(
            QUERIES["put_action"],
            {
                "at": now.timestamp(),
                "who": "etltui",
                "what": REBUILT,
                "target": aside,
                "detail": text,
                "outcome": "done",
            },
        )
        made.execute("COMMIT")
    replace_database(folder, new, aside)
    return Rebuilt(aside=aside, text=text)


def replay(folder: Path, made: sqlite3.Connection) -> int:
    """Do again what the marks tell of; how many runs have any.

    Args:
        folder: The state folder.
        made: The new database, without foreign keys: of a run may be told from its middle on.
    """
    runs = marked(folder)
    for run in runs:
        for query, row in read_marks(folder, run):
            try:
                made.execute(QUERIES[query], dict(row))
                if query == "drop_connection":
                    made.execute(QUERIES["drop_parts"], dict(row))
            except (KeyError, sqlite3.Error):
                # Of another version of this program: what it told of is read again.
                continue
    _settle(made)
    # The newest is the one with the highest number; who came in again now got a new one.
    for table, column in (("runs", "started"), ("queue", "submitted")):
        _in_order(made, table, column)
    return len(runs)


def _in_order(made: sqlite3.Connection, table: str, column: str) -> None:
    rows = made.execute(f"SELECT rowid FROM {table} ORDER BY {column}, run").fetchall()  # noqa: S608
    for sign in (-1, 1):
        # By way of numbers that no row has.
        made.executemany(
            f"UPDATE {table} SET rowid = ? WHERE rowid = ?",  # noqa: S608 - our tables
            [
                (-place, old) if sign < 0 else (place, -place)
                for place, (old,) in enumerate(rows, start=1)
            ],
        )


def _settle(made: sqlite3.Connection) -> None:
    """Drop what hangs in the air: rows of runs that are not there, runs without their plan."""
    made.execute(
        "DELETE FROM runs WHERE plan_hash <> '' AND run NOT IN (SELECT run FROM plans) "
        "AND status NOT IN ('completed', 'discarded')",
    )
    while loose := made.execute("PRAGMA foreign_key_check").fetchall():
        for table, number, *_ in loose:
            made.execute(f"DELETE FROM {table} WHERE rowid = ?", (number,))  # noqa: S608 - ours


def _durable(folder: Path, made: sqlite3.Connection) -> tuple[int, int]:
    """Connections of runs that may go on whose parts are there, and how many runs these are."""
    whole: dict[tuple[str, str], bool] = {}
    for run, connection, path, size in made.execute(
        "SELECT run, connection, json_extract(receipt, '$.path'), json_extract(receipt, '$.bytes') "
        "FROM parts JOIN runs USING (run) "
        "WHERE status NOT IN ('completed', 'completed_with_errors', 'discarded')",
    ):
        file = folder / "parts" / run / path
        there = file.is_file() and file.stat().st_size >= size
        whole[run, connection] = whole.get((run, connection), True) and there
    done = [key for key, there in whole.items() if there]
    return len(done), len({run for run, _ in done})


def _told(
    why: str,
    aside: str,
    taken: Salvaged,
    *,
    runs: int,
    replayed: int,
    kept: tuple[int, int],
) -> str:
    lost = []
    if taken.unreadable:
        lost.append(f"what could not be read of {some([*taken.unreadable])}")
    if taken.damaged:
        lost.append(f"{counted(len(taken.damaged), 'damaged row')} ({some([*taken.damaged])})")
    if taken.nothing:
        lost.append("the history of runs that had ended, holds, pauses and what was noted")
    connections, of_runs = kept
    return (
        f"The state database {f'was damaged: {why}. It ' if why else ''}was set aside as {aside} "
        "and made anew. "
        f"Kept: {counted(runs, 'run')}, of them {counted(replayed, 'run')} by the marks beside it; "
        f"{counted(connections, 'finished connection')} of {counted(of_runs, 'unfinished run')} "
        f"with their parts. Lost: {'; '.join(lost) or 'nothing that is known of'}. "
        "What is not there any more is read again"
    )
