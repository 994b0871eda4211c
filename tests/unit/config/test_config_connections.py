"""Connections, credentials and urls: what is read, what is refused, and no word of secrets."""

import pytest

from etltui.config.urls import address
from etltui.domain.job import Connection, Credential
from unit.config.config_desk import CANARY


def url_mistake(desk, url):
    key, said = desk.mistake(f"[connections.a]\nurl = '{url}'")
    assert key == "connections.a.url"
    return said


@pytest.mark.parametrize(
    ("url", "database"),
    [
        ("sqlite:///data/a.db", "{folder}/data/a.db"),
        ("sqlite:////srv/a.db", "/srv/a.db"),
        ("SQLite:///a.db", "{folder}/a.db"),
        ("sqlite:///my%20file%23%3f.db?", "{folder}/my file#?.db"),
        ("sqlite:///a#b.db", "{folder}/a#b.db"),
        ("sqlite:///~/a.db", "/home/x/a.db"),
    ],
)
def test_a_url_is_read_from_the_folder_of_the_file(desk, monkeypatch, url, database):
    monkeypatch.setenv("HOME", "/home/x")
    (only,) = desk.load(f"[connections.a]\nurl = '{url}'").connections
    assert only == Connection(
        name="a",
        kind="sqlite",
        url=url,
        database=database.format(folder=desk.folder),
    )


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "is empty"),
        ("data/a.db", "is not a url. Write"),
        ("sqlite:///", "names no file"),
        ("sqlite://", "names no file"),
        ("sqlite:///data/", "names no file"),
        ("sqlite:///:memory:", "is no file that two processes could read"),
        ("sqlite:///file:x?mode=memory", "is no file that two processes could read"),
        ("sqlite:///C:/data/a.db", "is a Windows path"),
        ("sqlite:////C:/data/a.db", "is a Windows path"),
        ("sqlite:///c:\\data\\a.db", "is a Windows path"),
        ("sqlite:///\\\\server\\a.db", "is a Windows path"),
        ("sqlite://data/a.db", '"sqlite://data/a.db" names a host, but SQLite is a file'),
        ("sqlite:///a%00.db", "holds a NUL"),
        ("sqlite:///a.db?mode=rwc", "sqlite takes no options. Remove ? and what stands behind it"),
        ("sqlite:///a.db?mode", "a ? in the name of a file is written %3F"),
        ("sqlit:///a.db", 'Did you mean "sqlite"? There are mssql, mysql'),
        ("zzzzz:///a.db", '"zzzzz" is no kind of database. There are mssql, mysql'),
        ("1x://h/db", '"1x" is no kind of database'),
        ("sqlite://[::1", '"sqlite://[::1" is not a url'),
    ],
)
def test_a_wrong_url_is_refused_in_words(desk, url, said):
    assert said in url_mistake(desk, url)


@pytest.mark.parametrize(
    ("scheme", "kind", "port"),
    [
        ("mysql", "mysql", 3306),
        ("mariadb", "mysql", 3306),
        ("mysql+pymysql", "mysql", 3306),
        ("mssql", "mssql", 1433),
        ("sqlserver", "mssql", 1433),
        ("postgresql+psycopg", "postgresql", 5432),
    ],
)
def test_the_kind_is_the_scheme_whatever_driver_it_names(scheme, kind, port, tmp_path):
    found = address(f"{scheme}://h/db", tmp_path)
    assert (found.kind, found.host, found.port, found.database) == (kind, "h", port, "db")


def test_a_control_character_is_not_dropped_in_silence(desk):
    _, said = desk.mistake('[connections.a]\nurl = "sqlite:///a\\tb.db"')
    assert "the url holds a control character" in said


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:hunter2@h/db",
        "sqlite://u:hunter2@h/a.db",
        "sqlite://u:hun/hunter2@h/a.db",
        "sqlite://u:hun?hunter2@h/a.db",
        "sqlite://hunter2@h/a.db",
        "sqlite:///u:hunter2@h/",
        "sqlite:///a.db?password=hunter2",
        "sqlite:///a.db?PWD=hunter2",
        "sqlite:///a.db?hunter2",
        "sqlite://[hunter2@x/",
        "sqlite://x/?y=hunter2",
        "hunter2",
    ],
)
def test_no_url_mistake_shows_a_password(desk, url):
    assert "hunter2" not in url_mistake(desk, url)


