"""Looks up what the last runs of a job were."""

import logging
from statistics import median

from etltui.domain.errors import StateError
from etltui.domain.ports import History
from etltui.domain.usual import Past

_LOOKED_AT = 20
"""Runs, some of which did not complete."""

_log = logging.getLogger(__name__)


async def past_of(history: History, job: str, *, besides: str = "") -> Past:
    """What the job's last runs were; nothing where that cannot be read.

    Args:
        history: What is recorded.
        job: Its name.
        besides: A run that does not count, nor do those after it.
    """
    try:
        usual = await history.usual(job, besides=besides)
        rows = await history.runs(job=job, limit=_LOOKED_AT)
    except StateError as error:
        _log.warning("What is usual for %s is not known: %s", job, error)
        return Past()
    took = [
        row.result.publish_s
        for row in rows
        if row.run != besides and row.result is not None and row.result.publish_s > 0
    ]
    return Past(usual=usual, publish_s=median(took) if took else None)
