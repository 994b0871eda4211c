"""N-21: two hundred connections fail in every way that can be reached; no password is anywhere."""

import itertools
import shutil
import socket
import ssl
import struct
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from functional.cli_kit import etltui
from functional.test_secrets import written
from unit.readers.test_postgresql_open import AUTHORITY, error

FAILURES = 200
STATES = ("28P01", "28000", "3D000", "53300", "57P03", "42501", "XX000", "08P01", "22023", "0A000")
"""SQLSTATEs with which the server answers, the password in its words."""
WAYS = (*STATES, "hangs_up", "echoes", "echoes_as_a_field", "says_it_in_a_notice")
ASKS_FOR_TLS = struct.pack(">I", 80877103)
SELECT = "select 1 as id"

pytestmark = pytest.mark.timeout(180)


class Gossip:
    """A server that tells the password that it was given, in the way its database is named for."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self._listener.getsockname()[1]
        self.heard = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with suppress(OSError):
            while True:
                line, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line):
        with suppress(OSError, struct.error, ssl.SSLError), line:
            line.settimeout(5)
            startup = self._startup(line)
            if startup == ASKS_FOR_TLS:
                line.sendall(b"S")
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(AUTHORITY)
                with context.wrap_socket(line, server_side=True) as secret:
                    self._log_in(secret, self._startup(secret))
            else:
                self._log_in(line, startup)

    @staticmethod
    def _startup(line):
        (length,) = struct.unpack(">I", line.recv(4))
        return line.recv(length - 4)

    def _log_in(self, line, startup):
        words = startup[4:].split(b"\0")
        named = dict(zip(words[::2], words[1::2], strict=False))
        way = named.get(b"database", b"").decode().rpartition("__")[0]
        line.sendall(b"R" + struct.pack(">II", 8, 3))
        line.recv(1)
        password = self._startup(line).rstrip(b"\0").decode()
        self.heard.add(password)
        self._answer(line, way, password)

    @staticmethod
    def _answer(line, way, password):
        if way in STATES:
            line.sendall(error(way, f'no way with "{password}", said the server'))
        elif way == "echoes":
            line.sendall(password.encode() * 20)
        elif way == "echoes_as_a_field":
            field = f"{password}\0{password}\0".encode()
            line.sendall(b"S" + struct.pack(">I", len(field) + 4) + field)
        elif way == "says_it_in_a_notice":
            line.sendall(b"N" + error("01000", f"I was told {password}")[1:])


@pytest.fixture
def gossip():
    return Gossip()


def odbc_driver():
    """Whether the ODBC driver for PostgreSQL is installed."""
    if shutil.which("odbcinst") is None:
        return False
    listed = subprocess.run(["odbcinst", "-q", "-d"], capture_output=True, text=True, check=False)
    return "[PostgreSQL Unicode]" in listed.stdout


def urls(port, folder):
    """Urls without end, each of which fails in its own way."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = server.getsockname()[1]
    tls = f"?sslmode=verify-ca&sslrootcert={AUTHORITY}"
    plain = [
        *(f"postgresql://127.0.0.1:{port}/{way}__{{}}?sslmode=disable" for way in WAYS),
        *(f"postgresql://127.0.0.1:{port}/{way}__{{}}{tls}" for way in WAYS[:6]),
        f"postgresql://127.0.0.1:{port}/x__{{}}",
        f"postgresql://127.0.0.1:{closed}/x__{{}}",
        "postgresql://no-such-branch.invalid/x__{}",
        f"mysql://127.0.0.1:{port}/x__{{}}?sslmode=disable",
        f"mysql://127.0.0.1:{closed}/x__{{}}",
        f"sqlite:///{folder}/none__{{}}.db",
    ]
    if odbc_driver():
        text = f"odbc:Driver={{{{PostgreSQL Unicode}}}};Server=127.0.0.1;Port={port};"
        plain.append(f"{text}Database=28P01__{{}};SSLmode=disable")
    for number in itertools.count():
        yield plain[number % len(plain)].format(number)


@pytest.fixture
def fleet(tmp_path, gossip):
    """A configuration of failures, and the password of each in its own variable."""
    passwords, parts = {}, ['[settings]\nlog_level = "debug"\nretries = 0\n']
    parts.append('connection_timeout_s = 2\nmax_per_host = 200\ntimezone = "UTC"\n')
    for number, url in zip(range(FAILURES), urls(gossip.port, tmp_path), strict=False):
        passwords[f"PASSWORD_{number}"] = f"canary-{number:03}-\"%s'{{x}}"
        parts.append(f'[credentials.c{number}]\nuser = "u{number}"\n')
        parts.append(f'password = "env:PASSWORD_{number}"\n')
        parts.append(f'[connections.B{number:03}]\nurl = "{url}"\ncredential = "c{number}"\n')
    parts.append(f'[jobs.sales]\nconnections = ["*"]\nquery = "{SELECT}"\n')
    parts.append('[[jobs.sales.destinations]]\ntype = "excel"\npath = "out.xlsx"\n')
    config = tmp_path / "etltui.toml"
    config.write_text("".join(parts), encoding="utf-8")
    return config, passwords


def test_n_21_no_password_is_told_by_two_hundred_failures(fleet, gossip, tmp_path):
    config, passwords = fleet
    more = {**passwords, "ETLTUI_STATE_DIR": str(tmp_path / "state")}
    told = [etltui("run", "sales", "--json", "--config", config, **more)]
    told += [
        etltui(*words, "--config", config, **more)
        for words in (
            ("test", "--json"),
            ("show", "sales", "--json"),
            ("show", "sales"),
            ("logs", "--json"),
            ("identities", "list"),
            ("snapshot",),
        )
    ]
    results = told[2].out
    assert results.count('"status": "failed"') >= FAILURES
    assert len(gossip.heard) > FAILURES / 2, "most were really told"
    assert "no way with" in results
    texts = [text.encode() for answer in told for text in (answer.out, answer.err)]
    files = [each for each in written(Path(tmp_path)) if b"env:PASSWORD_" not in each[:4000]]
    assert any(b"no way with" in each for each in files)
    leaks = [text for text in [*texts, *files] if b"canary-" in text]
    assert leaks == []
