"""Columns and column plans."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etltui.domain.columns import TYPES, Column, decimal_of
from etltui.domain.drift import ColumnPlan, columns_in, plan
from etltui.domain.errors import ErrorClass, Failure

NAMES = st.lists(st.text("abcdefgh", min_size=1, max_size=3), unique=True, max_size=8)


def columns(*names, type="unknown"):  # noqa: A002 - the attribute's name
    return tuple(Column(name=name, type=type) for name in names)


@given(NAMES, st.data())
def test_aligning_and_arranging_restores(names, data):
    """A result in any order, with some columns more and some less, ends up in the fixed order."""
    fixed = columns(*names)
    extra = data.draw(st.lists(st.sampled_from(["x1", "x2", "x3"]), unique=True))
    left = [name for name in names if data.draw(st.booleans())]
    found = columns(*data.draw(st.permutations([*left, *extra])))
    made = plan(fixed, found, mode="align", aliases={})
    row = [f"value of {column.name}" for column in found]
    arranged = [None if source is None else row[source] for source in made.sources]
    assert arranged == [f"value of {name}" if name in left else None for name in names]
    assert set(made.missing) == set(names) - set(left)
    assert set(made.dropped) == set(extra)
    if made.straight:
        assert [column.name for column in found] == names


@given(NAMES, st.data())
def test_another_order_is_no_drift(names, data):
    found = columns(*data.draw(st.permutations(names)))
    made = plan(columns(*names), found, mode="fail", aliases={})
    assert [found[source].name for source in made.sources] == names


def test_fail_names_every_difference():
    fixed = (*columns("id", "name", "when"), Column(name="sum", type="int"))
    found = (*columns("id", "extra", "more"), Column(name="sum", type="text"))
    with pytest.raises(Failure) as refused:
        plan(fixed, found, mode="fail", aliases={})
    assert refused.value.error_class is ErrorClass.DRIFT
    assert str(refused.value) == (
        "the columns differ: lacks name, when; has also extra, more; "
        "changed type: sum (text instead of int)"
    )
    facts = refused.value.facts
    assert columns_in(facts) == found
    assert (facts["missing"], facts["extra"]) == ("name, when", "extra, more")


def test_an_alias_comes_after_the_name_and_before_another_case():
    fixed = columns("total")
    aliases = {"sum": "total"}
    for names, source in (
        (["sum", "total"], 1),
        (["TOTAL", "sum"], 1),
        (["other", "Total"], 1),
        (["sum"], 0),
    ):
        made = plan(fixed, columns(*names), mode="align", aliases=aliases)
        assert made.sources == (source,)


def test_names_that_stand_twice_are_matched_by_place():
    twice = columns("id", "id")
    assert plan(twice, twice, mode="fail", aliases={}).straight


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("int", "decimal(10,2)", True),
        ("float", "int", True),
        ("timestamp", "timestamptz", True),
        ("unknown", "text", True),
        ("mixed", "int", True),
        ("int", "text", False),
        ("date", "timestamp", False),
        ("bool", "int", False),
        ("binary", "text", False),
    ],
)
def test_types_of_one_family_are_no_drift(one, other, alike):
    for first, second in ((one, other), (other, one)):
        fixed, found = columns("a", type=first), columns("a", type=second)
        if alike:
            assert plan(fixed, found, mode="fail", aliases={}).straight
        else:
            with pytest.raises(Failure, match="changed type: a"):
                plan(fixed, found, mode="fail", aliases={})
        # `align` is for names; what a value is, its writer says.
        assert plan(fixed, found, mode="align", aliases={}).straight


@pytest.mark.parametrize("made", [ColumnPlan(sources=(1, 0)), ColumnPlan(sources=(None,))])
def test_a_plan_that_has_to_arrange_is_not_straight(made):
    assert not made.straight
    assert not ColumnPlan(sources=(0,), dropped=("x",)).straight


def test_types():
    for kind in (*TYPES, "decimal(38,10)"):
        assert Column(name="a", type=kind).type == kind
    for kind in ("varchar", "decimal", "decimal(5)", "decimal(100,2)", ""):
        with pytest.raises(ValueError, match="has the unknown type"):
            Column(name="a", type=kind)
    assert decimal_of("decimal(12,3)") == (12, 3)
    assert decimal_of("int") is None
