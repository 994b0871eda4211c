"""Names of files and columns: safe, never two alike, the same in every run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etltui.domain.naming import file_names, unique_names
from etltui.domain.targets import aside_path, temporary_path


@pytest.mark.parametrize("name", ["Branch_001", "पुणे", "a b", "a-b.c", "x" * 200, "console"])
def test_a_safe_name_stays(name):
    assert file_names([name]) == (name,)


@pytest.mark.parametrize(
    ("name", "begin"),
    [
        ("a/b", "a_b~"),
        ("..", "x~"),
        ("", "x~"),
        ("_hidden", "hidden~"),
        (".hidden", "hidden~"),
        ("trailing.", "trailing_~"),
        ("CON", "xCON~"),
        ("nul.txt", "xnul.txt~"),
        ("C:\\x\n", "C__x_~"),
        ("é" * 150, "é" * 100 + "~"),
    ],
)
def test_what_a_disk_may_refuse_is_mended_and_coded(name, begin):
    (made,) = file_names([name])
    assert made.startswith(begin)
    assert len(made) == len(begin) + 4
    assert file_names([name]) == (made,)


@given(st.lists(st.text(max_size=12)))
def test_no_two_files_are_alike_whatever_their_case(names):
    made = file_names(names)
    assert len({name.casefold() for name in made}) == len(names)
    assert not any("/" in name or "\0" in name or name[0] in "._" for name in made)


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["a", "b"], ["a", "b"]),
        (["a", "a", "a"], ["a", "a_2", "a_3"]),
        (["a", "a", "a_2"], ["a", "a_3", "a_2"]),
        (["a", "A"], ["a", "A"]),
        (["", ""], ["", "_2"]),
    ],
)
def test_a_repeated_name_gets_a_number(names, wanted):
    assert list(unique_names(names)) == wanted


@given(st.lists(st.sampled_from(["a", "a_2", "a_3", "a_2_2"])))
def test_no_two_columns_are_alike(names):
    made = unique_names(names)
    assert len(set(made)) == len(names)
    assert set(names) <= set(made)


def test_what_stands_beside_a_target_is_hidden(tmp_path):
    beside = {aside_path(tmp_path / "lake").name, temporary_path(tmp_path / "lake").name}
    assert beside == {".lake.etltui-old", ".lake.etltui-tmp"}
