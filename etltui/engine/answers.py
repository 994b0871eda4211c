"""Waits for one answer of a database that somebody has asked a question."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from etltui.domain.errors import ErrorClass, Failure

T = TypeVar("T")

AT_ONCE = 16
"""Databases asked together, so that runs at work keep getting sessions."""


async def answer(asked: Awaitable[T], limit_s: float, what: str = "answer") -> T:
    """The answer.

    Raises:
        Failure: Of class `timeout`, or what the database says instead.
    """
    try:
        async with asyncio.timeout(limit_s):
            return await asked
    except TimeoutError:
        text = f"no {what} within request_timeout_s = {limit_s:g} s"
        raise Failure(ErrorClass.TIMEOUT, text) from None
