"""Refuses queries that do more than read, before any database is asked."""

import logging
from collections.abc import Iterable
from pathlib import Path

from etltui.config.statements import Statement
from etltui.domain.errors import ConfigError, Failure, Mistake
from etltui.domain.ports import Guard

_log = logging.getLogger(__name__)


async def mistakes(guard: Guard, path: Path, asked: Iterable[Statement]) -> tuple[Mistake, ...]:
    """What is wrong with statements, in their order; none where all of them only read.

    Args:
        guard: Looks at them.
        path: The configuration's file.
        asked: The statements.

    Raises:
        Failure: No extractor could tell.
    """
    found = tuple(asked)
    refusals = await guard.refusals([each.task for each in found])
    told = zip(found, refusals, strict=True)
    return tuple(each.mistake(path, refusal) for each, refusal in told if refusal)


async def refuse(guard: Guard, path: Path, asked: Iterable[Statement]) -> None:
    """As `mistakes`, raised.

    Where no extractor can tell, none can read either: the run meets that itself, and says so.

    Raises:
        ConfigError: All of them.
    """
    try:
        found = await mistakes(guard, path, asked)
    except Failure as failure:
        _log.warning("Whether the queries only read could not be told: %s", failure)
        return
    if found:
        raise ConfigError(found)
