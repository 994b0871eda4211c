"""The audit: who did what, each record chained to the one before by its hash."""

import hashlib
import json
import logging
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from etltui.domain.errors import StateError

GENESIS = "0" * 64
"""What the first record follows."""
BEFORE_ALL = -(2**63)
"""A number behind all records, also those that somebody has put before the first."""
LONGEST = 16_384
"""Characters of one detail: the names of 500 connections fit."""
FAILED = "failed"
"""The act of a record that takes back one before it: that act was begun and did not succeed."""
AMISS = "audit.end"
"""The act of a record that tells that the end kept beside the database did not fit it."""

_USERINFO = re.compile(r"(://[^\s/@:]*:)[^\s@]+(?=@)")
_NAMED = re.compile(
    r"((?:password|passwd|pwd|secret|token|api_?key)[\"']?\s*[=:]\s*)"
    r"(?!\s|(?:env|file|keyring|cmd):)(\{[^}]*\}|\"[^\"]*\"|'[^']*'|[^\s;,&]+)",
    re.IGNORECASE,
)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Who does something, as far as the kernel vouches for it.

    Attributes:
        user: Login name of the process's user; a user without a name is a number.
        host: This machine.
        pid: Of the process that asks.
        login: Who logged in, where that is somebody else than `user` (sudo).
        terminal: Such as `pts/3`; empty for none. As the process says.
        address: From where the terminal was opened by SSH. As the process says.
        said: Who they say they are, as `user@host`, where that is another name.
    """

    user: str
    host: str
    pid: int = 0
    login: str = ""
    terminal: str = ""
    address: str = ""
    said: str = ""


NOBODY = Caller(user="", host="")


@dataclass(frozen=True, kw_only=True, slots=True)
class Act:
    """What is done.

    Attributes:
        at: Unix time in seconds.
        what: Such as `submit` or `records.discard`.
        target: The run, job, connection or setting that it is done to.
        details: What else is known, without secrets.
    """

    at: float
    caller: Caller
    what: str
    target: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """A record as it is kept.

    Attributes:
        seq: From 1, without gaps.
        record: The act as canonical JSON; it repeats `seq`.
        previous: Hash of the record before.
        hash: SHA-256 over `previous` and `record`.
    """

    seq: int
    record: str
    previous: str
    hash: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """The end of the chain, as it is kept outside of the database."""

    seq: int = 0
    hash: str = GENESIS


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """Where the chain is not what was written.

    Attributes:
        seq: The first record that is wrong or missing.
        sentence: What is wrong with it.
    """

    seq: int
    sentence: str


def veiled(text: str) -> str:
    """The text without what looks like a secret, and not longer than is kept."""
    shown = _NAMED.sub(r"\1***", _USERINFO.sub(r"\1***", text))
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"


def link(act: Act, before: Head) -> Link:
    """The record of an act behind another."""
    caller = {name: getattr(act.caller, name) for name in Caller.__slots__}
    at = datetime.fromtimestamp(act.at, UTC).isoformat(timespec="milliseconds")
    said = {
        "seq": before.seq + 1,
        "at": at.replace("+00:00", "Z"),
        **{name: value for name, value in caller.items() if value},
        "act": act.what,
        "object": veiled(act.target),
        "details": {name: veiled(text) for name, text in act.details.items() if text},
    }
    record = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    digest = _digest(before.hash, record)
    return Link(seq=before.seq + 1, record=record, previous=before.hash, hash=digest)


def _digest(previous: str, record: str) -> str:
    return hashlib.sha256(f"{previous}{record}".encode("utf-8", "surrogatepass")).hexdigest()


def problems(links: Iterable[Link], head: Head | None) -> Iterator[Problem]:
    """Where a chain is not what was written, the first place first.

    It finds what was changed, removed, exchanged or put in between, also at the end as far as
    `head` is kept apart. It cannot find that the whole chain and the head were written anew.

    Args:
        links: All that are kept, by `seq`.
        head: The end that is kept apart; None where it is lost.
    """
    end = Head()
    for each in links:
        wrong = _wrong(each, end)
        if not wrong and head and each.seq == head.seq and each.hash != head.hash:
            wrong = "its hash is not the one that is kept beside the database: it was written anew"
        if wrong:
            missing = each.seq > end.seq + 1
            yield Problem(seq=end.seq + 1 if missing else each.seq, sentence=wrong)
        end = Head(seq=each.seq, hash=each.hash)
    if head is None and end.seq:
        yield Problem(seq=end.seq, sentence="the end that is kept beside the database is lost")
    elif head and head.seq > end.seq:
        yield Problem(seq=end.seq + 1, sentence=_missing(end.seq + 1, head.seq))


def _wrong(each: Link, before: Head) -> str:
    """What is wrong with a record that comes behind another; empty for nothing."""
    if each.seq <= before.seq:
        return "it was put before the first"
    if each.seq != before.seq + 1:
        return _missing(before.seq + 1, each.seq - 1)
    if each.hash != _digest(each.previous, each.record):
        return "it was changed: its hash is not that of its text"
    if each.previous != before.hash:
        return "it does not follow the record before: one of both was exchanged"
    said = _said(each.record)
    if said.get("seq") != each.seq:
        return "it stands in the place of another"
    return f"it tells that {said.get('object')}" if said.get("act") == AMISS else ""


def _missing(first: int, last: int) -> str:
    return "it is missing" if first == last else f"it and all up to record {last} are missing"


def _said(record: str) -> dict[str, Any]:
    with suppress(ValueError):
        said = json.loads(record)
        if isinstance(said, dict):
            return said
    return {}


def amiss(kept: Head | None, there: str, end: Head) -> str:
    """What is wrong with the end that was kept apart, as a part of a sentence; empty for nothing.

    An end that lies behind all that is there needs no words: its place is left empty.

    Args:
        kept: None where it is lost.
        there: Hash of the record of its number; empty for none.
        end: Of what is there.
    """
    if kept is None:
        return f"the end kept beside it was lost, behind record {end.seq}" if end.seq else ""
    if kept.seq <= end.seq and kept.seq and there != kept.hash:
        return f"record {kept.seq} was not the one kept beside it, {kept.hash}"
    return ""


class Doing:
    """An act while it is done: what is known of it, and whether it is recorded.

    Attributes:
        act: Facts may be added to it until it is recorded.
        recorded: Whether some change takes its record along, or has.
    """

    def __init__(self, act: Act) -> None:
        self.act = act
        self.recorded = False

    def add(self, **facts: str) -> None:
        """Add what has come to be known."""
        self.act = replace(self.act, details={**self.act.details, **facts})


DOING: ContextVar[Doing | None] = ContextVar("doing", default=None)
"""The act of whoever changes something at this moment."""


class Recorder(Protocol):
    """Who keeps the records.

    Each of its changes takes the record of the act in `DOING` along, in its transaction.
    """

    async def put_audit(self, doing: Doing) -> None:
        """Record an act on its own, if no change has taken its record along.

        Raises:
            StateError: It could not be recorded.
        """
        ...


@asynccontextmanager
async def recording(recorder: Recorder, act: Act) -> AsyncIterator[Doing]:
    """Record an act with the first change that the block makes durable, or else at its end.

    So an act that cannot be recorded changes nothing there. What is changed elsewhere is recorded
    before, by `recorded`. One that is refused before it changed anything leaves no record; one
    that fails later leaves a second, which takes the first back. An end that cannot be recorded
    is logged: what was done is done.
    """
    doing = Doing(act)
    token = DOING.set(doing)
    try:
        yield doing
        await _at_last(recorder, doing)
    except Exception as error:
        if doing.recorded:
            of = {"of": act.what, "why": str(error)}
            await _at_last(recorder, Doing(replace(act, what=FAILED, details=of)))
        raise
    finally:
        # What goes on in the background has inherited it: that is no part of this act.
        doing.recorded = True
        DOING.reset(token)


async def recorded(recorder: Recorder) -> None:
    """Record now what is being done: whoever asks is about to change what no database keeps.

    Raises:
        StateError: It could not be recorded; do not change it.
    """
    doing = DOING.get()
    if doing is not None:
        await recorder.put_audit(doing)


async def _at_last(recorder: Recorder, doing: Doing) -> None:
    try:
        await recorder.put_audit(doing)
    except StateError as error:
        act = doing.act
        _log.error("%s of %s is not in the audit: %s", act.what, act.target or "all", error)


def also(**facts: str) -> None:
    """Add to the act of whoever changes something at this moment what has come to be known."""
    doing = DOING.get()
    if doing is not None:
        doing.add(**facts)
