"""Plans of queries in an extractor: one view for all of them, and a reader that tells none."""

from etltui.domain.task import QueryTask
from etltui.extractors.asking import plans_of
from extractor_kit import ScriptedReader

QUERIES = (QueryTask(name="a", sql="SELECT 1"), QueryTask(name="b", sql="SELECT 2"))


def test_plans_are_told_in_one_read_only_transaction():
    reader = ScriptedReader()
    assert plans_of(reader, QUERIES) == ("SCAN x", "SCAN x")
    assert reader.calls == ["snapshot", "explain", "explain"]


def test_what_is_no_unicode_is_spelled_out():
    reader = ScriptedReader(explain=lambda _: "SCAN \udce9")
    assert plans_of(reader, QUERIES[:1]) == ("SCAN \\udce9",)


class Silent:
    """A reader whose database tells no plan."""

    def snapshot(self):
        raise AssertionError


def test_a_reader_that_cannot_tell_a_plan_is_not_asked():
    assert plans_of(Silent(), QUERIES) == ("", "")
