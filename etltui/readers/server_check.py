"""Three readings of a server's load, from what each dialect asks: sessions, their limit, waits."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.server import ServerReading
from etltui.domain.words import counted

_FULL = 0.8
"""From here on a server is nearly full: one busy night more and somebody is refused."""
_HIDDEN = frozenset({ErrorClass.PERMISSION, ErrorClass.SYNTAX, ErrorClass.VALUE})
"""What a question that this user may not ask, or this version does not know, ends with."""

Ask = Callable[[str], Sequence[Sequence[Any]]]
"""Runs a statement; its rows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Questions:
    """What a dialect is asked.

    Attributes:
        sessions: One row: how many sessions there are, how many of them work.
        limit: One row: how many there may be; 0 for any number.
        waits: Rows of what is waited for and its weight, the heaviest first.
        unit: What the weight counts.
        seen: One row: whether this user sees all sessions; empty: everybody does.
        grant: What to grant so that all is seen.
        raise_by: How to have more sessions.
        locks: Words in what is waited for that tell of locks.
        summed: Whether waits are summed up since the server started, so that none is of now.
    """

    sessions: str
    limit: str
    waits: str
    unit: str
    grant: str
    raise_by: str
    seen: str = ""
    locks: tuple[str, ...] = ("lock",)
    summed: bool = False


def checked(questions: Questions, ask: Ask) -> tuple[ServerReading, ...]:
    """The three readings; what this user may not see is said in words.

    Raises:
        Failure: The server does not answer any more.
    """
    partial = _partial(questions, ask)
    used, limit = _asked(questions.sessions, ask), _asked(questions.limit, ask)
    waits = _asked(questions.waits, ask)
    return (
        _sessions(used, limit, questions, partial),
        _limit(limit, questions),
        _waits(waits, questions, partial),
    )


def _asked(sql: str, ask: Ask) -> Sequence[Sequence[Any]] | Failure:
    try:
        return ask(sql)
    except Failure as failure:
        if failure.error_class not in _HIDDEN:
            raise
        return failure


def _partial(questions: Questions, ask: Ask) -> str:
    """What to say where only this user's own sessions are seen; empty where all are."""
    found = _asked(questions.seen, ask) if questions.seen else ((1,),)
    if isinstance(found, Failure) or not found or not _count(found[0][0]):
        return f"This user may see its own sessions only; {questions.grant} shows all."
    return ""


def _hidden(name: str, failure: Failure, questions: Questions) -> ServerReading:
    why = f"This user may not see it ({failure.message}); {questions.grant}."
    return ServerReading(name=name, value="", meaning=why)


def _count(value: Any) -> int:
    """A number, however a driver gives it."""
    if isinstance(value, str):
        truth: Mapping[str, int] = {"t": 1, "true": 1, "f": 0, "false": 0, "": 0}
        return truth[value.lower()] if value.lower() in truth else int(float(value))
    return int(value or 0)


def _sessions(
    used: Sequence[Sequence[Any]] | Failure,
    limit: Sequence[Sequence[Any]] | Failure,
    questions: Questions,
    partial: str,
) -> ServerReading:
    if isinstance(used, Failure):
        return _hidden("sessions", used, questions)
    there, working = (_count(value) for value in used[0])
    most = 0 if isinstance(limit, Failure) else _count(limit[0][0])
    value = f"{there:,} of {most:,}" if most else f"{there:,}"
    full = bool(most) and there >= _FULL * most
    meaning = f"{working:,} of them work at this moment. {partial}".rstrip()
    if full:
        meaning = (
            f"Nearly all are taken: the next ones are refused. Lower max_connections or host_cap "
            f"here, or {questions.raise_by} there. {partial}".rstrip()
        )
    return ServerReading(name="sessions", value=value, meaning=meaning, warns=full)


def _limit(
    limit: Sequence[Sequence[Any]] | Failure,
    questions: Questions,
) -> ServerReading:
    if isinstance(limit, Failure):
        return _hidden("limit", limit, questions)
    most = _count(limit[0][0])
    return ServerReading(
        name="limit",
        value=f"{most:,}" if most else "none",
        meaning=f"So many sessions may be open at once, of all programs together; "
        f"{questions.raise_by} for more."
        if most
        else "It sets no limit to sessions.",
    )


def _waits(
    waits: Sequence[Sequence[Any]] | Failure,
    questions: Questions,
    partial: str,
) -> ServerReading:
    if isinstance(waits, Failure):
        return _hidden("waits", waits, questions)
    heavy = [(str(what), _count(weight)) for what, weight in waits if _count(weight)]
    if not heavy:
        return ServerReading(
            name="waits",
            value="nothing",
            meaning=f"Nobody waits for anything. {partial}".rstrip(),
        )
    locked = any(word in what.lower() for what, _ in heavy[:1] for word in questions.locks)
    meaning = (
        "Sessions hold each other up by locks: look who writes while branches are read."
        if locked
        else "What sessions have waited for most; disk and memory names tell where to look."
    )
    if questions.summed:
        meaning = f"{meaning} Summed up since the server started."
    return ServerReading(
        name="waits",
        value=", ".join(f"{what} {counted(weight, questions.unit)}" for what, weight in heavy),
        meaning=f"{meaning} {partial}".rstrip(),
        warns=locked and not questions.summed,
    )
