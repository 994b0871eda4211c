"""Connections that share a pool must be able to share its sessions."""

import pytest

from etltui.config.pools import check_pools
from etltui.config.table import Notebook
from etltui.domain.job import Connection, Credential

LOGINS = {
    "r": Credential(name="r", user="reader", password="env:A"),
    "same": Credential(name="same", user="reader", password="env:A"),
    "other": Credential(name="other", user="reader", password="env:B"),
    "admin": Credential(name="admin", user="admin", password="env:B"),
}


def one(name="a", **more):
    said = {"kind": "postgresql", "url": "", "host": "h", "port": 5432, "database": "d"}
    return Connection(name=name, **{**said, "credential": "r", **more})


def mistakes(*connections):
    book = Notebook(lambda _: "etltui.toml")
    check_pools(connections, LOGINS, book, {"c": "branches.csv"})
    return [(each.key, each.problem) for each in book.mistakes]


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"credential": "same"},
        {"credential": "admin"},
        {"credential": "", "options": {"sslmode": "require"}},
        {"credential": "other", "database": "e"},
        {"credential": "other", "port": 5433},
        {"credential": "other", "host": "g"},
        {"credential": "other", "kind": "mysql"},
    ],
)
def test_the_same_way_to_a_database_or_another_database_is_good(other):
    assert mistakes(one(), one("b", **other)) == []


@pytest.mark.parametrize(
    ("other", "what"),
    [
        ({"credential": "other"}, "password"),
        ({"options": {"sslmode": "require"}}, "options"),
        ({"credential": "other", "options": {"x": "y"}, "host": "H"}, "password and other options"),
    ],
)
def test_another_way_to_the_same_database_is_refused(other, what):
    said = 'reaches the same database as the same user as "a", but with another '
    assert mistakes(one(), one("b", **other), one("d")) == [("connections.b", said + what)]


def test_the_file_of_a_connection_is_named():
    book = Notebook(lambda _: "etltui.toml")
    there = one("c", options={"a": "b"})
    check_pools([one(), one("b", options={"a": "b"}), there], LOGINS, book, {"c": "branches.csv"})
    assert [each.where for each in book.mistakes] == ["etltui.toml", "branches.csv"]


def test_what_has_no_kind_was_refused_already():
    assert mistakes(one(kind="", options={"a": "b"}), one("b", kind="")) == []


def test_loading_refuses_it(desk):
    key, said = desk.mistake("""
        [credentials.a]
        password = "env:A"
        [credentials.b]
        password = "env:B"
        [connections.x]
        url = "sqlite:///x.db"
        credential = "a"
        [connections."y z"]
        url = "sqlite:///x.db"
        credential = "b"
    """)
    assert key == 'connections."y z"'
    assert "but with another password. Give both the same credential" in said
