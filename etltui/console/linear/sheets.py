"""What the linear console says of runs, connections and pools: the columns of the screen, in words.

Bars are left out: a share is said as a number.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from etltui.console.cells import Cell
from etltui.console.glyphs import Glyphs
from etltui.console.linear.tables import plain
from etltui.console.model.checkpoints import FIELDS as SAVED_FIELDS
from etltui.console.model.checkpoints import SavedRow
from etltui.console.model.connection_rows import FIELDS as FLEET_FIELDS
from etltui.console.model.connection_rows import FleetRow
from etltui.console.model.history import FIELDS as PAST_FIELDS
from etltui.console.model.history import RunLine
from etltui.console.model.job_rows import FIELDS as JOB_FIELDS
from etltui.console.model.job_rows import JobRow
from etltui.console.model.listing import Field
from etltui.console.model.pool_rows import FIELDS as POOL_FIELDS
from etltui.console.model.pool_rows import PoolRow
from etltui.console.model.queue import FIELDS as TURN_FIELDS
from etltui.console.model.queue import TurnRow
from etltui.console.model.run import Subject, classes_of, head
from etltui.console.model.run_columns import FIELDS as RUN_FIELDS
from etltui.console.model.run_columns import RunConnection
from etltui.domain.errors import ADVICE
from etltui.domain.inquiry import Tested
from etltui.domain.progress import ConnectionView
from etltui.domain.run import ConnectionStatus
from etltui.domain.words import short, words

T = TypeVar("T")

_WRONG = (ConnectionStatus.FAILED, ConnectionStatus.RETRYING, ConnectionStatus.SKIPPED)


def _note(each: RunConnection) -> Cell:
    """As on a screen; what went wrong has a line of its own."""
    failed = each.view.status is ConnectionStatus.FAILED
    return "" if failed else RUN_FIELDS[-1].cell(each)


def _called(field: Field[T], job: Callable[[T], str]) -> Field[T]:
    """The field with the job's name: commands take it; its title is for whoever points at it."""
    return replace(field, cell=job) if field.id == "job" else field


def _always(field: Field[T]) -> Field[T]:
    """The field, which is there on narrow lines, too, where commands need what it says."""
    return replace(field, below=0) if field.id == "run" else field


JOBS: tuple[Field[JobRow], ...] = tuple(
    each for each in JOB_FIELDS if each.id != "job" and (each.shown or each.id == "name")
)
FLEET: tuple[Field[FleetRow], ...] = tuple(
    each for each in FLEET_FIELDS if each.shown and each.id != "answer"
)
RUN: tuple[Field[RunConnection], ...] = (
    *(each for each in RUN_FIELDS[:-1] if each.shown),
    replace(RUN_FIELDS[-1], cell=_note),
)
POOLS: tuple[Field[PoolRow], ...] = tuple(
    each for each in POOL_FIELDS if each.shown and each.id != "use"
)


SAVED: tuple[Field[SavedRow], ...] = tuple(
    _always(_called(each, lambda row: row.saved.row.job)) for each in SAVED_FIELDS
)
TURNS: tuple[Field[TurnRow], ...] = tuple(
    _called(each, lambda row: row.turn.job) for each in TURN_FIELDS
)
RUNS: tuple[Field[RunLine], ...] = tuple(
    _always(_called(each, lambda line: line.past.job))
    for each in (PAST_FIELDS[-1], *PAST_FIELDS[:-1])
    if each.shown or each.id == "run"
)


def run_line(subject: Subject, glyphs: Glyphs) -> str:
    """A run in one line: which one, how it stands, how far it is, for how long."""
    left, right = head(subject, glyphs, wide=False)
    took = f", {plain(right)}" if right else ""
    return f"run {short(subject.run)} {subject.job} {plain(left)}{took}"


def failures(views: Sequence[ConnectionView], contacts: Mapping[str, str]) -> Iterator[str]:
    """What went wrong with each connection, and once for each class what to try."""
    for view in views:
        if view.trouble is not None and view.status in _WRONG:
            call = f"; call {contacts[view.connection]}" if contacts.get(view.connection) else ""
            what = f"{words(view.trouble.error_class)}: {view.trouble.message}"
            yield f"{view.connection} {what}{call}"
    for error_class in classes_of(views):
        advice = ADVICE[error_class]
        yield f"{words(error_class)}: {advice.means} {advice.try_}"


def tested_line(found: Tested) -> str:
    """What came of asking a database for an answer."""
    if found.trouble is None:
        bare = ", not encrypted" if found.server is not None and found.server.bare else ""
        odd = "".join(f"; {each}" for each in found.odd)
        return f"{found.connection} answered in {found.milliseconds:,.1f} ms{bare}{odd}"
    call = f"; call {found.contact}" if found.contact else ""
    what = f"{words(found.trouble.error_class)}: {found.trouble.message}"
    return f"{found.connection} {what}{call}"
