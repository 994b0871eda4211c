"""Holds each session that rows are read over against the database that is known there."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from etltui.domain.identity import Identity, changed, doubled, first_met, refusal, skewed
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
        self._take(one)
        if self._is_news(connection, one):
            self._listener()
        if one.other and (before is None or before.other != one.other):
            _log.warning("%s", changed(one, self._known).capitalize())
        if one.other and self.refuses():
            raise refusal(one, self._known)

    def odd(
        self, connection: str, facts: ServerFacts, alike: Callable[[str], bool]
    ) -> tuple[str, ...]:
        """What is odd about who answers at a connection, a sentence each.

        Args:
            connection: Its name.
            facts: Of the session that is open there.
            alike: Whether another connection is asked for the same rows.
        """
        one = self._known.get(connection)
        said = [skewed(facts)]
        if one is not None and facts.identity:
            same = self._names[one.mark] - {connection}
            doubles = doubled(connection, sorted(filter(alike, same)))
            said = [changed(one, self._known), doubles, *said]
        return tuple(filter(None, said))

    def _take(self, one: Identity) -> None:
        if before := self._known.get(one.connection):
            self._names[before.mark].discard(one.connection)
        self._known[one.connection] = one
        self._names[one.mark].add(one.connection)

    def _is_news(self, name: str, one: Identity) -> bool:
        written = self._written.get(name)
        if written is None or one.last_seen - written.last_seen > _STALE_S:
            return True
        return (one.identity, one.other, one.started, one.approved_at) != (
            written.identity,
            written.other,
            written.started,
            written.approved_at,
        )


def approvals(
    known: Mapping[str, Identity], names: Iterable[str], who: str, now: float
) -> list[Identity]:
    """What is known once whoever answers there is taken for the right one, where it had changed."""
    found = (known.get(name) for name in dict.fromkeys(names))
    return [one.approved(who, now) for one in found if one is not None and one.other]
