"""Every way to encrypt against every kind of certificate, at a server made for the test."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.task import SessionTask
from etltui.readers.postgresql import connect

PASSWORD = "canary-of-a-server"
OWNER = "postgres"
BIN = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), Path("/none"))
OK = None
TLS = ErrorClass.TLS

pytestmark = [pytest.mark.server, pytest.mark.timeout(120)]


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def authority(folder, name):
    """A certificate that others are signed with."""
    openssl(
        folder,
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30"),
        *("-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}"),
    )


def certificate(folder, name, *, host, signed_by, ended=False):
    """A server's certificate with its key."""
    openssl(
        folder,
        *("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key"),
        *("-out", f"{name}.csr", "-subj", f"/CN={host}"),
    )
    (folder / f"{name}.ext").write_text(f"subjectAltName=DNS:{host}\n")
    openssl(
        folder,
        *("x509", "-req", "-in", f"{name}.csr", "-CA", f"{signed_by}.pem"),
        *("-CAkey", f"{signed_by}.key", "-CAcreateserial", "-out", f"{name}.pem"),
        *("-extfile", f"{name}.ext", "-days", "-1" if ended else "30"),
    )


@dataclass
class Cluster:
    """A server's data, and how it is started with one certificate or none."""

    folder: Path
    port: int = 0

    def run(self, *words):
        """Do it as the owner of the data: a server does not run as root."""
        user = pwd.getpwnam(OWNER) if os.getuid() == 0 else None
        more = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
        subprocess.run(words, check=True, capture_output=True, cwd=self.folder, **more)

    def make(self):
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        authority(self.folder, "ours")
        authority(self.folder, "theirs")
        certificate(self.folder, "good", host="localhost", signed_by="ours")
        certificate(self.folder, "other", host="elsewhere.example", signed_by="ours")
        certificate(self.folder, "old", host="localhost", signed_by="ours", ended=True)
        certificate(self.folder, "stranger", host="localhost", signed_by="theirs")
        for path in (self.folder, *self.folder.iterdir()):
            if os.getuid() == 0:
                shutil.chown(path, OWNER, OWNER)
            path.chmod(0o700 if path.is_dir() else 0o600)
        data = self.folder / "data"
        auth = ("--auth-host=scram-sha-256", "--auth-local=reject", f"--pwfile={secret}")
        self.run(BIN / "initdb", "-D", data, "-U", "etl", "-E", "UTF8", "--no-sync", *auth)
        return self

    @contextmanager
    def started(self, name):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        tls = f"-c ssl=on -c ssl_cert_file={self.folder}/{name}.pem "
        tls += f"-c ssl_key_file={self.folder}/{name}.key"
        settings = f"-p {self.port} -k {self.folder} -c fsync=off {tls if name else '-c ssl=off'}"
        control = (BIN / "pg_ctl", "-D", self.folder / "data", "-w", "-l", self.folder / "log")
        self.run(*control, "-o", settings, "start")
        try:
            yield self
        finally:
            self.run(*control, "-m", "immediate", "stop")

    def task(self, mode, *, trusted=True, host="localhost", password=PASSWORD):
        options = {"sslmode": mode} if mode else {}
        if trusted:
            options["sslrootcert"] = str(self.folder / "ours.pem")
        return SessionTask(
            connection="c",
            kind="postgresql",
            host=host,
            port=self.port,
            database="postgres",
            user="etl",
            password=password,
            options=options,
            connect_timeout_s=10.0,
        )


@pytest.fixture(scope="module")
def cluster():
    if not (BIN / "initdb").exists() or not shutil.which("openssl"):
        pytest.skip("no initdb or no openssl on this machine")
    if os.getuid() == 0:
        with suppress(KeyError):
            pwd.getpwnam(OWNER)
    # Not in pytest's folder: its owner could not come in.
    with tempfile.TemporaryDirectory(prefix="etltui_test_") as folder:
        yield Cluster(Path(folder)).make()


def outcome(task):
    """None and whether the line is encrypted, or the class and the words of the failure."""
    try:
        with closing(connect(task)) as reader:
            reader.ping()
            return None, reader.facts().encrypted
    except Failure as failure:
        return failure.error_class, failure.message


MATRIX = {
    # certificate: verify-full, verify-ca, require, disable
    "good": (OK, OK, OK, OK),
    "other": (TLS, OK, OK, OK),
    "old": (TLS, TLS, OK, OK),
    "stranger": (TLS, TLS, OK, OK),
    "": (TLS, TLS, TLS, OK),
}
MODES = ("verify-full", "verify-ca", "require", "disable")
WORDS = {
    ("other", "verify-full"): "Hostname mismatch",
    ("old", "verify-full"): "certificate has expired",
    ("old", "verify-ca"): "certificate has expired",
    ("", "require"): "offers no TLS",
}


@pytest.mark.parametrize("name", MATRIX)
def test_whom_each_way_to_encrypt_trusts(cluster, name):
    with cluster.started(name):
        for mode, expected in zip(MODES, MATRIX[name], strict=True):
            found, said = outcome(cluster.task(mode))
            assert found is expected, (name, mode, said)
            if expected is OK:
                assert said is (mode != "disable"), (name, mode)
            else:
                assert WORDS.get((name, mode), "") in said
                assert "sslmode=" in said
                assert PASSWORD not in said
        assert outcome(cluster.task("")) == outcome(cluster.task("verify-full"))


def test_an_authority_of_nobody_another_address_and_a_wrong_password(cluster):
    with cluster.started("good"):
        assert outcome(cluster.task("verify-full", trusted=False))[0] is TLS
        assert outcome(cluster.task("verify-full", host="127.0.0.1"))[0] is TLS
        assert outcome(cluster.task("verify-ca", host="127.0.0.1")) == (OK, True)
        wrong, said = outcome(cluster.task("verify-full", password="canary-that-is-wrong"))
        assert wrong is ErrorClass.LOGIN
        assert "canary" not in said


def test_a_server_that_wants_encryption_refuses_a_line_without(cluster):
    rules = cluster.folder / "data" / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text("hostssl all all all scram-sha-256\n")
    try:
        with cluster.started("good"):
            found, said = outcome(cluster.task("disable"))
            assert (found, "no encryption" in said) == (ErrorClass.LOGIN, True)
            assert outcome(cluster.task("verify-full")) == (OK, True)
    finally:
        rules.write_text(before)
