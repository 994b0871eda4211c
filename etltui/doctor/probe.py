"""Asks a process of its own, for each kind of database, which drivers load; it may die of them."""

import asyncio
import json
import signal
import sys
from collections.abc import Mapping, Sequence

from etltui.domain.driver import Driver

_MODULE = "etltui.readers.drivers"
_LIMIT_S = 30.0
KINDS = ("sqlite", "postgresql", "mysql", "mssql", "odbc", "sqlalchemy")


async def probed(kinds: Sequence[str] = KINDS) -> Mapping[str, tuple[Driver, ...]]:
    """The drivers of each kind that is known, each kind asked in its turn."""
    return {kind: await _probe(kind) for kind in kinds if kind in KINDS}


def works(found: Sequence[Driver]) -> bool:
    """Whether a kind can be read: what it needs loads, and of what it may choose from, one."""
    choice = [each for each in found if not each.needed]
    return all(not each.problem for each in found if each.needed) and (
        any(each.needed for each in found) or any(not each.problem for each in choice)
    )


async def _probe(kind: str) -> tuple[Driver, ...]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        _MODULE,
        kind,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_LIMIT_S):
            out, said = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return (_broken(kind, f"loading its drivers takes longer than {_LIMIT_S:g} s"),)
    if process.returncode:
        return (_broken(kind, _last_words(process.returncode, said)),)
    return tuple(Driver(**each) for each in json.loads(out))


def _last_words(code: int, said: bytes) -> str:
    if code < 0:
        return f"loading its drivers killed the process ({signal.Signals(-code).name})"
    lines = said.decode(errors="replace").strip().splitlines() or [f"exit code {code}"]
    return f"its drivers cannot be looked at: {lines[-1]}"


def _broken(kind: str, problem: str) -> Driver:
    return Driver(
        name=kind,
        serves=kind,
        problem=problem,
        remedy=f"try {sys.executable} -m {_MODULE} {kind}, and install the driver again",
    )
