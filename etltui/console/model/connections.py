"""The fleet: of each connection how it was read last, how well it answers, who holds it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from etltui.console.model.difference import COMPARED, usual_of
from etltui.domain.errors import ErrorClass
from etltui.domain.inquiry import Tested
from etltui.domain.job import Connection
from etltui.domain.logbook import Hold, Outcome
from etltui.domain.progress import ConnectionView, RunView
from etltui.domain.run import AT_WORK, ConnectionStatus

_NOT_ITS_FAULT = frozenset(
    {
        ErrorClass.HELD,
        ErrorClass.HOURS,
        ErrorClass.CANCELLED,
        ErrorClass.TARGET,
        ErrorClass.DISK,
        ErrorClass.MEMORY,
        ErrorClass.ENGINE,
        ErrorClass.INTERNAL,
    }
)
"""What an operator or this machine did: it says nothing of the branch."""
_SHOWN_LIVE = frozenset(
    {
        ConnectionStatus.RUNNING,
        ConnectionStatus.RETRYING,
        ConnectionStatus.COMPLETED,
        ConnectionStatus.FAILED,
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Past:
    """What a connection's runs were in the days that are looked at.

    Attributes:
        last: The newest one; None: there was none.
        good: The newest one that completed.
        usual: Rows of the ones before it in the same job; None: there were none.
        asked: In how many it was asked and the end was its own doing.
        answered: In how many of these it completed.
    """

    last: Outcome | None = None
    good: Outcome | None = None
    usual: int | None = None
    asked: int = 0
    answered: int = 0

    @property
    def reliability(self) -> float | None:
        """Of the times it was asked, the part in which it completed; None: it was not asked."""
        return self.answered / self.asked if self.asked else None


NO_PAST = Past()


def counts(outcome: Outcome) -> bool:
    """Whether an outcome says something about how well its connection answers."""
    if outcome.status is ConnectionStatus.COMPLETED:
        return True
    return outcome.status is ConnectionStatus.FAILED and outcome.error_class not in _NOT_ITS_FAULT


def pasts(outcomes: Iterable[Outcome]) -> dict[str, Past]:
    """Of each connection what its runs were.

    Args:
        outcomes: Of all connections, the oldest first.
    """
    by_name: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_name.setdefault(outcome.connection, []).append(outcome)
    return {name: _past(found) for name, found in by_name.items()}


def _past(found: Sequence[Outcome]) -> Past:
    good = [each for each in found if each.status is ConnectionStatus.COMPLETED]
    newest = good[-1] if good else None
    before: list[int] = []
    for each in reversed(good[:-1]):
        if len(before) == COMPARED:
            break
        if newest is not None and each.job == newest.job:
            before.append(each.rows)
    return Past(
        last=found[-1],
        good=newest,
        usual=usual_of(before),
        asked=sum(map(counts, found)),
        answered=len(good),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A database that is asked for an answer.

    Attributes:
        found: What came of it; None: it is being asked.
        at: Unix time in seconds of the answer.
    """

    found: Tested | None = None
    at: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class FleetLine:
    """A connection as it stands.

    Attributes:
        live: How it stands in a run at work; None: in none.
        hold: Who holds it; None: nobody.
        absent: `closed` or `not yet open`; empty where it is there.
        answer: Its test; None: it was not tested, or has been read since.
        read: Whether the store has told of its runs yet.
    """

    connection: Connection
    past: Past = NO_PAST
    live: ConnectionView | None = None
    hold: Hold | None = None
    absent: str = ""
    answer: Answer | None = None
    read: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Fleet:
    """What the lines of the connections are made of.

    Attributes:
        pasts: From names to what their runs were.
        holds: From names to who holds them.
        live: From names to how they stand in a run at work.
        tests: From names to their tests.
        at: Unix time in seconds.
        day: The day that it is.
        read: Whether the store has told of runs yet.
    """

    at: float
    day: date
    pasts: Mapping[str, Past] = field(default_factory=dict)
    holds: Mapping[str, Hold] = field(default_factory=dict)
    live: Mapping[str, ConnectionView] = field(default_factory=dict)
    tests: Mapping[str, Answer] = field(default_factory=dict)
    read: bool = True


def live_views(runs: Iterable[RunView]) -> dict[str, ConnectionView]:
    """Of each connection in a run at work how it stands there; of several runs the last change."""
    found: dict[str, ConnectionView] = {}
    for run in runs:
        if run.status not in AT_WORK:
            continue
        for name, view in run.connections.items():
            if view.status in _SHOWN_LIVE and view.since >= run.started:
                before = found.get(name)
                if before is None or view.since >= before.since:
                    found[name] = view
    return found


def absence(connection: Connection, day: date) -> str:
    """Why a connection is not expected to answer on a day; empty where it is."""
    if connection.exists(day):
        return ""
    return "not yet open" if connection.opened and day < connection.opened else "closed"


def fleet_line(connection: Connection, fleet: Fleet) -> FleetLine:
    """A connection as it stands."""
    name = connection.name
    hold = fleet.holds.get(name)
    past = fleet.pasts.get(name, NO_PAST)
    return FleetLine(
        connection=connection,
        past=past,
        live=fleet.live.get(name),
        hold=hold if hold is not None and hold.in_force(fleet.at) else None,
        absent=absence(connection, fleet.day),
        read=fleet.read,
        answer=_still_new(fleet.tests.get(name), past),
    )


def _still_new(answer: Answer | None, past: Past) -> Answer | None:
    """An answer that no run has overtaken."""
    if answer is None or answer.found is None or past.last is None:
        return answer
    return answer if answer.at >= past.last.at else None


def tag_changes(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Tags to add and to take away: `+north -old`, a word without a sign is added.

    Raises:
        ValueError: A sign stands alone, or nothing is typed.
    """
    add: list[str] = []
    remove: list[str] = []
    for word in text.replace(",", " ").split():
        tag = word.lstrip("+-")
        if not tag:
            raise ValueError("write +tag to add one, -tag to take one away")
        (remove if word.startswith("-") else add).append(tag)
    if not (add or remove):
        raise ValueError("write +tag to add one, -tag to take one away")
    return tuple(dict.fromkeys(add)), tuple(dict.fromkeys(remove))


def chunks(names: Sequence[str], size: int) -> list[Sequence[str]]:
    """The names in groups of at most so many."""
    return [names[at : at + size] for at in range(0, len(names), size)]


def summed_up(found: Iterable[Tested], named: Callable[[str], str]) -> str:
    """What came of many tests, in a sentence.

    Args:
        found: What came of each.
        named: How a class of failure reads.
    """
    found = list(found)
    bad: dict[str, int] = {}
    for each in found:
        if each.trouble is not None:
            word = named(each.trouble.error_class)
            bad[word] = bad.get(word, 0) + 1
    good = len(found) - sum(bad.values())
    most = sorted(bad.items(), key=lambda pair: -pair[1])
    said = [f"{good:,} answered", *(f"{count:,} {word}" for word, count in most)]
    if bare := sum(each.server is not None and each.server.bare for each in found):
        said.append(f"{bare:,} not encrypted")
    return ", ".join(said)
