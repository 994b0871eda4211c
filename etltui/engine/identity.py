"""Holds each session that rows are read over against the database that is known there."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from etltui.domain.identity import (
    Code,
    Identity,
    changed,
    changed_code,
    doubled,
    doubled_code,
    first_met,
    refusal,
    skewed,
    unmet,
    way_out,
)
from etltui.domain.server import ServerFacts

_STALE_S = 3600.0
"""What changes is written down at once; that nothing changed, so seldom."""

_log = logging.getLogger(__name__)


class Identities:
    """Which databases connections are known to be, in memory: every try at one looks here.

    Attributes:
        refuses: Whether one that is another than before is not read, as it is at this moment.
    """

    def __init__(self) -> None:
        self.refuses: Callable[[], bool] = lambda: False
        self._known: dict[str, Identity] = {}
        self._written: dict[str, Identity] = {}
        self._names: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self._codes: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self._listener: Callable[[], None] = lambda: None

    @property
    def all(self) -> Mapping[str, Identity]:
        """All that is known, by connections' names."""
        return self._known

    def listen(self, listener: Callable[[], None]) -> None:
        """Have somebody told when there is something to write down."""
        self._listener = listener

    def put(self, identities: Iterable[Identity]) -> None:
        """Take in what is written down."""
        for each in identities:
            self._take(each)
            self._written[each.connection] = each

    def unwritten(self) -> list[Identity]:
        """What is not written down yet."""
        return [one for name, one in self._known.items() if self._is_news(name, one)]

    def wrote(self, identities: Iterable[Identity]) -> None:
        """Take these for written, whatever has been met since."""
        self._written.update((one.connection, one) for one in identities)

    def met(self, connection: str, facts: ServerFacts, now: float) -> None:
        """Take in who answered when a session was opened.

        Raises:
            Failure: It is another than before, and that is refused.
        """
        before = self._known.get(connection)
        if before is None and not facts.identity:
            return
        one = before.met(facts, now) if before else first_met(connection, facts, now)
        self._learn(one)
        if one.other and (before is None or before.other != one.other):
            said = f"{changed(one, self._known)}; {way_out(one)}"
            _log.warning("%s", said[0].upper() + said[1:])
        if one.other and self.refuses():
            raise refusal(one, self._known)

    def told(self, connection: str, code: Code, now: float) -> None:
        """Take in what its identity query was answered.

        Raises:
            Failure: It is another code than before, or than is configured, and that is refused.
        """
        one = (self._known.get(connection) or unmet(connection, now)).told(code, now)
        self._learn(one)
        if one.other_code and self.refuses():
            raise refusal(one, self._known, code.expected)

    def odd(
        self,
        connection: str,
        facts: ServerFacts,
        alike: Callable[[str], bool],
        code: Code | None = None,
    ) -> tuple[str, ...]:
        """What is odd about who answers at a connection, a sentence each.

        Args:
            connection: Its name.
            facts: Of the session that is open there.
            alike: Whether another connection is asked for the same rows.
            code: What its identity query was answered; None: it has none.
        """
        one = self._known.get(connection)
        said, same = [], set[str]()
        if one is not None and facts.identity:
            same = {*filter(alike, self._names[one.mark] - {connection})}
            other = changed(one, self._known)
            said = [other and f"{other}; {way_out(one)}", doubled(connection, sorted(same))]
        if one is not None and code is not None:
            other = changed_code(one, self._known, code.expected)
            # Those that are one database have been named, and then give one code.
            copies = {*filter(alike, self._codes[one.code_mark] - {connection})} - same
            said += [
                other and f"{other}; {way_out(one, code.expected)}",
                doubled_code(connection, sorted(copies), code.value),
            ]
        return tuple(filter(None, [*said, skewed(facts)]))

    def _learn(self, one: Identity) -> None:
        """Take in what is known now, and have it written down."""
        self._take(one)
        if self._is_news(one.connection, one):
            self._listener()

    def _take(self, one: Identity) -> None:
        if before := self._known.get(one.connection):
            self._names[before.mark].discard(one.connection)
            self._codes[before.code_mark].discard(one.connection)
        self._known[one.connection] = one
        if one.identity:
            self._names[one.mark].add(one.connection)
        if one.asked:
            self._codes[one.code_mark].add(one.connection)

    def _is_news(self, name: str, one: Identity) -> bool:
        written = self._written.get(name)
        if written is None or one.last_seen - written.last_seen > _STALE_S:
            return True
        return _told_of(one) != _told_of(written)


def _told_of(one: Identity) -> tuple[object, ...]:
    """What is written down at once where it is another than before."""
    codes = one.asked, one.code, one.other_code
    return one.identity, one.other, one.started, one.approved_at, *codes


def approvals(
    known: Mapping[str, Identity],
    names: Iterable[str],
    who: str,
    now: float,
    expected: Mapping[str, str],
) -> list[Identity]:
    """What is known once whoever answers there is taken for the right one, where it had changed.

    Args:
        known: Of each connection.
        names: Of those that are approved.
        who: Approves them.
        now: As a Unix time.
        expected: The code that is configured, of connections that have one: it is not approved
            away.
    """
    found = (known.get(name) for name in dict.fromkeys(names))
    return [
        one.approved(who, now, expected.get(one.connection, ""))
        for one in found
        if one is not None and (one.other or (one.other_code and not expected.get(one.connection)))
    ]
