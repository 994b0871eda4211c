"""Revisions of a target: that it was patched once it was finished, what changed, who and when."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from zlib import crc32

from etltui.domain.part import Member, Receipt
from etltui.domain.words import number

_SHOWN = 20
"""Connections of one revision that are named."""
_Place = tuple[str, int, int, str, int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Revision:
    """A target as it was patched.

    Attributes:
        destination: Position of the destination in the job.
        number: From 2; the first is the target as its run finished it.
        at: Unix time in seconds.
        who: Who asked for it, as `user@host`.
        changes: What became of connections, a part of a sentence each.
        content: Names what the target then holds.
    """

    destination: int
    number: int
    at: float
    who: str
    changes: tuple[str, ...]
    content: int

    @property
    def told(self) -> str:
        """What changed."""
        more = len(self.changes) - _SHOWN
        return "; ".join(self.changes[:_SHOWN]) + (f"; and {more:,} more" if more > 0 else "")


def revised(
    known: Sequence[Revision],
    before: Sequence[Member],
    after: Sequence[Receipt],
    latest: Revision,
) -> tuple[Revision, ...]:
    """The revisions of all targets, with that of one that is about to be made.

    One that was begun and never made is forgotten; one that is made again stays as it was.

    Args:
        known: Of all destinations.
        before: What the target holds; empty where it was never finished.
        after: What it is to hold.
        latest: The destination, who asks and when; the rest is found here.
    """
    if not before:
        return tuple(known)
    mine = [each for each in known if each.destination == latest.destination]
    then, now = _content(map(_of_member, before)), _content(map(_of_receipt, after))
    if mine and mine[-1].content == now:
        return tuple(known)
    if mine and mine[-1].content != then:
        known = [each for each in known if each is not mine[-1]]
        mine.pop()
    if then == now:
        return tuple(known)
    new = Revision(
        destination=latest.destination,
        number=len(mine) + 2,
        at=latest.at,
        who=latest.who,
        changes=tuple(_changes(before, after)),
        content=now,
    )
    return (*known, new)


def _of_member(member: Member) -> _Place:
    place = member.connection, member.query, member.segment, member.variant
    return *place, member.length, member.crc


def _of_receipt(part: Receipt) -> _Place:
    return part.connection, part.query, part.segment, part.variant, part.bytes, part.crc


def _content(places: Iterable[_Place]) -> int:
    return crc32(repr(sorted(places)).encode())


def _changes(before: Sequence[Member], after: Sequence[Receipt]) -> Iterator[str]:
    """What became of each connection, in the order of the target."""
    old, new = set(map(_of_member, before)), set(map(_of_receipt, after))
    there = {place[0] for place in old}
    changed = {place[0] for place in old ^ new}
    for name in dict.fromkeys(part.connection for part in after):
        if name in changed:
            first = min(part.variant for part in after if part.connection == name)
            rows = sum(p.rows for p in after if (p.connection, p.variant) == (name, first))
            how = "read again" if name in there else "added"
            yield f"{name} {how}, {number(rows)} rows"
    for name in sorted(there - {part.connection for part in after}):
        yield f"{name} removed"
