"""Opening a MySQL session against servers that obey a script: every way not to get one."""

import socket
import ssl
import struct
import threading
from contextlib import closing
from pathlib import Path

import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.task import SessionTask
from etltui.readers.mysql_open import open_session

AUTHORITY = str(Path(__file__).with_name("own_authority.pem"))
"""A self-signed certificate for the name localhost, with its key."""
PASSWORD = "hunter2-geheim"
PLAIN = {"sslmode": "disable"}
TLS = 1 << 11
CAPABILITIES = 0x81FFF7FE & ~TLS


def packet(number, body):
    return len(body).to_bytes(3, "little") + bytes([number]) + body


def greeting(capabilities=CAPABILITIES, plugin=b"mysql_native_password"):
    low, high = struct.pack("<I", capabilities)[:2], struct.pack("<I", capabilities)[2:]
    return packet(
        0,
        b"\x0a10.11.0-MariaDB\0" + struct.pack("<I", 7) + b"saltsalt\0" + low + b"\x2d\x02\0" + high
        + b"\x15" + bytes(10) + b"saltsaltsalt\0" + plugin + b"\0",
    )  # fmt: skip


def error(number, code, words):
    return packet(number, b"\xff" + struct.pack("<H", code) + b"#HY000" + words.encode())


def taken(line):
    head = line.recv(4, socket.MSG_WAITALL)
    return line.recv(int.from_bytes(head[:3], "little"), socket.MSG_WAITALL)


def refuses_at_once(code, words):
    def serve(line):
        # So early there is no SQLSTATE.
        line.sendall(packet(0, b"\xff" + struct.pack("<H", code) + words.encode()))

    return serve


def refuses(code, words):
    def serve(line):
        line.sendall(greeting())
        said = taken(line)
        assert PASSWORD.encode() not in said
        line.sendall(error(2, code, words))

    return serve


def asks_openly(plugin):
    """Ask for the password as it is."""

    def serve(line):
        line.sendall(greeting())
        taken(line)
        line.sendall(packet(2, b"\xfe" + plugin + b"\0"))
        assert line.recv(100) == b""

    return serve


def speaks_tls(line):
    line.sendall(greeting(CAPABILITIES | TLS))
    taken(line)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(AUTHORITY)
    with context.wrap_socket(line, server_side=True) as secret:
        head = secret.recv(4)
        secret.recv(int.from_bytes(head[:3], "little"))
        secret.sendall(error(3, 1045, f"Access denied for '{PASSWORD}'"))


def is_silent(line):
    while line.recv(4096):
        pass


def trickles(line):
    """Send one byte after the other, so that no single wait is long."""
    for byte in greeting() * 100:
        line.sendall(bytes([byte]))
        threading.Event().wait(0.02)


def hangs_up(line):
    line.sendall(greeting())


def speaks_otherwise(line):
    line.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def refused(port, *, host="127.0.0.1", seconds=5.0, **options):
    task = SessionTask(
        connection="c",
        kind="mysql",
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
    assert "\n" not in caught.value.message
    return caught.value.error_class, caught.value.message


@pytest.mark.parametrize(
    ("code", "named"),
    [
        (1045, ErrorClass.LOGIN),
        (1044, ErrorClass.PERMISSION),
        (1049, ErrorClass.NO_DATABASE),
        (1226, ErrorClass.BUSY),
        (1698, ErrorClass.LOGIN),
        (1862, ErrorClass.LOGIN),
    ],
)
def test_the_server_says_why_not(serve, code, named):
    assert refused(serve(refuses(code, "words")), **PLAIN) == (named, "words")


@pytest.mark.parametrize(
    ("code", "named"),
    [(1040, ErrorClass.BUSY), (1129, ErrorClass.PERMISSION), (1130, ErrorClass.PERMISSION)],
)
def test_the_server_says_so_before_it_asks_who_we_are(serve, code, named):
    assert refused(serve(refuses_at_once(code, "words")), **PLAIN) == (named, "words")


def test_a_password_in_the_servers_words_is_never_shown(serve):
    found = refused(serve(refuses(1045, f"denied for '{PASSWORD}'")), **PLAIN)
    assert found == (ErrorClass.LOGIN, "denied for '***'")


@pytest.mark.parametrize("plugin", [b"mysql_clear_password", b"dialog"])
def test_the_password_is_not_sent_where_others_may_read_it(serve, plugin):
    found, words = refused(serve(asks_openly(plugin)), **PLAIN)
    assert found is ErrorClass.LOGIN
    assert "take sslmode=disable out" in words


def test_an_authentication_that_is_not_known(serve):
    found, words = refused(serve(asks_openly(b"authentication_ldap_sasl")), **PLAIN)
    assert found is ErrorClass.LOGIN
    assert "authentication_ldap_sasl" in words


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
    port = serve(refuses(1045, "words"))
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        closed = listener.getsockname()[1]
    found = [(socket.AF_INET, 0, 0, "", ("127.0.0.1", p)) for p in (closed, port)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert refused(1, host="two", **PLAIN) == (ErrorClass.LOGIN, "words")


def test_no_socket_at_the_path(tmp_path):
    found, words = refused(0, host=str(tmp_path / "mysqld.sock"))
    assert found is ErrorClass.UNREACHABLE
    assert words == f"{tmp_path}/mysqld.sock cannot be reached: No such file or directory"


@pytest.mark.parametrize("script", [is_silent, trickles])
def test_a_server_that_does_not_finish(serve, script):
    found, words = refused(serve(script), seconds=0.5, **PLAIN)
    assert found is ErrorClass.TIMEOUT
    assert "finished no login within connection_timeout_s = 0.5 s" in words


@pytest.mark.parametrize("script", [hangs_up, speaks_otherwise])
def test_a_server_that_hangs_up_or_is_none(serve, script):
    assert refused(serve(script), **PLAIN)[0] is ErrorClass.LOST


def test_a_server_without_tls_is_refused_with_the_way_out(serve):
    found, words = refused(serve(hangs_up))
    assert found is ErrorClass.TLS
    assert "offers no TLS" in words
    assert "or add ?sslmode=disable to the url (no encryption)" in words


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
