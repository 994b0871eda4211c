"""Kills engine or extractor at each of their operations, and resumes.

Before an operation, after it, and half-way through where it can be torn; alone and with a second
kill while the first one is being mended.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from etltui.domain.run import RunStatus
from faults.forks import Outcome
from faults.shim import ENGINE, EXTRACTOR, Fault, How, Kind
from faults.subject import World, targets

MOST_LIVES = 8
"""After which a run that still has not completed never will."""
MARGIN = 2
"""Operations by which one run may differ from another: who is told of progress when."""
Change = Callable[[], None]


@dataclass(kw_only=True)
class Trial:
    """What one fault came to.

    Attributes:
        kind: The line of the table that it belongs to.
        what: The fault in words.
        wrong: What did not hold; empty where all did.
        place: What was being done.
    """

    kind: str
    what: str
    wrong: str = ""
    place: str = ""


@dataclass
class Story:
    """The lives of engines on one world, from a fault to a completed run."""

    world: World
    change: Change | None = None
    lives: list[Outcome] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def live(self, fault: Fault | None = None) -> Outcome:
        """One more engine; what must always hold is looked at when it is gone."""
        life = self.world.run(fault, change=self.change)
        self.lives.append(life)
        if life.hung:
            self.wrong.append("an engine hung")
        self.wrong.extend(torn(self.world))
        if life.status == RunStatus.COMPLETED and (wrong := self.world.verdict(tidy=False)):
            self.wrong.append(f"{wrong}, though the run said completed")
        return life

    def complete(self) -> None:
        """Resume until a run completes, then look at everything."""
        while len(self.lives) < MOST_LIVES:
            life = self.live()
            if life.status == RunStatus.COMPLETED:
                break
            self.wrong.append(f"{life.status or 'no run'} without a fault: {life.words}")
        if wrong := self.world.verdict():
            self.wrong.append(wrong)
        self.wrong.extend(self._read_again())

    def _read_again(self) -> Iterator[str]:
        durable: set[tuple[str, str]] = set()
        for life in self.lives:
            if again := durable & life.named("started"):
                yield f"read again though durable: {', '.join(name for _, name in sorted(again))}"
            durable |= life.named("durable")


def torn(world: World) -> Iterator[str]:
    """Targets that are neither what they were nor what they are to be."""
    try:
        found = targets(world.output)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is no whole target
        yield f"torn: {error!r}"
        return
    for names in groups(world).values():
        states = [{name: each[name] for name in names} for each in (world.old, world.new)]
        if {name: found.get(name) for name in names} not in states:
            yield f"torn: {', '.join(names)}"


def groups(world: World) -> dict[str, list[str]]:
    """From each target to the names of its files."""
    tops: dict[str, list[str]] = {}
    for name in world.new:
        tops.setdefault(name.split("/")[0], []).append(name)
    return tops


def points(counts: dict[int, int]) -> Iterator[tuple[Fault, bool]]:
    """Every operation of both processes, in every way, alone and with a second kill."""
    for role in (ENGINE, EXTRACTOR):
        for nth in range(1, counts[role] + MARGIN + 1):
            for how in (How.BEFORE, How.AFTER, How.TORN):
                for second in (False, True):
                    yield Fault(role=role, nth=nth, how=how), second


def trial(
    world: World, fault: Fault, *, second: bool, change: Change | None = None
) -> Trial | None:
    """One kill, or two; None where the operation was not reached, or cannot be torn."""
    world.back()
    story = Story(world, change)
    first = story.live(fault)
    if not world.shim.control.hit:
        return None
    place = Kind(world.shim.control.hit_kind).name.lower()
    how = "torn" if fault.how is How.TORN else fault.how.name.lower()
    kind = f"kill {'engine' if fault.role == ENGINE else 'extractor'}, {how}"
    done = Trial(kind=f"{kind}, twice" if second else kind, what=str(fault), place=place)
    if fault.role == EXTRACTOR and first.status != RunStatus.COMPLETED and not second:
        story.wrong.append(f"{first.status or 'killed'}: {first.words}")
    if second and first.status != RunStatus.COMPLETED:
        chance = random.Random(f"{fault}")
        nth = chance.choice((chance.randint(1, 60), chance.randint(1, 400)))
        again = Fault(role=chance.choice((1, 1, 2)), nth=nth, how=chance.choice((1, 2, 3)))
        story.live(again)
        done.what += f", then role {again.role} at {again.nth}"
    story.complete()
    done.wrong = "; ".join(dict.fromkeys(story.wrong))
    return done
