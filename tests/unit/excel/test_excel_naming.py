"""Sheet names: always legal, never alike, the same in every run."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etltui.domain.naming import legal, sheet_names

NAMES = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "Index",
            "INDEX",
            "run",
            "history",
            "'a'",
            "a/b",
            "a:b",
            "",
            "😀" * 20,
            "a" * 31,
            "a" * 32,
            "Branch",
            "BRANCH",
            "Branch (2)",
            "ｂranch",
            "straße",
            "STRASSE",
            "_x0041_",
        ]
    ),
)


def units(name):
    return len(name.encode("utf-16-le", "surrogatepass")) // 2


@given(st.lists(st.tuples(NAMES, st.integers(1, 3)), max_size=30))
def test_names_are_legal_and_unique(wanted):
    names = sheet_names(wanted)
    assert len(names) == len(wanted)
    for name in names:
        assert 0 < units(name) <= 31
        assert not re.search(r"[\[\]:*?/\\\x00-\x1f\ud800-\udfff]", name)
        assert not name.startswith("'")
        assert not name.endswith("'")
        assert not re.search("_x[0-9A-Fa-f]{4}_", name)
    keys = [name.casefold() for name in (*names, "Index", "Run", "History")]
    assert len(set(keys)) == len(keys)
    assert sheet_names(wanted) == names


@given(st.lists(NAMES, unique=True, max_size=12), NAMES)
def test_a_connection_behind_renames_none_before_it(names, another):
    wanted = [(name, 1) for name in names]
    assert sheet_names([*wanted, (another, 1)])[:-1] == sheet_names(wanted)


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        (("Branch_001", 1), "Branch_001"),
        (("Branch_001", 2), "Branch_001 (2)"),
        (("a" * 31, 1), "a" * 31),
        (("Index", 1), "Index~hhb3"),
        (("a/b", 1), "a_b~yfgn"),
        (("'x'", 1), "_x_~i5k3"),
        (("", 1), "_~4oym"),
    ],
)
def test_names_are_these_for_ever(wanted, name):
    assert sheet_names([wanted]) == (name,)


def test_a_long_name_keeps_its_code_on_every_sheet():
    first, second, other = sheet_names([("a" * 40, 1), ("a" * 40, 2), ("a" * 41, 1)])
    assert first[:-5] == "a" * 26
    assert second == f"{'a' * 22}{first[-5:]} (2)"
    assert other != first


def test_first_sheets_choose_before_overflow_sheets():
    names = sheet_names([("A", 1), ("A", 2), ("A (2)", 1)])
    assert names[0] == "A"
    assert names[2] == "A (2)"
    assert re.fullmatch(r"A~\w{4} \(2\)", names[1])


def test_names_without_a_free_code_get_another():
    once = sheet_names([("Index", 1)])[0]
    assert sheet_names([(once, 1), ("Index", 1)])[1] not in {once, "Index"}


def test_legal():
    assert legal("Data")
    assert not legal("a" * 32)
    assert not legal("a?")
