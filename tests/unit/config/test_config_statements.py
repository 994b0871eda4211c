"""Which texts of a job are looked at, and where each stands; N-32."""

from pathlib import Path

from etltui.config.statements import statements

JOBS = """
[connections.a]
url = "sqlite:///a.db"
[connections.b]
url = "sqlite:///b.db"
[connections.p]
url = "postgresql://h/d"
[connections."Branch 9"]
url = "sqlite:///9.db"
[jobs.one]
connections = ["*"]
query = "SELECT 1"
control = "SELECT 2"
procedures = ["dbo.report"]
overrides = { "Branch 9" = "SELECT 3" }
[[jobs.one.destinations]]
type = "csv"
path = "one.csv"
[jobs.two]
connections = ["a", "b"]
[jobs.two.queries]
bills = "SELECT 4"
items = { sql = "SELECT 5", control = "SELECT 6" }
[jobs.two.overrides.b]
items = { sql = "SELECT 7", control = "SELECT 8" }
[[jobs.two.destinations]]
type = "excel"
path = "two.xlsx"
"""


def found(desk, job):
    config = desk.load(JOBS)
    chosen = [c for c in config.connections if job == "one" or c.name in {"a", "b"}]
    return statements(config.jobs[job], chosen)


def test_n_32_each_text_is_asked_of_once_in_each_dialect(desk):
    said = [
        (each.key, each.task.dialect, each.task.sql, each.connections)
        for each in found(desk, "one")
    ]
    assert said == [
        ("jobs.one.query", "sqlite", "SELECT 1", ("a", "b")),
        ("jobs.one.control", "sqlite", "SELECT 2", ("a", "b", "Branch 9")),
        ("jobs.one.query", "postgresql", "SELECT 1", ("p",)),
        ("jobs.one.control", "postgresql", "SELECT 2", ("p",)),
        ('jobs.one.overrides."Branch 9"', "sqlite", "SELECT 3", ("Branch 9",)),
    ]
    assert {each.task.procedures for each in found(desk, "one")} == {("dbo.report",)}


def test_n_32_several_queries_and_their_controls_are_named(desk):
    said = [(each.key, each.task.sql, each.connections) for each in found(desk, "two")]
    assert said == [
        ("jobs.two.queries.bills.sql", "SELECT 4", ("a", "b")),
        ("jobs.two.queries.items.sql", "SELECT 5", ("a",)),
        ("jobs.two.queries.items.control", "SELECT 6", ("a",)),
        ("jobs.two.overrides.b", "SELECT 7", ("b",)),
        ("jobs.two.overrides.b", "SELECT 8", ("b",)),
    ]


def test_n_32_a_mistake_names_file_key_connections_and_the_way_out(desk):
    mistake = found(desk, "one")[0].mistake(Path("/x/etltui.toml"), "it is empty")
    assert (mistake.where, mistake.key) == ("/x/etltui.toml", "jobs.one.query")
    assert mistake.problem == "the query is not sent to a, b: it is empty"
    assert "procedures" in mistake.way_out


def test_n_32_what_tells_whether_a_day_is_closed_is_looked_at_too(desk):
    config = desk.load(JOBS.replace('control = "SELECT 2"', 'day_closed = "SELECT 9"'))
    [a] = [each for each in config.connections if each.name == "a"]
    said = [(each.key, each.task.sql) for each in statements(config.jobs["one"], [a])]
    assert said == [("jobs.one.query", "SELECT 1"), ("jobs.one.day_closed", "SELECT 9")]


def test_what_a_branch_is_asked_of_itself_is_looked_at_too(desk):
    text = JOBS.replace(
        'url = "sqlite:///b.db"', 'url = "sqlite:///b.db"\nidentity_query = "SELECT b"'
    )
    text = text.replace("[jobs.two]\n", '[jobs.two]\nidentity_query = "SELECT j"\n')
    config = desk.load(text)
    chosen = [c for c in config.connections if c.name in {"a", "b"}]
    asked = [each for each in statements(config.jobs["two"], chosen) if "identity" in each.key]
    assert [(each.key, each.task.sql, each.connections) for each in asked] == [
        ("jobs.two.identity_query", "SELECT j", ("a",)),
        ("connections.b.identity_query", "SELECT b", ("b",)),
    ]
