"""Urls of PostgreSQL and MySQL servers: what is read, what is refused, and no word of secrets."""

import pytest


def only(desk, url):
    (connection,) = desk.load(f"[connections.a]\nurl = '{url}'").connections
    return connection


def mistake(desk, url):
    key, said = desk.mistake(f"[connections.a]\nurl = '{url}'")
    assert key == "connections.a.url"
    return said


@pytest.mark.parametrize(
    ("url", "host", "port", "database"),
    [
        ("postgresql://branch1/sales", "branch1", 5432, "sales"),
        ("postgres://Branch1:6432/sales", "branch1", 6432, "sales"),
        ("pg://10.0.0.7/Sales%20%2026", "10.0.0.7", 5432, "Sales  26"),
        ("postgresql://[fe80::1]:1/d", "fe80::1", 1, "d"),
        ("postgresql:///d?host=/var/run/postgresql", "/var/run/postgresql", 5432, "d"),
        ("PostgreSQL://h/d#1", "h", 5432, "d#1"),
        ("mysql://Branch1/sales", "branch1", 3306, "sales"),
        ("mysql:///d?socket=/run/mysqld/mysqld.sock", "/run/mysqld/mysqld.sock", 3306, "d"),
    ],
)
def test_a_server_is_read_with_the_usual_port(desk, url, host, port, database):
    found = only(desk, url)
    assert (found.kind, found.url) == ("mysql" if "mysql:" in url else "postgresql", url)
    assert (found.host, found.port, found.database, found.options) == (host, port, database, {})


@pytest.mark.parametrize("mode", ["disable", "require", "verify-ca", "verify-full"])
def test_a_mode_of_encryption_is_taken_along(desk, mode):
    assert only(desk, f"postgresql://h/d?sslmode={mode}").options == {"sslmode": mode}


@pytest.mark.parametrize(
    ("path", "file"), [("ca/root.pem", "{}/ca/root.pem"), ("/etc/r%20t.pem", "/etc/r t.pem")]
)
def test_an_authority_is_found_from_the_folder_of_the_file(desk, path, file):
    options = only(desk, f"postgresql://h/d?sslrootcert={path}&sslmode=verify-ca").options
    assert options == {"sslrootcert": file.format(desk.folder), "sslmode": "verify-ca"}


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://h", "does not end with the name of one database"),
        ("postgresql://h/", "does not end with the name of one database. Write"),
        ("postgresql://h/a/b", "does not end with the name of one database"),
        ("postgresql://h/a%00", "holds a NUL"),
        ("postgresql:///d", "names no host. Write"),
        ("postgresql://:5432/d", "names no host"),
        ("postgresql://h:0/d", "the port is out of range. Allowed: 1 to 65535"),
        ("postgresql://h:65536/d", "the port is out of range"),
        ("postgresql://h:x/d", "the port is out of range"),
        ("postgresql://etl@h/d", "names a user. Take it out, put it in a [credentials.NAME]"),
        ("postgresql://@h/d", "names a user"),
        ("postgresql://h/d?host=/run", "names a host and a socket"),
        ("postgresql:///d?host=h", "is the absolute folder of a socket"),
        ("postgresql:///d", "or ?host=/var/run/postgresql for the socket of this machine"),
        ("mysql:///d", "or ?socket=/run/mysqld/mysqld.sock for the socket of this machine"),
        ("mysql:///d?socket=s", "is the absolute path of a socket. Write ?socket=/run/mysqld/"),
        ("mysql://h/d?socket=/s", "names a host and a socket"),
        ("mssql:///d", "names no host. Write"),
        ("postgresql://h/d?sslmod=disable", '"sslmod" is not known. Did you mean "sslmode"?'),
        ("postgresql://h/d?zz=1", "the option is not known. Allowed: host, sslmode, sslrootcert"),
        ("postgresql://h/d?sslmode=prefer", "may send everything unencrypted without a word"),
        ("postgresql://h/d?sslmode=allow", "Allowed: disable, require, verify-ca, verify-full"),
        ("postgresql://h/d?sslmode=verify", "is none of the choices"),
        ("postgresql://h/d?sslmode=", "is none of the choices"),
        ("postgresql://h/d?sslmode=require&sslmode=disable", "sslmode is said twice"),
        ("postgresql://h/d?sslrootcert=", "sslrootcert names no file"),
        ("postgresql://h/d?sslmode=require&sslrootcert=r", "sslmode=require trusts anyone"),
    ],
)
def test_a_wrong_url_of_a_server_is_refused_in_words(desk, url, said):
    assert said in mistake(desk, url)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://hunter2@h/d",
        "postgresql://h/d?hunter2",
        "postgresql://h/d?hunter2=",
        "postgresql://h/d?password=hunter2",
        "postgresql://h/d?sslmod=hunter2",
    ],
)
def test_no_mistake_of_a_server_shows_a_password(desk, url):
    assert "hunter2" not in mistake(desk, url)
