"""Whether and when a failed try is followed by another: the one retry rule."""

from dataclasses import dataclass

from etltui.domain.errors import Failure
from etltui.domain.job import RetryPolicy


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What to do after a failed try."""

    again: bool
    wait_s: float = 0.0


def decide(failure: Failure, *, tries: int, policy: RetryPolicy, jitter: float) -> Decision:
    """Decide by the failure's trait and the policy.

    Args:
        failure: What the last try met.
        tries: How many tries there were, at least 1.
        policy: The job's.
        jitter: From [0, 1); the wait is lengthened by up to a tenth, so that connections that
            failed together do not come back together.
    """
    if not failure.transient or tries > policy.retries:
        return Decision(again=False)
    wait = min(policy.delay_s * policy.multiplier ** (tries - 1), policy.max_delay_s)
    return Decision(again=True, wait_s=wait * (1 + jitter / 10))