def test_a_password_in_a_url_has_a_way_out(desk):
    said = url_mistake(desk, "postgresql://u:x@h/db")
    assert "the url holds a password. Take it out, put it in a [credentials.NAME]" in said


@pytest.mark.parametrize(
    ("more", "key", "said"),
    [
        ("url = 5", "url", "5 is not text in quotes"),
        ("", "url", "is missing. Write url ="),
        ('url = "sqlite:///a.db"\ntags = "x"', "tags", '"x" is not a list of texts. Write ["one"'),
        ('url = "sqlite:///a.db"\ntags = [1]', "tags", "a list is not a list of texts"),
        ('url = "sqlite:///a.db"\ntags = [" "]', "tags", "holds an empty text"),
        ('url = "sqlite:///a.db"\ntags = ["x", "x"]', "tags", 'names "x" twice'),
        ('url = "sqlite:///a.db"\ncredential = ""', "credential", "is empty"),
        ('url = "sqlite:///a.db"\ncredential = "raeder"', "credential", 'Did you mean "reader"?'),
        ('url = "sqlite:///a.db"\ncredential = "zz"', "credential", "Add a [credentials.zz]"),
        ('url = "sqlite:///a.db"\npassword = "hunter2"', "password", "is not a known key"),
    ],
)
def test_a_wrong_connection_is_refused_in_words(desk, more, key, said):
    found, text = desk.mistake(f"[credentials.reader]\n[connections.a]\n{more}")
    assert found == f"connections.a.{key}"
    assert said in text
    assert "hunter2" not in text


def test_a_wrong_connection_is_not_blamed_on_its_jobs(desk):
    desk.job()
    text = desk.path.read_text().replace("sqlite:///a.db", "sqlite://a.db")
    assert desk.mistake(text)[0] == "connections.a.url"


def test_a_credential_serves_connections_and_hides_its_reference(desk):
    config = desk.load(
        """
        [credentials."my reader"]
        user = "me"
        password = "env:SECRET_NAME"
        [connections.a]
        url = "sqlite:///a.db"
        credential = "my reader"
        """,
    )
    assert config.connections[0].credential == "my reader"
    login = Credential(name="my reader", user="me", password="env:SECRET_NAME")
    assert config.credentials == {"my reader": login}
    assert "SECRET_NAME" not in repr(config)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f'"{CANARY}"', "is a password in plain sight"),
        (f'"plain:{CANARY}"', "is a password in plain sight"),
        (f'["{CANARY}"]', "is not text in quotes"),
        (f'"env:{CANARY}"', "is no name of an environment variable"),
        ('"env:"', "leads nowhere behind env:"),
        ('"file: "', "leads nowhere behind file:"),
        (f'"file:{CANARY}\\u0000"', "leads nowhere behind file:"),
        (f"'cmd:echo \"{CANARY}'", "has an open quote behind cmd:"),
    ],
)
def test_a_password_that_is_no_reference_is_refused_unseen(desk, line, said):
    """N-21."""
    key, text = desk.mistake(f"credentials.c.password = {line}")
    assert key == "credentials.c.password"
    assert said in text
    assert "env:NAME" in text or "Close it" in text


@pytest.mark.parametrize("reference", ["", "env:A_1", "file:~/x", "cmd:pass show 'my db'"])
def test_the_forms_of_a_reference(desk, reference):
    config = desk.load(f'[credentials.c]\npassword = "{reference}"')
    assert config.credentials["c"].password == reference


def test_a_misspelled_key_never_shows_the_password_beside_it(desk):
    key, said = desk.mistake(f'[credentials.c]\npasswort = "{CANARY}"')
    assert (key, said) == (
        "credentials.c.passwort",
        'is not a known key. Did you mean "password"?',
    )
