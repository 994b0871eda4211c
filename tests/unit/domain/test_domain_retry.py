"""The one retry rule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etltui.domain.errors import ADVICE, ErrorClass, Failure
from etltui.domain.job import RetryPolicy
from etltui.domain.retry import decide

CLASSES = st.sampled_from(ErrorClass)
JITTER = st.floats(0, 1, exclude_max=True)
POLICIES = st.builds(
    RetryPolicy,
    retries=st.integers(0, 10),
    delay_s=st.floats(0, 60),
    multiplier=st.floats(1, 4),
    max_delay_s=st.floats(0, 600),
)


@given(CLASSES, st.integers(1, 20), POLICIES, JITTER)
def test_transient_and_not_too_often(error_class, tries, policy, jitter):
    decision = decide(Failure(error_class, "x"), tries=tries, policy=policy, jitter=jitter)
    advice = ADVICE[error_class]
    most = min(policy.retries, 1) if advice.once else policy.retries
    assert decision.again is (advice.transient and tries <= most)
    assert 0 <= decision.wait_s <= policy.max_delay_s * 1.1
    if not decision.again:
        assert decision.wait_s == 0


@given(st.integers(1, 9), POLICIES)
def test_waits_never_shrink_without_jitter(tries, policy):
    failure = Failure(ErrorClass.LOST, "x")
    first, second = (decide(failure, tries=n, policy=policy, jitter=0) for n in (tries, tries + 1))
    if second.again:
        assert second.wait_s >= first.wait_s


@given(st.integers(1, 3), JITTER)
def test_jitter_adds_at_most_a_tenth(tries, jitter):
    failure, policy = Failure(ErrorClass.LOST, "x"), RetryPolicy()
    plain = decide(failure, tries=tries, policy=policy, jitter=0).wait_s
    assert plain <= decide(failure, tries=tries, policy=policy, jitter=jitter).wait_s <= plain * 1.1


@pytest.mark.parametrize(("tries", "wait"), [(1, 5), (2, 10), (3, 20), (4, None)])
def test_the_default_policy_waits_5_10_and_20_seconds(tries, wait):
    decision = decide(Failure(ErrorClass.TIMEOUT, "x"), tries=tries, policy=RetryPolicy(), jitter=0)
    assert (decision.wait_s if decision.again else None) == wait
