"""Checks of the state database: is it whole, how large is it, what was set aside."""

from etltui.doctor.facts import Facts
from etltui.doctor.finding import Finding, fail, ok, warn
from etltui.domain.words import size, some

_ANEW = "The next `etltui run` sets it aside and makes it anew; so does `etltui state rebuild`"


def whole(facts: Facts) -> tuple[Finding, ...]:
    """Whether its structure and each row are what was written, and how large it is."""
    found = facts.records
    if not found.files.database:
        return ()
    if found.broken or found.flaws:
        return (
            fail(
                "state database",
                f"damaged: {found.broken or some([*found.flaws])}",
                "What proves itself is kept then, and parts with it; the rest is read again.",
                f"{_ANEW}. Check the disk (dmesg, smartctl)",
                rows=len(found.flaws),
            ),
        )
    numbers: dict[str, float] = {"bytes": found.files.database, "log_bytes": found.files.log}
    if found.files.too_large:
        return (
            warn(
                "state database",
                f"large: {size(found.files.database)}, write-ahead log {size(found.files.log)}",
                f"{found.files.too_large}.",
                "See there",
                **numbers,
            ),
        )
    sizes = f"{size(found.files.database)}, write-ahead log {size(found.files.log)}"
    return (ok("state database", f"whole: {sizes}", "", **numbers),)


def set_aside(facts: Facts) -> tuple[Finding, ...]:
    """Former databases that lie beside it."""
    there = facts.records.files
    if not there.aside:
        return ()
    return (
        warn(
            "state database",
            f"set aside: {some([*there.aside])}, {size(there.aside_bytes)}",
            "The log and the actions of that time say what was lost and what was kept.",
            "Delete them when nobody needs to look into them any more",
            files=len(there.aside),
        ),
    )
