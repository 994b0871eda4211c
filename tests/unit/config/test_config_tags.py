"""How connections are read, said once for all of a tag; N-31."""

import pytest

from etltui.config.tags import reading_of
from etltui.domain.plan import connection_hash
from etltui.domain.policy import ReadPolicy

FLEET = """
[tags.till]
isolation = "dirty"
lock_timeout_s = 5
rows_per_s = 500
hours = "22:00-06:00"
gateway = "vpn-north"
[tags.old]
encoding = "cp1252"
encoding_errors = "replace"
rows_per_s = 100
timezone = "Asia/Kolkata"
[connections.a]
url = "sqlite:///a.db"
tags = ["till", "old"]
[connections.b]
url = "sqlite:///b.db"
tags = ["old", "till"]
rows_per_s = 0
hours = "00:30-24:00, 22:00-23:00"
maxdop = 2
[connections.c]
url = "sqlite:///c.db"
"""
ONE = """
[connections.a]
url = "sqlite:///a.db"
tags = ["till"]
{more}
"""


def by_name(config):
    return {each.name: each for each in config.connections}


def test_n_31_the_first_tag_holds_before_the_others(desk):
    a = by_name(desk.load(FLEET))["a"]
    assert a.policy == ReadPolicy(
        isolation="dirty",
        lock_timeout_s=5,
        rows_per_s=500,
        encoding="cp1252",
        encoding_errors="replace",
    )
    assert (a.gateway, a.timezone, a.hours) == ("vpn-north", "Asia/Kolkata", "22:00-06:00")


def test_n_31_a_connections_own_word_holds_before_its_tags(desk):
    b = by_name(desk.load(FLEET))["b"]
    assert (b.policy.rows_per_s, b.policy.maxdop) == (0, 2)
    assert b.hours == "00:30-24:00, 22:00-23:00"
    assert b.policy.isolation == "dirty"


def test_a_connection_without_tags_is_read_as_ever(desk):
    c = by_name(desk.load(FLEET))["c"]
    assert c.policy == ReadPolicy()
    assert not any((c.gateway, c.timezone, c.hours))


def test_a_table_for_a_tag_that_no_connection_has_is_a_mistake(desk):
    key, said = desk.mistake(ONE.format(more="[tags.tills]\nmaxdop = 1\n[tags.till]\nmaxdop = 1"))
    assert key == "tags.tills"
    assert 'no connection has the tag "tills"' in said
    assert 'Did you mean "till"?' in said


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('isolation = "dirt"', 'Did you mean "dirty"?'),
        ("lock_timeout_s = -1", "0, or 1 to 86400"),
        ("maxdop = 1.5", "not a whole number"),
        ('rows_per_s = "5"', "not a whole number"),
        ('encoding = "cp9999"', "is no code page"),
        ('encoding = "base64"', "is no code page"),
        ('encoding_errors = "ignore"', "fail, replace"),
        ('timezone = "Asia/Calcuta"', 'Did you mean "Asia/Calcutta"?'),
        ('hours = "22-6"', 'Write "22:00-06:00"'),
        ('hours = "22:00-06:00,12:00-13:00"', "no span of hours"),
        ('hours = "25:00-06:00"', "no span of hours"),
        ('hours = "06:00-06:00"', "no span of hours"),
        ("hours = 22", "not text in quotes"),
        ("gateway = 5", "not text in quotes"),
    ],
)
@pytest.mark.parametrize("place", ["[tags.till]\n", ""])
def test_a_wrong_value_is_refused_with_its_key_and_a_way_out(desk, line, words, place):
    key, said = desk.mistake(ONE.format(more=place + line))
    assert key == f"{'tags.till' if place else 'connections.a'}.{line.split()[0]}"
    assert words in said


def test_a_key_that_a_tag_does_not_take_is_refused(desk):
    key, said = desk.mistake(ONE.format(more="[tags.till]\nrow_per_s = 5"))
    assert key == "tags.till.row_per_s"
    assert "rows_per_s" in said


