"""Waits for one answer of a database that somebody has asked a question."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from etltui.domain.errors import ErrorClass, Failure

T = TypeVar("T")

AT_ONCE = 16
"""Databases asked together, so that runs at work keep getting sessions."""


async def answer(
    asked: Awaitable[T],
    limit_s: float,
    what: str = "answer",
    limit: str = "request_timeout_s",
) -> T:
    """The answer.

    Args:
        asked: Gives it.
        limit_s: How long it may take.
        what: It is, in words.
        limit: The setting that says how long.

    Raises:
        Failure: Of class `timeout`, or what the database says instead.
    """
    try:
        async with asyncio.timeout(limit_s):
            return await asked
    except TimeoutError:
        text = f"no {what} within {limit} = {limit_s:g} s"
        raise Failure(ErrorClass.TIMEOUT, text) from None
