"""Which connections a job reads: names, globs and tags, in order, each once."""

import re
from collections.abc import Sequence
from datetime import date
from fnmatch import translate

from etltui.config.checks import nearest, shown
from etltui.domain.errors import ConfigError, Mistake
from etltui.domain.job import Connection

_TAG = "tag:"
_GLOB = frozenset("*?[")
_SHOWN = 10


def matches(
    connections: Sequence[Connection],
    selectors: Sequence[str],
) -> list[tuple[str, tuple[Connection, ...]]]:
    """Each selector with the connections that it means, in their own order.

    Args:
        connections: All there are.
        selectors: A name, a glob over names, or `tag:` and a glob over tags. Case counts.
    """
    # 500 names in each of 20 jobs: a name is looked up, a glob is compiled once.
    by_name = {each.name: (each,) for each in connections}

    def found(selector: str) -> tuple[Connection, ...]:
        tagged = selector.startswith(_TAG)
        if not tagged and not _GLOB & set(selector):
            return by_name.get(selector, ())
        fits = re.compile(translate(selector.removeprefix(_TAG))).match
        return tuple(
            each
            for each in connections
            if any(fits(word) for word in (each.tags if tagged else (each.name,)))
        )

    return [(selector, found(selector)) for selector in selectors]


def _some(names: Sequence[str]) -> str:
    """The first few of perhaps 500 names."""
    return ", ".join([*names[:_SHOWN], *(["…"] if len(names) > _SHOWN else [])]) or "none"


def suggestion(connections: Sequence[Connection], selector: str) -> str:
    """What a selector that matches nothing may have meant."""
    if selector.startswith(_TAG):
        tags = dict.fromkeys(tag for connection in connections for tag in connection.tags)
        near = nearest(selector, [f"{_TAG}{tag}" for tag in tags])
        return near or f"Tags there are: {_some(sorted(tags))}"
    names = [each.name for each in connections]
    return nearest(selector, names) or f"Connections there are: {_some(names)}"


def _lost(selector: str, chosen: Sequence[Connection], day: date | None) -> Mistake:
    """Why a selector of `--only` means no connection that could be read."""
    absent = [] if day is None else [each for each in chosen if not each.exists(day)]
    ((_, named),) = matches(absent, [selector])
    if named:
        problem = f"{shown(selector)} means only connections that are closed or not yet open"
        way_out = f"Those there are on {day}: {_some([c.name for c in chosen if c not in absent])}"
    else:
        problem = f"{shown(selector)} matches no connection of the job"
        way_out = suggestion([each for each in chosen if each not in absent], selector)
    return Mistake(where="command line", key="--only", problem=problem, way_out=way_out)


def select(
    connections: Sequence[Connection],
    selectors: Sequence[str],
    only: Sequence[str] = (),
    day: date | None = None,
) -> tuple[Connection, ...]:
    """The connections that the selectors mean, in the selectors' order, each once.

    A selector that matches nothing is refused when the configuration is loaded, not here.

    Args:
        connections: All there are.
        selectors: The job's.
        only: Selectors of the command line; what none of them matches is left out.
        day: Leaves out those that are closed or not yet open on it; None leaves out none.

    Raises:
        ConfigError: One of `only` matches nothing that was selected.
    """
    found = (each for _, group in matches(connections, selectors) for each in group)
    chosen = tuple({each.name: each for each in found}.values())
    there = tuple(each for each in chosen if day is None or each.exists(day))
    if not only:
        return there
    wanted = matches(there, only)
    lost = [selector for selector, group in wanted if not group]
    if lost:
        raise ConfigError([_lost(selector, chosen, day) for selector in lost])
    kept = {each.name for _, group in wanted for each in group}
    return tuple(each for each in there if each.name in kept)
