"""What a control query says beside what was written: N-7."""

from decimal import Decimal

import pytest

from etltui.domain import retry
from etltui.domain.control import amount, compared, differing, failed, told
from etltui.domain.errors import ErrorClass
from etltui.domain.job import RetryPolicy


def agree(expected, got, tolerance=0.0):
    [found] = compared("main", {"x": expected}, {"x": got}, tolerance)
    return found.agrees


@pytest.mark.parametrize(
    ("expected", "got", "tolerance", "agrees"),
    [
        (3, 3, 0, True),
        (3, 4, 0, False),
        (3, 4, 1, True),
        (Decimal("0.10"), Decimal("0.1"), 0, True),
        (Decimal("0.10"), Decimal("0.11"), 0, False),
        (Decimal("0.10"), Decimal("0.11"), 0.01, True),
        (Decimal(10**30 + 1), Decimal("1e30"), 0, False),
        (2**70 + 1, 2**70, 0, False),
        (0.1 + 0.2, Decimal("0.3"), 0, True),
        (1e15, 1e15 + 1, 0, True),
        (1e6, 1e6 + 1, 0, False),
        (float("nan"), 1.0, 0, False),
        (float("inf"), 1.0, 1, False),
    ],
)
def test_exact_numbers_are_compared_exactly_and_floats_by_their_rounding(
    expected, got, tolerance, agrees
):
    assert agree(expected, got, tolerance) is agrees


@pytest.mark.parametrize(
    ("value", "number"), [(None, 0), (True, 1), ("12.50", Decimal("12.5")), (2.5, 2.5)]
)
def test_a_control_query_may_say_a_number_in_any_form(value, number):
    assert amount(value) == number


@pytest.mark.parametrize("value", ["many", "", "NaN", "Infinity", b"x"])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ValueError, match="is no number"):
        amount(value)


def test_what_differs_is_told_with_both_numbers_and_the_query_where_there_are_several():
    one = compared("a", {"rows": 3, "tax": Decimal("1.50")}, {"rows": 2, "tax": Decimal("1.5")}, 0)
    assert told(one) == "differs: rows 2 written, 3 at the source"
    two = (*one, *compared("b", {"rows": 1234}, {"rows": 1234}, 0))
    assert told(two) == "differs: a: rows 2 written, 3 at the source"
    assert told(two[1:]) == "agrees: a tax, b rows"
    assert told(two[2:]) == "agrees: rows"
    assert told(()) == differing(()) == ""
    trouble = failed(two)
    assert trouble.error_class is ErrorClass.CONTROL
    assert trouble.facts == {"a rows": "rows 2 written, 3 at the source"}


def test_a_difference_is_met_twice_and_then_believed():
    trouble = failed(compared("a", {"rows": 1}, {"rows": 2}, 0))
    policy = RetryPolicy(retries=9)
    assert retry.decide(trouble, tries=1, policy=policy, jitter=0).again
    assert not retry.decide(trouble, tries=2, policy=policy, jitter=0).again
    assert not retry.decide(trouble, tries=1, policy=RetryPolicy(retries=0), jitter=0).again
