"""Revisions: what changed in a finished target, counted once however often it is tried."""

from dataclasses import replace

from etltui.domain.part import Member, Receipt
from etltui.domain.revision import Revision, revised

ASKED = Revision(destination=0, number=0, at=5.0, who="asha@desk", changes=(), content=0)


def part(name, rows=10, *, variant="", segment=0, crc=1):
    return Receipt(
        run="R",
        destination=0,
        connection=name,
        query=0,
        segment=segment,
        attempt=1,
        path=f"{name}.part",
        rows=rows,
        bytes=100,
        crc=crc,
        raw_bytes=100,
        raw_crc=crc,
        plan_hash="p",
        connection_hash="c",
        variant=variant,
    )


def members(*parts):
    """Where these parts lie in a target; where does not matter."""
    return [
        Member(
            connection=each.connection,
            query=each.query,
            segment=each.segment,
            variant=each.variant,
            offset=number * 1000,
            length=each.bytes,
            crc=each.crc,
        )
        for number, each in enumerate(parts)
    ]


A, B, C = part("a"), part("b", 2000), part("c")


def test_the_first_target_is_no_revision():
    assert revised((), [], [A, B], ASKED) == ()


def test_the_same_rows_are_no_revision():
    assert revised((), members(A, B), [B, A], ASKED) == ()


def test_it_says_what_was_added_read_again_and_removed():
    (found,) = revised((), members(A, C), [replace(A, crc=9), B], ASKED)
    assert replace(found, content=0) == replace(
        ASKED, number=2, changes=("a read again, 10 rows", "b added, 2,000 rows", "c removed")
    )
    assert found.told == "a read again, 10 rows; b added, 2,000 rows; c removed"


def test_rows_are_counted_once_over_segments_and_variants():
    parts = [
        part("b", 5, variant=variant, segment=segment)
        for variant in ("sheets", "single")
        for segment in (0, 1)
    ]
    (found,) = revised((), members(A), [A, *parts], ASKED)
    assert found.changes == ("b added, 10 rows",)


def test_revisions_are_counted_for_each_destination():
    first = revised((), members(A), [A, B], ASKED)
    other = revised(first, members(A), [A, B], replace(ASKED, destination=1))
    both = revised(other, members(A, B), [A, B, C], replace(ASKED, who="ravi@desk"))
    assert [(each.destination, each.number) for each in both] == [(0, 2), (1, 2), (0, 3)]
    assert both[2].changes == ("c added, 10 rows",)


def test_one_that_a_crash_cut_off_is_made_again_as_it_was():
    begun = revised((), members(A), [A, B], ASKED)
    assert revised(begun, members(A), [A, B], replace(ASKED, at=9.0)) == begun


def test_one_that_was_never_made_is_forgotten():
    begun = revised((), members(A), [A, B], ASKED)
    (found,) = revised(begun, members(A), [A, B, C], ASKED)
    assert (found.number, found.changes) == (2, ("b added, 2,000 rows", "c added, 10 rows"))
    assert revised(begun, members(A), [A], ASKED) == ()


def test_of_many_changes_twenty_are_told():
    (found,) = revised((), members(A), [A, *(part(f"x{n}") for n in range(25))], ASKED)
    assert len(found.changes) == 25
    assert found.told.endswith("x19 added, 10 rows; and 5 more")
