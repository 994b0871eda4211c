"""How long a connection's queries may take: as it is configured, or as its past runs teach."""

from dataclasses import dataclass

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.usual import Usual

FACTOR = 3
"""Of the longest that its queries took: a branch that hangs is found in minutes, not in an hour."""
FLOOR_S = 60.0
"""What takes seconds every night may well take a minute once."""
LEAST_RUNS = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class QueryLimit:
    """A limit in seconds, and where it comes from, in words; empty where it is configured."""

    seconds: float
    learned: str = ""


def query_limit(configured: float, usual: Usual | None, *, learn: bool) -> QueryLimit:
    """How long a connection's queries may take.

    Args:
        configured: By the job or the settings; it is never exceeded.
        usual: What its past runs were.
        learn: Whether the past counts at all.
    """
    if not learn or usual is None or usual.timed < LEAST_RUNS:
        return QueryLimit(seconds=configured)
    seconds = max(FLOOR_S, FACTOR * usual.longest_s)
    if seconds >= configured:
        return QueryLimit(seconds=configured)
    longest = f"{FACTOR} x the longest of its last {usual.timed} runs, {usual.longest_s:.0f} s"
    least = f"; at least {FLOOR_S:.0f} s" if seconds == FLOOR_S else ""
    return QueryLimit(seconds=seconds, learned=f"{longest}{least}")


def explained(failure: Failure, limit: QueryLimit, configured: float) -> Failure:
    """The failure; that of a limit which nobody has configured tells where it came from."""
    if failure.error_class is not ErrorClass.TIMEOUT or not limit.learned:
        return failure
    said = (
        f"{failure.message} (learned: {limit.learned}; query_timeout_learned = false lets it take "
        f"query_timeout_s = {configured:g} s)"
    )
    return Failure(failure.error_class, said, failure.facts)
