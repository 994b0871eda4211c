"""Opening a PostgreSQL session against servers that obey a script: every way not to get one."""

import socket
import ssl
import struct
import threading
from contextlib import closing
from pathlib import Path

import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.task import SessionTask
from etltui.readers.encryption import tls
from etltui.readers.postgresql_open import open_session

AUTHORITY = str(Path(__file__).with_name("own_authority.pem"))
"""A self-signed certificate for the name localhost, with its key."""
PASSWORD = "hunter2-geheim"
PLAIN = {"sslmode": "disable"}
LOGIN = "28P01", f'password authentication failed for "{PASSWORD}"'


def error(state, words):
    body = b"".join(
        kind + text.encode() + b"\0"
        for kind, text in ((b"S", "FATAL"), (b"C", state), (b"M", words))
    )
    return b"E" + struct.pack(">I", len(body) + 5) + body + b"\0"


def message_from(line):
    """A message without a kind: startup or a request for TLS."""
    (length,) = struct.unpack(">I", line.recv(4))
    return line.recv(length - 4)


def refuses(state, words):
    """Answer the startup with an error."""

    def serve(line):
        message_from(line)
        line.sendall(error(state, words))

    return serve


def asks_for_password(line):
    message_from(line)
    line.sendall(b"R" + struct.pack(">II", 8, 3))
    assert line.recv(1) == b"p"
    assert PASSWORD.encode() in message_from(line)
    line.sendall(error(*LOGIN))


def says(answer):
    """Answer the request for TLS with this and no more."""

    def serve(line):
        message_from(line)
        line.sendall(answer)
        line.recv(1)

    return serve


def speaks_tls(line):
    message_from(line)
    line.sendall(b"S")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(AUTHORITY)
    with context.wrap_socket(line, server_side=True) as secret:
        asks_for_password(secret)


def is_silent(line):
    while line.recv(4096):
        pass


def hangs_up(line):
    message_from(line)


def refused(port, *, host="127.0.0.1", seconds=5.0, **options):
    task = SessionTask(
        connection="c",
        kind="postgresql",
        host=host,
        port=port,
        database="d",
        user="u",
        password=PASSWORD,
        options=options,
        connect_timeout_s=seconds,
    )
    with pytest.raises(Failure) as caught:
        open_session(task)
    assert PASSWORD not in caught.value.message
    assert PASSWORD not in repr(task)
    return caught.value.error_class, caught.value.message


@pytest.mark.parametrize(
    ("state", "named"),
    [
        ("28000", ErrorClass.LOGIN),
        ("3D000", ErrorClass.NO_DATABASE),
        ("53300", ErrorClass.BUSY),
        ("57P03", ErrorClass.BUSY),
        ("42501", ErrorClass.PERMISSION),
    ],
)
def test_the_server_says_why_not(serve, state, named):
    assert refused(serve(refuses(state, "words")), **PLAIN) == (named, "words")


def test_a_wrong_password_is_a_login_and_is_never_shown(serve):
    found = refused(serve(asks_for_password), **PLAIN)
    assert found == (ErrorClass.LOGIN, 'password authentication failed for "***"')


def test_nothing_listens():
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    found = refused(port, **PLAIN)
    assert found == (ErrorClass.REFUSED, f"nothing listens at 127.0.0.1:{port}")


def test_an_unknown_name(monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert refused(1, host="nowhere", **PLAIN) == (
        ErrorClass.UNREACHABLE,
        "the name of nowhere:1 is not known: Name or service not known",
    )


def test_a_name_without_an_address(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [])
    found, words = refused(1, host="nowhere", **PLAIN)
    assert found is ErrorClass.UNREACHABLE
    assert "the name has no address" in words


def test_a_resolver_that_hangs_is_not_waited_for(monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release.wait(5) and [])
    found, words = refused(1, host="slow", seconds=0.2, **PLAIN)
    release.set()
    assert (found, words) == (ErrorClass.UNREACHABLE, "slow:1 did not answer within 0.1 s")


def test_the_second_address_of_a_name_is_tried(serve, monkeypatch):
    port = serve(refuses("28000", "words"))
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        closed = listener.getsockname()[1]
    found = [(socket.AF_INET, 0, 0, "", ("127.0.0.1", p)) for p in (closed, port)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert refused(1, host="two", **PLAIN) == (ErrorClass.LOGIN, "words")


def test_no_socket_in_the_folder(tmp_path):
    found, words = refused(5432, host=str(tmp_path))
    assert found is ErrorClass.UNREACHABLE
    assert words == f"{tmp_path}/.s.PGSQL.5432 cannot be reached: No such file or directory"


def test_a_server_that_says_nothing(serve):
    found, words = refused(serve(is_silent), seconds=0.3, **PLAIN)
    assert found is ErrorClass.TIMEOUT
    assert "finished no login within connection_timeout_s = 0.3 s" in words


def test_a_server_that_hangs_up(serve):
    assert refused(serve(hangs_up), **PLAIN)[0] is ErrorClass.LOST


def test_a_server_without_tls_is_refused_with_the_way_out(serve):
    found, words = refused(serve(says(b"N")))
    assert found is ErrorClass.TLS
    assert "offers no TLS" in words
    assert "sslrootcert" not in words, "no certificate helps where none is shown"
    assert "or add ?sslmode=disable to the url (no encryption)" in words


def test_an_error_instead_of_tls_may_pass(serve):
    assert refused(serve(says(error("53300", "too many"))))[0] is ErrorClass.LOST


@pytest.mark.parametrize(
    ("host", "options", "named"),
    [
        ("localhost", {}, ErrorClass.TLS),
        ("localhost", {"sslmode": "verify-ca"}, ErrorClass.TLS),
        ("localhost", {"sslrootcert": AUTHORITY}, ErrorClass.LOGIN),
        ("127.0.0.1", {"sslrootcert": AUTHORITY}, ErrorClass.TLS),
        ("127.0.0.1", {"sslrootcert": AUTHORITY, "sslmode": "verify-ca"}, ErrorClass.LOGIN),
        ("127.0.0.1", {"sslmode": "require"}, ErrorClass.LOGIN),
    ],
)
def test_whom_tls_trusts(serve, host, options, named):
    found, words = refused(serve(speaks_tls), host=host, **options)
    assert found is named
    if named is ErrorClass.TLS:
        assert "no trusted TLS" in words
        assert "sslrootcert=FILE" in words


def test_an_authority_that_is_not_there(tmp_path):
    with pytest.raises(Failure, match=r"cannot use sslrootcert .*: No such file") as caught:
        tls({"sslrootcert": str(tmp_path / "none.pem")})
    assert caught.value.error_class is ErrorClass.TLS


def test_tls_is_verified_by_default():
    context = tls({})
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    assert tls({"sslmode": "disable"}) is None
