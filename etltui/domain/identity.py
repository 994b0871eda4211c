"""Which database a connection is known to be, and what is odd about the one that answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.server import ServerFacts
from etltui.domain.words import age, some

SKEW_S = 60.0
"""A clock that is further off than this moves rows from one day into another."""
_NAMED = 3


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

    @property
    def answers(self) -> str:
        """The identity of whoever answered last."""
        return self.other or self.identity

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
        other = "" if facts.identity == self.identity else facts.identity
        return replace(
            self,
            product=facts.product,
            started=facts.started,
            last_seen=now,
            other=other,
            other_since=self.other_since if other == self.other else now if other else 0.0,
        )

    def approved(self, who: str, now: float) -> "Identity":
        """What is known once somebody has taken whoever answers for the right one."""
        return replace(
            self,
            identity=self.answers,
            first_seen=self.other_since or self.first_seen,
            other="",
            other_since=0.0,
            approved_by=who,
            approved_at=now,
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


def refusal(one: Identity, known: Mapping[str, Identity]) -> Failure:
    """Why a database that is not the one that is known is not read."""
    text = (
        f"{changed(one, known)}: it has been known as {one.identity} and answers as {one.other}; "
        f'it is not read (on_identity = "refuse") until it is approved with '
        f"`etltui identities approve {one.connection}`"
    )
    facts = {"known": one.identity, "answers": one.other, "product": one.product}
    return Failure(ErrorClass.IDENTITY, text, facts)


def doubled(name: str, same: Sequence[str]) -> str:
    """That several connections are one database, in words; empty where none are."""
    if not same:
        return ""
    names = f"{name} and {same[0]}" if len(same) == 1 else f"{name}, {some(same, _NAMED)}"
    return f"{names} are the same database"


def skewed(facts: ServerFacts) -> str:
    """That the server's clock is off by more than a minute, in words; empty where it is not."""
    if facts.skew_s is None or abs(facts.skew_s) <= SKEW_S:
        return ""
    return f"its clock is {age(abs(facts.skew_s))} {'fast' if facts.skew_s > 0 else 'slow'}"
