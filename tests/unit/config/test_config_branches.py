"""Connections from a CSV file: what is read, and each mistake with its line and column."""

import random
from datetime import date

import pytest

from etltui.config.select import select
from etltui.domain.errors import ConfigError
from unit.config.config_desk import CANARY

HEAD = "name,url,credential,tags,opened,closed,contact\n"
FILE = 'settings.connections_file = "branches.csv"\n[credentials.reader]\nuser = "r"\n'


@pytest.fixture
def branches(desk):
    """Load a configuration whose connections stand in a CSV file."""

    def load(text, more=""):
        desk.write(FILE + more)
        (desk.folder / "branches.csv").write_bytes(text.encode() if isinstance(text, str) else text)
        return desk

    return load


def test_a_line_is_a_connection(branches):
    text = HEAD + "b1,sqlite:///b1.db,reader,north; pilot||new;,2019-04-01,2031-03-31,+91 1\n"
    (found,) = branches(text).load().connections
    assert (found.name, found.url, found.credential) == ("b1", "sqlite:///b1.db", "reader")
    assert found.tags == ("north", "pilot", "new")
    assert (found.opened, found.closed) == (date(2019, 4, 1), date(2031, 3, 31))
    assert found.contact == "+91 1"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_spreadsheets_save_csv_in_many_ways(branches, delimiter, mark, end):
    rows = [["url", "name", "contact"], ["sqlite:///x.db", " b1 ", '"a, b; c\nd"'], [], ["", ""]]
    rows.append(["sqlite:///y.db", "b2"])
    text = mark + end + end.join(delimiter.join(row) for row in rows) + end
    if end == "\n":
        key, said = branches(text).mistake()
        assert key == "line 3, column contact"
        assert "holds a control character" in said
    text = text.replace("\nd", " d")
    found = branches(text).load().connections
    assert [(c.name, c.contact) for c in found] == [("b1", "a, b; c d"), ("b2", "")]


def test_they_stand_behind_those_of_the_file_and_jobs_find_them(branches):
    job = """
    [connections.hq]
    url = "sqlite:///hq.db"
    [jobs.j]
    connections = ["b*", "hq"]
    query = "SELECT 1"
    [[jobs.j.destinations]]
    type = "csv"
    path = "out.csv"
    """
    config = branches(HEAD + "b2,sqlite:///2.db\nb1,sqlite:///1.db\n", job).load()
    assert [c.name for c in config.connections] == ["hq", "b2", "b1"]
    assert len(select(config.connections, config.jobs["j"].connections)) == 3
    ((key, said),) = branches("", job).mistakes()
    assert (key, said) == ("", "is empty. Begin it with a header")


@pytest.mark.parametrize(
    ("lines", "key", "said"),
    [
        ("b1,sqlite:///b.db,readr", "line 2, column credential", 'Did you mean "reader"?'),
        ("b1,sqlite:///b.db,,a;a", "line 2, column tags", 'names "a" twice'),
        ("b1,sqlite:///b.db,,,1.4.2019", "line 2, column opened", '"1.4.2019" is not a day'),
        ("b1,sqlite:///b.db,,,2019-02-30", "line 2, column opened", "Write it as 2026-11-21"),
        (
            "b1,sqlite:///b.db,,,2019-04-01,2018-04-01",
            "line 2, column closed",
            "2018-04-01 is before opened. Allowed: 2019-04-01 or later",
        ),
        ("b1,", "line 2, column url", "is missing"),
        (f"b1,sqlite://u:{CANARY[:7]}@h/b.db", "line 2, column url", "the url holds a password"),
        (",sqlite:///b.db", "line 2, column name", '"" cannot be a name'),
        ("a/b,sqlite:///b.db", "line 2, column name", '"a/b" cannot be a name'),
        ("b1,sqlite:///b.db,,,,,x,y", "line 2", "holds 8 cells, but there are 7 columns"),
        ('b1,"sqlite:///b.db\nb2,', "line 2", "is not CSV: unexpected end of data"),
        ("hq,sqlite:///b.db", "line 2, column name", "is the name of [connections.hq] too"),
        (
            "\nb1,sqlite:///b.db\nb1,sqlite:///c.db",
            "line 4, column name",
            '"b1" is the name of line 3 too',
        ),
    ],
)
def test_a_mistake_names_line_and_column(branches, lines, key, said):
    desk = branches(HEAD + lines, "[connections.hq]\nurl = 'sqlite:///hq.db'\n")
    found, sentence = desk.mistake()
    assert found == key
    assert said in sentence
    assert CANARY[:7] not in sentence


def test_a_mistake_names_the_file(branches, desk):
    with pytest.raises(ConfigError) as caught:
        branches(HEAD + "b1,nowhere\n").load()
    (mistake,) = caught.value.mistakes
    assert mistake.where == str(desk.folder / "branches.csv")


@pytest.mark.parametrize(
    ("head", "mistakes"),
    [
        ("name,ur", [("line 1, column ur", "Did you mean"), ("line 1, column url", "is missing")]),
        ("a,name,url", [("line 1, column a", "is not a known column")]),
        ("name,url,url", [("line 1", '"url" heads two columns')]),
        ("name,,url", [("line 1", "a column has no name")]),
        ("\n\n", [("", "is empty")]),
    ],
)
def test_a_wrong_header_is_all_that_is_said(branches, head, mistakes):
    found = branches(f"{head}\nb1,nowhere\n" if head.strip() else head).mistakes()
    assert [key for key, _ in found] == [key for key, _ in mistakes]
    assert all(part in said for (_, said), (_, part) in zip(found, mistakes, strict=True))


def test_a_file_that_cannot_be_read_is_said(desk, branches):
    assert "there is no such file" in desk.mistake(FILE)[1]
    assert "is not UTF-8 (at line 2, column 3)" in branches(b"name,url\nb1\xff").mistake()[1]
    (desk.folder / "branches.csv").unlink()
    (desk.folder / "branches.csv").mkdir()
    assert "cannot be read: Is a directory" in desk.mistake()[1]


def test_what_is_wrong_is_told_all_at_once(branches):
    text = HEAD + "b1,nowhere\nb2,sqlite:///b.db,readr\nb1,sqlite:///c.db\na,b,,,,,,h\n"
    assert [key for key, _ in branches(text).mistakes()] == [
        "line 5",
        "line 2, column url",
        "line 3, column credential",
        "line 4, column name",
        "line 5, column url",
    ]


def test_a_cell_of_several_lines_keeps_the_count_of_lines_right(branches):
    found = branches(HEAD + 'b1,sqlite:///1.db,,,,,"a\nb\nc"\nb2,nowhere\n').mistakes()
    assert [key for key, _ in found] == ["line 2, column contact", "line 5, column url"]


def test_noise_is_refused_or_read_but_never_a_crash(branches):
    chance = random.Random(7)
    mistakes = []
    for _ in range(200):
        noise = "".join(chance.choices('b1,;"\n\r\t\0é|=\u2028', k=30))
        try:
            branches(f"name,url\n{noise}").load()
        except ConfigError as error:
            mistakes.extend(error.mistakes)
    assert mistakes
    assert {each.where.rpartition("/")[2] for each in mistakes} == {"branches.csv"}


def test_no_target_replaces_the_file(branches):
    job = """
    [jobs.j]
    connections = ["b1"]
    query = "SELECT 1"
    [[jobs.j.destinations]]
    type = "csv"
    path = "out/../branches.csv"
    """
    key, said = branches(HEAD + "b1,sqlite:///1.db\n", job).mistake()
    assert key == "jobs.j.destinations[1].path"
    assert "would overwrite the connections file" in said