def test_a_connections_file_has_the_same_columns(desk):
    desk.write(
        "name,url,tags,rows_per_s,hours,encoding\n"
        "a,sqlite:///a.db,till,250,20:00-05:00,cp437\n"
        "b,sqlite:///b.db,till,,,\n",
        "fleet.csv",
    )
    found = by_name(
        desk.load(
            'settings.connections_file = "fleet.csv"\n[tags.till]\nrows_per_s = 9\nmaxdop = 3'
        )
    )
    assert found["a"].policy == ReadPolicy(rows_per_s=250, maxdop=3, encoding="cp437")
    assert found["a"].hours == "20:00-05:00"
    assert found["b"].policy == ReadPolicy(rows_per_s=9, maxdop=3)


def test_a_wrong_cell_of_a_connections_file_is_named(desk):
    desk.write("name,url,rows_per_s\na,sqlite:///a.db,many\n", "fleet.csv")
    key, said = desk.mistake('settings.connections_file = "fleet.csv"')
    assert key == "line 2, column rows_per_s"
    assert "not a whole number" in said


def test_tags_that_the_local_file_gives_count(desk):
    desk.write("name,url,tags\na,sqlite:///a.db,north\n", "fleet.csv")
    desk.write('[connections.a]\ntags = ["till"]', "etltui.local.toml")
    config = desk.load('settings.connections_file = "fleet.csv"\n[tags.till]\nmaxdop = 3')
    assert by_name(config)["a"].policy.maxdop == 3


def test_two_names_of_a_database_cannot_be_read_in_two_ways(desk):
    two = '[connections.a]\nurl = "sqlite:///a.db"\n[connections.b]\nurl = "sqlite:///a.db"\n'
    key, said = desk.mistake(two + 'isolation = "dirty"')
    assert key == "connections.b"
    assert "way of reading" in said
    assert len(desk.load(two + "rows_per_s = 5").connections) == 2


def test_what_may_change_the_rows_makes_another_connection_of_it(desk):
    def hash_with(line):
        return connection_hash(by_name(desk.load(ONE.format(more=line)))["a"], {})

    plain = hash_with("")
    for line in ("rows_per_s = 5", "lock_timeout_s = 5", "maxdop = 1", 'hours = "22:00-06:00"'):
        assert hash_with(line) == plain
    for line in ('isolation = "dirty"', 'encoding = "cp437"', 'encoding_errors = "replace"'):
        assert hash_with(line) != plain


def test_n_18_what_a_branch_is_asked_of_itself_is_said_for_it_its_tag_or_in_its_line(desk):
    text = ONE.format(more='identity_query = ""\nidentity = "017"')
    text += '[connections.b]\nurl = "sqlite:///b.db"\ntags = ["till"]\n'
    found = by_name(desk.load(text + '[tags.till]\nidentity_query = "SELECT code FROM company"'))
    assert (found["a"].identity_query, found["a"].identity) == ("", "017")
    assert found["b"].identity_query == "SELECT code FROM company"
    assert reading_of(found["a"]) == {"identity_query": ""}
    desk.write("name,url,identity_query,identity\nc,sqlite:///c.db,SELECT 1,018\n", "fleet.csv")
    desk.write("name,url\nd,sqlite:///d.db\n", "more.csv")
    c = by_name(desk.load('settings.connections_file = "fleet.csv"'))["c"]
    assert (c.identity_query, c.identity) == ("SELECT 1", "018")
    d = by_name(desk.load('settings.connections_file = "more.csv"'))["d"]
    assert (d.identity_query, d.identity) == (None, "")
    assert reading_of(d) == {}


def test_n_18_a_question_that_binds_the_day_is_refused(desk):
    key, said = desk.mistake(ONE.format(more='identity_query = "SELECT {day_start}"'))
    assert key == "connections.a.identity_query"
    assert "stands in the query itself" in said
