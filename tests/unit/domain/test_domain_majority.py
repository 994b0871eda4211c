"""What most connections have, and who differs: N-4."""

from etltui.domain.columns import Column
from etltui.domain.drift import columns_in, own, plan, union
from etltui.domain.errors import Failure
from etltui.domain.majority import LACKS, schemas


def columns(**types):
    return tuple(Column(name=name, type=kind) for name, kind in types.items())


USUAL = columns(id="int", amount="decimal(12,2)", city="text")


def test_n_4_the_usual_columns_and_who_lacks_adds_or_retypes_one():
    found = schemas(
        "main",
        {
            "A": columns(id="int", CITY="text", extra="int"),
            "B": USUAL,
            "C": USUAL,
            "D": columns(id="int", amount="unknown", city="mixed"),
        },
    )
    assert [(s.column.name, s.column.type, s.count, s.usual) for s in found.columns] == [
        ("id", "int", 4, True),
        ("amount", "decimal(12,2)", 3, True),
        ("city", "text", 4, True),
        ("extra", "int", 1, False),
    ]
    assert found.differing == {"A": {"amount": LACKS, "extra": "int"}, "D": {"city": "mixed"}}
    assert found.drifted == ("amount", "city", "extra")
    assert found.told == 4


def test_a_column_that_half_have_is_not_usual_and_another_order_is_no_drift():
    found = schemas("q", {"A": columns(a="int", b="int"), "B": columns(a="int")})
    assert found.differing == {"A": {"b": "int"}}
    assert not schemas("q", {"A": USUAL, "B": USUAL[::-1]}).differing
    assert schemas("q", {}).columns == ()


def test_only_columns_that_are_not_the_run_s_are_worth_keeping():
    assert own((USUAL,), (USUAL,)) == ()
    assert own((USUAL,), (USUAL[:2],)) == (USUAL[:2],)


def test_n_4_the_union_keeps_the_first_one_s_order_and_adds_what_others_have():
    twice = (Column(name="id"), Column(name="id"))
    assert [c.name for c in union([twice, columns(ID="int", town="text", x="int")], {})] == [
        "id",
        "id",
        "town",
        "x",
    ]
    aliased = union([columns(city="text"), columns(town="text")], {"town": "city"})
    assert aliased == columns(city="text")
    assert union([columns(town="text")], {"town": "city"}) == columns(city="text")


def test_drop_takes_what_is_too_much_and_refuses_what_is_missing_or_of_another_type():
    fixed = columns(id="int", city="text")

    def planned(mode, **types):
        return plan(fixed, columns(**types), mode=mode, aliases={})

    assert planned("drop", id="int", x="int", city="text").dropped == ("x",)
    for types in ({"id": "int"}, {"id": "int", "city": "int"}):
        for mode in ("drop", "fail"):
            try:
                planned(mode, **types)
            except Failure as failure:
                assert columns_in(failure.facts) == columns(**types)  # noqa: PT017 - two ways
                assert "has also" not in failure.message  # noqa: PT017
            else:
                raise AssertionError(types)
        assert planned("evolve", **types) == planned("align", **types)
