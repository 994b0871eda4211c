"""Finding by a part of the name."""

import pytest

from etltui.console.model.matching import Choice, best, cost

NAMES = [
    "run gst_sales",
    "run stock",
    "settings",
    "show gst_sales 7F3K",
    "logs",
    "queue",
    "history",
]


def found(typed, names=NAMES):
    return [each.text for each in best(typed, [Choice(key=name, text=name) for name in names])]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("gst", "run gst_sales"),
        ("rgs", "run gst_sales"),
        ("set", "settings"),
        ("st", "run stock"),
        ("his", "history"),
        ("hy", "history"),
        ("sho 7f", "show gst_sales 7F3K"),
    ],
)
def test_the_nearest_name_comes_first(typed, first):
    assert found(typed)[0] == first


def test_letters_must_be_there_in_their_order():
    assert found("sgol") == []
    assert cost("zz", "logs") is None
    assert cost("", "logs") == 0


def test_each_word_is_found_for_itself_wherever_it_stands():
    assert found("gst run") == ["run gst_sales"]


def test_without_a_word_everything_is_there_in_its_order():
    assert found("") == NAMES
    assert found("  ") == NAMES


def test_what_is_found_in_the_words_behind_the_name_comes_last():
    choices = [
        Choice(key="a", text="cancel", detail="End the run"),
        Choice(key="b", text="trends", detail="-"),
    ]
    assert [each.key for each in best("end", choices)] == ["b", "a"]


def test_a_run_of_letters_is_nearer_than_letters_here_and_there():
    assert found("log", ["long overdue gap", "catalog", "logs"]) == [
        "logs",
        "long overdue gap",
        "catalog",
    ]
