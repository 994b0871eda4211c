"""Connection strings behind `odbc:`: what is read, what is refused, and no word of secrets."""

import pytest


def only(desk, url):
    (connection,) = desk.load(f"[connections.a]\nurl = '{url}'").connections
    return connection


def mistake(desk, url):
    key, said = desk.mistake(f"[connections.a]\nurl = '{url}'")
    assert key == "connections.a.url"
    return said


@pytest.mark.parametrize(
    ("words", "host", "port", "database"),
    [
        ("Driver={PostgreSQL Unicode};Server=branch1;Port=5432;Database=d", "branch1", 5432, "d"),
        ("driver=MariaDB Unicode;SERVERNAME=b;DB=x;", "b", 0, "x"),
        ("Driver={ODBC Driver 18 for SQL Server};Server=tcp:h,1433;Database=d", "h", 1433, "d"),
        ("DSN=branch7", "", 0, "branch7"),
        ("DSN=branch7;Database=d", "", 0, "branch7/d"),
        ("Driver={My {odd}} driver}};x};Host=::1;Initial Catalog=a b", "::1", 0, "a b"),
        ("Driver=X;Account=acme", "", 0, "Driver=X;Account=acme"),
    ],
)
def test_a_connection_string_is_taken_apart(desk, words, host, port, database):
    found = only(desk, f"odbc:{words}")
    assert (found.kind, found.url) == ("odbc", f"odbc:{words}")
    assert (found.host, found.port, found.database) == (host, port, database)


def test_keys_are_kept_as_they_are_written_braces_aside(desk):
    found = only(desk, "odbc:Driver={A}};b};Server = h ; Opt={x=1;y}")
    assert found.options == {"Driver": "A};b", "Server": "h", "Opt": "x=1;y"}


def test_a_file_is_found_from_the_configuration(desk):
    found = only(desk, "odbc:Driver=SQLite3;Database=branch/a.db")
    assert found.options["Database"].endswith("/branch/a.db")
    assert found.options["Database"].startswith("/")
    assert found.database == found.options["Database"]


@pytest.mark.parametrize(
    "words",
    ["PWD=hush", "Password={hush}", "passwd=hush", "pqopt={password=hush}", "Pwd={hu;sh}"],
)
def test_a_password_is_refused_and_not_shown(desk, words):
    said = mistake(desk, f"odbc:Driver=X;{words}")
    assert "password" in said
    assert "credential" in said
    assert "hush" not in said


@pytest.mark.parametrize("words", ["UID=sa", "User=sa", "uid={sa}", "User ID=sa"])
def test_a_user_is_refused_and_not_shown(desk, words):
    said = mistake(desk, f"odbc:DSN=x;{words}")
    assert "user" in said
    assert '"sa"' not in said


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("odbc:", "no connection"),
        ("odbc:Server=h", "neither a driver nor a data source"),
        ("odbc:Driver=X;nonsense", "no list of KEY=value"),
        ("odbc:Driver={X", "no list of KEY=value"),
        ("odbc:Driver=X;driver=Y", "twice"),
        ("odbc:Driver=X;Server=h;Port=70000", "out of range"),
        ("odbc:Driver=X;Server=h;Port=x", "out of range"),
        ("odbc:Driver=SQLite3", "names no file"),
        ("odbc:Driver=SQLite3;Database=C:\\\\a.db", "Windows"),
    ],
)
def test_what_is_no_connection_string_is_refused_with_a_way_out(desk, url, words):
    said = mistake(desk, url)
    assert words in said
    assert any(out in said for out in ("Write", "Allowed", "Say", "Mount"))
