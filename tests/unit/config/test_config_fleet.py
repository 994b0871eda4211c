"""A fleet from somebody else's list: columns, urls, and what a new list changes."""

from datetime import date

import pytest

from etltui.config.fleet import Columns, Difference, as_csv, branches, combined, numbered
from etltui.config.listing import Line, Listing, listing, read_csv
from etltui.domain.errors import ConfigError

DAY = date(2026, 11, 21)


def listed(*rows):
    return listing("list.csv", enumerate([row.split(",") for row in rows], start=1))


def taken(*rows, named=None, url="", fixed=None):
    found = branches(
        listed(*rows), "list.csv", Columns(named=named or {}, url=url, fixed=fixed or {})
    )
    return found.header, [dict(line.values) for line in found.lines]


def refused(*rows, named=None, url=""):
    with pytest.raises(ConfigError) as caught:
        taken(*rows, named=named, url=url)
    return [(each.where, each.key, each.problem, each.way_out) for each in caught.value.mistakes]


def test_columns_that_are_called_as_ours_are_taken():
    header, rows = taken("NAME,Url,Phone", "b1,sqlite:///1.db,5", "b2,sqlite:///2.db")
    assert header == ("name", "url")
    assert rows == [
        {"name": "b1", "url": "sqlite:///1.db"},
        {"name": "b2", "url": "sqlite:///2.db"},
    ]


def test_columns_are_named_and_a_url_is_made_of_them():
    header, rows = taken(
        "Branch,Host,Port,DB,Region,Type,url",
        "b1,10.0.0.1,5432,my db/x,north,,ignored",
        "b2,h@evil?a,1,d#,south,old",
        named={"name": ["branch"], "tags": ["Region", "type"]},
        url="postgresql://{host}:{PORT}/{db}",
        fixed={"credential": "reader"},
    )
    assert header == ("name", "url", "credential", "tags")
    assert [row["url"] for row in rows] == [
        "postgresql://10.0.0.1:5432/my%20db/x",
        "postgresql://h%40evil%3Fa:1/d%23",
    ]
    assert [row["tags"] for row in rows] == ["north", "south;old"]
    assert {row["credential"] for row in rows} == {"reader"}


def test_a_template_without_columns_and_with_braces():
    _, rows = taken("name", "b1", url="sqlite:///{{x}}.db")
    assert rows == [{"name": "b1", "url": "sqlite:///{x}.db"}]


def test_what_a_list_lacks_is_told_all_at_once():
    assert refused(
        "Branch,Hots", "b1,h", named={"name": ["Branhc"]}, url="postgresql://{host}/{d}"
    ) == [
        ("command line", "--column", 'list.csv has no column "Branhc"', 'Did you mean "Branch"?'),
        ("command line", "--url", 'list.csv has no column "host"', 'Did you mean "Hots"?'),
        ("command line", "--url", 'list.csv has no column "d"', "Allowed: Branch, Hots"),
    ]
    assert refused("name,host", "b1,h", "b2", "b3", url="postgresql://{host}/") == [
        (
            "list.csv",
            f"line {n}, column host",
            "is empty, and the url needs it",
            "Fill it, or take the line out",
        )
        for n in (3, 4)
    ]
    ((where, key, problem, _),) = refused("name", "b1", url="sqlite:///{name")
    assert (where, key) == ("command line", "--url")
    assert "has a brace that is not closed" in problem


def test_a_list_must_say_names_and_urls():
    assert refused("code", "b1") == [
        (
            "command line",
            "--column",
            "nothing says which name a branch of list.csv has",
            'Write --column "name=…"',
        ),
        (
            "command line",
            "--url",
            "nothing says which url a branch of list.csv has",
            'Write --column "url=…" or --url',
        ),
    ]


def test_an_empty_list_closes_nobody():
    ((where, _, problem, way_out),) = refused("name,url")
    assert (where, problem) == ("list.csv", "holds no branch")
    assert "give each a last day" in way_out


def test_a_list_that_cannot_be_read_is_told_as_it_is():
    ((where, key, problem, _),) = refused()
    assert (where, key, problem) == ("list.csv", "", "is empty")


def fleet(*rows):
    """A list of name, url, tags."""
    lines = [
        Line(
            number=n, values={k: v for k, v in zip(("name", "url", "tags"), row, strict=False) if v}
        )
        for n, row in enumerate(rows, start=2)
    ]
    return Listing(header=("name", "url", "tags"), lines=tuple(lines))


def test_the_first_list_is_all_new():
    lines, difference = combined([], fleet(("b1", "u1"), ("b2", "u2", "t")), DAY)
    assert as_csv(lines) == (
        "name,url,credential,tags,opened,closed,contact\nb1,u1,,,,,\nb2,u2,,t,,,\n"
    )
    assert difference.new == ("b1", "b2")
    assert [line.number for line in numbered(lines)] == [2, 3]


def test_a_later_list_changes_adds_and_closes_but_deletes_nothing():
    before = [
        {"name": "same", "url": "u", "contact": "kept"},
        {"name": "moved", "url": "old", "tags": "t", "contact": "kept"},
        {"name": "gone", "url": "u", "opened": "2019-04-01"},
        {"name": "never", "url": "u", "opened": "2027-01-01"},
        {"name": "long gone", "url": "u", "closed": "2020-01-01"},
        {"name": "back", "url": "u", "closed": "2026-11-21"},
        {"name": "planned", "url": "u", "closed": "2026-11-22"},
    ]
    found = fleet(("new", "u"), ("back", "u"), ("moved", "new"), ("same", "u"), ("planned", "u"))
    lines, difference = combined(before, found, DAY)
    assert [line["name"] for line in lines] == [
        "same",
        "moved",
        "gone",
        "never",
        "long gone",
        "back",
        "planned",
        "new",
    ]
    by_name = {line["name"]: line for line in lines}
    assert by_name["moved"] == {"name": "moved", "url": "new", "contact": "kept"}
    assert by_name["gone"]["closed"] == "2026-11-21"
    assert by_name["never"]["closed"] == "2027-01-01"
    assert by_name["long gone"]["closed"] == "2020-01-01"
    assert "closed" not in by_name["back"]
    assert by_name["planned"]["closed"] == "2026-11-22"
    assert difference.new == ("new",)
    assert difference.changed == (("moved", ("url", "tags")),)
    assert difference.back == ("back",)
    assert difference.gone == ("gone", "never")
    assert difference.same == 3


def test_the_same_list_twice_changes_nothing(tmp_path):
    found = fleet(("b1", "u,1"), ("b2", 'u"2', "a;b"))
    lines, _ = combined([], found, DAY)
    (tmp_path / "b.csv").write_text(as_csv(lines))
    before = [line.values for line in read_csv(tmp_path / "b.csv").lines]
    again, difference = combined(before, found, DAY)
    assert as_csv(again) == as_csv(lines)
    assert difference == Difference(same=2)


def test_a_list_that_tells_when_a_branch_closed_is_believed():
    found = Listing(
        header=("name", "closed"),
        lines=(Line(number=2, values={"name": "b", "closed": "2026-01-01"}),),
    )
    lines, difference = combined([{"name": "b", "url": "u"}], found, DAY)
    assert lines == ({"name": "b", "url": "u", "closed": "2026-01-01"},)
    assert difference.changed == (("b", ("closed",)),)
