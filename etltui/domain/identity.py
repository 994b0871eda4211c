"""Which database a connection is known to be, and what is odd about the one that answers.

A database tells who it is in two ways, each compared on its own: by what its server says when a
session is opened, and by its code, the one value that the connection's `identity_query` gives. A
copy that was restored elsewhere has another server and the same code.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from shlex import quote

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.job import Connection, Job
from etltui.domain.server import ServerFacts
from etltui.domain.words import age, some

SKEW_S = 60.0
"""A clock that is further off than this moves rows from one day into another."""
_NAMED = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Code:
    """What a database's own data said of who it is.

    Attributes:
        asked: The identity query.
        value: Its answer, as text.
        expected: What is configured as the answer; empty: what was known before.
    """

    asked: str
    value: str
    expected: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """What a connection's database said of itself; times are Unix times in seconds.

    Attributes:
        identity: What it is known by: what it said first, or what was approved last.
        product: Its name and version.
        started: When its server was started, as it says.
        other: What answers in its stead, as long as nobody has approved it; empty: nothing does.
        other_since: When that answered first.
        approved_by: Who approved it, as `user@host`; empty: nobody had to.
        asked: The query that gave the code; a code that another query gave is never compared.
        code: What it is known by in its own data: what is configured, else what the query gave
            first, or what was approved last. Empty: nothing has been asked.
        other_code: What the query gives in its stead, as long as nobody has approved it.
        other_code_since: When it gave that first.
    """

    connection: str
    identity: str
    product: str = ""
    started: str = ""
    first_seen: float = 0.0
    last_seen: float = 0.0
    other: str = ""
    other_since: float = 0.0
    approved_by: str = ""
    approved_at: float = 0.0
    asked: str = ""
    code: str = ""
    other_code: str = ""
    other_code_since: float = 0.0

    @property
    def answers(self) -> str:
        """The identity of whoever answered last."""
        return self.other or self.identity

    @property
    def answers_code(self) -> str:
        """The code that was given last."""
        return self.other_code or self.code

    @property
    def is_other(self) -> bool:
        """Whether it waits for somebody to approve it, or to mend its address."""
        return bool(self.other or self.other_code)

    @property
    def code_mark(self) -> tuple[str, str]:
        """What connections have in common that give the same code for the same query."""
        return self.asked, self.answers_code

    @property
    def mark(self) -> tuple[str, str]:
        """What only connections have in common in whose stead the very same database answers."""
        return self.answers, self.started

    def met(self, facts: ServerFacts, now: float) -> "Identity":
        """What is known after a session to it was opened; facts without an identity tell nothing.

        Of the product and the start those of whoever answers.
        """
        if not facts.identity:
            return self
        known = self.identity or facts.identity
        other = "" if facts.identity == known else facts.identity
        return replace(
            self,
            identity=known,
            product=facts.product,
            started=facts.started,
            last_seen=now,
            other=other,
            other_since=self.other_since if other == self.other else now if other else 0.0,
        )

    def told(self, code: Code, now: float) -> "Identity":
        """What is known after its identity query was answered."""
        before = self.code if self.asked == code.asked else ""
        known = code.expected or before or code.value
        other = "" if code.value == known else code.value
        since = self.other_code_since if other == self.other_code else now
        return replace(
            self,
            asked=code.asked,
            code=known,
            last_seen=now,
            other_code=other,
            other_code_since=since if other else 0.0,
        )

    def approved(self, who: str, now: float, expected: str = "") -> "Identity":
        """What is known once somebody has taken whoever answers for the right one.

        Args:
            who: Approves it.
            now: As a Unix time.
            expected: What is configured as its code: that stands, whoever approves another.
        """
        kept = bool(expected) and self.other_code != ""
        return replace(
            self,
            identity=self.answers,
            first_seen=self.other_since or self.first_seen,
            other="",
            other_since=0.0,
            approved_by=who,
            approved_at=now,
            code=self.code if kept else self.answers_code,
            other_code=self.other_code if kept else "",
            other_code_since=self.other_code_since if kept else 0.0,
        )


def first_met(connection: str, facts: ServerFacts, now: float) -> Identity:
    """What is known of a connection that nobody has met before."""
    return Identity(
        connection=connection,
        identity=facts.identity,
        product=facts.product,
        started=facts.started,
        first_seen=now,
        last_seen=now,
    )


def unmet(connection: str, now: float) -> Identity:
    """What is known of a connection whose server has told nothing of who it is."""
    return Identity(connection=connection, identity="", first_seen=now, last_seen=now)


def identity_query_of(job: Job, connection: Connection) -> str:
    """What a connection is asked of itself before a job reads it; empty for nothing."""
    own = connection.identity_query
    return job.identity_query if own is None else own


def changed(one: Identity, known: Mapping[str, Identity]) -> str:
    """That another database answers than the one that is known, in words; empty where it is that.

    Args:
        one: Of the connection.
        known: Of all, by their names.
    """
    if not one.other:
        return ""
    theirs = [
        each.connection
        for each in known.values()
        if each.connection != one.connection and each.identity == one.other
    ]
    whose = f", the one known as {some(theirs, _NAMED)}," if theirs else f" ({one.product})"
    return f"another database than before{whose} answers at {one.connection}"


def changed_code(one: Identity, known: Mapping[str, Identity], expected: str = "") -> str:
    """That it gives another code than the one that is known, in words; empty where it does not.

    Args:
        one: Of the connection.
        known: Of all, by their names.
        expected: What is configured as its code.
    """
    if not one.other_code:
        return ""
    theirs = [
        each.connection
        for each in known.values()
        if each.connection != one.connection and (each.asked, each.code) == one.code_mark
    ]
    whose = f", the code of {some(theirs, _NAMED)}," if theirs else ""
    where = f'identity = "{expected}" is configured' if expected else f'it was "{one.code}" before'
    return f'{one.connection} answers "{one.other_code}"{whose} to its identity_query; {where}'


def unexpected(connection: str, code: Code | None) -> str:
    """That a code is not the one that is configured, in words; empty where none is, or it is."""
    if code is None or code.expected in {"", code.value}:
        return ""
    told = unmet(connection, 0.0).told(code, 0.0)
    return f"{changed_code(told, {}, code.expected)}; {way_out(told, code.expected)}"


def way_out(one: Identity, expected: str = "") -> str:
    """What to do about a database that is not the one that is known, as a part of a sentence.

    Args:
        one: Of the connection.
        expected: What is configured as its code.
    """
    approve = f"`etltui identities approve {quote(one.connection)}`"
    if not (expected and one.other_code):
        return f"if that is right: {approve}"
    then = f", then {approve}" if one.other else ""
    return f"mend its url, or its identity where that is wrong{then}"


def refusal(one: Identity, known: Mapping[str, Identity], expected: str = "") -> Failure:
    """Why a database that is not the one that is known is not read."""
    if not one.other:
        text = (
            f"{changed_code(one, known, expected)}; it is not read "
            f'(on_identity = "refuse"); {way_out(one, expected)}'
        )
        codes = {"known": one.code, "answers": one.other_code, "product": one.product}
        return Failure(ErrorClass.IDENTITY, text, codes)
    text = (
        f"{changed(one, known)}: it has been known as {one.identity} and answers as {one.other}; "
        f'it is not read (on_identity = "refuse") until it is approved with '
        f"`etltui identities approve {quote(one.connection)}`"
    )
    facts = {"known": one.identity, "answers": one.other, "product": one.product}
    return Failure(ErrorClass.IDENTITY, text, facts)


def doubled(name: str, same: Sequence[str]) -> str:
    """That several connections are one database, in words; empty where none are."""
    if not same:
        return ""
    names = f"{name} and {same[0]}" if len(same) == 1 else f"{name}, {some(same, _NAMED)}"
    return f"{names} are the same database"


def doubled_code(name: str, same: Sequence[str], code: str) -> str:
    """That several connections give one code, in words; empty where none do."""
    if not same:
        return ""
    names = f"{name} and {same[0]}" if len(same) == 1 else f"{name}, {some(same, _NAMED)}"
    return (
        f'{names} answer "{code}" to their identity_query: one is read twice, or is a copy that '
        "was restored"
    )


def skewed(facts: ServerFacts) -> str:
    """That the server's clock is off by more than a minute, in words; empty where it is not."""
    if facts.skew_s is None or abs(facts.skew_s) <= SKEW_S:
        return ""
    return f"its clock is {age(abs(facts.skew_s))} {'fast' if facts.skew_s > 0 else 'slow'}"
