"""Which connections a job reads: names, globs and tags, in order, each once."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from etltui.config.checks import nearest, shown
from etltui.domain.errors import ConfigError, Mistake
from etltui.domain.job import Connection

_TAG = "tag:"
_SHOWN = 10


def _matches(connection: Connection, selector: str) -> bool:
    if selector.startswith(_TAG):
        return any(fnmatchcase(tag, selector.removeprefix(_TAG)) for tag in connection.tags)
    return connection.name == selector or fnmatchcase(connection.name, selector)


def matching(connections: Iterable[Connection], selector: str) -> tuple[Connection, ...]:
    """The connections that one selector means, in their own order.

    Args:
        connections: All there are.
        selector: A name, a glob over names, or `tag:` and a glob over tags. Case counts.
    """
    return tuple(each for each in connections if _matches(each, selector))


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


def select(
    connections: Sequence[Connection],
    selectors: Sequence[str],
    only: Sequence[str] = (),
) -> tuple[Connection, ...]:
    """The connections that the selectors mean, in the selectors' order, each once.

    A selector that matches nothing is refused when the configuration is loaded, not here.

    Args:
        connections: All there are.
        selectors: The job's.
        only: Selectors of the command line; what none of them matches is left out.

    Raises:
        ConfigError: One of `only` matches nothing that was selected.
    """
    found = (each for selector in selectors for each in matching(connections, selector))
    chosen = tuple({each.name: each for each in found}.values())
    lost = [selector for selector in only if not matching(chosen, selector)]
    if lost:
        raise ConfigError(
            [
                Mistake(
                    where="command line",
                    key="--only",
                    problem=f"{shown(selector)} matches no connection of the job",
                    way_out=suggestion(chosen, selector),
                )
                for selector in lost
            ],
        )
    if not only:
        return chosen
    return tuple(each for each in chosen if any(_matches(each, selector) for selector in only))
