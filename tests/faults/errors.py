"""Lets each operation of engine and extractor fail as a disk fails, mends the disk, and resumes.

A full disk, a quota that is reached and a disk that has become read-only stay so for everybody
until they are mended; an I/O error meets one call. A run may absorb a failure (a log that cannot
be written stops nothing), or end resumably with a sentence that names the disk, never otherwise.
"""

import errno
from collections.abc import Iterator

from etltui.domain.run import RESUMABLE, RunStatus
from faults.crashes import MARGIN, Change, Story, Trial
from faults.forks import Outcome
from faults.shim import ENGINE, EXTRACTOR, Fault, How, Kind
from faults.subject import World

LASTING = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
ONCE = (errno.EIO,)


def points(counts: dict[int, int]) -> Iterator[Fault]:
    """Every operation of both processes with every error."""
    for role in (ENGINE, EXTRACTOR):
        for nth in range(1, counts[role] + MARGIN + 1):
            for error in (*LASTING, *ONCE):
                yield Fault(role=role, nth=nth, how=How.FAIL, error=error, lasts=error in LASTING)


def trial(world: World, fault: Fault, *, change: Change | None = None) -> Trial | None:
    """One error; None where the operation was not reached, or cannot fail so."""
    world.back()
    story = Story(world, change)
    first = story.live(fault)
    control = world.shim.control
    if not control.hit:
        return None
    place = Kind(control.hit_kind).name.lower()
    name = errno.errorcode[fault.error]
    done = Trial(kind=f"{name} in every call", what=str(fault), place=place)
    if control.again:
        story.wrong.append("a file was synced again after its sync had failed")
    if wrong := unsaid(world, first, fault.error):
        story.wrong.append(f"{wrong}: {first.status} {first.words!r}")
    story.complete()
    done.wrong = "; ".join(dict.fromkeys(story.wrong))
    return done


def unsaid(world: World, life: Outcome, error: int) -> str:
    """What the end of a run that met an error does not say; empty where it says all."""
    if life.killed:
        return "the engine died"
    if life.status == RunStatus.COMPLETED:
        return ""
    if life.status and RunStatus(life.status) not in RESUMABLE:
        return "not resumable"
    if str(world.root) not in life.words:
        return "names no disk"
    if error == errno.ENOSPC and "need" not in life.words.casefold():
        return "does not say how much is needed"
    return ""
