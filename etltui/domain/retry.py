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
    if not failure.transient or tries > policy.retries or (failure.advice.once and tries > 1):
        return Decision(again=False)
    return Decision(again=True, wait_s=_wait(tries, policy) * (1 + jitter / 10))


def patience_s(policy: RetryPolicy, try_s: float) -> float:
    """How long it takes until all tries have failed: whoever may not try waits as long.

    Args:
        policy: The job's.
        try_s: How long one try takes at most.
    """
    waits = sum(_wait(tries, policy) for tries in range(1, policy.retries + 1))
    return waits + (policy.retries + 1) * try_s


def _wait(tries: int, policy: RetryPolicy) -> float:
    return min(policy.delay_s * policy.multiplier ** (tries - 1), policy.max_delay_s)
